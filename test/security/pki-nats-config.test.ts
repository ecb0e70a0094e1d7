// How the accounts become the server's configuration: which users, and what is refused rather than
// written. That the configuration as a whole says what the table says is pki-accounts.test.ts's.

import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { deriveAccounts } from '../../security/pki/accounts.ts'
import { renderNatsConfig } from '../../security/pki/nats-config.ts'
import { parseNatsConf } from '../support/nats-conf.ts'

const configSchema = z.looseObject({
  accounts: z.record(z.string(), z.looseObject({ users: z.array(z.unknown()).default([]) })),
})

describe('renderNatsConfig', () => {
  const tls = { ca: '/ca', cert: '/cert', key: '/key' }
  const nkey = `U${'A'.repeat(55)}`
  const accounts = deriveAccounts([])
  const nkeys = new Map(accounts.map(({ name }) => [name, [nkey]]))
  const input = { deployment: 'abcd1234', port: 4222, accounts, nkeys, tls }

  it('gives a party that is not in use no user, even when a key for it exists', () => {
    const parsed = configSchema.parse(parseNatsConf(renderNatsConfig(input)))
    expect(parsed.accounts['console']?.users).toEqual([])
  })

  it('refuses an account in use without a key', () => {
    expect(() => renderNatsConfig({ ...input, nkeys: new Map() })).toThrow('public nkey')
  })

  it('gives an account a user for each of its keys, all with the same rights', () => {
    const both = new Map(nkeys).set('cli', [nkey, `U${'B'.repeat(55)}`])
    const text = renderNatsConfig({ ...input, nkeys: both })
    // A second user is what a configuration at rest never has, and its schema refuses.
    const lines = text.split('\n').filter((line) => line.includes('_INBOX_cli'))
    expect(lines).toHaveLength(2)
    expect(lines[1]).toBe(lines[0]?.replace(nkey, `U${'B'.repeat(55)}`))
  })

  it('gives an account that is shut out no user', () => {
    const shut = new Map(nkeys).set('cli', [])
    const parsed = configSchema.parse(parseNatsConf(renderNatsConfig({ ...input, nkeys: shut })))
    expect(parsed.accounts['cli']?.users).toEqual([])
    expect(parsed.accounts['worker']?.users).toHaveLength(1)
  })

  it('refuses an account with an empty list of rights, which the server reads as all', () => {
    const open = accounts.map((each) => (each.name === 'cli' ? { ...each, publish: [] } : each))
    expect(() => renderNatsConfig({ ...input, accounts: open })).toThrow('empty list of rights')
  })

  it.each([0, 65_536, 1.5, Number.NaN])('refuses the port %d', (port) => {
    expect(() => renderNatsConfig({ ...input, port })).toThrow('port')
  })

  it('refuses a path with a line break, which would start another setting', () => {
    const hostile = { ...tls, ca: '/ca"\nhttp_port: 8222' }
    expect(() => renderNatsConfig({ ...input, tls: hostile })).toThrow('control characters')
  })
})
