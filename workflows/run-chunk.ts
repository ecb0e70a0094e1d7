// Runs a part of a loop's iterations, at most `slots` at once. One function of injected ports with no
// Temporal import; workflows/chunk.ts wires it to the SDK. Iterations do not build on each other, so
// there is no order but the given one. Undos go one after the other, in the given order, whatever
// happens to any of them. Never fails because of an iteration: says what each has come to. One that a
// person decides on first is not waited for here: its loop begins it again.

import type { ChunkInput, ChunkResult, IterationRun } from './chunk-contract.ts'
import { consequenceOf } from './consequence.ts'
import type {
  FailedIteration,
  OpenApproval,
  StepInput,
  StepOutcome,
  StepResult,
} from './contract.ts'
import { toldApprovals } from './loop.ts'
import type { RunPorts } from './run-plan.ts'

export type ChunkPorts = Pick<
  RunPorts,
  'dispatch' | 'until' | 'isCancellation' | 'cancelled' | 'shielded'
>

/** Read by the query while the chunk is at work; `stopping` is set from outside. */
export interface ChunkProgress {
  readonly outcomes: StepOutcome[]
  readonly failed: FailedIteration[]
  stopping: boolean
}

export function createChunkProgress({ iterations }: ChunkInput): ChunkProgress {
  return { outcomes: iterations.map(() => 'pending'), failed: [], stopping: false }
}

export async function runChunk(
  chunk: ChunkInput,
  progress: ChunkProgress,
  ports: ChunkPorts,
): Promise<ChunkResult> {
  const { step, input, iterations } = chunk
  const isUndo = input.kind === 'undo'
  const slots = isUndo ? 1 : chunk.slots
  const reruns: IterationRun[] = []
  const approvals: OpenApproval[] = []
  let attempts = 0
  let bug: { readonly cause: unknown } | undefined
  let cancelled = false
  let dirty = false
  let next = 0
  let running = 0
  const end = (at: number, [iteration, rerun]: IterationRun, result: StepResult) => {
    const { outcome, code } = result
    progress.outcomes[at] = outcome
    attempts = Math.max(attempts, result.attempts)
    if ((result.rerun ?? 0) > rerun) reruns.push([iteration, result.rerun ?? 0])
    if (outcome === 'failed' || outcome === 'denied' || outcome === 'unknown') {
      progress.failed.push({ iteration, outcome, ...(code === undefined ? {} : { code }) })
    }
    if (outcome === 'waiting') {
      approvals.push(...(result.approvals ?? []).slice(0, toldApprovals - approvals.length))
      return
    }
    if (!isUndo && consequenceOf(step, outcome, code) === 'abort') progress.stopping = true
  }
  const launch = (at: number, run: IterationRun) => {
    progress.outcomes[at] = 'running'
    running += 1
    ports
      .dispatch(step, inputOf(input, run))
      .then(
        (result) => end(at, run, result),
        (cause: unknown) => {
          bug ??= { cause }
        },
      )
      .finally(() => {
        running -= 1
        dirty = true
      })
  }
  for (;;) {
    cancelled ||= ports.cancelled()
    const over = !isUndo && (cancelled || progress.stopping)
    for (; !over && next < iterations.length && running < slots; next += 1) {
      const run = iterations[next]
      if (run !== undefined) launch(next, run)
    }
    if (running === 0) break
    dirty = false
    const changed = () => ports.until(() => dirty)
    // What is out is waited for whatever happens; an undo is out of reach of any cancellation.
    try {
      await (cancelled || isUndo ? ports.shielded(changed) : changed())
    } catch (error) {
      if (!ports.isCancellation(error)) throw error
      cancelled = true
    }
    if (bug !== undefined) throw bug.cause
  }
  const { outcomes, failed } = progress
  const asked = approvals.length === 0 ? {} : { approvals }
  return { outcomes, failed, reruns, attempts, ...asked }
}

function inputOf(input: StepInput, [iteration, rerun]: IterationRun): StepInput {
  const { rerun: _, ...rest } = input
  const numbered = { ...rest, iteration, ...(rerun === 0 ? {} : { rerun }) }
  if (input.kind === 'do') return numbered
  // Where its own result lies, the activity finds out by itself.
  const own = { step: input.step, iteration, ref: null }
  return { ...numbered, sources: [...input.sources, own] }
}
