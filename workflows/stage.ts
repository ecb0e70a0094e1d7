// Which steps may start, what each has come to, and what would have to be undone. Ready queue and
// dependency counters: each step is looked at once per need, not once per wake. Pure bookkeeping: no
// waiting, no Temporal. A step that runs again is another effect with an undo of its own.

import { limits } from '../plan/limits.ts'
import type { PlanSkeleton, SkeletonStep } from '../plan/schema.ts'
import type {
  ResolveInput,
  RetryInput,
  SourceRef,
  StepInput,
  StepOutcome,
  StepResult,
  StepSummary,
} from './contract.ts'
import { createUndoRegister, type Undo, type UndoRegister } from './undo-register.ts'

/** What each step has come to, in plan order: read by the `state` query while the run goes on. */
export type Progress = Map<string, StepSummary>

export interface Stage {
  mayLaunch(): boolean
  next(): SkeletonStep
  running(): number
  /** Steps that wait for a person. */
  held(): ReadonlySet<string>
  /** Nothing more is launched: the run turns around. */
  stopped(): boolean
  begin(step: SkeletonStep): StepInput
  end(step: SkeletonStep, result: StepResult): void
  /** A person has it run again, with everything that was built on it. */
  again(retry: RetryInput): void
  /** A person has said whether a step of unknown outcome happened. */
  resolve(answer: ResolveInput): void
  giveUp(): void
  /** Newest first. */
  undos(): readonly Undo[]
  sources(): readonly SourceRef[]
}

interface Entry {
  readonly step: SkeletonStep
  readonly dependants: SkeletonStep[]
  /** Needs that have not come to an end after which this step may run. */
  missing: number
  phase: 'waiting' | 'running' | 'ended'
  /** Its end let its dependants go on. */
  passed: boolean
  rerun: number
  ref: string | null
}

interface Given {
  readonly requestId: string
  readonly skeleton: PlanSkeleton
  readonly progress: Progress
}

/** Everything that a stage keeps count of. */
interface Books extends Given {
  readonly entries: ReadonlyMap<string, Entry>
  readonly ready: SkeletonStep[]
  readonly undo: UndoRegister
  readonly held: Set<string>
  head: number
  inFlight: number
  stopped: boolean
}

export function createStage(given: Given): Stage {
  const { skeleton } = given
  const books: Books = {
    ...given,
    entries: toEntries(skeleton),
    ready: skeleton.steps.filter((step) => step.needs.length === 0),
    undo: createUndoRegister(),
    held: new Set(),
    head: 0,
    inFlight: 0,
    stopped: false,
  }
  const { ready, undo, held } = books
  return {
    mayLaunch() {
      // What was queued before its producer was run again waits once more.
      while (books.head < ready.length && !isReady(entryOf(books, ready[books.head]?.id))) {
        books.head += 1
      }
      return !books.stopped && books.head < ready.length && books.inFlight < limits.fanOut
    },
    next() {
      const step = ready[books.head]
      if (step === undefined) throw new Error('no step is ready')
      books.head += 1
      return step
    },
    running: () => books.inFlight,
    held: () => held,
    stopped: () => books.stopped,
    begin: (step) => begin(books, step),
    end: (step, result) => end(books, step, result),
    again: (retry) => again(books, retry),
    resolve: (answer) => resolve(books, answer),
    giveUp() {
      books.stopped = true
    },
    undos: () => undo.newestFirst(),
    sources: () =>
      skeleton.steps
        .filter((step) => entryOf(books, step.id).phase === 'ended')
        .map((step) => sourceOf(books, step.id)),
  }
}

function entryOf({ entries }: Books, id: string | undefined): Entry {
  const entry = entries.get(id ?? '')
  if (entry === undefined) throw new Error('the plan has no such step')
  return entry
}

function isReady({ phase, missing }: Entry): boolean {
  return phase === 'waiting' && missing === 0
}

function sourceOf(books: Books, id: string): SourceRef {
  return { step: id, iteration: 0, ref: entryOf(books, id).ref }
}

function inputOf(books: Books, { step, rerun }: Entry): StepInput {
  const { requestId, skeleton } = books
  return {
    planRef: skeleton.planRef,
    digest: skeleton.digest,
    requestId,
    step: step.id,
    iteration: 0,
    kind: 'do',
    sources: step.needs.map((id) => sourceOf(books, id)),
    attempts: step.attempts,
    ...(rerun === 0 ? {} : { rerun }),
  }
}

function begin(books: Books, step: SkeletonStep): StepInput {
  const entry = entryOf(books, step.id)
  entry.phase = 'running'
  books.inFlight += 1
  const input = inputOf(books, entry)
  // Before the step, not after it: a step that ends unknown may have had its effect.
  books.undo.register(step, input)
  note(books.progress, step.id, { outcome: 'running' })
  return input
}

