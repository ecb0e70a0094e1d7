// Ports for runPlan without a server: dispatches are recorded and end when the test's script says.

import { setImmediate as nextTurn } from 'node:timers/promises'
import type { PlanSkeleton, SkeletonStep } from '../../plan/schema.ts'
import type { StepInput, StepResult } from '../../workflows/contract.ts'
import { createChunkProgress, runChunk } from '../../workflows/run-chunk.ts'
import {
  type Controls,
  createControls,
  createProgress,
  type Progress,
  type RunPorts,
  runPlan,
} from '../../workflows/run-plan.ts'

export class Cancellation extends Error {}

export interface FakeRun {
  readonly ports: RunPorts
  /** What was asked for, in order: `a`, `a~undo`, `loop~expand`, `loop:3`, `loop~gather`. */
  readonly log: string[]
  /** Chunks in the order in which they began; those of undos end in `!`. */
  readonly chunks: string[]
  readonly gathered: string[]
  /** The instants that steps have waited for. */
  readonly sleepers: number[]
  /** The workflow's time: a test moves it. */
  readonly clock: { now: number }
  readonly inputs: StepInput[]
  /** Most dispatches that were in flight at one moment. */
  readonly peak: () => number
  readonly controls: Controls
  /** What `onStatus` was told, in order. */
  readonly statuses: string[]
  cancel(): void
}

export type FakeLists = Readonly<Record<string, number | StepResult>>

export type Script = (name: string, run: FakeRun) => Promise<Partial<StepResult>>

/** `lists`: how many items the list of each loop has, or what the loop ends with instead. */
export function createFakeRun(script: Script, lists: FakeLists = {}): FakeRun {
  const log: string[] = []
  const inputs: StepInput[] = []
  const chunks: string[] = []
  const gathered: string[] = []
  const sleepers: number[] = []
  const clock = { now: 0 }
  let cancelled = false
  let shields = 0
  let inFlight = 0
  let peak = 0
  const run: FakeRun = {
    log,
    inputs,
    chunks,
    gathered,
    sleepers,
    clock,
    peak: () => peak,
    controls: createControls(),
    statuses: [],
    cancel() {
      cancelled = true
    },
    ports: {
      async dispatch(_step, input) {
        const again = input.rerun === undefined ? '' : `~${input.rerun}`
        const nth = lists[input.step] === undefined ? '' : `:${input.iteration}`
        const name = `${input.step}${nth}${again}${input.kind === 'undo' ? '~undo' : ''}`
        log.push(name)
        inputs.push(input)
        inFlight += 1
        peak = Math.max(peak, inFlight)
        try {
          const result = await script(name, run)
          return { ...settled(name), ...result }
        } finally {
          inFlight -= 1
        }
      },
      async until(ready) {
        while (!ready()) {
          if (cancelled && shields === 0) throw new Cancellation()
          await nextTurn()
        }
      },
      onStatus: (status) => void run.statuses.push(status),
      now: () => clock.now,
      async sleepUntil(at) {
        sleepers.push(at)
        while (clock.now < at) {
          if (cancelled) throw new Cancellation()
          await nextTurn()
        }
      },
      async expand(input) {
        log.push(`${input.step}~expand`)
        await nextTurn()
        const list = lists[input.step]
        if (list === undefined) throw new Error(`${input.step} is no loop`)
        return typeof list === 'number' ? { count: list } : list
      },
      async gather({ step }) {
        log.push(`${step}~gather`)
        gathered.push(step)
        await nextTurn()
        return { resultRef: `ref-${step}` }
      },
      chunk(name, chunk) {
        chunks.push(`${name}${chunk.input.kind === 'undo' ? '!' : ''}`)
        const progress = createChunkProgress(chunk)
        return {
          result: runChunk(chunk, progress, run.ports),
          stop() {
            progress.stopping = true
          },
        }
      },
      isCancellation: (error) => error instanceof Cancellation,
      cancelled: () => cancelled,
      async shielded(work) {
        shields += 1
        try {
          return await work()
        } finally {
          shields -= 1
        }
      },
    },
  }
  return run
}

function settled(name: string): StepResult {
  return { outcome: 'settled', resultRef: `ref-${name}`, attempts: 1, durationMs: 5 }
}

export function step(id: string, more: Partial<SkeletonStep> = {}): SkeletonStep {
  return {
    id,
    type: 'notes.append',
    effect: 'write',
    needs: [],
    join: 'all',
    onError: 'abort',
    hasWhen: false,
    hasUndo: false,
    timeoutMs: 1_000,
    attempts: 3,
    lane: 'regular',
    ...more,
  }
}

/** A step that runs once for each item of its list. */
export function loop(id: string, more: Partial<SkeletonStep> = {}): SkeletonStep {
  return step(id, { forEachMax: 5_000, ...more })
}

/** `onBegin`: told of the progress before the first step begins. */
export async function runSteps(
  steps: readonly SkeletonStep[],
  fake: FakeRun,
  onBegin: (progress: Progress) => void = () => undefined,
) {
  const skeleton: PlanSkeleton = { planRef: 'plan', digest: 'digest', steps }
  const progress = createProgress(skeleton)
  onBegin(progress)
  const outcome = await runPlan(
    { requestId: 'r1', skeleton, progress, controls: fake.controls },
    fake.ports,
  )
  return { outcome, progress, summary: (id: string) => progress.get(id) }
}
