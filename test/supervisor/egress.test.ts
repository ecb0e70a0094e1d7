// What the gateway is started with, from manifests and bulkhead.yaml: which hosts, whose socket, and
// where the credential lies.

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
import { createUser } from '@nats-io/nkeys'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { gatewayConfigSchema } from '../../egress/contract.ts'
import type { AgentManifest, EgressDeclaration } from '../../plan/manifest.ts'
import { deriveAccounts } from '../../security/pki/accounts.ts'
import { credentialFolders } from '../../security/pki/identities.ts'
import { loadConfiguration } from '../../supervisor/configuration.ts'
import {
  announceEpoch,
  doorOf,
  needsGateway,
  prepareGateway,
  removeGatewaySecrets,
  withdrawEpoch,
} from '../../supervisor/egress.ts'
import { sandboxMounts } from '../../supervisor/sandbox/contents.ts'
import { stateLayout } from '../../supervisor/state.ts'
import { manifest as bare, testEgress } from '../support/test-agent/manifest.ts'

const address = { agent: 'test', n: 0 }
let state: string

beforeAll(() => {
  state = mkdtempSync(join(tmpdir(), 'bulkhead-egress-'))
  mkdirSync(join(state, 'counts'))
  const { bus } = stateLayout(state).replica(address)
  mkdirSync(bus, { recursive: true })
  writeFileSync(join(bus, 'nkey.seed'), createUser().getSeed())
})
afterAll(() => rmSync(state, { recursive: true }))

const withEgress = (changes: Partial<EgressDeclaration> = {}): AgentManifest => ({
  ...bare,
  egress: testEgress.map((one) => ({ ...one, ...changes })),
})

function prepare(yaml: string, manifest = withEgress()) {
  const file = join(state, 'bulkhead.yaml')
  writeFileSync(file, `agents: { test: { folder: counts, ${yaml} } }`)
  const catalogue = new Map([['test', manifest]])
  return gatewayConfigSchema.parse(
    prepareGateway({
      layout: stateLayout(state),
      deployment: 'abcd1234',
      gateway: undefined,
      catalogue,
      settingsOf: () => loadConfiguration(file, catalogue),
      replicas: [address],
      sockets: join(state, 'run'),
      secrets: { folder: state, variable: (name) => (name === 'KEY' ? 's3cret' : undefined) },
    }),
  )
}
const originsOf = (yaml: string, manifest?: AgentManifest) =>
  prepare(yaml, manifest).agents[0]?.egress[0]?.origins

