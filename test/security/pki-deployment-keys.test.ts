// Keys of a deployment: drawn once, never overwritten, and a lost half is reported instead of
// replaced.

import { createPrivateKey, createPublicKey } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { parseKeyRing, promoted, renderKeyRing, withNext } from '../../security/key-ring.ts'
import { prepareKeys } from '../../security/pki/deployment-keys.ts'
import { createOnce } from '../../security/pki/state-files.ts'

const replicas = [
  { agent: 'calendar', n: 1 },
  { agent: 'notes', n: 1 },
]
const files = [
  'agents/calendar.1/ledger.id',
  'agents/calendar.1/ledger.key',
  'agents/notes.1/ledger.id',
  'agents/notes.1/ledger.key',
  'cli/approver.jwk.json',
  'cli/payload.key',
  'deployment-id',
  'notary/audit.jwk.json',
  'notary/signing.jwk.json',
  'public/audit-key.json',
  'public/token-keys.json',
  'worker/artifact.key',
  'worker/payload.key',
  'worker/sealing.key',
]
const jwkSchema = z.looseObject({ kty: z.string(), crv: z.string(), x: z.string() })
const setSchema = z.strictObject({ keys: z.tuple([jwkSchema]) })

const sorted = (names: readonly string[]) => names.toSorted((one, other) => (one < other ? -1 : 1))

let state: string
const read = (file: string) => readFile(join(state, file), 'utf8')
const write = (file: string, text: string) => writeFile(join(state, file), text)
const prepare = () => prepareKeys({ state, replicas })
const snapshot = async () =>
  Object.fromEntries(await Promise.all(files.map(async (file) => [file, await read(file)])))

beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'bulkhead-keys-'))
})
afterEach(() => rm(state, { recursive: true, force: true }))

describe('prepareKeys', () => {
  it('creates every key with its public half, for its owner alone', async () => {
    const { deployment } = await prepare()
    expect(deployment).toMatch(/^[a-z0-9]{8}$/)
    const entries = await readdir(state, { recursive: true, withFileTypes: true })
    const found = entries
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name).slice(state.length + 1))
    expect(sorted(found)).toEqual(files)
    for (const file of files) expect((await stat(join(state, file))).mode & 0o777).toBe(0o600)
  })

  it('changes no byte when run again', async () => {
    const first = await prepare()
    const before = await snapshot()
    expect(await prepare()).toEqual(first)
    expect(await snapshot()).toEqual(before)
  })

  it('publishes the halves that belong to the private ones, and no private member', async () => {
    await prepare()
    const published = setSchema.parse(JSON.parse(await read('public/token-keys.json'))).keys[0]
    const audit = jwkSchema.parse(JSON.parse(await read('public/audit-key.json')))
    for (const [name, jwk] of Object.entries({ signing: published, audit })) {
      const stored = JSON.parse(await read(`notary/${name}.jwk.json`))
      const derived = createPublicKey(createPrivateKey({ key: stored, format: 'jwk' }))
      expect(derived.export({ format: 'jwk' })).toMatchObject({ x: jwk.x, crv: 'Ed25519' })
      expect(jwk).not.toHaveProperty('d')
    }
    expect(published.x).not.toBe(audit.x)
  })

  it('gives the CLI the payload key of the worker, and every other key one owner', async () => {
    await prepare()
    const keys = await snapshot()
    expect(keys['cli/payload.key']).toBe(keys['worker/payload.key'])
    expect(new Set(Object.values(keys)).size).toBe(files.length - 1)
  })

  it('restores the worker payload key from the copy of the CLI', async () => {
    await prepare()
    const key = await read('worker/payload.key')
    await rm(join(state, 'worker/payload.key'))
    await prepare()
    expect(await read('worker/payload.key')).toBe(key)
  })

  it('accepts a public set that a rotation has widened', async () => {
    await prepare()
    const set = setSchema.parse(JSON.parse(await read('public/token-keys.json')))
    const other = { kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43) }
    const widened = JSON.stringify({ keys: [other, ...set.keys] })
    await write('public/token-keys.json', widened)
    await prepare()
    expect(await read('public/token-keys.json')).toBe(widened)
  })

  it('makes one deployment of two that start at once', async () => {
    const [one, other] = await Promise.all([prepare(), prepare()])
    expect(one).toEqual(other)
    expect(sorted(await readdir(join(state, 'notary')))).toEqual([
      'audit.jwk.json',
      'signing.jwk.json',
    ])
  })

  it.each(['../worker', 'a/b', '.', ''])('refuses the agent name %j', async (agent) => {
    await expect(prepareKeys({ state, replicas: [{ agent, n: 1 }] })).rejects.toMatchObject({
      code: 'INVALID',
    })
  })
})

