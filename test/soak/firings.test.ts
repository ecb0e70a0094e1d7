import { expect, it } from 'vitest'
import { summarise } from './firings.ts'

const schedule = { id: 'often', everySeconds: 10 }
const period = { from: 1_000, until: 39_000 }
const ran = (at: number) => ({ at, outcome: 'ran' }) as const

it('counts the due times by itself', () => {
  expect(summarise(schedule, [ran(10_000), ran(20_000), ran(30_000)], period)).toEqual({
    ...{ schedule: 'often', due: 3, outcomes: { ran: 3 }, missing: [], others: [] },
  })
  expect(summarise(schedule, [], { from: 1_000, until: 9_999 }).due).toBe(0)
  expect(summarise(schedule, [ran(10_000)], { from: 10_000, until: 10_000 }).due).toBe(1)
})

it('calls missing what nobody reports, what was missed and what is unknown', () => {
  const reports = [ran(0), { at: 10_000, outcome: 'unknown' }, { at: 30_000, outcome: 'missed' }]
  const found = summarise(schedule, reports as never, period)
  expect(found.missing).toEqual([10_000, 20_000, 30_000].map((at) => new Date(at).toISOString()))
  expect(found.outcomes).toEqual({ unknown: 1, missed: 1 })
})

it('names what failed, is held, or has not ended', () => {
  const reports = [
    { at: 10_000, outcome: 'failed', code: 'X' },
    { at: 20_000, outcome: 'skipped' },
    { at: 30_000, outcome: 'running' },
  ] as const
  const { others, missing } = summarise(schedule, reports, period)
  expect(others.map(({ at }) => at)).toEqual([10_000, 30_000])
  expect(missing).toEqual([])
})
