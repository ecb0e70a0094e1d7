// Ports for runPlan without a server: dispatches are recorded and end when the test's script says.

import { setImmediate as nextTurn } from 'node:timers/promises'
import type { PlanSkeleton, SkeletonStep } from '../../plan/schema.ts'
import type { StepInput, StepResult } from '../../workflows/contract.ts'
import {
  type Controls,
  createControls,
  createProgress,
  type RunPorts,
  runPlan,
} from '../../workflows/run-plan.ts'

export class Cancellation extends Error {}

export interface FakeRun {
  readonly ports: RunPorts
  /** Dispatches in the order they were made: `a`, `a~undo`. */
  readonly log: string[]
  readonly inputs: StepInput[]
  /** Most dispatches that were in flight at one moment. */
  readonly peak: () => number
  readonly controls: Controls
  /** What `onHeld` was told, in order. */
  readonly heldLog: boolean[]
  cancel(): void
}

export type Script = (name: string, run: FakeRun) => Promise<Partial<StepResult>>

export function createFakeRun(script: Script): FakeRun {
  const log: string[] = []
  const inputs: StepInput[] = []
  let cancelled = false
  let shields = 0
  let inFlight = 0
  let peak = 0
  const run: FakeRun = {
    log,
    inputs,
    peak: () => peak,
    controls: createControls(),
    heldLog: [],
    cancel() {
      cancelled = true
    },
    ports: {
      async dispatch(_step, input) {
        const again = input.rerun === undefined ? '' : `~${input.rerun}`
        const name = `${input.step}${again}${input.kind === 'undo' ? '~undo' : ''}`
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
      onHeld: (held) => void run.heldLog.push(held),
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

export async function runSteps(steps: readonly SkeletonStep[], fake: FakeRun) {
  const skeleton: PlanSkeleton = { planRef: 'plan', digest: 'digest', steps }
  const progress = createProgress(skeleton)
  const outcome = await runPlan(
    { requestId: 'r1', skeleton, progress, controls: fake.controls },
    fake.ports,
  )
  return { outcome, progress, summary: (id: string) => progress.get(id) }
}