describe('the payload keys in two folders', () => {
  const now = 1_800_000_000_000
  const steps = async () => {
    await prepare()
    const before = parseKeyRing(await read('worker/payload.key'))
    const next = withNext(before, Buffer.alloc(32, 9), now)
    const after = promoted(next, now)
    return { before, next, after, pruned: after.filter(({ state }) => state !== 'retiring') }
  }

  it.each([
    ['before', 'next'],
    ['next', 'after'],
    ['after', 'pruned'],
  ] as const)(
    'go on from the worker when a rotation ended between %s and %s',
    async (cli, worker) => {
      const rings = await steps()
      await write('cli/payload.key', renderKeyRing(rings[cli]))
      await write('worker/payload.key', renderKeyRing(rings[worker]))
      await prepare()
      expect(await read('cli/payload.key')).toBe(renderKeyRing(rings[worker]))
    },
  )

  it.each([
    ['next', 'before'],
    ['after', 'next'],
    ['after', 'before'],
    ['before', 'after'],
  ] as const)('are refused where no rotation leads from %s to %s', async (cli, worker) => {
    const rings = await steps()
    await write('cli/payload.key', renderKeyRing(rings[cli]))
    await write('worker/payload.key', renderKeyRing(rings[worker]))
    await expect(prepare()).rejects.toMatchObject({ code: 'MISMATCH' })
  })
})

describe('a state folder that lost something', () => {
  it.each(['deployment-id', 'notary/signing.jwk.json', 'notary/audit.jwk.json'])(
    'is refused without %s, because a new one would orphan the rest',
    async (file) => {
      await prepare()
      await rm(join(state, file))
      await expect(prepare()).rejects.toMatchObject({ code: 'MISMATCH' })
      await expect(stat(join(state, file))).rejects.toMatchObject({ code: 'ENOENT' })
    },
  )

  it.each([
    ['public/token-keys.json', '{"keys":[]}'],
    ['public/audit-key.json', `{"kty":"OKP","crv":"Ed25519","x":"${'A'.repeat(43)}"}`],
    ['cli/payload.key', 'A'.repeat(43)],
  ])('is refused when %s belongs to another', async (file, text) => {
    await prepare()
    await write(file, text)
    await expect(prepare()).rejects.toMatchObject({ code: 'MISMATCH' })
    expect(await read(file)).toBe(text)
  })

  it.each(files)('is refused when %s is empty, and the file is left alone', async (file) => {
    await prepare()
    await write(file, '')
    await expect(prepare()).rejects.toMatchObject({ code: 'UNREADABLE' })
    expect(await read(file)).toBe('')
  })

  it('never shows the content of a damaged key in the error', async () => {
    await prepare()
    await write('notary/signing.jwk.json', '{"d":"very-secret"')
    const error = await prepare().catch((caught: unknown) => caught)
    expect(z.instanceof(Error).parse(error).stack).not.toContain('very-secret')
    expect(z.instanceof(Error).parse(error).cause).toBeUndefined()
  })
})

describe('createOnce', () => {
  it('leaves no file behind when drawing fails', async () => {
    const failing = createOnce(join(state, 'key'), () => Promise.reject(new Error('no entropy')))
    await expect(failing).rejects.toThrow('no entropy')
    expect(await readdir(state)).toEqual([])
  })

  it('returns what another process stored meanwhile', async () => {
    const path = join(state, 'key')
    const drawn = createOnce(path, async () => {
      await writeFile(path, 'first', { mode: 0o600 })
      return 'second'
    })
    expect(await drawn).toBe('first')
    expect(await readdir(state)).toEqual(['key'])
  })
})
