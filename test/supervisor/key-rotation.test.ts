// Rotation of the notary's two keys, with the notary's real key ring on a real store: what verifiers know
// at each moment, and where a supervisor or a notary that died at any point leaves it. After every
// interruption the checks of a start hold.

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { readNotaryKeys } from '../../notary/config.ts'
import { createKeyRing, type KeyRing } from '../../notary/keys.ts'
import { type AuditStore, openStore } from '../../notary/store.ts'
import { createHeadSealer } from '../../security/audit/checkpoint.ts'
import { verifyTree } from '../../security/audit/verification.ts'
import { prepareKeys } from '../../security/pki/deployment-keys.ts'
import { generateKeyPairJwk, thumbprint } from '../../security/verify/keys.ts'
import { openTokenKeyFile } from '../../security/verify/token-key-file.ts'
import { createAuditRotation } from '../../supervisor/rotation/audit.ts'
import { createSigningRotation } from '../../supervisor/rotation/signing.ts'
import { stateLayout } from '../../supervisor/state.ts'

const replicas = [
  { agent: 'notes', n: 0 },
  { agent: 'weather', n: 0 },
]
const never = new AbortController().signal
const silent = () => undefined

let state: string
let store: AuditStore
let ring: KeyRing
/** What was recorded, as `phase previous current`. */
let recorded: string[]
/** A notary that hears nothing. */
let deaf: boolean

const layout = () => stateLayout(state)
const place = (...parts: readonly string[]) => join(state, ...parts)
const json = (...parts: readonly string[]): unknown =>
  JSON.parse(readFileSync(place(...parts), 'utf8'))
const copyOf = (agent: string) => place('agents', `${agent}.0`, 'secrets', 'token-keys.json')
const start = () => prepareKeys({ state, replicas })

beforeEach(async () => {
  state = mkdtempSync(join(tmpdir(), 'bulkhead-rotation-'))
  recorded = []
  deaf = false
  await start()
  // One replica runs, the other does not.
  mkdirSync(place('agents', 'notes.0', 'secrets'), { recursive: true })
  writeFileSync(copyOf('notes'), readFileSync(layout().tokenKeys), { mode: 0o400 })
  await startNotary()
})
afterEach(async () => {
  await store.close()
  rmSync(state, { recursive: true })
})

async function startNotary(): Promise<void> {
  const keys = readNotaryKeys(layout().notary)
  const seal = await createHeadSealer(keys.audit)
  const clock = { now: () => Date.now() }
  store = openStore({ folder: layout().notary, clock, seal, reserveBytes: 4_096 })
  ring = await createKeyRing(layout().notary, { keys, store })
  await ring.reload()
}

const input = () => ({
  layout: layout(),
  replicas,
  hangUp: () => {
    if (!deaf) void ring.reload()
  },
  record: async ({ phase, previous, current }: Readonly<Record<string, string>>) => {
    recorded.push(`${phase} ${previous} ${current}`)
  },
  timeoutMs: deaf ? 50 : 5_000,
  overlapMs: 0,
})
const signing = (overlapMs = 0) => createSigningRotation({ ...input(), overlapMs })
const audit = () => createAuditRotation(input())
const setSchema = z.object({ keys: z.array(z.object({ kid: z.string() })) })
const kids = (keys: unknown) => setSchema.parse(keys).keys.map(({ kid }) => kid)
const published = () => kids(json('public', 'token-keys.json'))
const kidOf = async (name: string) =>
  thumbprint(readNotaryKeys(layout().notary)[name === 'audit' ? 'audit' : 'signing'])

