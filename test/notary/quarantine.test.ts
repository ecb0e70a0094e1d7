// Who is shut out, by whom and why; what that stops and what not; and each row of the policy, with
// the smallest sign that is enough and one that is not.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createEnforcement } from '../../notary/enforcement.ts'
import { type QuarantineReply, type Signal, signals } from '../../notary/quarantine-contract.ts'
import { decideSignal, quarantinePolicy } from '../../notary/quarantine-policy.ts'
import { type Bus, BusError } from '../../security/bus.ts'
import { generateKeyPairJwk } from '../../security/verify/keys.ts'
import { createHarness, execute, type Harness, nkey } from './harness.ts'
import { list, twoWrites } from './plans.ts'

let harness: Harness

beforeEach(async () => {
  harness = await createHarness()
})
afterEach(() => harness.close())

const desk = { agent: 'desk', n: 0 }
const owner = { by: 'user:owner', reason: 'it wrote at night' }
const call = (payload: object): Promise<QuarantineReply> =>
  harness.notary.quarantine('supervisor', payload)
const set = () => call({ op: 'set', ...desk, ...owner })
const lift = () => call({ op: 'lift', ...desk, ...owner })
const shut = () => harness.notary.quarantines().map(({ agent, n, code }) => `${agent}.${n} ${code}`)
const bodies = () => harness.rows().map(({ body }) => JSON.parse(body))
const done = { status: 'DONE', value: { items: [] } } as const

describe('a replica in quarantine', () => {
  it('gets no token, and the step is denied for good with the next command', async () => {
    const run = await harness.run(twoWrites)
    await set()
    expect(await run.authorize('read', list)).toMatchObject({
      status: 'DENIED',
      code: 'QUARANTINED',
      message: expect.stringContaining('npx bulkhead agents show desk'),
    })
    await lift()
    // Decided once: the run has already gone on by the step's onError.
    expect(await run.authorize('read', list)).toMatchObject({
      status: 'SETTLED',
      outcome: 'denied',
    })
  })

  it('gets none for an effect that it began before, whose outcome stays open', async () => {
    const run = await harness.run(twoWrites)
    const token = await run.token('read', list)
    await set()
    expect(await run.authorize('read', list)).toMatchObject({ code: 'QUARANTINED' })
    // What it did before is a fact.
    const receipt = await execute(token, done, harness.keys.receipt)
    expect(await run.settle('read', receipt)).toMatchObject({ status: 'SETTLED' })
  })

  it('does not start', async () => {
    await set()
    const boot = { ...desk, bootEpoch: 'epoch-0002', running: true, nkey }
    const receiptKey = { kty: 'OKP', crv: 'Ed25519', x: harness.keys.receipt.x }
    expect(await harness.notary.boot('supervisor', { ...boot, receiptKey })).toMatchObject({
      code: 'QUARANTINED',
    })
    const stopped = { ...boot, bootEpoch: 'epoch-0001', running: false, receiptKey }
    expect(await harness.notary.boot('supervisor', stopped)).toEqual({ status: 'RECORDED' })
  })

  it('stays so over a restart, and is told with who and why', async () => {
    await set()
    harness = await harness.restart()
    const entry = { ...desk, ...owner, code: 'OWNER', since: harness.clock.time }
    expect(await call({ op: 'list' })).toEqual({ status: 'QUARANTINED', entries: [entry] })
  })

  it('is recorded once when it begins and once when it ends', async () => {
    const size = harness.store.size()
    await set()
    await set()
    expect(harness.rows().at(-1)).toMatchObject({
      kind: 'security',
      actor: 'user:owner',
      subject: 'agent:desk.0',
      body: '{"code":"OWNER","event":"quarantined","reason":"it wrote at night"}',
    })
    await lift()
    await lift()
    expect(bodies().at(-1)).toMatchObject({ event: 'restored', code: 'OWNER' })
    expect(harness.store.size()).toBe(size + 2)
    expect(shut()).toEqual([])
  })
})

describe('the call', () => {
  it.each([
    ['an agent without a manifest', { op: 'set', agent: 'stranger', n: 0, ...owner }],
    ['a replica beyond the manifest', { op: 'set', agent: 'desk', n: 7, ...owner }],
    ['nobody as the one who says so', { op: 'set', ...desk, ...owner, by: 'notary' }],
    ['a reason of two lines', { op: 'set', ...desk, ...owner, reason: 'a\nb' }],
    ['a reason that steers a terminal', { op: 'set', ...desk, ...owner, reason: '\u001b[2J' }],
    ['a sign that it may not report', { op: 'signal', ...desk, signal: 'FORGED_RECEIPT', port: 1 }],
  ])('is refused for %s', async (_, payload) => {
    expect(await call(payload)).toMatchObject({ status: 'REFUSED', code: 'MALFORMED' })
    expect(shut()).toEqual([])
  })

  it('is the supervisor’s alone', async () => {
    for (const account of ['cli', 'worker', 'gateway', 'agent_desk_0']) {
      const reply = await harness.notary.quarantine(account, { op: 'set', ...desk, ...owner })
      expect(reply).toMatchObject({ code: 'NOT_PERMITTED' })
    }
    expect(shut()).toEqual([])
  })
})

