// What a plan takes, as bounds: what is let through would have been let through by hand, and what is refused
// could not have been carried out in any order.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { compilePlan } from '../../plan/compile.ts'
import {
  durationWords,
  estimatePlan,
  infeasible,
  startsFrom,
  usdWords,
} from '../../plan/estimate.ts'
import { limits } from '../../plan/limits.ts'
import { createCatalogue, defineManifest } from '../../plan/manifest.ts'
import { deadlineOf, microUsdOf, requestLimitsSchema } from '../../plan/request-limits.ts'
import type { CompiledPlan } from '../../plan/schema.ts'
import { plainAction, plainAgent } from '../support/manifest-defaults.ts'

const minute = 60_000
/** Nine in the morning in Vienna. */
const now = Date.parse('2027-01-15T08:00:00Z')

const asking = {
  ...plainAction,
  effect: 'egress',
  timeoutMs: minute,
  input: z.strictObject({ most: z.int().optional() }),
  output: z.strictObject({ cost: z.int(), tags: z.array(z.string()) }),
  roles: { '/most': 'amount' },
  units: { '/most': 'meter.micro_usd' },
} as const
const meter = defineManifest({
  ...plainAgent,
  name: 'meter',
  actions: {
    ask: { ...asking, spent: { '/most': '/cost' } },
    // What it reserved stays.
    tell: asking,
    look: {
      ...plainAction,
      effect: 'read',
      input: z.strictObject({}),
      output: asking.output,
      roles: {},
    },
    pay: {
      ...plainAction,
      effect: 'write',
      input: z.strictObject({
        amount: z.int(),
        currency: z.string(),
        dryRun: z.boolean().default(false),
      }),
      output: z.strictObject({}),
      roles: { '/amount': 'amount', '/currency': 'control', '/dryRun': 'control' },
      currencies: { '/amount': '/currency' },
    },
  },
})
const catalogue = createCatalogue([meter])
const allow = () => ({ verdict: 'allow', rules: ['anything'] }) as const

const step = (id: string, action: string, args: object, more: object = {}) => ({
  ...{ id, agent: 'meter', action, args, ...more },
})
const ask = (id: string, most: unknown, more?: object) => step(id, 'ask', { most }, more)

function compiled(steps: readonly object[], more: object = {}, inputs = {}): CompiledPlan {
  const written = { version: 1, goal: 'g', steps, answer: { from: [] }, ...more }
  const result = compilePlan(written, { inputs, catalogue, decide: allow })
  if (!result.ok) throw new Error(JSON.stringify(result.issues))
  return result.plan
}
const estimateOf = (plan: CompiledPlan) =>
  estimatePlan(plan, { catalogue, now, startOf: startsFrom(now, 'Europe/Vienna') })
const estimate = (...given: Parameters<typeof compiled>) => estimateOf(compiled(...given))

const list = { $from: 'list#/tags' }
const loop = (max: number) => ({ forEach: { in: list, as: 'tag', max } })

describe('how long it takes', () => {
  it('is nothing at the least, and at the most what its time-outs are in a row', () => {
    const chain = [
      ask('a', 1),
      ask('b', 1, { needs: ['a'], attempts: 3 }),
      ask('c', 1, { attempts: 2 }),
    ]
    const attempts = limits.attempts + 3
    expect(estimate(chain)).toMatchObject({ leastMs: 0, mostMs: attempts * minute })
  })

  it('is at the least until the last time that it waits for', () => {
    const steps = [
      ask('a', 1, { at: { local: '09:12' }, attempts: 1 }),
      ask('b', 1, { at: { local: '09:05', zone: 'Europe/Vienna' } }),
      ask('c', 1, { needs: ['a'], attempts: 1 }),
    ]
    expect(estimate(steps)).toMatchObject({ leastMs: 12 * minute, mostMs: 14 * minute })
    const past = ask('a', 1, { at: { local: '2027-01-14T08:00' }, attempts: 1 })
    expect(estimate([past])).toMatchObject({ leastMs: 0, mostMs: minute })
  })

  it('is at the most a loop in full, as many of it at once as a run may have out', () => {
    const steps = [
      step('list', 'look', {}, { attempts: 1, timeoutMs: 1_000 }),
      ask('a', 1, { ...loop(129), attempts: 1 }),
    ]
    expect(estimate(steps)).toMatchObject({ leastMs: 0, mostMs: 1_000 + 3 * minute, effects: 129 })
  })
})

