// Whatever is asked, however often, in whatever order it is answered or not told of: each step is done
// once, after its needs, and what was done is undone, newest first.

import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { longestPauseMs } from '../../workflows/questions.ts'
import { createFakeRun, type FakeRun, runSteps, step } from './fake-ports.ts'

interface Drawn {
  /** Indices below its own. */
  readonly needs: readonly number[]
  /** How often the notary says that a person must be asked before it gives a token. */
  readonly asks: number
  readonly turns: number
  readonly hasUndo: boolean
  readonly end: 'settled' | 'failed' | 'denied'
}

const drawn = fc
  .array(
    fc.record({
      needs: fc.uniqueArray(fc.nat(7), { maxLength: 2 }),
      asks: fc.nat(2),
      turns: fc.nat(4),
      hasUndo: fc.boolean(),
      end: fc.oneof(
        { weight: 9, arbitrary: fc.constant('settled' as const) },
        { weight: 1, arbitrary: fc.constantFrom('failed' as const, 'denied' as const) },
      ),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((steps): readonly Drawn[] =>
    steps.map((one, index) => ({ ...one, needs: one.needs.filter((need) => need < index) })),
  )

const nameOf = (index: number) => `s${index}`

describe('any plan of which a person is asked', () => {
  it('does each step once, after its needs, and undoes what it did, newest first', async () => {
    await fc.assert(
      fc.asyncProperty(drawn, fc.infiniteStream(fc.boolean()), async (steps, coins) => {
        const left = new Map(steps.map(({ asks }, index) => [nameOf(index), asks]))
        const done: string[] = []
        const undone: string[] = []
        const fake: FakeRun = createFakeRun(async (name) => {
          const id = name.replace('~undo', '')
          const own = steps[Number(id.slice(1))]
          for (let turn = 0; turn < (own?.turns ?? 0); turn += 1) await nextTurn()
          if (id !== name) {
            undone.push(id)
            return {}
          }
          const asks = left.get(id) ?? 0
          if (asks > 0) {
            left.set(id, asks - 1)
            const approvals = [{ id: `${id}-${asks}`, expiresAt: Number.MAX_SAFE_INTEGER }]
            return { outcome: 'waiting', resultRef: null, approvals }
          }
          for (const need of own?.needs ?? []) expect(done).toContain(nameOf(need))
          done.push(id)
          return own?.end === 'settled' ? {} : { outcome: own?.end ?? 'failed', resultRef: null }
        })
        const { onStatus } = fake.ports
        const ports: FakeRun['ports'] = {
          ...fake.ports,
          onStatus(now, sources) {
            onStatus(now, sources)
            if (now !== 'waiting-approval') return
            // Told of a decision, or not: then only time helps.
            const ids = steps.flatMap((_, index) => [`s${index}-1`, `s${index}-2`])
            if (coins.next().value === true) fake.controls.questions.decide(ids)
            else {
              void nextTurn().then(() => {
                fake.clock.now += longestPauseMs
              })
            }
          },
        }
        const { outcome, progress } = await runSteps(
          steps.map(({ needs, hasUndo }, index) =>
            step(nameOf(index), { needs: needs.map(nameOf), hasUndo }),
          ),
          { ...fake, ports },
        )
        expect(new Set(done).size).toBe(done.length)
        const failed = done.some((id) => steps[Number(id.slice(1))]?.end !== 'settled')
        expect(outcome.status === 'completed').toBe(!failed)
        if (!failed) expect(done).toHaveLength(steps.length)
        const begun = fake.log.filter((name) => !name.endsWith('undo'))
        const undoable = done.filter((id) => steps[Number(id.slice(1))]?.hasUndo === true)
        const newestFirst = undoable.toSorted(
          (one, other) => begun.lastIndexOf(other) - begun.lastIndexOf(one),
        )
        expect(undone).toEqual(failed ? newestFirst : [])
        for (const { outcome: end, approvals } of progress.values()) {
          expect(['running', 'waiting']).not.toContain(end)
          expect(approvals).toBeUndefined()
        }
      }),
      { numRuns: 300 },
    )
  })
})
