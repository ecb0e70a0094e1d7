// `--deadline` and `--max-usd`: how they are read, what is refused before anything is registered, and what a
// person is told of a run that came to them.

import { describe, expect, it } from 'vitest'
import { estimateLine } from '../../cli/estimate-words.ts'
import { CommandError } from '../../cli/exit-codes.ts'
import { readLimits } from '../../cli/read-limits.ts'
import { runLines } from '../../cli/run-view.ts'
import { requestLimitsSchema } from '../../plan/request-limits.ts'
import type { StepSummary } from '../../workflows/contract.ts'
import { shown } from './shown-run.ts'

const now = Date.parse('2027-01-15T08:00:00Z')
const read = (given: { deadline?: string; maxUsd?: string }) =>
  readLimits(given, { now, zone: 'Europe/Vienna' })

describe('what is typed', () => {
  it.each([
    [{ maxUsd: '0' }, { maxMicroUsd: 0 }],
    [{ maxUsd: '0.05' }, { maxMicroUsd: 50_000 }],
    [{ maxUsd: '12.000001' }, { maxMicroUsd: 12_000_001 }],
    [{ maxUsd: '1000000' }, { maxMicroUsd: 1_000_000_000_000 }],
    [{ deadline: '90s' }, { deadline: { withinMs: 90_000 } }],
    [{ deadline: '30d' }, { deadline: { withinMs: 30 * 86_400_000 } }],
    // Nine o'clock has just come, in Vienna.
    [{ deadline: '09:00' }, { deadline: { at: now } }],
    [{ deadline: '08:59' }, { deadline: { at: now + 86_340_000 } }],
    [{ deadline: '2027-01-15T09:30:00' }, { deadline: { at: now + 1_800_000 } }],
    [{ deadline: '2027-01-15T09:30:00Z' }, { deadline: { at: now + 5_400_000 } }],
    [{ deadline: '2027-01-15T10:30:00+01:00' }, { deadline: { at: now + 5_400_000 } }],
    [
      { deadline: '2h', maxUsd: '1.5' },
      { deadline: { withinMs: 7_200_000 }, maxMicroUsd: 1_500_000 },
    ],
  ])('%j is %j', (given, limits) => {
    expect(read(given)).toEqual(limits)
    expect(requestLimitsSchema.safeParse(limits).success).toBe(true)
  })

  it('nothing is no limit', () => {
    expect(read({})).toBeUndefined()
  })

  it.each([
    ...['', '-1', '0.0000001', '1e3', '1000000.01', '9999999', '0x10', '.5', '1,5'].map(
      (maxUsd) => ({
        maxUsd,
      }),
    ),
    ...['', '0s', '31d', '-5m', '5', 'soon', '25:00', '2027-02-30T08:00', '08:59Z'].map(
      (deadline) => ({
        deadline,
      }),
    ),
    // Over.
    { deadline: '2027-01-15T08:59' },
  ])('%j is refused, with what to type', (given) => {
    try {
      expect(read(given)).toBe('refused')
    } catch (error) {
      if (!(error instanceof CommandError)) throw error
      expect(error).toMatchObject({ exitCode: 2, next: expect.stringMatching(/^--/) })
    }
  })
})

describe('what a plan takes', () => {
  const none = { leastMs: 0, mostMs: 90_000, microUsd: { least: 0, most: 0 }, effects: 0 }
  const says = 'if every attempt takes all of its time'

  it.each([
    [none, `takes at most 1 min 30 s ${says}; no effects`],
    [
      { ...none, leastMs: 60_000, effects: 1, microUsd: { least: 0, most: 20_000 } },
      `takes 1 min at the least, at most 1 min 30 s ${says}; at most 1 effect; reserves at most 0.02 USD`,
    ],
    [
      { ...none, effects: 2, microUsd: { least: 0, most: null } },
      `takes at most 1 min 30 s ${says}; at most 2 effects; what it spends is known while it runs`,
    ],
  ])('is one line: %j', (estimate, line) => {
    expect(estimateLine(estimate)).toBe(line)
  })
})

describe('a run that came to its limits', () => {
  const step = (id: string, change: Partial<StepSummary>): StepSummary => ({
    ...{ id, type: 'model.compose', effect: 'egress', outcome: 'denied' },
    ...{ attempts: 1, durationMs: 5 },
    ...change,
  })

  it('says so once, of the first step that did, and how to run it with more', () => {
    const run = shown(
      'denied',
      step('one', { outcome: 'settled' }),
      step('two', { code: 'REQUEST_LIMIT' }),
      step('three', { code: 'REQUEST_LIMIT' }),
    )
    expect(run.next).toEqual([
      {
        about:
          'two: it would spend more than --max-usd leaves, and nothing was sent (REQUEST_LIMIT)',
        next: 'npx bulkhead run <the same plan>   with a larger --max-usd',
      },
    ])
    expect(runLines(run).join('\n')).toContain('next: npx bulkhead run')
  })

  it('says so of the items of a loop', () => {
    const failed = [0, 1].map((iteration) => {
      return { iteration, outcome: 'denied' as const, code: 'DEADLINE_PASSED' }
    })
    const loop = { total: 2, outcomes: { denied: 2 }, failed }
    expect(shown('denied', step('one', { outcome: 'failed', loop })).next).toMatchObject([
      { about: expect.stringContaining('one: it would begin after --deadline') },
    ])
  })

  it('says so of a plan of which nothing was begun', () => {
    expect(shown({ status: 'denied', code: 'INFEASIBLE' }).next).toMatchObject([
      { about: expect.stringMatching(/^the plan: .*nothing of it was begun \(INFEASIBLE\)$/) },
    ])
  })

  it('is none that was denied for another reason', () => {
    expect(shown('denied', step('one', { code: 'POLICY' }))).not.toHaveProperty('next')
  })
})
