// What a run will launch when all that it launches now has settled, as far as that is certain: reads
// on the fast lane, wave after wave. It ends before anything else comes to be ready, because the run
// itself must see to that. Pure: looks at the books and changes nothing.

import { limits } from '../plan/limits.ts'
import type { SkeletonStep } from '../plan/schema.ts'
import { type Books, inputOf } from './books.ts'
import type { SourceRef, StepInput } from './contract.ts'
import { type Entry, entryOf, isReady, sourceOf } from './entries.ts'

export interface Launch {
  readonly step: SkeletonStep
  /** Sources that are still to come have no reference. */
  readonly input: StepInput
}

export interface Following {
  /** Each to be launched, in this order, when all before it has settled. */
  readonly waves: readonly (readonly Launch[])[]
  /** Of the answer, where nothing else is to come; as in `Launch`. */
  readonly answer: readonly SourceRef[] | null
}

/** What follows when these steps, which are all that is at work, have settled. */
export type LookAhead = (begun: readonly string[]) => Following

/** Of one look: what has been begun at most when a run turns out to have been cancelled. */
const mostSteps = limits.fanOut

export function lookAhead(books: Books, begun: readonly string[]): Following {
  const { entries } = books
  const waves: (readonly Launch[])[] = []
  if (books.inFlight !== begun.length || hasMoreReady(books)) return { waves, answer: null }
  const missing = new Map<string, number>()
  let wave: readonly Entry[] = begun.map((id) => entryOf(entries, id))
  let steps = 0
  for (;;) {
    const next = letGoBy(wave, books, missing)
    if (next.length === 0) return { waves, answer: answerOf(books, begun.length + steps) }
    steps += next.length
    if (steps > mostSteps || !next.every(mayFollow)) return { waves, answer: null }
    waves.push(next.map((entry) => ({ step: entry.step, input: inputOf(books, entry) })))
    wave = next
  }
}

/** What waits for a slot goes before what follows. */
function hasMoreReady({ entries, ready, head }: Books): boolean {
  return ready.slice(head).some(({ id }) => isReady(entryOf(entries, id)))
}

/** In the order in which they would be launched. `missing`: needs that are left, counted on. */
function letGoBy(
  wave: readonly Entry[],
  { entries }: Books,
  missing: Map<string, number>,
): readonly Entry[] {
  return wave.flatMap(({ dependants }) =>
    dependants.flatMap(({ id }) => {
      const entry = entryOf(entries, id)
      const left = (missing.get(id) ?? entry.missing) - 1
      missing.set(id, left)
      const isNext = left === 0 || entry.step.join === 'any'
      return isNext && entry.phase === 'waiting' ? [entry] : []
    }),
  )
}

/** Whatever else it is, the run itself launches it, waits for its time, or looks at what has settled. */
function mayFollow({ step: { lane, effect, join }, due, rerun, loop }: Entry): boolean {
  const isShortRead = lane === 'fast' && effect === 'read'
  return isShortRead && join === 'all' && due && rerun === 0 && loop === null
}

/** `settling`: how many steps there are that will have settled. */
function answerOf({ skeleton, entries }: Books, settling: number): readonly SourceRef[] | null {
  const all = [...entries.values()]
  const ended = all.filter(({ phase }) => phase === 'ended').length
  if (ended + settling < all.length) return null
  return skeleton.steps.map(({ id }) => sourceOf(entryOf(entries, id)))
}
