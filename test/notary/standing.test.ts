// Standing registrations: what a person enables, and which firings of it a worker is admitted for. The
// worker here is one that may ask for anything; each refusal is of one check in notary/firing.ts.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { refuseFiring } from '../../notary/firing.ts'
import type { ScheduleReply } from '../../notary/standing-contract.ts'
import { compileSource } from '../../plan/compile.ts'
import { firingId, inputsOfFiring } from '../../plan/firing.ts'
import type { SchedulePolicy } from '../../plan/schedule.ts'
import { toScheduleSpec } from '../../plan/schedule-words.ts'
import { decide } from '../support/policy.ts'
import { catalogue } from './catalogue.ts'
import { createHarness, type Harness } from './harness.ts'

const source = `
version: 1
goal: Keep what the day holds
inputs: { day: { type: string, default: monday }, on: { type: date, default: today } }
steps:
  - { id: gather, agent: desk, action: list, args: { day: { $input: day } } }
  - id: write
    agent: desk
    action: append
    args: { note: { $input: on }, text: kept, dryRun: false }
answer: { from: [gather] }
`
const zone = 'Europe/Vienna'
const spec = toScheduleSpec({ at: '07:00', zone })
const policy: SchedulePolicy = { overlap: 'skip', catchUpSeconds: 3_600, jitterSeconds: 0 }
const day = 86_400_000

let harness: Harness
/** Some day's seven o'clock in Vienna, in the future of the harness. */
let seven: number

beforeEach(async () => {
  harness = await createHarness()
  seven = Date.parse('2027-02-01T06:00:00Z')
  harness.clock.time = seven - 3_600_000
})
afterEach(() => harness.close())

const adding = {
  op: 'add',
  id: 'briefing',
  kind: 'plan',
  name: 'kept',
  source,
  inputs: {},
  priority: 'MEDIUM',
  spec,
  policy,
  note: '',
}
const call = (payload: object, account = 'cli'): Promise<ScheduleReply> =>
  harness.notary.schedule(account, payload)
const add = (change: object = {}) => call({ ...adding, ...change })
const idOf = (at: number, schedule = 'briefing') => firingId({ schedule, at })

function planOf(at: number, inputs = {}) {
  const resolved = inputsOfFiring({ kind: 'plan', source, inputs }, { zone, at })
  const compiled = compileSource({ kind: 'plan', source, inputs: resolved, catalogue, decide })
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.issues))
  return compiled.plan
}

const admit = (at: number, plan: unknown = planOf(at), requestId = idOf(at)) =>
  harness.notary.admit('worker', { requestId, plan })

describe('a schedule', () => {
  it('is enabled once, and again with the same content changes nothing', async () => {
    const first = await add()
    expect(first).toMatchObject({ status: 'REGISTERED', schedule: { id: 'briefing', spec } })
    const size = harness.store.size()
    expect(await add()).toEqual(first)
    expect(harness.store.size()).toBe(size)
    expect(harness.rows().at(-1)).toMatchObject({ kind: 'decision', subject: 'schedule:briefing' })
  })

  it.each([
    ['bytes', { source: `${source}\n` }],
    ['inputs', { inputs: { day: 'sunday' } }],
    ['times', { spec: toScheduleSpec({ at: '08:00', zone }) }],
    ['policy', { policy: { ...policy, overlap: 'allow' } }],
  ])('is a conflict when its id comes with other %s, until it is removed', async (_, change) => {
    await add()
    expect(await add(change)).toMatchObject({ code: 'SCHEDULE_CONFLICT' })
    expect(await call({ op: 'remove', id: 'briefing' })).toEqual({ status: 'REMOVED' })
    expect(await add(change)).toMatchObject({ status: 'REGISTERED' })
  })

  it('is refused with the issues of its plan', async () => {
    expect(await add({ source: source.replace('action: list', 'action: lost') })).toMatchObject({
      code: 'PLAN_INVALID',
      issues: [expect.objectContaining({ code: 'UNKNOWN_ACTION' })],
    })
    expect(await call({ op: 'list' })).toEqual({ status: 'SCHEDULES', schedules: [] })
  })

  it('survives a restart of the notary, with its pauses', async () => {
    await add()
    await call({ op: 'pause', id: 'briefing', note: 'away' })
    harness.clock.time += 60_000
    await call({ op: 'resume', id: 'briefing', note: '' })
    const before = await call({ op: 'show', id: 'briefing', limit: 10 })
    harness = await harness.restart()
    expect(await call({ op: 'show', id: 'briefing', limit: 10 })).toEqual(before)
    expect(before).toMatchObject({
      schedule: { pausedAt: null, pauses: [{ from: seven - 3_600_000, to: seven - 3_540_000 }] },
    })
  })

  it('cannot be enabled by a worker', async () => {
    expect(await call(adding, 'worker')).toMatchObject({ code: 'NOT_PERMITTED' })
    expect(await call({ op: 'trigger', id: 'briefing' }, 'worker')).toMatchObject({
      code: 'NOT_PERMITTED',
    })
  })
})

