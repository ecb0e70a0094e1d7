// What the interpreter of a plan asks of the world, wired to the SDK: waits, timers, the activities
// of loops, and the workflows that run parts of them. Decides nothing.

import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common'
import {
  CancellationScope,
  ChildWorkflowFailure,
  type ChildWorkflowHandle,
  condition,
  getExternalWorkflowHandle,
  isCancellation,
  ParentClosePolicy,
  proxyActivities,
  sleep,
  startChild,
} from '@temporalio/workflow'
import type { chunk } from './chunk.ts'
import {
  type ChunkInput,
  type ChunkResult,
  chunkWorkflowId,
  chunkWorkflowType,
  stopSignal,
} from './chunk-contract.ts'
import type { LoopActivities, StepInput } from './contract.ts'
import { retryPolicy } from './dispatch.ts'
import type { FastLane } from './fast-lane.ts'
import type { ChunkHandle } from './run-loop.ts'
import type { RunPorts } from './run-plan.ts'
import { toFailedResult, toFailureCode } from './step-failure.ts'

/** Both are answered again from what is recorded, so that a crash of the worker costs a repeat. */
const loopActivityOptions = {
  startToCloseTimeout: 300_000,
  scheduleToCloseTimeout: 1_800_000,
  heartbeatTimeout: 10_000,
  retry: { ...retryPolicy, maximumAttempts: 8 },
}

/** All but `dispatch` and what the run tells of itself. */
export function createRunPorts(
  requestId: string,
  lane: FastLane,
): Omit<RunPorts, 'dispatch' | 'onStatus'> {
  return {
    until: (ready) => condition(ready),
    sleepUntil: async (at) => {
      const ms = at - Date.now()
      if (ms > 0) await sleep(ms)
    },
    now: () => Date.now(),
    isCancellation,
    cancelled: () => CancellationScope.current().consideredCancelled,
    shielded: (work) => CancellationScope.nonCancellable(work),
    expand: (input) => lane.regular(() => CancellationScope.nonCancellable(() => expand(input))),
    gather: (input) => lane.regular(() => CancellationScope.nonCancellable(() => gather(input))),
    chunk(name, input) {
      const handle = beginChunk(chunkWorkflowId(requestId, name), input)
      void lane.regular(() => handle.result).catch(() => undefined)
      return handle
    },
  }
}

function loopActivities(activityId: string): LoopActivities {
  return proxyActivities<LoopActivities>({
    ...loopActivityOptions,
    activityId,
    summary: activityId,
  })
}

async function expand(input: StepInput): ReturnType<RunPorts['expand']> {
  const { step, rerun = 0 } = input
  const again = rerun === 0 ? '' : `~${rerun}`
  try {
    return await loopActivities(`${step}${again}~expand`).expandLoop(input)
  } catch (error) {
    // Nothing of the loop was ever sent.
    return toFailedResult(error, { effect: 'read' })
  }
}

/** The iterations stand whatever becomes of this: without the document nothing can build on them. */
async function gather({
  planRef,
  digest,
  requestId,
  step,
}: StepInput): ReturnType<RunPorts['gather']> {
  try {
    const activities = loopActivities(`${step}~gather`)
    return await activities.gatherLoop({ planRef, digest, requestId, step })
  } catch (error) {
    return { resultRef: null, code: toFailureCode(error) }
  }
}

/**
 * A run that is ended from outside asks its chunks to cancel (REQUEST_CANCEL): they begin nothing
 * more, tell the agents, and see what is out to its end. Terminated with the run, an agent would work
 * on unheeded; abandoned, a chunk would go on acting for a run that is over.
 */
function beginChunk(workflowId: string, input: ChunkInput): ChunkHandle {
  let child: ChildWorkflowHandle<typeof chunk> | undefined
  let stopped = false
  let nothingBegun = true
  const begin = async () => {
    const started = await startChild<typeof chunk>(chunkWorkflowType, {
      workflowId,
      args: [input],
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      staticSummary: input.input.kind === 'undo' ? `undo ${input.step.id}` : input.step.id,
    })
    nothingBegun = false
    child = started
    if (stopped) tellToStop(started)
    return await started.result()
  }
  const run = async (): Promise<ChunkResult> => {
    for (;;) {
      try {
        return await begin()
      } catch (error) {
        if (error instanceof WorkflowExecutionAlreadyStartedError) nothingBegun = false
        else if (isCancellation(error)) return lost(input, nothingBegun)
        else if (error instanceof ChildWorkflowFailure) return lost(input, false)
        else throw error
      }
      // Left at work by this run before it was reset. What it does until it has stopped is answered
      // from the records when the iterations are asked for again.
      tellToStop(getExternalWorkflowHandle(workflowId))
      await CancellationScope.nonCancellable(() => sleep(formerChunkMs))
    }
  }
  return {
    result: run(),
    stop() {
      stopped = true
      if (child !== undefined) tellToStop(child)
    },
  }
}

/** How often a chunk of before a reset is looked for again: one event of the history each time. */
const formerChunkMs = 2_000

function tellToStop(chunk: { signal(name: string): Promise<void> }): void {
  // It may have ended on its own meanwhile.
  chunk.signal(stopSignal).catch(() => undefined)
}

/** Of a chunk that never began nothing has happened; of one that was ended from outside anything may. */
function lost({ step, input, iterations }: ChunkInput, nothingBegun: boolean): ChunkResult {
  if (nothingBegun) {
    return { outcomes: iterations.map(() => 'pending'), failed: [], reruns: [], attempts: 0 }
  }
  const outcome = step.effect === 'read' && input.kind === 'do' ? 'failed' : 'unknown'
  return {
    outcomes: iterations.map(() => outcome),
    failed: iterations.map(([iteration]) => ({ iteration, outcome, code: 'TERMINATED' })),
    reruns: [],
    attempts: 0,
  }
}
