// Which steps may start, what each has come to, and what would have to be undone. Ready queue and
// dependency counters: each step is looked at once per need, not once per wake. Pure bookkeeping: no
// waiting, no Temporal. A step that runs again is another effect with an undo of its own.

import { limits } from '../plan/limits.ts'
import type { SkeletonStep } from '../plan/schema.ts'
import { type Books, enqueue, type Given, inputOf, pass } from './books.ts'
import { consequenceOf } from './consequence.ts'
import type {
  ResolveInput,
  RetryInput,
  SourceRef,
  StepInput,
  StepOutcome,
  StepResult,
} from './contract.ts'
import { createEntries, delayedOf, entryOf, isReady, sourceOf } from './entries.ts'
import { type LookAhead, lookAhead } from './look-ahead.ts'
import { summariseLoop } from './loop.ts'
import { note, summarise } from './progress.ts'
import { again, resolve } from './restart.ts'
import { type LoopJob, stopLoop } from './run-loop.ts'
import { createSlots } from './slots.ts'
import { createUndoRegister, type Undo } from './undo-register.ts'

export interface Stage {
  mayLaunch(): boolean
  next(): SkeletonStep
  running(): number
  /** Steps whose needs are there and whose time is not; each is told once. */
  takeEarly(): readonly SkeletonStep[]
  /** Its time has come. */
  arrive(step: SkeletonStep): void
  /** Some step waits for its time. */
  isEarly(): boolean
  /** All that does not wait for a time has ended, and something is still to come. */
  isScheduled(): boolean
  /** Some step waits for a person to approve or deny what they have been asked. */
  isAsking(): boolean
  /** Has those begun again that were decided on, or were not looked at for long. */
  askAgain(now: number): void
  /** Steps that wait for a person. */
  held(): ReadonlySet<string>
  /** What an iteration of a loop has come to, if there is such an iteration. */
  iteration(step: string, iteration: number): StepOutcome | undefined
  /** Nothing more is launched: the run turns around. */
  stopped(): boolean
  /** Also what waits for a slot, and the chunks of loops, begin nothing more. */
  turnAround(): void
  begin(step: SkeletonStep): StepInput
  /** What it takes to run a step that is a loop, which `begin` has begun. */
  loopJob(step: SkeletonStep, input: StepInput): LoopJob | null
  /** `now`, milliseconds since the epoch. */
  end(step: SkeletonStep, result: StepResult, now: number): void
  /** What is launched next if all that is at work settles. */
  readonly following: LookAhead
  /** A person has it run again, with everything that was built on it. */
  again(retry: RetryInput): void
  /** A person has said whether a step of unknown outcome happened. */
  resolve(answer: ResolveInput): void
  giveUp(): void
  /** Newest first. */
  undos(): readonly Undo[]
  sources(): readonly SourceRef[]
}

export function createStage(given: Given): Stage {
  const { skeleton, now, onFree } = given
  const entries = createEntries(skeleton, now)
  const books: Books = {
    ...given,
    entries,
    delayed: delayedOf(skeleton, entries),
    slots: createSlots(limits.fanOut, onFree),
    ready: [],
    early: new Map(),
    undo: createUndoRegister(),
    held: new Set(),
    head: 0,
    inFlight: 0,
    chunksDrawn: 0,
    stopped: false,
  }
  for (const entry of entries.values()) enqueue(books, entry)
  const { ready, early, undo, held, questions } = books
  return {
    mayLaunch: () => mayLaunch(books),
    next() {
      const step = ready[books.head]
      if (step === undefined) throw new Error('no step is ready')
      books.head += 1
      return step
    },
    running: () => books.inFlight,
    takeEarly() {
      const fresh = [...early].filter(([, known]) => known === 'new').map(([id]) => id)
      for (const id of fresh) early.set(id, 'told')
      return fresh.map((id) => entryOf(entries, id).step)
    },
    arrive({ id }) {
      const entry = entryOf(entries, id)
      entry.due = true
      early.delete(id)
      enqueue(books, entry)
    },
    isEarly: () => early.size > 0,
    isScheduled: () => isScheduled(books),
    isAsking: () => questions.isOpen(),
    askAgain(now) {
      for (const id of questions.takeDue(now)) {
        const entry = entryOf(entries, id)
        entry.phase = 'waiting'
        enqueue(books, entry)
      }
    },
    held: () => held,
    iteration: (step, iteration) => entries.get(step)?.loop?.book.outcomes[iteration],
    stopped: () => books.stopped,
    turnAround: () => turnAround(books),
    begin: (step) => begin(books, step),
    loopJob: (step, input) => loopJob(books, step, input),
    end(step, result, now) {
      if (result.outcome === 'waiting') ask(books, { step, result, now })
      else end(books, step, result)
    },
    following: (begun) => lookAhead(books, begun),
    again: (retry) => again(books, retry),
    resolve: (answer) => resolve(books, answer),
    giveUp() {
      books.stopped = true
    },
    undos: () => undo.newestFirst(),
    sources: () =>
      skeleton.steps
        .map((step) => entryOf(entries, step.id))
        .filter(({ phase }) => phase === 'ended')
        .map(sourceOf),
  }
}

