// What preparing identities leaves on disk: who may read it, what a second run keeps, what it renews,
// and what it refuses to touch.

import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fromSeed } from '@nats-io/nkeys'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { certificateLifeMs, renewBeforeMs } from '../../security/pki/certificates.ts'
import { prepareIdentities } from '../../security/pki/identities.ts'

const now = Date.UTC(2026, 5, 1)
const replicas = [
  { agent: 'calendar', n: 1 },
  { agent: 'notes', n: 1 },
]
const bus = { host: '127.0.0.1', port: 4222 }
const credentials = ['bus.json', 'ca.pem', 'cert.pem', 'key.pem', 'nkey.seed']
const parties = ['supervisor', 'notary', 'worker', 'cli', 'agents/calendar.1', 'agents/notes.1']

const sorted = (names: readonly string[]) => names.toSorted((one, other) => (one < other ? -1 : 1))

let state: string
const read = (...parts: readonly string[]) => readFile(join(state, ...parts), 'utf8')
const certificate = async (...parts: readonly string[]) => new X509Certificate(await read(...parts))
const prepare = (changes: Partial<Parameters<typeof prepareIdentities>[0]> = {}) =>
  prepareIdentities({ state, deployment: 'abcd1234', replicas, bus, now, ...changes })

async function snapshot(): Promise<Record<string, string>> {
  const entries = await readdir(state, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  const texts = files.map(async ({ parentPath, name }) => {
    const file = join(parentPath, name)
    return [file.slice(state.length + 1), await readFile(file, 'utf8')] as const
  })
  return Object.fromEntries(await Promise.all(texts))
}

beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'bulkhead-pki-'))
})
afterEach(() => rm(state, { recursive: true, force: true }))

describe('prepareIdentities', () => {
  it('gives every party in use a folder with its credentials and nothing else', async () => {
    await prepare()
    for (const party of parties) {
      expect(sorted(await readdir(join(state, party, 'bus')))).toEqual(credentials)
    }
    expect(sorted(await readdir(state))).toEqual([
      'agents',
      'cli',
      'nats',
      'notary',
      'pki',
      'supervisor',
      'worker',
    ])
  })

  it('leaves nothing readable by other users, even where a folder was open before', async () => {
    await prepare()
    await chmod(join(state, 'worker', 'bus'), 0o755)
    await chmod(join(state, 'worker', 'bus', 'key.pem'), 0o644)
    await chmod(join(state, 'pki', 'ca.key.pem'), 0o644)
    await prepare()
    for (const entry of await readdir(state, { recursive: true, withFileTypes: true })) {
      const { mode } = await stat(join(entry.parentPath, entry.name))
      expect([entry.name, mode & 0o777]).toEqual([entry.name, entry.isFile() ? 0o600 : 0o700])
    }
  })

  it('changes no byte when run again', async () => {
    await prepare()
    const before = await snapshot()
    await prepare()
    expect(await snapshot()).toEqual(before)
  })

  it('keeps keys and rewrites addresses when the port changes', async () => {
    await prepare()
    const before = await snapshot()
    await prepare({ bus: { ...bus, port: 4223 } })
    const after = await snapshot()
    const changed = Object.keys(after).filter((file) => after[file] !== before[file])
    const addresses = [...parties.map((party) => `${party}/bus`), 'supervisor/sys'].map(
      (folder) => `${folder}/bus.json`,
    )
    expect(sorted(changed)).toEqual(sorted([...addresses, 'nats/nats.conf']))
    expect(after['worker/bus/bus.json']).toContain('4223')
  })

  it('names in the configuration the public half of each seed, and no seed', async () => {
    await prepare()
    const config = await read('nats', 'nats.conf')
    for (const party of parties) {
      const seed = await read(party, 'bus', 'nkey.seed')
      expect(config).toContain(fromSeed(new TextEncoder().encode(seed)).getPublicKey())
      expect(config).not.toContain(seed)
    }
  })

  it('takes the user of a replica away that is no longer named, and keeps its folder', async () => {
    await prepare()
    await prepare({ replicas: replicas.slice(0, 1) })
    expect(await read('nats', 'nats.conf')).not.toContain('notes')
    expect(await readdir(join(state, 'agents', 'notes.1', 'bus'))).toHaveLength(5)
  })

  it.each(['0.0.0.0', '::', '192.168.1.4', 'example.org', ''])(
    'refuses to listen on %j',
    async (host) => {
      await expect(prepare({ bus: { ...bus, host } })).rejects.toMatchObject({ code: 'INVALID' })
    },
  )
})

