// Replicas as the supervisor tells of them, events and their limits, checkpoints over all of it.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { verifyTree } from '../../security/audit/verification.ts'
import { generateKeyPairJwk, toPublicJwk } from '../../security/verify/keys.ts'
import { createHarness, type Harness, nkey } from './harness.ts'
import { list, twoWrites } from './plans.ts'

let harness: Harness

beforeEach(async () => {
  harness = await createHarness()
})
afterEach(() => harness.close())

const boot = (change: object) =>
  harness.notary.boot('supervisor', {
    agent: 'desk',
    n: 0,
    bootEpoch: 'epoch-0002',
    running: true,
    nkey,
    receiptKey: toPublicJwk(harness.keys.receipt),
    ...change,
  })

describe('a replica', () => {
  it('is recorded once, however often it is told', async () => {
    const size = harness.store.size()
    expect(await boot({})).toEqual({ status: 'RECORDED' })
    expect(await boot({})).toEqual({ status: 'RECORDED' })
    expect(harness.store.size()).toBe(size + 1)
  })

  it('that stopped gets no token, after a restart of the notary neither', async () => {
    const run = await harness.run(twoWrites)
    await boot({ bootEpoch: 'epoch-0001', running: false })
    expect(await run.authorize('read', list)).toMatchObject({ status: 'NOT_RUNNING' })
    harness = await harness.restart()
    const call = run.call('read', list)
    expect(await harness.notary.authorize('worker', call)).toMatchObject({ status: 'NOT_RUNNING' })
  })

  it('goes on running when the stop of an earlier start is told late', async () => {
    const run = await harness.run(twoWrites)
    await boot({})
    expect(await boot({ bootEpoch: 'epoch-0001', running: false })).toMatchObject({
      status: 'RECORDED',
    })
    expect(await run.authorize('read', list)).toMatchObject({ bootEpoch: 'epoch-0002' })
  })

  it('never gets an epoch back that has ended, nor other keys for one', async () => {
    const { publicJwk } = await generateKeyPairJwk()
    expect(await boot({ bootEpoch: 'epoch-0001', receiptKey: publicJwk })).toMatchObject({
      code: 'REQUEST_CONFLICT',
    })
    expect(await boot({ bootEpoch: 'epoch-0001', nkey: 'UOTHER' })).toMatchObject({
      code: 'REQUEST_CONFLICT',
    })
    await boot({})
    expect(await boot({ bootEpoch: 'epoch-0001' })).toMatchObject({ code: 'REQUEST_CONFLICT' })
    await boot({ running: false })
    expect(await boot({})).toMatchObject({ code: 'REQUEST_CONFLICT' })
  })

  it.each([
    ['an agent without a manifest', { agent: 'stranger' }],
    ['a replica beyond the manifest', { n: 1 }],
    ['a key that is none', { receiptKey: { kty: 'OKP', crv: 'Ed25519', x: 'short' } }],
  ])('is refused for %s', async (_, change) => {
    expect(await boot(change)).toMatchObject({ status: 'REFUSED', code: 'MALFORMED' })
  })
})