describe('a worker', () => {
  it('is admitted for a time that is due, as often as it asks, and nothing else of that time', async () => {
    await add()
    harness.clock.time = seven + 1_000
    expect(await admit(seven)).toMatchObject({ status: 'ADMITTED', user: 'user:owner' })
    const size = harness.store.size()
    expect(await admit(seven)).toMatchObject({ status: 'ADMITTED' })
    expect(harness.store.size()).toBe(size)
    expect(await admit(seven, planOf(seven, { day: 'other' }))).toMatchObject({
      code: 'ALREADY_ADMITTED',
    })
    const shown = await call({ op: 'show', id: 'briefing', limit: 10 })
    expect(shown).toMatchObject({
      firings: [{ requestId: idOf(seven), at: seven, begunAt: seven + 1_000 }],
    })
  })

  it('gets the plan of the day on which it was due, also when it runs on the next', async () => {
    await add({ policy: { ...policy, catchUpSeconds: 2 * 86_400 } })
    harness.clock.time = seven + day
    const plan = planOf(seven)
    expect(plan.inputs).toMatchObject({ on: '2027-02-01' })
    expect(await admit(seven, planOf(seven + day))).toMatchObject({ code: 'PLAN_MISMATCH' })
    expect(await admit(seven, plan)).toMatchObject({ status: 'ADMITTED' })
  })

  it('uses nothing up with another plan', async () => {
    await add()
    harness.clock.time = seven
    expect(await admit(seven, planOf(seven, { day: 'x' }))).toMatchObject({ code: 'PLAN_MISMATCH' })
    expect(harness.store.state.firingsOf('briefing', 10)).toEqual([])
    expect(await admit(seven)).toMatchObject({ status: 'ADMITTED' })
  })

  it('cannot invent a schedule, or a time of one', async () => {
    await add()
    harness.clock.time = seven + 5_000
    expect(await admit(seven, planOf(seven), idOf(seven, 'other'))).toMatchObject({
      code: 'UNKNOWN_SCHEDULE',
    })
    expect(await admit(seven + 1_000)).toMatchObject({ code: 'NOT_NOMINAL' })
    expect(await admit(seven, planOf(seven), `${idOf(seven)}z`)).toMatchObject({
      code: 'NOT_NOMINAL',
    })
    expect(harness.store.state.firingsOf('briefing', 10)).toEqual([])
  })

  it('cannot be early, nor reach back to before it was enabled', async () => {
    await add()
    expect(await admit(seven)).toMatchObject({ code: 'NOT_DUE' })
    expect(await admit(seven + day)).toMatchObject({ code: 'NOT_DUE' })
    await call({ op: 'remove', id: 'briefing' })
    harness.clock.time = seven + 1
    await add()
    expect(await admit(seven)).toMatchObject({ code: 'NOT_DUE' })
  })

  it('may be late within the catch-up window and the jitter, and not by a moment more', async () => {
    await add({ policy: { ...policy, jitterSeconds: 60 } })
    harness.clock.time = seven + 3_660_001
    expect(await admit(seven)).toMatchObject({ code: 'FIRING_MISSED' })
    harness.clock.time = seven + 3_660_000
    expect(await admit(seven)).toMatchObject({ status: 'ADMITTED' })
  })

  it('is refused while it is paused, and for what was due then, ever after', async () => {
    await add()
    await call({ op: 'pause', id: 'briefing', note: '' })
    harness.clock.time = seven + 1_000
    expect(await admit(seven)).toMatchObject({ code: 'SCHEDULE_PAUSED' })
    await call({ op: 'resume', id: 'briefing', note: '' })
    expect(await admit(seven)).toMatchObject({ code: 'NOT_DUE' })
  })

  it('is refused once it is removed, and goes on with what was admitted', async () => {
    await add()
    harness.clock.time = seven + day
    await admit(seven + day)
    await call({ op: 'remove', id: 'briefing' })
    harness.clock.time = seven + 2 * day
    expect(await admit(seven + 2 * day)).toMatchObject({ code: 'UNKNOWN_SCHEDULE' })
    expect(await admit(seven + day)).toMatchObject({ status: 'ADMITTED' })
  })

  it('leaves a row for each refusal', async () => {
    await admit(seven)
    expect(harness.rows().at(-1)).toMatchObject({ kind: 'decision', actor: 'worker' })
    expect(harness.rows().at(-1)?.body).toContain('UNKNOWN_SCHEDULE')
  })
})

