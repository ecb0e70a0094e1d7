// References to secrets: the three places they may lie in, and that no refusal quotes a value.

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { resolveAgentSecret, resolveSecret, type SecretSources } from '../../supervisor/secrets.ts'

const value = 'canary-secret-value'
let folder: string
let sources: SecretSources

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-secrets-'))
  writeFileSync(join(folder, 'key'), `${value}\n`, { mode: 0o600 })
  writeFileSync(join(folder, 'open'), value)
  chmodSync(join(folder, 'open'), 0o644)
  writeFileSync(join(folder, 'two'), `${value}\n${value}\n`, { mode: 0o600 })
  writeFileSync(join(folder, 'empty'), '\n', { mode: 0o600 })
  const variables = new Map([
    ['KEY', value],
    ['LONG', value.repeat(1_000)],
    ['CREDENTIALS_DIRECTORY', folder],
  ])
  sources = { folder, variable: (name) => variables.get(name) }
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('a secret', () => {
  it.each([
    ['a file beside the configuration', () => 'file://key'],
    ['a file anywhere', () => `file://${join(folder, 'key')}`],
    ['a variable', () => 'env://KEY'],
    ['a credential of systemd', () => 'systemd-cred://key'],
  ])('is read from %s', (_what, reference) => {
    expect(resolveSecret('mail.key', reference(), sources)).toBe(value)
  })

  it.each([
    ['the value itself', value],
    ['a value that looks like an address', `https://${value}`],
    ['a store that we do not know', 'vault://key'],
    ['a file that is not there', 'file://absent'],
    ['a folder', 'file://.'],
    ['a file that others may read', 'file://open'],
    ['a file of two lines', 'file://two'],
    ['an empty file', 'file://empty'],
    ['a variable that is not set', 'env://ABSENT'],
    ['a variable with a strange name', 'env://A B'],
    ['a variable that is too long', 'env://LONG'],
    ['a credential outside its folder', 'systemd-cred://../key'],
    ['the folder of credentials', 'systemd-cred://..'],
    ['nothing', 'file://'],
  ])('is refused, and never quoted: %s', (_what, reference) => {
    let message = ''
    try {
      resolveSecret('mail.key', reference, sources)
    } catch (error) {
      message = String(error)
      expect(error).toMatchObject({ code: 'CONFIG_INVALID' })
    }
    expect(message).toContain('mail.key')
    expect(message).not.toContain(value)
  })

  it('for an agent itself may have lines and letters of any language, and no control characters', () => {
    const put = (name: string, text: string) => {
      writeFileSync(join(folder, name), text, { mode: 0o600 })
      return resolveAgentSecret('backup.passwords', `file://${name}`, sources)
    }
    expect(put('lines', 'home: Schlüssel\nattic: two words\n')).toBe(
      'home: Schlüssel\nattic: two words',
    )
    for (const text of ['', '\n \n', `${value}\u0000`, `${value}\u001b[2J`, value.repeat(1_000)]) {
      let message = ''
      try {
        put('refused', text)
      } catch (error) {
        message = String(error)
      }
      expect(message).toMatch(/^SupervisorError: backup\.passwords: the secret is empty, too long/)
      expect(message).not.toContain(value)
    }
  })

  it('of systemd needs systemd', () => {
    const without = { folder, variable: () => undefined }
    expect(() => resolveSecret('mail.key', 'systemd-cred://key', without)).toThrow(/systemd/)
  })
})