describe('the configuration of the gateway', () => {
  it('names the socket, the key and the epoch of each replica that may ask', () => {
    const [agent] = prepare('server: "https://a.example"').agents
    expect(agent).toMatchObject({
      ...address,
      socket: join(state, 'run', 'egress', 'test.0.sock'),
      epochFile: join(state, 'gateway', 'epochs', 'test.0'),
      nkeyFile: join(state, 'gateway', 'epochs', 'test.0.nkey'),
    })
    expect(agent?.actions).toMatchObject({ fetch: ['server'], echo: [] })
  })

  it('takes origins as they are set, several with commas', () => {
    expect(originsOf('server: "https://a.example, https://b.example:8443"')).toEqual([
      'https://a.example',
      'https://b.example:8443',
    ])
    expect(originsOf('server: "http://127.0.0.1:8080"')).toEqual(['http://127.0.0.1:8080'])
    expect(originsOf('secret: "env://KEY"')).toEqual([])
  })

  it('takes the host of a manifest with its scheme and port', () => {
    const host = withEgress({ host: 'api.example', port: 8443 })
    expect(originsOf('', host)).toEqual(['https://api.example:8443'])
    expect(originsOf('', withEgress({ host: 'api.example' }))).toEqual(['https://api.example'])
  })

  it.each([
    ['A.example', /SCHEME|UPPER/],
    ['https://a.example/path', /PATH/],
    ['https://a.example.', /TRAILING_DOT/],
    ['https://a.example,', /SCHEME/],
    ['http://a.example', /not encrypted/],
  ])('refuses an origin that is no origin of ours: %s', (origin, message) => {
    expect(() => prepare(`server: "${origin}"`)).toThrow(message)
  })

  it('takes the host and port of a tunnel, and no origin of requests for one', () => {
    const [declared] = testEgress
    const tunnel: EgressDeclaration = {
      ...{ id: 'server', port: 993, protocol: 'tls', allow: [] },
      host: declared?.host ?? '',
    }
    const manifest: AgentManifest = { ...bare, egress: [tunnel] }
    expect(originsOf('server: "tls://mail.example:993"', manifest)).toEqual([
      'tls://mail.example:993',
    ])
    const fixed: AgentManifest = { ...bare, egress: [{ ...tunnel, host: 'mail.example' }] }
    expect(originsOf('', fixed)).toEqual(['tls://mail.example:993'])
    expect(() => prepare('server: "https://mail.example:993"', manifest)).toThrow(/no tls origin/)
    expect(() => prepare('server: "tls://mail.example"', manifest)).toThrow(/PORT/)
    expect(() => prepare('server: "tls://a.example:993"')).toThrow(/no https origin/)
  })

  it('sends no credential in clear to a name', () => {
    expect(() => prepare('server: "http://a.example"', withEgress({ protocol: 'http' }))).toThrow(
      /in clear/,
    )
  })

  it('has the place of a secret and not the secret', () => {
    const config = prepare('server: "https://a.example", secret: "env://KEY"')
    const file = join(state, 'gateway', 'secrets', 'test.0.server')
    expect(config.agents[0]?.egress[0]?.credential).toEqual({ as: 'bearer', file })
    expect(JSON.stringify(config)).not.toContain('s3cret')
    expect(readFileSync(file, 'utf8')).toBe('s3cret')
    expect(statSync(file).mode & 0o777).toBe(0o400)
    removeGatewaySecrets(stateLayout(state))
    expect(existsSync(file)).toBe(false)
  })

  it('forgets the secret of an earlier start', () => {
    prepare('server: "https://a.example", secret: "env://KEY"')
    prepare('server: "https://a.example"')
    expect(existsSync(join(state, 'gateway', 'secrets', 'test.0.server'))).toBe(false)
  })

  it('knows the settings that declarations name, and no others', () => {
    expect(() => prepare('serve: "https://a.example"')).toThrow(/test.serve is not a setting/)
  })
})

describe('a sandbox', () => {
  const folders = { bundle: '/b', secrets: '/s', ledger: '/l', busSocket: '/bus' }
  const places = () => ({ layout: stateLayout(state), sockets: '/run', gateway: undefined })

  it('gets the door only when its manifest declares egress', () => {
    expect(doorOf(address, bare, places())).toBeUndefined()
    const inside = sandboxMounts([], folders, []).map(({ at }) => at)
    expect(inside).not.toContain('/run/egress.sock')
    const door = doorOf(address, withEgress(), places())
    const mounts = sandboxMounts([], { ...folders, egressSocket: door?.socket ?? '' }, [])
    expect(mounts).toContainEqual({
      source: '/run/egress/test.0.sock',
      at: '/run/egress.sock',
      mode: 'rw',
      kind: 'file',
      exec: false,
    })
  })

  it('has its epoch announced while it runs', () => {
    prepare('server: "https://a.example"')
    const door = doorOf(address, withEgress(), places())
    announceEpoch(door, { bootEpoch: 'epoch-one', nkey: 'UKEY' })
    expect(readFileSync(door?.epochFile ?? '', 'utf8')).toBe('epoch-one')
    expect(readFileSync(door?.nkeyFile ?? '', 'utf8')).toBe('UKEY')
    withdrawEpoch(door)
    expect(existsSync(door?.epochFile ?? '')).toBe(false)
    announceEpoch(door, { bootEpoch: 'epoch-of-a-killed-supervisor', nkey: 'UKEY' })
    prepare('server: "https://a.example"')
    expect(existsSync(door?.epochFile ?? '')).toBe(false)
  })
})

describe('the gateway', () => {
  it('exists as a process and a user only when some agent declares egress', () => {
    expect(needsGateway(new Map([['test', bare]]))).toBe(false)
    expect(needsGateway(new Map([['test', withEgress()]]))).toBe(true)
    const users = (gateway: boolean) =>
      deriveAccounts([address], { gateway })
        .filter(({ inUse }) => inUse)
        .map(({ name }) => name)
    expect(users(false)).not.toContain('gateway')
    expect(users(true)).toEqual([...users(false).slice(0, 4), 'gateway', ...users(false).slice(4)])
    expect(credentialFolders([], false).has('gateway')).toBe(false)
    expect(credentialFolders([], true).get('gateway')).toBe(join('gateway', 'bus'))
  })
})