function end(books: Books, step: SkeletonStep, result: StepResult): void {
  const entry = entryOf(books, step.id)
  const { undo, held, progress } = books
  books.inFlight -= 1
  entry.phase = 'ended'
  entry.ref = result.resultRef
  // A reset of the workflow forgets reruns and the notary does not: each of them may be undone.
  while (entry.rerun < (result.rerun ?? 0)) {
    entry.rerun += 1
    undo.register(step, inputOf(books, entry))
  }
  undo.settle(step.id, entry.rerun, result)
  note(progress, step.id, summarise(result, entry.rerun))
  switch (consequenceOf(step, result.outcome, result.code)) {
    case 'abort':
      books.stopped = true
      break
    case 'hold':
      held.add(step.id)
      break
    case 'pass':
      pass(books, entry)
      break
  }
}

function pass(books: Books, entry: Entry): void {
  entry.passed = true
  for (const { id } of entry.dependants) {
    const dependant = entryOf(books, id)
    dependant.missing -= 1
    if (isReady(dependant)) books.ready.push(dependant.step)
  }
}

function again(books: Books, { step, reruns }: RetryInput): void {
  const entry = entryOf(books, step)
  reset(books, entry)
  for (const { step: id, rerun } of reruns) {
    const one = entryOf(books, id)
    one.rerun = Math.max(one.rerun, rerun)
  }
  if (isReady(entry)) books.ready.push(entry.step)
}

/** The step runs again, and so does whatever ended on what it came to. */
function reset(books: Books, entry: Entry): void {
  if (entry.phase !== 'ended') return
  entry.phase = 'waiting'
  entry.ref = null
  books.held.delete(entry.step.id)
  note(books.progress, entry.step.id, { outcome: 'pending' }, ['code'])
  if (!entry.passed) return
  entry.passed = false
  for (const { id } of entry.dependants) {
    const dependant = entryOf(books, id)
    dependant.missing += 1
    reset(books, dependant)
  }
}

function resolve(books: Books, { step, happened }: ResolveInput): void {
  const outcome = happened ? 'settled' : 'failed'
  const code = happened ? 'HAPPENED' : 'DID_NOT_HAPPEN'
  note(books.progress, step, { outcome, code })
  if (!happened) return
  books.held.delete(step)
  pass(books, entryOf(books, step))
}

function toEntries(skeleton: PlanSkeleton): ReadonlyMap<string, Entry> {
  const entries = new Map<string, Entry>(
    skeleton.steps.map((step) => [
      step.id,
      {
        step,
        dependants: [],
        missing: step.needs.length,
        phase: 'waiting',
        passed: false,
        rerun: 0,
        ref: null,
      },
    ]),
  )
  for (const step of skeleton.steps) {
    for (const need of step.needs) entries.get(need)?.dependants.push(step)
  }
  return entries
}

/** Codes of a refusal that only follows from the run being stopped. */
export function isStopping(code: string | undefined): boolean {
  return code === 'RUN_ABORTING' || code === 'REQUEST_CANCELLED'
}

/** `continue` forgives what certainly failed; nobody can go on from an unknown outcome. */
function consequenceOf(
  { onError }: SkeletonStep,
  outcome: StepOutcome,
  code: string | undefined,
): 'pass' | 'hold' | 'abort' {
  switch (outcome) {
    case 'pending':
    case 'running':
      throw new Error('a step ended without an outcome')
    case 'settled':
    case 'already-settled':
    case 'skipped':
      return 'pass'
    case 'unknown':
      return onError === 'hold' ? 'hold' : 'abort'
    case 'failed':
    case 'denied':
      if (onError === 'continue') return 'pass'
      return onError === 'hold' && !isStopping(code) ? 'hold' : 'abort'
  }
}

/** Whether a step that has come to this is why a run did not complete. */
export function isFailing({ onError }: SkeletonStep, outcome: StepOutcome): boolean {
  if (outcome === 'unknown') return true
  return (outcome === 'failed' || outcome === 'denied') && onError !== 'continue'
}

function summarise(result: StepResult, rerun: number): Partial<StepSummary> {
  return {
    outcome: result.outcome,
    ...(result.code === undefined ? {} : { code: result.code }),
    attempts: result.attempts,
    durationMs: result.durationMs,
    ...(rerun === 0 ? {} : { rerun }),
  }
}

/** `forget`: what was true before and no longer is. */
export function note(
  progress: Progress,
  id: string,
  change: Partial<StepSummary>,
  forget: readonly 'code'[] = [],
): void {
  const summary = progress.get(id)
  if (summary === undefined) return
  const { code, ...rest } = summary
  const kept = forget.includes('code') || code === undefined ? rest : { ...rest, code }
  progress.set(id, { ...kept, ...change })
}