describe('what it spends', () => {
  it('is at the most all that it reserves', () => {
    const steps = [
      step('list', 'look', {}),
      ask('a', 800),
      ask('b', { $input: 'most' }),
      ask('c', 10, loop(3)),
      step('d', 'pay', { amount: 2, currency: 'usd' }),
      step('e', 'pay', { amount: 9, currency: 'EUR' }),
      ask('f', 5, { when: { cel: '1 == 1', with: {} } }),
      step('g', 'ask', {}),
    ]
    const declared = { inputs: { most: { type: 'integer' } } }
    expect(estimate(steps, declared, { most: 7 })).toMatchObject({
      microUsd: { most: 800 + 7 + 30 + 20_000 + 5 },
      effects: 9,
    })
  })

  it('is not known where an amount, or its currency, is only known while it runs', () => {
    // The flow rules let few such plans through; those of an agent that nobody wrote yet may be among them.
    const open = (args: object) => {
      const plan = compiled([ask('a', 800), step('b', 'pay', { amount: 1, currency: 'USD' })])
      const [first, second] = plan.steps
      if (first === undefined || second === undefined) throw new Error('no steps')
      const steps = [first, { ...second, args: { amount: 1, currency: 'USD', ...args } }]
      return estimateOf({ ...plan, steps }).microUsd
    }
    expect(open({})).toEqual({ least: 10_100, most: 10_800 })
    expect(open({ amount: { $from: 'a#/cost' } })).toEqual({ least: 800, most: null })
    expect(open({ currency: { $from: 'a#/tags/0' } })).toEqual({ least: 800, most: null })
    const euros = { amount: { $from: 'a#/cost' }, currency: 'EUR' }
    expect(open(euros)).toEqual({ least: 800, most: 800 })
  })

  it('is at the least what has to be free for its dearest step, whatever is given back before', () => {
    expect(estimate([ask('a', 800), ask('b', 800)]).microUsd).toEqual({ least: 900, most: 1_600 })
    const stays = step('b', 'tell', { most: 800 })
    expect(estimate([ask('a', 800), stays]).microUsd).toEqual({ least: 900, most: 1_600 })
    const both = [step('a', 'tell', { most: 800 }), stays]
    expect(estimate(both).microUsd).toEqual({ least: 1_600, most: 1_600 })
  })

  it('is nothing at the least of what may be left out', () => {
    const guard = { when: { cel: '1 == 1', with: {} } }
    const steps = [step('list', 'look', {}), ask('a', 800, guard), ask('b', 800, loop(2))]
    expect(estimate(steps).microUsd).toEqual({ least: 0, most: 2_400 })
    const any = ask('c', 800, { needs: ['list'], join: 'any' })
    expect(estimate([step('list', 'look', {}), any]).microUsd).toEqual({ least: 0, most: 800 })
  })

  it('at the least is what the best order of the steps comes to', () => {
    const priced = fc.record({ most: fc.integer({ min: 0, max: 1_000 }), gives: fc.boolean() })
    fc.assert(
      fc.property(fc.array(priced, { minLength: 1, maxLength: 5 }), (prices) => {
        const steps = prices.map(({ most, gives }, n) =>
          step(`s${n}`, gives ? 'ask' : 'tell', { most }),
        )
        const peaks = ordersOf(prices).map((order) => {
          let counted = 0
          return order.reduce((peak, { most, gives }) => {
            const needed = Math.max(peak, counted + most)
            counted += gives ? Math.ceil(most / limits.leastSpentShare) : most
            return needed
          }, 0)
        })
        expect(estimate(steps).microUsd.least).toBe(Math.min(...peaks))
      }),
      { numRuns: 200 },
    )
  })
})

