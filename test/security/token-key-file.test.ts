// A key set that is replaced under a running verifier: what is removed dies at once, what is added
// counts at once, and what is no key set counts for nothing.

import { mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { generateKeyPairJwk, type PublicJwk, thumbprint } from '../../security/verify/keys.ts'
import { openTokenKeyFile } from '../../security/verify/token-key-file.ts'

async function draw() {
  const { publicJwk } = await generateKeyPairJwk()
  return { jwk: publicJwk, kid: await thumbprint(publicJwk) }
}
const [old, young] = [await draw(), await draw()]

let file: string
beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-keys-'))
  file = join(folder, 'token-keys.json')
  onTestFinished(() => rmSync(folder, { recursive: true }))
})

function publish(...keys: readonly PublicJwk[]): void {
  writeFileSync(`${file}.new`, JSON.stringify({ keys }))
  renameSync(`${file}.new`, file)
}

describe('a token key file', () => {
  it('knows what it holds at each moment, without being opened again', async () => {
    publish(old.jwk)
    const keys = await openTokenKeyFile(file)
    const known = async () => [
      (await keys.keyOf(old.kid)) !== undefined,
      (await keys.keyOf(young.kid)) !== undefined,
    ]
    expect(await known()).toEqual([true, false])
    publish(old.jwk, young.jwk)
    expect(await known()).toEqual([true, true])
    publish(young.jwk)
    expect(await known()).toEqual([false, true])
  })

  it('notices another set of the same length and time', async () => {
    publish(old.jwk)
    utimesSync(file, 1, 1)
    const keys = await openTokenKeyFile(file)
    publish(young.jwk)
    utimesSync(file, 1, 1)
    expect(await keys.keyOf(old.kid)).toBeUndefined()
    expect(await keys.keyOf(young.kid)).toBeDefined()
  })

  it('gives the new set to whoever asks at once', async () => {
    publish(old.jwk)
    const keys = await openTokenKeyFile(file)
    publish(young.jwk)
    const found = await Promise.all([
      keys.keyOf(old.kid),
      keys.keyOf(old.kid),
      keys.keyOf(young.kid),
    ])
    expect(found.map((key) => key !== undefined)).toEqual([false, false, true])
  })

  it.each<[string, () => void]>([
    ['is gone', () => rmSync(file)],
    ['is no JSON', () => writeFileSync(file, '{')],
    ['is no key set', () => writeFileSync(file, '{"keys":[{"kty":"RSA"}]}')],
    ['is too large', () => writeFileSync(file, ' '.repeat(70_000))],
  ])('knows no key while it %s, and all of them when it is back', async (_name, spoil) => {
    publish(old.jwk)
    const keys = await openTokenKeyFile(file)
    spoil()
    expect(await keys.keyOf(old.kid)).toBeUndefined()
    expect(await keys.keyOf(old.kid)).toBeUndefined()
    publish(old.jwk)
    expect(await keys.keyOf(old.kid)).toBeDefined()
  })

  it('is refused at the start when it is no key set', async () => {
    await expect(openTokenKeyFile(file)).rejects.toThrow()
    writeFileSync(file, '{}')
    await expect(openTokenKeyFile(file)).rejects.toThrow()
  })
})
