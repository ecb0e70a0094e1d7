// Everything that a stage keeps count of, and the two things that happen to it from more than one side:
// a step comes to be ready, and an end lets go on what builds on it. Pure bookkeeping.

import type { PlanSkeleton, SkeletonStep } from '../plan/schema.ts'
import type { StepInput, StepOutcome } from './contract.ts'
import { type Entries, type Entry, entryOf, hasItsNeeds, isReady, sourceOf } from './entries.ts'
import type { Progress } from './progress.ts'
import type { Questions } from './questions.ts'
import type { Slots } from './slots.ts'
import type { UndoRegister } from './undo-register.ts'

export interface Given {
  readonly requestId: string
  readonly skeleton: PlanSkeleton
  readonly progress: Progress
  readonly questions: Questions
  /** Milliseconds since the epoch, when the run begins. */
  readonly now: number
  /** Told when a slot has come free that a step may take. */
  readonly onFree: () => void
}

export interface Books extends Given {
  readonly entries: Entries
  readonly delayed: ReadonlySet<string>
  readonly slots: Slots
  readonly ready: SkeletonStep[]
  /** Have their needs and are not due; `told`: somebody watches the clock for them. */
  readonly early: Map<string, 'new' | 'told'>
  readonly undo: UndoRegister
  readonly held: Set<string>
  head: number
  inFlight: number
  chunksDrawn: number
  stopped: boolean
}

export function enqueue(books: Books, entry: Entry): void {
  if (isReady(entry)) books.ready.push(entry.step)
  else if (hasItsNeeds(entry) && !books.early.has(entry.step.id)) {
    books.early.set(entry.step.id, 'new')
  }
}

export function inputOf(books: Books, { step, rerun }: Entry): StepInput {
  const { requestId, skeleton, entries } = books
  return {
    planRef: skeleton.planRef,
    digest: skeleton.digest,
    requestId,
    step: step.id,
    iteration: 0,
    kind: 'do',
    sources: step.needs.map((id) => sourceOf(entryOf(entries, id))),
    attempts: step.attempts,
    ...(rerun === 0 ? {} : { rerun }),
  }
}

export function pass(books: Books, entry: Entry, outcome: StepOutcome): void {
  const settled = outcome === 'settled' || outcome === 'already-settled'
  entry.passed = settled ? 'settled' : 'otherwise'
  for (const { id } of entry.dependants) {
    const dependant = entryOf(books.entries, id)
    dependant.missing -= 1
    if (settled) dependant.settledNeeds += 1
    enqueue(books, dependant)
  }
}
