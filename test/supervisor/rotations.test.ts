// One rotation at a time: what is refused, what is told, what a stop leaves. And the encryption keys'
// rotation on files, from every point at which a crash can leave it.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  currentOf,
  parseKeyRing,
  promoted,
  type RingKey,
  renderKeyRing,
  toRingKey,
  withNext,
} from '../../security/key-ring.ts'
import { untilQuiet } from '../../supervisor/quiet.ts'
import type { KeyRotation, RotationKind } from '../../supervisor/rotation/contract.ts'
import { answerKeys } from '../../supervisor/rotation/control.ts'
import { withAgentsDrained } from '../../supervisor/rotation/drained.ts'
import { createRotations } from '../../supervisor/rotation/orchestrator.ts'
import { createPayloadRotation } from '../../supervisor/rotation/payload.ts'

const silent = () => undefined
const never = new AbortController().signal

function fakeRotation(kind: RotationKind, change: Partial<KeyRotation> = {}): KeyRotation {
  return {
    kind,
    rotate: async () => ({ retired: ['old'], current: 'new' }),
    resume: async () => undefined,
    list: async () => [{ id: 'new', state: 'current', since: 1 }],
    ...change,
  }
}

const until = async (isTrue: () => boolean) => {
  await expect.poll(isTrue).toBe(true)
}

describe('rotations', () => {
  it('refuse a second one until the first has ended, and tell what the first has said', async () => {
    let finish = silent as () => void
    const held = new Promise<void>((resolve) => {
      finish = resolve
    })
    const rotations = createRotations({
      say: silent,
      rotationOf: (kind) =>
        fakeRotation(kind, {
          rotate: async (say) => {
            say('begun')
            await held
            return { retired: ['old'], current: 'new' }
          },
        }),
    })
    rotations.begin(['nkeys'], 60_000)
    expect(() => rotations.begin(['payload'], 60_000)).toThrow(
      expect.objectContaining({ code: 'ROTATION_RUNNING' }),
    )
    expect(rotations.view()).toMatchObject({ running: true, lines: ['nkeys: begun'] })
    finish()
    await until(() => rotations.view()?.running === false)
    expect(rotations.view()?.done).toEqual([{ kind: 'nkeys', retired: ['old'], current: 'new' }])
    rotations.begin(['payload'], 60_000)
    await rotations.stop()
  })

  it('refuse an overlap that a token can outlive', () => {
    const rotations = createRotations({ say: silent, rotationOf: (kind) => fakeRotation(kind) })
    expect(() => rotations.begin(['token'], 31_999)).toThrow(
      expect.objectContaining({ code: 'USAGE' }),
    )
    expect(rotations.view()).toBeUndefined()
  })

  it('end at the first that fails, and say which', async () => {
    const rotations = createRotations({
      say: silent,
      rotationOf: (kind) =>
        fakeRotation(
          kind,
          kind === 'nkeys' ? { rotate: () => Promise.reject(new Error('no')) } : {},
        ),
    })
    rotations.begin(['token', 'nkeys', 'payload'], 60_000)
    await until(() => rotations.view()?.running === false)
    expect(rotations.view()).toMatchObject({
      done: [{ kind: 'token' }],
      failure: { code: 'ROTATION_FAILED', message: 'no' },
    })
  })

  it('finish what was left, each kind, whether or not another one can be', async () => {
    const asked: string[] = []
    const rotations = createRotations({
      say: silent,
      rotationOf: (kind) =>
        fakeRotation(kind, {
          resume: async () => {
            asked.push(kind)
            if (kind === 'token') throw new Error('cannot')
            return kind === 'nkeys' ? { retired: ['a'], current: 'b' } : undefined
          },
        }),
    })
    await rotations.resume()
    expect(asked).toEqual(['token', 'audit', 'certificates', 'nkeys', 'payload'])
    expect(rotations.view()).toMatchObject({ running: false, done: [{ kind: 'nkeys' }] })
  })

  it('stop between two phases, and say that the next start goes on', async () => {
    const rotations = createRotations({
      say: silent,
      rotationOf: (kind) =>
        fakeRotation(kind, {
          rotate: async (_say, signal) => {
            await delay(60_000, undefined, { signal })
            return { retired: [], current: '' }
          },
        }),
    })
    rotations.begin(['nkeys'], 60_000)
    await rotations.stop()
    expect(rotations.view()).toMatchObject({ running: false, failure: { code: 'STOPPING' } })
  })
})

describe('what is asked of keys over the control socket', () => {
  const rotations = createRotations({ say: silent, rotationOf: (kind) => fakeRotation(kind) })
  const ask = (call: string, query = '') => answerKeys(call, new URLSearchParams(query), rotations)

  it.each([
    ['GET /status', '', undefined],
    ['GET /keysets', '', undefined],
    ['GET /keys/else', '', 404],
    ['POST /keys', '', 404],
    ['POST /keys/rotate', '', 400],
    ['POST /keys/rotate', 'kind=__proto__', 400],
    ['POST /keys/rotate', 'kind=nkeys&overlapMs=1e99', 400],
    ['POST /keys/rotate', 'kind=nkeys&overlapMs=1', 400],
    ['GET /keys', '', 200],
    ['GET /keys/rotation', '', 200],
    ['POST /keys/rotate', 'kind=nkeys&overlapMs=60000', 202],
  ])('%s?%s is answered with %s', async (call, query, status) => {
    expect((await ask(call, query))?.status).toBe(status)
  })

  it('has to wait for the start', async () => {
    const answer = await answerKeys('GET /keys', new URLSearchParams(), undefined)
    expect(answer?.status).toBe(503)
  })
})

