// What the iterations of one loop have come to, and which of them are to run. Pure bookkeeping, no
// waiting. To the rest of the plan a loop is one step; here it is a list.

import type { ChunkResult, IterationRun } from './chunk-contract.ts'
import { isStopping } from './consequence.ts'
import type { FailedIteration, LoopSummary, OpenApproval, StepOutcome, Tally } from './contract.ts'
import { tallyOf } from './progress.ts'

/**
 * Iterations of one chunk. Each costs its history three events and a share of three more, so that a
 * chunk of this size, undone and with retries, stays far below the 10,240 at which the server warns.
 */
export const chunkSize = 250
/** Below it, a workflow of its own costs more than it spreads. */
const smallestChunk = 50
/** Iterations of one chunk that are out at once; a run's slots are those of eight chunks. */
export const chunkSlots = 8
const chunksAtOnce = 8
/** Approvals that a loop names at one time; when they are decided, it names the next. */
export const toldApprovals = 20

export interface Loop {
  /** Null until the notary has said how many items there are. */
  total: number | null
  /** By iteration; `pending`: not begun. */
  outcomes: StepOutcome[]
  readonly failed: Map<number, FailedIteration>
  /** Which rerun its iterations begin with: each time that it begins anew, a later one. */
  first: number
  /** Where it is not the first: which rerun of an iteration counts. */
  readonly reruns: Map<number, number>
  /** What is to run next. */
  queue: IterationRun[]
  /** What those of the queue that may not begin yet wait for, the first few. */
  approvals: readonly OpenApproval[]
  attempts: number
  /** Nothing more of it is begun: one of its own has failed, or the run turns around. */
  stopping: boolean
}

export function createLoop(): Loop {
  return {
    total: null,
    outcomes: [],
    failed: new Map(),
    first: 0,
    reruns: new Map(),
    queue: [],
    approvals: [],
    attempts: 0,
    stopping: false,
  }
}

export function openLoop(loop: Loop, total: number): void {
  loop.total = total
  loop.outcomes = Array.from({ length: total }, () => 'pending')
  loop.queue = loop.outcomes.map((_, iteration) => [iteration, loop.first])
}

/** Its list may be another one now: everything begins anew, with this rerun. */
export function restartLoop(loop: Loop, first = loop.first): void {
  loop.total = null
  loop.outcomes = []
  loop.failed.clear()
  loop.reruns.clear()
  loop.queue = []
  loop.first = Math.max(first, loop.first)
}

export function rerunIteration(loop: Loop, iteration: number, rerun: number): void {
  if (loop.outcomes[iteration] === undefined) return
  const next = Math.max(rerun, loop.reruns.get(iteration) ?? loop.first)
  loop.reruns.set(iteration, next)
  loop.outcomes[iteration] = 'pending'
  loop.failed.delete(iteration)
  loop.queue.push([iteration, next])
}

/** What a person has said of an iteration whose outcome nobody knew. */
export function resolveIteration(loop: Loop, iteration: number, happened: boolean): void {
  if (loop.outcomes[iteration] === undefined) return
  loop.outcomes[iteration] = happened ? 'settled' : 'failed'
  if (happened) loop.failed.delete(iteration)
  else loop.failed.set(iteration, { iteration, outcome: 'failed', code: 'DID_NOT_HAPPEN' })
}

export function takeResult(
  loop: Loop,
  iterations: readonly IterationRun[],
  { outcomes, failed, reruns, attempts, approvals = [] }: ChunkResult,
): void {
  for (const [at, run] of iterations.entries()) {
    const outcome = outcomes[at] ?? 'pending'
    loop.outcomes[run[0]] = outcome === 'waiting' ? 'pending' : outcome
    if (outcome === 'waiting') loop.queue.push(run)
  }
  loop.approvals = [...loop.approvals, ...approvals].slice(0, toldApprovals)
  for (const one of failed) loop.failed.set(one.iteration, one)
  for (const [iteration, rerun] of reruns) loop.reruns.set(iteration, rerun)
  loop.attempts = Math.max(loop.attempts, attempts)
}

/**
 * What the loop as a whole has come to. `forgives`: its failures are nobody's concern. A loop that
 * was stopped on its way is like a step that was refused for that reason.
 */
export function verdictOf(
  loop: Loop,
  forgives: boolean,
): { readonly outcome: 'settled' | 'failed' | 'denied' | 'unknown'; readonly code?: string } {
  const failed = sortedFailures(loop)
  const unknown = failed.find(({ outcome }) => outcome === 'unknown')
  if (unknown !== undefined) return { outcome: 'unknown', ...codeOf(unknown) }
  const cause = failed.find(({ code }) => !isStopping(code)) ?? failed[0]
  if (cause !== undefined && !forgives) {
    return { outcome: cause.outcome === 'denied' ? 'denied' : 'failed', ...codeOf(cause) }
  }
  if (loop.outcomes.includes('pending')) return { outcome: 'denied', code: 'RUN_ABORTING' }
  return { outcome: 'settled' }
}

export function summariseLoop(
  loop: Loop,
  chunks: readonly string[],
  undos?: Tally,
): { readonly loop?: LoopSummary } {
  if (loop.total === null) return {}
  return {
    loop: {
      total: loop.total,
      ...tallyOf(loop.outcomes, sortedFailures(loop)),
      ...(undos === undefined ? {} : { undos }),
      ...(chunks.length === 0 ? {} : { chunks }),
    },
  }
}

/** In parts that can be at work side by side, none too long for a history. */
export function toChunks(queue: readonly IterationRun[]): readonly (readonly IterationRun[])[] {
  const shared = Math.ceil(queue.length / chunksAtOnce)
  const size = Math.min(chunkSize, Math.max(smallestChunk, shared))
  const count = Math.ceil(queue.length / size)
  return Array.from({ length: count }, (_, part) => queue.slice(part * size, (part + 1) * size))
}

function sortedFailures({ failed }: Loop): readonly FailedIteration[] {
  return [...failed.values()].sort((one, other) => one.iteration - other.iteration)
}

function codeOf({ code }: FailedIteration): { readonly code?: string } {
  return code === undefined ? {} : { code }
}
