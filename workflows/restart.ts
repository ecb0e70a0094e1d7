// What a person's decision on a run that was held changes in its books: a step runs again with all that
// was built on it, or an outcome that nobody knew is known. Pure bookkeeping.

import { type Books, enqueue, pass } from './books.ts'
import type { ResolveInput, RetryInput } from './contract.ts'
import { type Entry, entryOf } from './entries.ts'
import { rerunIteration, resolveIteration, restartLoop, summariseLoop, verdictOf } from './loop.ts'
import { note } from './progress.ts'

export function again(books: Books, { step, reruns }: RetryInput): void {
  const cause = entryOf(books.entries, step)
  reset(books, cause, true)
  const named = [cause]
  for (const { step: id, rerun, iteration } of reruns) {
    const entry = entryOf(books.entries, id)
    // A step that joined any of its needs has gone on without the cause, and the notary names it too.
    if (entry !== cause) reset(books, entry, false)
    named.push(entry)
    if (entry.loop !== null && iteration !== undefined) {
      rerunIteration(entry.loop.book, iteration, rerun)
      continue
    }
    if (entry.loop !== null) restartLoop(entry.loop.book, rerun)
    entry.rerun = Math.max(entry.rerun, rerun)
  }
  for (const entry of new Set(named)) enqueue(books, entry)
}

/** The step runs again, and so does whatever ended on what it came to. `isCause`: a person asked. */
function reset(books: Books, entry: Entry, isCause: boolean): void {
  if (entry.phase !== 'ended' && entry.phase !== 'asking') return
  // What was asked about may never be done as it was asked.
  books.questions.forget(entry.step.id)
  entry.phase = 'waiting'
  entry.ref = null
  books.held.delete(entry.step.id)
  // Of a loop that a person has run again only what failed runs; one whose list may have changed is new.
  const anew = entry.loop !== null && !isCause
  if (anew && entry.loop !== null) restartLoop(entry.loop.book)
  note(books.progress, entry.step.id, { outcome: 'pending' }, [
    'code',
    'lane',
    'approvals',
    ...(anew ? (['loop'] as const) : []),
  ])
  const { passed } = entry
  if (passed === 'no') return
  entry.passed = 'no'
  for (const { id } of entry.dependants) {
    const dependant = entryOf(books.entries, id)
    dependant.missing += 1
    if (passed === 'settled') dependant.settledNeeds -= 1
    reset(books, dependant, false)
  }
}

export function resolve(books: Books, { step, happened, iteration }: ResolveInput): void {
  const entry = entryOf(books.entries, step)
  if (entry.loop !== null) {
    resolveOf(books, entry, iteration ?? 0, happened)
    return
  }
  const outcome = happened ? 'settled' : 'failed'
  const code = happened ? 'HAPPENED' : 'DID_NOT_HAPPEN'
  note(books.progress, step, { outcome, code })
  if (!happened) return
  books.held.delete(step)
  pass(books, entry, outcome)
}

/** When the last of its failures is answered, the loop has only its results to gather. */
function resolveOf(books: Books, entry: Entry, iteration: number, happened: boolean): void {
  const { step, loop } = entry
  if (loop === null) return
  resolveIteration(loop.book, iteration, happened)
  const verdict = verdictOf(loop.book, false)
  note(books.progress, step.id, { ...verdict, ...summariseLoop(loop.book, []) }, ['code'])
  if (verdict.outcome !== 'settled') return
  books.held.delete(step.id)
  entry.phase = 'waiting'
  enqueue(books, entry)
}