describe('draining agents', () => {
  it('waits until every one has stopped, and lets them start again when the work is done', async () => {
    const events: string[] = []
    const replica = (name: string) => ({
      drain: async (release: Promise<unknown>) => {
        void release.then(() => events.push(`${name} released`))
        await delay(1)
        events.push(`${name} stopped`)
      },
    })
    const work = async () => events.push('work')
    await withAgentsDrained([replica('a'), replica('b')], work)
    await delay(0)
    expect(events).toEqual(['a stopped', 'b stopped', 'work', 'a released', 'b released'])
  })

  it('lets them start again when the work fails', async () => {
    let released = false
    const drain = async (release: Promise<unknown>) => {
      void release.then(() => {
        released = true
      })
    }
    const failing = withAgentsDrained([{ drain }], () => Promise.reject(new Error('reload')))
    await expect(failing).rejects.toThrow('reload')
    expect(released).toBe(true)
  })

  it('waits for the reply to what went in', async () => {
    const seen = { toAgent: 5, fromAgent: 3, heard: 5 }
    let now = 1_000
    const activity = () => {
      now += 100
      if (now === 3_000) seen.fromAgent = now
      return { ...seen }
    }
    await untilQuiet({ activity }, { since: 0, now: () => now })
    expect(now).toBe(3_000)
  })

  it('waits for what may still be on its way when nothing is under way', async () => {
    let now = 1_000
    const activity = () => {
      now += 100
      return { toAgent: 0, fromAgent: 0, heard: 0 }
    }
    await untilQuiet({ activity }, { since: 0, now: () => now })
    expect(now - 1_000).toBeGreaterThanOrEqual(250)
  })

  it('does not wait longer than any agent may take to reply', async () => {
    let now = 0
    const activity = () => {
      now += 1_000
      return { toAgent: 5, fromAgent: 3, heard: 5 }
    }
    await untilQuiet({ activity }, { since: 0, now: () => now })
    expect(now).toBeGreaterThanOrEqual(15_000)
  })
})

describe('rotating the encryption keys', () => {
  const first = toRingKey(Buffer.alloc(32, 1), 'current', 0)
  let state: string
  let held = 0
  let rows: Readonly<Record<string, string>>[]
  const at = (file: string) => join(state, file)
  const ring = (file: string) => parseKeyRing(readFileSync(at(file), 'utf8'))
  const write = (file: string, keys: readonly RingKey[]) =>
    writeFileSync(at(file), renderKeyRing(keys), { mode: 0o600 })
  const rotation = () =>
    createPayloadRotation({
      users: [],
      state,
      now: () => 1_000_000,
      record: async (row) => {
        rows.push(row)
      },
      countRunsBefore: async () => held,
    })

  beforeEach(() => {
    state = mkdtempSync(join(tmpdir(), 'bulkhead-payload-'))
    held = 1
    rows = []
    for (const folder of ['worker', 'cli']) mkdirSync(at(folder))
    for (const file of ['worker/payload.key', 'cli/payload.key']) write(file, [first])
    write('worker/sealing.key', [toRingKey(Buffer.alloc(32, 5), 'current', 0)])
  })
  afterEach(() => rmSync(state, { recursive: true, force: true }))

  it('makes the new key the current one in both places, and keeps the old one for reading', async () => {
    const { retired, current } = await rotation().rotate(silent, never)
    expect(retired).toEqual([first.id])
    expect(ring('worker/payload.key').map(({ id, state: held }) => [id, held])).toEqual([
      [current, 'current'],
      [first.id, 'retiring'],
    ])
    expect(ring('cli/payload.key')).toEqual(ring('worker/payload.key'))
    expect(ring('worker/sealing.key').map(({ state: held }) => held)).toEqual([
      'current',
      'retiring',
    ])
    expect(rows.map(({ phase }) => phase)).toEqual(['in-use'])
  })

  it('deletes an old key when no run is left that was begun under it, and not before', async () => {
    await rotation().rotate(silent, never)
    await rotation().resume(silent, never)
    expect(ring('worker/payload.key')).toHaveLength(2)
    held = 0
    await rotation().resume(silent, never)
    expect(ring('worker/payload.key')).toHaveLength(1)
    expect(ring('cli/payload.key')).toHaveLength(1)
    expect(rows.at(-1)).toMatchObject({ phase: 'deleted', previous: first.id })
  })

  it('keeps every key when Temporal does not say what it holds', async () => {
    await rotation().rotate(silent, never)
    const unsure = createPayloadRotation({
      users: [],
      state,
      now: () => 1_000_000,
      record: async () => undefined,
      countRunsBefore: () => Promise.reject(new Error('away')),
    })
    await expect(unsure.resume(silent, never)).rejects.toThrow('away')
    expect(ring('worker/payload.key')).toHaveLength(2)
  })

  it('uses at the next start the key that a crash left laid, and draws no other', async () => {
    const laid = withNext([first], Buffer.alloc(32, 2), 5)
    for (const file of ['worker/payload.key', 'cli/payload.key']) write(file, laid)
    const keys = await rotation().resume(silent, never)
    expect(keys).toEqual({ retired: [first.id], current: laid[1]?.id })
    expect(currentOf(ring('cli/payload.key')).id).toBe(laid[1]?.id)
    expect(ring('worker/payload.key')).toEqual(promoted(laid, 1_000_000))
    expect(await rotation().resume(silent, never)).toBeUndefined()
  })

  it('lists ids and states, and no key', async () => {
    await rotation().rotate(silent, never)
    const listed = JSON.stringify(await rotation().list())
    expect(listed).toContain(first.id)
    for (const { key } of [...ring('worker/payload.key'), ...ring('worker/sealing.key')]) {
      expect(listed).not.toContain(key.toString('base64url'))
    }
  })
})