describe('an event', () => {
  const event = (summary: object = {}, kind = 'life-cycle') => ({
    kind,
    subject: 'desk.0',
    summary,
  })

  it('of an agent is recorded under the name its connection has', async () => {
    const forged = { ...event({ code: 'STARTED', count: 2 }, 'security'), subject: 'agent:other.0' }
    expect(await harness.notary.agentEvent('desk.0', forged)).toEqual({ status: 'RECORDED' })
    expect(harness.rows().at(-1)).toMatchObject({
      kind: 'security',
      actor: 'agent:desk.0',
      subject: 'agent:desk.0',
      body: '{"code":"STARTED","count":2}',
    })
  })

  it('keeps no text of an agent, only a commitment that nobody can guess', async () => {
    await harness.notary.agentEvent('desk.0', event({ detail: 'Dentist at nine' }))
    const body = harness.rows().at(-1)?.body ?? ''
    expect(body).not.toContain('Dentist')
    expect(JSON.parse(body)).toEqual({ detail: { commitment: expect.stringMatching(/^.{43}$/) } })
  })

  it.each([
    ['no event', 'hello'],
    ['another kind', event({}, 'approval')],
    ['a member with a strange name', event({ 'a b': 1 })],
    [
      'too many members',
      event(Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`m${n}`, n]))),
    ],
    ['nothing at all', undefined],
  ])('is refused when it is %s', async (_, payload) => {
    expect(await harness.notary.agentEvent('desk.0', payload)).toMatchObject({ code: 'MALFORMED' })
  })

  it('beyond twenty a second is counted, and one row says how many were', async () => {
    const size = harness.store.size()
    const replies = []
    for (let n = 0; n < 50; n += 1) replies.push(await harness.notary.agentEvent('desk.0', event()))
    expect(replies.filter(({ status }) => status === 'RECORDED')).toHaveLength(20)
    expect(replies.filter(({ status }) => status === 'COUNTED')).toHaveLength(30)
    // Another source has a window of its own.
    expect(await harness.notary.agentEvent('pool.0', event())).toEqual({ status: 'RECORDED' })
    await harness.notary.tick()
    expect(harness.store.size()).toBe(size + 21)
    harness.clock.time += 60_000
    await harness.notary.tick()
    await harness.notary.tick()
    expect(harness.store.size()).toBe(size + 22)
    const { subject, body } = harness.rows().at(-1) ?? {}
    expect(subject).toBe('agent:desk.0')
    expect(JSON.parse(body ?? '')).toMatchObject({ code: 'RATE_LIMITED', count: 30 })
  })

  it('beyond one mebibyte a minute is counted', async () => {
    const summary = Object.fromEntries(
      Array.from({ length: 20 }, (_, n) => [`m${n}`, 'x'.repeat(490)]),
    )
    let recorded = 0
    for (let n = 0; n < 120; n += 1) {
      harness.clock.time += 100
      const { status } = await harness.notary.agentEvent('desk.0', event(summary))
      if (status === 'RECORDED') recorded += 1
    }
    expect(recorded).toBeGreaterThan(95)
    expect(recorded).toBeLessThan(110)
  })
})

describe('a checkpoint', () => {
  const head = async () => {
    const reply = await harness.notary.head('cli', {})
    if (reply.status !== 'HEAD') throw new Error(reply.code)
    return reply.checkpoint
  }
  const stored = () => [...harness.store.checkpoints(0, 500)]

  it('covers all that is committed, and the whole log verifies under it', async () => {
    await harness.run(twoWrites)
    const checkpoint = await head()
    expect(checkpoint.size).toBe(harness.store.size())
    const verified = await verifyTree({
      rows: harness.rows(),
      checkpoints: stored(),
      auditKey: toPublicJwk(harness.keys.audit),
      head: checkpoint,
    })
    expect(verified).toMatchObject({ ok: true, rows: 3 })
  })

  it('is made once for one size, also when asked for twice at once', async () => {
    // Its time would tell one from another.
    harness.clock.now = () => (harness.clock.time += 1)
    const [one, other] = await Promise.all([head(), head()])
    expect(other).toEqual(one)
    expect(await head()).toEqual(one)
    expect(stored()).toHaveLength(1)
  })

  it('is made every second while there are new rows, and not otherwise', async () => {
    await harness.notary.tick()
    await harness.notary.tick()
    expect(stored()).toHaveLength(1)
    await boot({})
    await harness.notary.tick()
    expect(stored().map(({ size }) => size)).toEqual([1, 2])
  })

  it('is made after 256 rows without waiting for the second', async () => {
    await harness.store.commit('fact', (writer) => {
      const entry = { actor: 't', subject: 't', correlation: '', trace: '', body: {} }
      for (let n = 0; n < 256; n += 1) writer.append({ kind: 'message', ...entry })
    })
    await boot({})
    await expect.poll(stored).toHaveLength(1)
  })

  it('is still there after a restart, and the tree goes on from it', async () => {
    const before = await head()
    harness = await harness.restart()
    harness.clock.time += 5_000
    expect(await head()).toEqual(before)
    await boot({})
    const { size } = await head()
    expect(size).toBe(before.size + 1)
    const auditKey = toPublicJwk(harness.keys.audit)
    const input = { rows: harness.rows(), checkpoints: stored(), auditKey }
    expect(await verifyTree(input)).toMatchObject({ ok: true, checkpoints: 2 })
  })
})

describe('a store that cannot record', () => {
  it('is a refusal of each call, with its own shape', async () => {
    const run = await harness.run(twoWrites)
    harness.clock.time -= 3_000
    expect(await run.authorize('read', list)).toMatchObject({
      status: 'DENIED',
      code: 'CLOCK_BACKWARDS',
    })
    expect(await boot({})).toMatchObject({ status: 'REFUSED', code: 'CLOCK_BACKWARDS' })
    expect(
      await harness.notary.agentEvent('desk.0', { kind: 'message', subject: '', summary: {} }),
    ).toMatchObject({ code: 'CLOCK_BACKWARDS' })
    harness.clock.time += 3_000
    expect(await run.authorize('read', list)).toMatchObject({ status: 'AUTHORISED' })
  })
})
