// Any plan with loops, with fakes: what holds whatever its shape and whatever fails.

import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../plan/limits.ts'
import type { OnError } from '../../plan/schema.ts'
import { createFakeRun, runSteps, step } from './fake-ports.ts'

const numbered = (id: string, items: number) =>
  Array.from({ length: items }, (_, index) => `${id}:${index}`)

describe('any plan with loops', () => {
  const onError = fc.constantFrom<OnError>('abort', 'continue')
  const plans = fc
    .array(
      fc.record({
        items: fc.option(fc.integer({ min: 0, max: 130 }), { nil: undefined }),
        needs: fc.array(fc.nat(), { maxLength: 3 }),
        any: fc.boolean(),
        onError,
        hasUndo: fc.boolean(),
      }),
      { minLength: 1, maxLength: 12 },
    )
    .map((drawn) => {
      const lists: Record<string, number> = {}
      const steps = drawn.map(({ items, needs, any, ...rest }, index) => {
        const id = `s${index}`
        if (items !== undefined) lists[id] = items
        const before = index === 0 ? [] : [...new Set(needs.map((need) => `s${need % index}`))]
        return step(id, {
          ...rest,
          needs: before,
          join: any ? 'any' : 'all',
          ...(items === undefined ? {} : { forEachMax: 130 }),
        })
      })
      return { steps, lists }
    })

  it('does each iteration at most once, never too many at a time, and undoes what it did, newest first', async () => {
    await fc.assert(
      fc.asyncProperty(plans, fc.infiniteStream(fc.nat(60)), async ({ steps, lists }, dice) => {
        const fates = new Map<string, 'failed' | 'skipped' | 'settled'>()
        const fake = createFakeRun(async (name) => {
          const drawn = dice.next().value ?? 1
          for (let turn = 0; turn < drawn % 4; turn += 1) await nextTurn()
          if (name.endsWith('undo')) return {}
          const fate = drawn === 0 ? 'failed' : drawn === 1 ? 'skipped' : 'settled'
          fates.set(name, fate)
          return { outcome: fate, ...(fate === 'settled' ? {} : { resultRef: null }) }
        }, lists)
        const { outcome, summary } = await runSteps(steps, fake)
        expect(new Set(fake.log).size).toBe(fake.log.length)
        expect(fake.peak()).toBeLessThanOrEqual(limits.fanOut)
        const begun = fake.log.filter((name) => !name.includes('~'))
        if (outcome.status === 'completed') {
          const expected = steps.flatMap(({ id }) => {
            const items = lists[id]
            return items === undefined ? [id] : numbered(id, items)
          })
          expect(new Set(begun)).toEqual(new Set(expected))
          expect(fake.log.some((name) => name.endsWith('undo'))).toBe(false)
          return
        }
        const undone = fake.log.filter((name) => name.endsWith('~undo'))
        const owed = begun.filter((name) => {
          const id = name.split(':')[0]
          return steps.some((one) => one.id === id && one.hasUndo) && fates.get(name) !== 'skipped'
        })
        expect(new Set(undone)).toEqual(new Set(owed.map((name) => `${name}~undo`)))
        // What was built on something is taken back before it.
        const at = (id: string, pick: 'first' | 'last') => {
          const own = undone.map((name) => name.split(/[:~]/)[0])
          return pick === 'first' ? own.indexOf(id) : own.lastIndexOf(id)
        }
        for (const { id, needs, join } of steps) {
          for (const need of needs) {
            if (join === 'any' || at(id, 'first') < 0 || at(need, 'first') < 0) continue
            expect(at(id, 'last')).toBeLessThan(at(need, 'first'))
          }
        }
        for (const { id } of steps) expect(summary(id)?.outcome).not.toBe('running')
      }),
      { numRuns: 150 },
    )
  })
})