describe('a person', () => {
  it('may ask for a firing at any time, also while it is paused', async () => {
    await add()
    await call({ op: 'pause', id: 'briefing', note: '' })
    const reply = await call({ op: 'trigger', id: 'briefing' })
    const at = seven - 3_600_000
    expect(reply).toMatchObject({ status: 'TRIGGERED', at, requestId: idOf(at) })
    expect(await call({ op: 'trigger', id: 'briefing' })).toEqual(reply)
    expect(await admit(at)).toMatchObject({ status: 'ADMITTED' })
    expect(await admit(at + 1_000)).toMatchObject({ code: 'SCHEDULE_PAUSED' })
  })

  it('may have the past fired, over a change of daylight saving, and nothing beside it', async () => {
    await add({ spec: toScheduleSpec({ at: '02:30', zone }) })
    const to = Date.parse('2026-10-26T00:00:00Z')
    const from = Date.parse('2026-10-25T00:00:00Z')
    const second = Date.parse('2026-10-25T01:30:00Z')
    expect(await admit(second)).toMatchObject({ code: 'NOT_DUE' })
    const reply = await call({ op: 'backfill', id: 'briefing', from, to })
    expect(reply).toEqual({ status: 'BACKFILL', times: [second] })
    expect(await admit(second)).toMatchObject({ status: 'ADMITTED' })
    expect(await admit(second - 3_600_000)).toMatchObject({ code: 'NOT_NOMINAL' })
    const after = Date.parse('2026-10-26T01:30:00Z')
    expect(await admit(after)).toMatchObject({ code: 'NOT_DUE' })
    expect(await admit(from + 1_000)).toMatchObject({ code: 'NOT_NOMINAL' })
  })

  it.each([
    ['NOT_DUE', 0, 2 * day],
    ['NOT_DUE', -day, -2 * day],
    ['LIMIT', -200 * day, -1],
  ])('is refused with %s a backfill that cannot be meant', async (code, from, to) => {
    await add()
    const now = harness.clock.time
    const reply = await call({ op: 'backfill', id: 'briefing', from: now + from, to: now + to })
    expect(reply).toMatchObject({ status: 'REFUSED', code })
  })

  it('cannot take the place of a firing with a request of another plan', async () => {
    await add()
    const { kind, name, inputs, priority } = adding
    const requestId = idOf(seven)
    expect(
      await harness.notary.request('cli', { requestId, kind, name, source, inputs, priority }),
    ).toMatchObject({ code: 'NOT_PERMITTED' })
  })
})

it('a firing of the past that was asked for must still be due, and not of the future', () => {
  const standing = { paused_at: null, active_since: seven, spec, policy }
  const ask = (at: number, now: number) => refuseFiring(standing, { at, now, backfilled: true })
  expect(ask(seven - 30 * day, seven)).toBeUndefined()
  expect(ask(seven - 30 * day + 1_000, seven)).toMatchObject({ code: 'NOT_NOMINAL' })
  expect(ask(seven + day, seven)).toMatchObject({ code: 'NOT_DUE' })
})