describe('the signing key', () => {
  it('is known before it signs, and the old one is unknown after the overlap', async () => {
    const old = ring.minter.kid
    const agent = await openTokenKeyFile(copyOf('notes'))
    const gateway = await openTokenKeyFile(layout().tokenKeys)
    const knows = async (kid: string) =>
      (await Promise.all([agent.keyOf(kid), gateway.keyOf(kid)])).map((key) => key !== undefined)
    const look = async () => {
      const signs = ring.minter.kid === old ? 'old' : 'new'
      return [signs, await Promise.all([knows(old), knows(published().at(-1) ?? '')])]
    }
    // The files are looked at in the call; only the keys in them are imported later.
    const looks: ReturnType<typeof look>[] = []
    const { current, retired } = await signing().rotate(() => looks.push(look()), never)
    const both = [true, true]
    expect((await Promise.all(looks)).slice(0, 2)).toEqual([
      ['old', [both, both]],
      ['new', [both, both]],
    ])
    expect([retired, current]).toEqual([[old], ring.minter.kid])
    expect(await knows(old)).toEqual([false, false])
    expect(await knows(current)).toEqual(both)
    expect(recorded).toEqual([`published ${old} ${current}`, `retired ${old} ${current}`])
    expect(statSync(copyOf('notes')).mode & 0o777).toBe(0o400)
    expect(existsSync(copyOf('weather'))).toBe(false)
    expect(readdirSync(layout().notary).filter((name) => name.includes('signing'))).toEqual([
      'signing.jwk.json',
    ])
    await start()
  })

  it('goes back to the old one when the new one was never laid', async () => {
    const old = ring.minter.kid
    const stop = new AbortController()
    const rotation = signing()
    await expect(rotation.rotate(() => stop.abort(), stop.signal)).rejects.toThrow()
    expect(published()).toHaveLength(2)
    expect((await rotation.list()).map(({ state: which }) => which)).toEqual(['current', 'next'])
    await start()
    expect(await rotation.resume(silent, never)).toBeUndefined()
    expect(published()).toEqual([old])
    expect(kids(JSON.parse(readFileSync(copyOf('notes'), 'utf8')))).toEqual([old])
    expect(recorded.at(-1)).toMatch(/^taken-back /)
  })

  it('goes on to the new one when the notary takes it up only later', async () => {
    const old = ring.minter.kid
    deaf = true
    await expect(signing().rotate(silent, never)).rejects.toMatchObject({
      code: 'KEY_NOT_TAKEN_UP',
    })
    expect(ring.minter.kid).toBe(old)
    await start()
    deaf = false
    expect(await signing().resume(silent, never)).toMatchObject({ retired: [old] })
    expect(published()).toEqual([ring.minter.kid])
    await start()
  })

  it('retires the old one after a stop within the overlap', async () => {
    const old = ring.minter.kid
    const stop = new AbortController()
    const long = signing(3_600_000)
    const rotating = long.rotate((line) => {
      if (line.startsWith('tokens are signed')) stop.abort()
    }, stop.signal)
    await expect(rotating).rejects.toThrow()
    expect((await long.list()).map(({ state: which }) => which)).toEqual(['retiring', 'current'])
    await start()
    expect(await signing().resume(silent, never)).toMatchObject({ retired: [old] })
    expect(published()).toEqual([await kidOf('signing')])
  })

  it('has nothing to resume when nothing was begun', async () => {
    expect(await signing().resume(silent, never)).toBeUndefined()
    expect(recorded).toEqual([])
    expect(await signing().list()).toMatchObject([{ id: ring.minter.kid, state: 'current' }])
  })
})

describe('the audit key', () => {
  const verify = async (auditKey: unknown) =>
    verifyTree({
      rows: store.rows({ from: 1, limit: 100 }),
      checkpoints: [...store.checkpoints(0, 100)],
      head: store.head(),
      auditKey,
    })

  it('is published with its row, and the audit verifies by the list and by the first key', async () => {
    const first = json('public', 'audit-key.json')
    const old = await kidOf('audit')
    for (let round = 0; round < 2; round += 1) await audit().rotate(silent, never)
    const list = json('public', 'audit-key.json')
    expect(list).toMatchObject({ keys: [{ key: first, from: 0 }, { from: 1 }, { from: 2 }] })
    expect(await verify(first)).toMatchObject({ ok: true, rows: 2 })
    expect(await verify(list)).toMatchObject({ ok: true, rows: 2 })
    expect(recorded.map((line) => line.split(' ')[0])).toEqual([
      ...['announced', 'retired'],
      ...['announced', 'retired'],
    ])
    expect(recorded[1]).toMatch(new RegExp(`^retired ${old} `))
    expect(await audit().list()).toMatchObject([{ id: await kidOf('audit'), state: 'current' }])
    const files = [...readdirSync(layout().notary), ...readdirSync(place('public'))]
    expect(files.filter((name) => name.includes('next') || name.includes('tmp'))).toEqual([])
    await start()
  })

  it('is published later when the supervisor died after the notary took it up', async () => {
    deaf = true
    await expect(audit().rotate(silent, never)).rejects.toMatchObject({ code: 'KEY_NOT_TAKEN_UP' })
    expect((await audit().list()).map(({ state: which }) => which)).toEqual(['current', 'next'])
    await start()
    await ring.reload()
    // The list lacks the key that signs now; the announcement is why that is no fault.
    await start()
    deaf = false
    const resumed = await audit().resume(silent, never)
    expect(resumed?.current).toBe(await kidOf('audit'))
    expect(await verify(json('public', 'audit-key.json'))).toMatchObject({ ok: true })
    await start()
  })

  it('stays when its successor was announced and never laid', async () => {
    const before = json('public', 'audit-key.json')
    const { publicJwk } = await generateKeyPairJwk()
    writeFileSync(place('public', 'audit-key.next.json'), JSON.stringify(publicJwk))
    expect(await audit().resume(silent, never)).toBeUndefined()
    expect(existsSync(place('public', 'audit-key.next.json'))).toBe(false)
    expect(json('public', 'audit-key.json')).toEqual(before)
    expect(recorded).toHaveLength(1)
  })

  it('may be no other than the published and the announced one at a start', async () => {
    const { privateJwk } = await generateKeyPairJwk()
    writeFileSync(place('notary', 'audit.jwk.json'), JSON.stringify(privateJwk))
    await expect(start()).rejects.toMatchObject({ code: 'MISMATCH' })
    const { publicJwk } = await generateKeyPairJwk()
    writeFileSync(place('public', 'audit-key.next.json'), JSON.stringify(publicJwk))
    await expect(start()).rejects.toMatchObject({ code: 'MISMATCH' })
  })
})