describe('the policy', () => {
  const event = (code: string) => ({ kind: 'security', subject: '', summary: { code } })
  /** A minute with more events than are stored. */
  const floodMinute = async () => {
    for (let n = 0; n < 30; n += 1) await harness.notary.agentEvent('desk.0', event('STARTED'))
    harness.clock.time += 60_000
    await harness.notary.tick()
  }

  /** Makes a sign happen as it does in earnest. */
  const happen: Readonly<Record<Signal, () => Promise<unknown>>> = {
    FORGED_RECEIPT: async () => {
      const run = await harness.run(twoWrites)
      const token = await run.token('read', list)
      const change = { receipt: { argsHash: 'A'.repeat(43) } }
      await run.settle('read', await execute(token, done, harness.keys.receipt, change))
    },
    DUPLICATE_IDENTITY: () =>
      call({ op: 'signal', ...desk, signal: 'DUPLICATE_IDENTITY', port: 40_000 }),
    EVENT_FLOOD: async () => {
      for (let minute = 0; minute < 3; minute += 1) await floodMinute()
    },
    IDEM_CONFLICT: () => harness.notary.agentEvent('desk.0', event('IDEM_CONFLICT')),
    REPLAY: () => harness.notary.agentEvent('desk.0', event('REPLAY')),
  }

  it.each(signals)('has a row for %s, which is recorded with what followed', async (signal) => {
    await happen[signal]()
    const { action } = quarantinePolicy[signal]
    expect(bodies()).toContainEqual(expect.objectContaining({ code: signal, action }))
    expect(shut()).toEqual(action === 'quarantine' ? [`desk.0 ${signal}`] : [])
  })

  it('shuts out what a forged receipt and a second identity point at, and nothing for hearsay', () => {
    const actions = signals.map((signal) => decideSignal(signal, 1))
    expect(actions).toEqual(['quarantine', 'quarantine', 'report', 'report', 'report'])
    expect(decideSignal('EVENT_FLOOD', 2)).toBe('report')
    expect(decideSignal('EVENT_FLOOD', 3)).toBe('quarantine')
  })

  it('does not add up floods with a quiet minute between them', async () => {
    await floodMinute()
    await floodMinute()
    harness.clock.time += 60_000
    await floodMinute()
    await floodMinute()
    expect(shut()).toEqual([])
    await floodMinute()
    expect(shut()).toEqual(['desk.0 EVENT_FLOOD'])
  })

  it('believes no worker that brings a receipt of its own making', async () => {
    const run = await harness.run(twoWrites)
    const token = await run.token('read', list)
    const { privateJwk } = await generateKeyPairJwk()
    const made = await execute(token, done, privateJwk)
    const genuine = await execute(token, done, harness.keys.receipt)
    const mixed = { ...genuine, receipt: made.receipt }
    for (const documents of [made, mixed, { ...made, envelope: 'x' }]) {
      expect(await run.settle('read', documents)).toMatchObject({ code: 'RECEIPT_INVALID' })
    }
    expect(shut()).toEqual([])
  })

  it('keeps the first cause', async () => {
    await set()
    await happen.DUPLICATE_IDENTITY()
    expect(shut()).toEqual(['desk.0 OWNER'])
  })
})

describe('the enforcement', () => {
  it('tells the supervisor the whole table until it holds, at the start and after a change', async () => {
    const told: unknown[] = []
    const answers = [{ status: 'FAILED', message: 'busy' }, { status: 'ENFORCED' }]
    const bus: Pick<Bus, 'call'> = {
      call: async (subject, _head, payload, { reply }) => {
        told.push([subject, payload])
        const answer = told.length === 1 ? undefined : answers[Math.min(told.length - 2, 1)]
        if (answer === undefined) throw new BusError('NOT_DELIVERED', 'nobody')
        return reply.parse(answer)
      },
    }
    const enforcement = createEnforcement(bus, () => harness.notary.quarantines())
    const ticks = [await enforcement.tick(), await enforcement.tick(), await enforcement.tick()]
    expect(ticks).toEqual([false, false, true])
    await enforcement.tick()
    expect(told).toEqual(Array(3).fill(['supervisor.quarantine', { entries: [] }]))
    await set()
    expect(await enforcement.tick()).toBe(true)
    const entries = [expect.objectContaining({ agent: 'desk', code: 'OWNER' })]
    expect(told.at(-1)).toEqual(['supervisor.quarantine', { entries }])
  })
})
