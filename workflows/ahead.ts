// What a local activity has carried on with, until the run comes to launch it: then its result is
// there. The run takes the waves up as if they had come one after the other, so that looking ahead
// changes when something was done and not what the run makes of it. No Temporal import.

import { withRefs } from '../plan/refs.ts'
import type { AheadResult, Composed, SourceRef, StepInput, WaveResult } from './contract.ts'
import type { Following, Launch } from './look-ahead.ts'

export interface Ahead {
  /** `wave`: what the run had launched. `result`: undefined where the activity came to no end. */
  keep(wave: readonly Launch[], following: Following, result: AheadResult | undefined): void
  /** What has come of exactly this step; null where its command may be out; undefined: not begun. */
  take(input: StepInput): WaveResult | undefined
  /** The answer from exactly these sources, if it has been composed. */
  answer(sources: readonly SourceRef[]): Composed | undefined
}

interface Kept {
  readonly sources: readonly SourceRef[]
  readonly result: WaveResult
}

export function createAhead(): Ahead {
  const kept = new Map<string, Kept>()
  let composed: { readonly sources: readonly SourceRef[]; readonly answer: Composed } | undefined
  return {
    keep(wave, { waves, answer: wanted }, result) {
      const refs = new Map<string, string | null>()
      for (const [nth, launches] of [wave, ...waves].entries()) {
        const came = result?.waves[nth]
        // Not begun. Of an activity that came to no end, anything may have been.
        if (result !== undefined && came === undefined) break
        const found: (readonly [string, string | null])[] = []
        for (const [place, { input }] of launches.entries()) {
          const { step, sources } = input
          const one = came?.[place] ?? null
          // The run waits for what is in the first.
          if (nth > 0) kept.set(step, { sources: withRefs(sources, refs), result: one })
          if (one !== null && one !== 'turned-away') found.push([step, one.resultRef])
        }
        for (const [step, ref] of found) refs.set(step, ref)
      }
      const answer = result?.answer
      if (answer === undefined || wanted === null) return
      composed = { sources: withRefs(wanted, refs), answer }
    },
    take({ step, kind, rerun = 0, sources }) {
      const one = kept.get(step)
      if (one === undefined || kind !== 'do' || rerun !== 0) return undefined
      kept.delete(step)
      // Built on something else than the run builds on now: whoever asks the notary finds out.
      return isSame(one.sources, sources) ? one.result : null
    },
    answer: (sources) =>
      composed !== undefined && isSame(composed.sources, sources) ? composed.answer : undefined,
  }
}

function isSame(one: readonly SourceRef[], other: readonly SourceRef[]): boolean {
  return (
    one.length === other.length &&
    one.every(({ step, iteration, ref }, at) => {
      const against = other[at]
      return against?.step === step && against.iteration === iteration && against.ref === ref
    })
  )
}