function mayLaunch(books: Books): boolean {
  const { ready, entries, slots } = books
  // What was queued before its producer was run again waits once more.
  while (books.head < ready.length && !isReady(entryOf(entries, ready[books.head]?.id))) {
    books.head += 1
  }
  const step = ready[books.head]
  if (books.stopped || step === undefined) return false
  // A loop takes its slots itself, for its list and for each of its chunks.
  return entryOf(entries, step.id).loop !== null || slots.tryTake()
}

function isScheduled({ skeleton, entries, delayed }: Books): boolean {
  if (delayed.size === 0) return false
  const open = skeleton.steps.filter(({ id }) => entryOf(entries, id).phase !== 'ended')
  return open.length > 0 && open.every(({ id }) => delayed.has(id))
}

/** Takes the slot that `mayLaunch` has found. */
function begin(books: Books, step: SkeletonStep): StepInput {
  const entry = entryOf(books.entries, step.id)
  entry.phase = 'running'
  books.inFlight += 1
  const input = inputOf(books, entry)
  // Before the step, not after it: a step that ends unknown may have had its effect.
  if (entry.loop === null) books.undo.register(step, input)
  note(books.progress, step.id, { outcome: 'running' }, ['approvals'])
  return input
}

/** As if it had not begun, but for what the person was asked; a loop keeps what it has come to. */
function ask(
  books: Books,
  {
    step,
    result,
    now,
  }: { readonly step: SkeletonStep; readonly result: StepResult; readonly now: number },
): void {
  const entry = entryOf(books.entries, step.id)
  const { approvals = [] } = result
  books.inFlight -= 1
  entry.phase = 'asking'
  books.questions.wait(step.id, approvals, now)
  note(books.progress, step.id, { outcome: 'waiting', approvals })
  if (entry.loop !== null) return
  // When it is begun it may be the newest that there is to undo.
  books.undo.withdraw(step.id, entry.rerun)
  books.slots.give(1)
}

function loopJob(books: Books, step: SkeletonStep, input: StepInput): LoopJob | null {
  const { loop } = entryOf(books.entries, step.id)
  if (loop === null) return null
  const { book, chunks } = loop
  return {
    ...{ step, input, loop: book, chunks, slots: books.slots, undo: books.undo },
    drawName() {
      books.chunksDrawn += 1
      return `${step.id}~${books.chunksDrawn}`
    },
    onChange: () => note(books.progress, step.id, summariseLoop(book, [...chunks.keys()])),
  }
}

function end(books: Books, step: SkeletonStep, result: StepResult): void {
  const entry = entryOf(books.entries, step.id)
  const { undo, held, progress, slots } = books
  books.inFlight -= 1
  entry.phase = 'ended'
  entry.ref = result.resultRef
  if (entry.loop === null) {
    // A reset of the workflow forgets reruns and the notary does not: each of them may be undone.
    while (entry.rerun < (result.rerun ?? 0)) {
      entry.rerun += 1
      undo.register(step, inputOf(books, entry))
    }
    undo.settle(step.id, entry.rerun, result)
  }
  note(progress, step.id, summarise(result, entry.rerun))
  switch (consequenceOf(step, result.outcome, result.code)) {
    case 'abort':
      books.stopped = true
      turnAround(books)
      break
    case 'hold':
      held.add(step.id)
      break
    case 'pass':
      pass(books, entry, result.outcome)
      break
  }
  // Last: whoever waits for a slot must hear first that the run turns around.
  if (entry.loop === null) slots.give(1)
}

/** What a person has been asked is not done whatever they answer. */
function turnAround({ entries, slots, questions, progress }: Books): void {
  slots.close()
  for (const entry of entries.values()) {
    const { step, loop } = entry
    if (loop !== null) stopLoop(loop.book, loop.chunks)
    if (entry.phase !== 'asking') continue
    entry.phase = 'waiting'
    questions.forget(step.id)
    note(progress, step.id, { outcome: 'pending' }, ['approvals'])
  }
}