describe('the certificates', () => {
  it('serve one purpose each, so that no party can pose as the server', async () => {
    await prepare()
    const server = await certificate('nats', 'server.pem')
    const client = await certificate('agents', 'notes.1', 'bus', 'cert.pem')
    expect(server.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
    expect(client.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2'])
    expect(server.checkHost('localhost')).toBe('localhost')
    expect(server.checkIP('127.0.0.1')).toBe('127.0.0.1')
    expect(client.checkHost('localhost')).toBeUndefined()
    expect(client.subject).toBe('CN=agent_notes_1')
    expect([server.ca, client.ca]).toEqual([false, false])
  })

  it('are of the authority of this state folder, whose key stays in pki', async () => {
    await prepare()
    const authority = await certificate('pki', 'ca.pem')
    expect(authority.ca).toBe(true)
    for (const file of ['nats/server.pem', ...parties.map((party) => `${party}/bus/cert.pem`)]) {
      const issued = await certificate(file)
      expect(issued.checkIssued(authority) && issued.verify(authority.publicKey)).toBe(true)
    }
    const key = await read('pki', 'ca.key.pem')
    const holders = Object.entries(await snapshot()).filter(([, text]) => text === key)
    expect(holders.map(([file]) => file)).toEqual(['pki/ca.key.pem'])
  })

  it('are renewed for the same key before they run out, and not earlier', async () => {
    await prepare()
    const key = await read('worker', 'bus', 'key.pem')
    const first = await certificate('worker', 'bus', 'cert.pem')
    const due = now + certificateLifeMs - renewBeforeMs
    await prepare({ now: due - 1_000 })
    expect((await certificate('worker', 'bus', 'cert.pem')).fingerprint).toBe(first.fingerprint)
    await prepare({ now: due + 1_000 })
    const second = await certificate('worker', 'bus', 'cert.pem')
    expect(second.fingerprint).not.toBe(first.fingerprint)
    expect(Date.parse(second.validTo)).toBe(due + 1_000 + certificateLifeMs)
    expect(await read('worker', 'bus', 'key.pem')).toBe(key)
    expect(second.checkPrivateKey(createPrivateKey(key))).toBe(true)
  })

  it('are made anew when a crash left one of another key, or none', async () => {
    await prepare()
    await writeFile(join(state, 'cli', 'bus', 'cert.pem'), await read('worker', 'bus', 'cert.pem'))
    await rm(join(state, 'nats', 'server.pem'))
    await prepare()
    const key = createPrivateKey(await read('cli', 'bus', 'key.pem'))
    expect((await certificate('cli', 'bus', 'cert.pem')).checkPrivateKey(key)).toBe(true)
    expect((await certificate('nats', 'server.pem')).subject).toBe('CN=nats-server')
  })

  it('are all replaced when the authority is', async () => {
    await prepare()
    await rm(join(state, 'pki'), { recursive: true })
    await prepare()
    const authority = await certificate('pki', 'ca.pem')
    const issued = await certificate('worker', 'bus', 'cert.pem')
    expect(issued.verify(authority.publicKey)).toBe(true)
    expect(await read('worker', 'bus', 'ca.pem')).toBe(await read('pki', 'ca.pem'))
  })
})

describe('a damaged key', () => {
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-384',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })

  it.each([
    ['pki/ca.key.pem', ''],
    ['pki/ca.key.pem', privateKey],
    ['worker/bus/key.pem', '-----BEGIN'],
    ['worker/bus/nkey.seed', 'SUANOTASEED'],
    ['agents/notes.1/bus/nkey.seed', ''],
  ])('in %s is reported and not replaced', async (file, content) => {
    await prepare()
    await writeFile(join(state, file), content)
    await expect(prepare()).rejects.toMatchObject({ code: 'UNREADABLE' })
    expect(await read(file)).toBe(content)
  })
})
