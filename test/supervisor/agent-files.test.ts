import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { agentConfigSchema } from '../../agents/agent-config.ts'
import { prepareKeys } from '../../security/pki/deployment-keys.ts'
import { prepareIdentities } from '../../security/pki/identities.ts'
import {
  ledgerMarker,
  prepareBundle,
  prepareLedger,
  prepareSecrets,
  removeSecrets,
} from '../../supervisor/agent-files.ts'
import { prepareState, stateLayout } from '../../supervisor/state.ts'

const address = { agent: 'notes', n: 0 }
let base: string

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'bulkhead-files-'))
})
afterEach(() => rmSync(base, { recursive: true, force: true }))

async function prepareHome() {
  const layout = stateLayout(base)
  prepareState(layout, [address])
  const { deployment } = await prepareKeys({ state: base, replicas: [address] })
  const bus = { host: '127.0.0.1', port: 1_234 }
  await prepareIdentities({ state: base, deployment, replicas: [address], bus })
  return {
    layout: layout.replica(address),
    ...{ deployment, tokenKeys: layout.tokenKeys, address },
    storage: { bytes: 64 * 1024 * 1024, volumes: undefined },
    secrets: [{ name: 'password', value: 'open sesame' }],
  }
}

describe('the secrets of a start', () => {
  it('are what an agent reads, 0400, with keys of that start alone', async () => {
    const input = await prepareHome()
    const first = await prepareSecrets(input)
    const read = (name: string) => readFileSync(join(input.layout.secrets, name), 'utf8')
    const config = agentConfigSchema.parse(JSON.parse(read('config.json')))
    expect(config).toMatchObject({
      deployment: input.deployment,
      issuer: `notary:${input.deployment}`,
      agent: 'notes',
      n: 0,
      bootEpoch: first.bootEpoch,
      nkey: first.nkey,
      insecure: false,
    })
    expect(first.nkey).toMatch(/^U[A-Z2-7]{55}$/)
    expect(JSON.parse(read('receipt.jwk.json'))).toMatchObject(first.receiptKey)
    expect(first.receiptKey).not.toHaveProperty('d')
    for (const name of [
      'config.json',
      'receipt.jwk.json',
      'ledger.key',
      'password',
      'bus/nkey.seed',
    ]) {
      expect(statSync(join(input.layout.secrets, name)).mode & 0o777, name).toBe(0o400)
    }
    expect(read('password')).toBe('open sesame')
    const second = await prepareSecrets(input)
    expect(second.bootEpoch).not.toBe(first.bootEpoch)
    expect(second.receiptKey.x).not.toBe(first.receiptKey.x)
    expect(second.nkey).toBe(first.nkey)
    removeSecrets(input.layout)
    expect(existsSync(input.layout.secrets)).toBe(false)
  })
})

describe('a ledger folder', () => {
  it('carries the marker when it is created, once', async () => {
    const { layout } = await prepareHome()
    const id = prepareLedger(layout)
    const marker = join(layout.ledger, ledgerMarker)
    expect(readFileSync(marker, 'utf8')).toBe(id)
    rmSync(marker)
    expect(prepareLedger(layout)).toBe(id)
    expect(existsSync(marker)).toBe(false)
  })

  it('comes back without the marker when it was lost', async () => {
    const { layout } = await prepareHome()
    prepareLedger(layout)
    rmSync(layout.ledger, { recursive: true })
    prepareLedger(layout)
    expect(existsSync(layout.ledger)).toBe(true)
    expect(existsSync(join(layout.ledger, ledgerMarker))).toBe(false)
  })
})

describe('the bundle of a replica', () => {
  it('is replaced when it changes', () => {
    const layout = stateLayout(base).replica(address)
    mkdirSync(layout.folder, { recursive: true })
    const sources = { bundle: join(base, 'one.mjs'), addon: join(base, 'addon.node') }
    writeFileSync(sources.bundle, 'one')
    writeFileSync(sources.addon, 'addon')
    prepareBundle(layout, sources)
    writeFileSync(sources.bundle, 'two')
    prepareBundle(layout, sources)
    expect(readFileSync(join(layout.bundle, 'agent.mjs'), 'utf8')).toBe('two')
  })
})
