// Runs one loop, or what of it is to run again: has its list counted, runs its iterations in chunks,
// and gathers what they returned. One function of injected ports with no Temporal import. An undo is
// registered for every chunk before the chunk begins.

import type { SkeletonStep } from '../plan/schema.ts'
import type { ChunkInput, ChunkResult, IterationRun } from './chunk-contract.ts'
import { consequenceOf } from './consequence.ts'
import type { StepInput, StepResult } from './contract.ts'
import { chunkSlots, type Loop, openLoop, takeResult, toChunks, verdictOf } from './loop.ts'
import type { Slots } from './slots.ts'
import type { UndoRegister } from './undo-register.ts'

/** A chunk that has been asked for. */
export interface ChunkHandle {
  /** Rejects only for a bug: a chunk that was lost says so of each of its iterations. */
  readonly result: Promise<ChunkResult>
  /** It launches nothing more; what is out comes to its end. */
  stop(): void
}

export interface LoopPorts {
  /** How many items, or what the step came to instead. Rejects only for a bug. */
  expand(input: StepInput): Promise<{ readonly count: number } | StepResult>
  /** One document of all results. Rejects only for a bug. */
  gather(input: StepInput): Promise<{ readonly resultRef: string | null; readonly code?: string }>
  /** `name` tells it from every other chunk of the run. */
  chunk(name: string, input: ChunkInput): ChunkHandle
  /** Milliseconds since the epoch, the same in every replay. */
  now(): number
}

export interface LoopJob {
  readonly step: SkeletonStep
  readonly input: StepInput
  readonly loop: Loop
  /** Chunks at work, by name. */
  readonly chunks: Map<string, ChunkHandle>
  readonly slots: Slots
  readonly undo: UndoRegister
  /** A name that no chunk of the run has had. */
  drawName(): string
  /** Told of every change of `loop` and `chunks`. */
  onChange(): void
}

export async function runLoop(job: LoopJob, ports: LoopPorts): Promise<StepResult> {
  const { step, input, loop, slots } = job
  const beganAt = ports.now()
  const toResult = (end: Pick<StepResult, 'outcome' | 'code'>, resultRef: string | null = null) => {
    const durationMs = Math.max(0, ports.now() - beganAt)
    return { ...end, resultRef, attempts: Math.max(1, loop.attempts), durationMs }
  }
  if (loop.total === null) {
    const expanded = await withSlot(slots, () => ports.expand(input))
    if (expanded === undefined) return toResult({ outcome: 'denied', code: 'RUN_ABORTING' })
    if ('outcome' in expanded) return expanded
    openLoop(loop, expanded.count)
    job.onChange()
  }
  loop.approvals = []
  await Promise.all(
    toChunks(loop.queue.splice(0)).map((iterations) => runOne(job, iterations, ports)),
  )
  if (loop.queue.length > 0 && !loop.stopping) {
    return { ...toResult({ outcome: 'waiting' }), approvals: loop.approvals }
  }
  const verdict = verdictOf(loop, step.onError === 'continue')
  if (consequenceOf(step, verdict.outcome, verdict.code) !== 'pass') return toResult(verdict)
  // Nobody builds on it in a run that turns around.
  const gathered = await withSlot(slots, () => ports.gather(input))
  const code = gathered?.code
  return toResult({ ...verdict, ...(code === undefined ? {} : { code }) }, gathered?.resultRef)
}

async function runOne(
  job: LoopJob,
  iterations: readonly IterationRun[],
  ports: LoopPorts,
): Promise<void> {
  const { step, input, loop, chunks, slots, undo } = job
  const wanted = Math.min(chunkSlots, iterations.length)
  if (!(await slots.take(wanted))) return
  try {
    if (loop.stopping) return
    const name = job.drawName()
    // Before the chunk, not after it: what is lost on the way may have had its effects.
    undo.registerChunk(name, { step, input, iterations })
    const handle = ports.chunk(name, { step, input, iterations, slots: wanted })
    chunks.set(name, handle)
    job.onChange()
    const result = await handle.result
    chunks.delete(name)
    takeResult(loop, iterations, result)
    undo.settleChunk(name, result)
    const aborts = result.failed.some(
      ({ outcome, code }) => consequenceOf(step, outcome, code) === 'abort',
    )
    if (aborts) stopLoop(loop, chunks)
    job.onChange()
  } finally {
    slots.give(wanted)
  }
}

/** Nothing more of it is begun, here or in its chunks. */
export function stopLoop(loop: Loop, chunks: ReadonlyMap<string, ChunkHandle>): void {
  if (loop.stopping) return
  loop.stopping = true
  for (const { stop } of chunks.values()) stop()
}

/** Undefined: the run has turned around, and nothing was done. */
async function withSlot<T>(slots: Slots, work: () => Promise<T>): Promise<T | undefined> {
  if (!(await slots.take(1))) return undefined
  try {
    return await work()
  } finally {
    slots.give(1)
  }
}