function ordersOf<T>(all: readonly T[]): readonly (readonly T[])[] {
  if (all.length === 0) return [[]]
  return all.flatMap((one, at) => ordersOf(all.toSpliced(at, 1)).map((rest) => [one, ...rest]))
}

describe('a plan that cannot be carried out', () => {
  const at = (ms: number) => ({
    leastMs: ms,
    mostMs: ms,
    microUsd: { least: 50_000, most: null },
    effects: 1,
  })

  it('is told with the figures, and with what would be enough', () => {
    const given = { deadline: now + 5 * minute, maxMicroUsd: 20_000 }
    expect(infeasible(at(12 * minute), given, now)).toEqual([
      {
        ...{ code: 'INFEASIBLE', path: '' },
        message: 'it takes 12 min at the least, and the deadline is in 5 min',
        fix: 'give it until 2027-01-15T08:12:00.000Z or later',
      },
      {
        ...{ code: 'INFEASIBLE', path: '' },
        message: 'it has to reserve 0.05 USD at the least, and 0.02 USD is allowed',
        fix: 'allow it 0.05 USD or more',
      },
    ])
  })

  it('is not told of a plan that just can, nor of one without limits', () => {
    const enough = { deadline: now + 12 * minute, maxMicroUsd: 50_000 }
    expect(infeasible(at(12 * minute), enough, now)).toEqual([])
    expect(infeasible(at(12 * minute), {}, now)).toEqual([])
  })

  it('is any whose deadline is over', () => {
    expect(infeasible(at(0), { deadline: now }, now)).toEqual([])
    expect(infeasible(at(0), { deadline: now - 1 }, now)).toMatchObject([
      { message: 'it takes no time at the least, and the deadline is over' },
    ])
  })
})

describe('limits', () => {
  it.each([
    [{ maxMicroUsd: 0 }, true],
    [{ deadline: { withinMs: 1 } }, true],
    [{ deadline: { at: now }, maxMicroUsd: 50_000 }, true],
    [{}, false],
    [{ maxMicroUsd: -1 }, false],
    [{ maxMicroUsd: 0.5 }, false],
    [{ maxMicroUsd: 1e13 }, false],
    [{ deadline: now }, false],
    [{ deadline: { withinMs: 0 } }, false],
    [{ deadline: { withinMs: limits.runMs + 1 } }, false],
    [{ deadline: { at: now, withinMs: 1 } }, false],
    [{ maxUsd: 1 }, false],
  ])('%j: %j', (given, isRight) => {
    expect(requestLimitsSchema.safeParse(given).success).toBe(isRight)
  })

  it('count a deadline from the registration, or take it as it is', () => {
    expect(deadlineOf({ deadline: { withinMs: minute } }, now)).toBe(now + minute)
    expect(deadlineOf({ deadline: { at: now } }, 0)).toBe(now)
    expect(deadlineOf({ maxMicroUsd: 1 }, now)).toBeUndefined()
  })

  it.each([
    ['USD', 3, 30_000],
    ['model.micro_usd', 3, 3],
    ['EUR', 3, 0],
    ['?', 3, 0],
    ['till.stamp', 3, 0],
  ])('count %s', (unit, amount, microUsd) => {
    expect(microUsdOf({ unit, amount })).toBe(microUsd)
  })

  it.each([
    [0, '0.00 USD'],
    [50_000, '0.05 USD'],
    [27_501, '0.027501 USD'],
    [1_500_000, '1.50 USD'],
    [1_000_000_000_000, '1000000.00 USD'],
    [1_200, '0.0012 USD'],
  ])('%j is said as %s', (microUsd, said) => {
    expect(usdWords(microUsd)).toBe(said)
  })

  it.each([
    [0, 'no time'],
    [1, '1 s'],
    [12 * minute, '12 min'],
    [90_061_000, '1 d 1 h 1 min 1 s'],
  ])('%j ms are said as %s', (ms, said) => {
    expect(durationWords(ms)).toBe(said)
  })
})
