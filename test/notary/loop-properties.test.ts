// Whatever becomes of the iterations of a loop, in whatever order: its counters are what a look at
// every one of them would count, and its list is the one that its present reruns returned.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openEffect } from '../../notary/grant.ts'
import { idemOf } from '../../notary/locate.ts'
import { wholeLoop } from '../../notary/loop-state.ts'
import { presentResults, productOfLoop } from '../../notary/product.ts'
import type { EffectOutcome, State } from '../../notary/state.ts'
import type { CompiledStep } from '../../plan/schema.ts'
import { digestOf, saltedHash } from '../../security/verify/hash.ts'
import { catalogue } from './catalogue.ts'
import { createHarness } from './harness.ts'
import { expanded, iterate, loopingWith, oneTwo } from './loops.ts'
import { append } from './plans.ts'

const request = 'r-1'
const step = 'each'
const outcomes = ['settled', 'failed', 'denied', 'unknown', 'skipped'] as const

type Act =
  | { readonly act: 'end'; readonly iteration: number; readonly outcome: EffectOutcome }
  | { readonly act: 'rerun' | 'resolve' | 'late'; readonly iteration: number }
  | { readonly act: 'finish' }
  | { readonly act: 'anew'; readonly count: number }

const iteration = fc.nat(4)
const acts = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        act: fc.constant('end' as const),
        iteration,
        outcome: fc.constantFrom(...outcomes),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        act: fc.constantFrom('rerun' as const, 'resolve' as const, 'late' as const),
        iteration,
      }),
    },
    { weight: 2, arbitrary: fc.constant({ act: 'finish' as const }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constant('anew' as const), count: fc.nat(5) }) },
  ),
  { maxLength: 40 },
)

/** Rare among random ones: an answer about a rerun that is not the present one. */
const late: Act[] = [
  { act: 'end', iteration: 0, outcome: 'unknown' },
  { act: 'rerun', iteration: 0 },
  { act: 'late', iteration: 0 },
]

const none = { settled: 0, skipped: 0, failed: 0, unknown: 0 }
const salt = 'A'.repeat(22)

function expandAnew(state: State, count: number): void {
  const rerun = state.rerunOf(request, step, wholeLoop)
  const ended = { outcome: null, code: null, hash: null, sources: '{}' }
  state.insertLoop({ request, step, rerun, count, ...none, ...ended })
}

/** Whether the iteration has an effect at its present rerun, and which. */
function present(state: State, at: number) {
  const rerun = state.rerunOf(request, step, at)
  const address = { request, kind: 'do', step, iteration: at, rerun } as const
  return { address, effect: state.effect(address) }
}

function play(state: State, one: Act): void {
  if (one.act === 'anew') {
    state.putRerun(request, step, wholeLoop, state.lastRerunOf(request, step) + 1)
    expandAnew(state, one.count)
    return
  }
  if (one.act === 'finish') {
    const items = state.presentLoop(request, step)?.count ?? 0
    for (let at = 0; at < items; at += 1) {
      play(state, { act: 'end', iteration: at, outcome: 'settled' })
      play(state, { act: 'resolve', iteration: at })
    }
    return
  }
  const { address, effect } = present(state, one.iteration)
  const count = state.presentLoop(request, step)?.count ?? 0
  if (one.iteration >= count) return
  if (one.act === 'end' && effect === undefined) {
    const { rerun } = address
    const result = one.outcome === 'settled' ? `{"entry":"${one.iteration}-${rerun}"}` : undefined
    const hash = result === undefined ? null : saltedHash(salt, result)
    const idem = idemOf('d'.repeat(43), address)
    state.putEffect({
      ...openEffect,
      ...address,
      idem,
      salt,
      outcome: one.outcome,
      result_hash: hash,
    })
  }
  if (one.act === 'rerun' && effect !== undefined) {
    state.putRerun(request, step, one.iteration, effect.rerun + 1)
  }
  // What became of an earlier rerun counts no more, whenever it is known.
  const before = state.effect({ ...address, rerun: address.rerun - 1 })
  if (one.act === 'late' && before?.outcome === 'unknown') {
    state.putEffect({ ...before, outcome: 'failed' })
  }
  if (one.act === 'resolve' && effect?.outcome === 'unknown') {
    state.putEffect({ ...effect, outcome: 'failed' })
  }
}

function recount(state: State, count: number): typeof none {
  const counted = { ...none }
  for (let at = 0; at < count; at += 1) {
    const outcome = present(state, at).effect?.outcome ?? null
    if (outcome !== null) counted[outcome === 'denied' ? 'failed' : outcome] += 1
  }
  return counted
}

describe('every history of a loop', () => {
  it('leaves counters that are right, and a list of what its present iterations returned', async () => {
    const harness = await createHarness()
    const compiled = await harness.run(loopingWith('continue'))
    const each = compiled.plan.steps.find(({ id }) => id === step) as CompiledStep
    const check = (state: State) => {
      const loop = state.presentLoop(request, step)
      if (loop === undefined) throw new Error('no loop')
      const counted = recount(state, loop.count)
      expect(loop).toMatchObject(counted)
      const texts = Array.from({ length: loop.count }, (_, at) => {
        const { effect } = present(state, at)
        return effect?.outcome === 'settled' ? `{"entry":"${at}-${effect.rerun}"}` : null
      })
      const isOver = counted.settled + counted.skipped + counted.failed === loop.count
      const product = productOfLoop(each, loop, { state, catalogue })
      expect(product.is).toBe(isOver ? 'result' : 'open')
      if (product.is !== 'result') return
      const hashes = texts.map((text) => (text === null ? null : saltedHash(salt, text)))
      expect(presentResults(loop, state).map(({ hash }) => hash)).toEqual(hashes)
      expect(product.hash).toBe(digestOf(hashes))
      const content = `[${texts.map((text) => text ?? 'null').join(',')}]`
      expect(product.read(content)?.bytes).toBe(content.length)
    }
    await fc.assert(
      fc.asyncProperty(acts, async (history) => {
        // Thrown away again, so that each history begins with nothing.
        const undone = harness.store.commit('fact', ({ state }) => {
          expandAnew(state, 3)
          for (const one of history) {
            play(state, one)
            check(state)
          }
          throw new RangeError('done')
        })
        await expect(undone).rejects.toThrow(RangeError)
      }),
      { numRuns: 150, examples: [[late]] },
    )
    await harness.close()
  })
})

describe('what it costs', () => {
  it('to authorise an iteration, or what builds on a loop, is no look at every iteration', async () => {
    const harness = await createHarness()
    const { state } = harness.store
    let looks = 0
    const honest = state.iterationsOf
    state.iterationsOf = (loop) => {
      looks += 1
      return honest(loop)
    }
    const about = await expanded(harness, loopingWith('continue'), oneTwo)
    for (const at of [0, 1]) await iterate(harness, about, { iteration: at })
    expect(looks).toBe(0)
    for (let asked = 0; asked < 5; asked += 1) await about.run.authorize('after', append('z'))
    expect(looks).toBe(0)
    await harness.close()
  })
})
