// What a run says of itself, put together: the workflow knows each step, the agents' heartbeats how far
// a step at work is, and the chunks of a loop what their iterations have come to. Nothing here is kept
// in any history.

import type { WorkflowHandle } from '@temporalio/client'
import type { LoadedDataConverter } from '@temporalio/common'
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js'
import { z } from 'zod'
import { progressSchema } from '../agents/protocol.ts'
import { chunkWorkflowId } from '../workflows/chunk-contract.ts'
import {
  type LoopSummary,
  type RunState,
  type RunStatus,
  type StepSummary,
  stateQuery,
  type Tally,
} from '../workflows/contract.ts'
import { mergeTallies } from '../workflows/progress.ts'

/** Whether a run that says so of itself is still to come to its end. */
export function isOpenStatus(status: RunStatus): boolean {
  switch (status) {
    case 'running':
    case 'waiting-approval':
    case 'held':
    case 'scheduled':
      return true
    case 'completed':
    case 'failed':
    case 'cancelled':
    case 'denied':
      return false
  }
}

/** @throws ServiceError, WorkflowNotFoundError as the SDK does */
export async function stateOf(
  requestId: string,
  handleOf: (workflowId: string) => WorkflowHandle,
  converter: LoadedDataConverter,
): Promise<RunState> {
  const handle = handleOf(requestId)
  const state = await withConsulted(await handle.query<RunState>(stateQuery), (asking) =>
    stateOf(asking, handleOf, converter),
  )
  if (!state.steps.some(({ outcome }) => outcome === 'running')) return state
  const progress = await heartbeatsOf(handle, converter)
  const steps = await Promise.all(
    state.steps.map(async (summary): Promise<StepSummary> => {
      const told = progress.get(summary.id)
      if (told !== undefined) return { ...summary, progress: told }
      if (summary.loop?.chunks === undefined) return summary
      const loop = await withChunks(summary.loop, (chunk) =>
        handleOf(chunkWorkflowId(requestId, chunk)).query<Tally>(stateQuery),
      )
      return { ...summary, loop }
    }),
  )
  return { ...state, steps }
}

/** A model is asked in a run of its own, of which a person may be asked first. */
async function withConsulted(
  state: RunState,
  ask: (requestId: string) => Promise<RunState>,
): Promise<RunState> {
  if (state.consulted?.some(({ status }) => status === 'running') !== true) return state
  const consulted = await Promise.all(
    state.consulted.map(async (one) => {
      if (one.status !== 'running') return one
      const known = await ask(one.requestId).catch(() => undefined)
      const steps = known?.steps ?? []
      const asked = [...(known?.approvals ?? []), ...steps.flatMap(approvalsOf)]
      const progress = steps.find((step) => step.progress !== undefined)?.progress
      return {
        ...one,
        ...(asked.length === 0 ? {} : { approvals: asked }),
        ...(progress === undefined ? {} : { progress }),
      }
    }),
  )
  return { ...state, consulted }
}

function approvalsOf({ approvals = [] }: StepSummary) {
  return approvals
}

/** Among what else an attempt leaves to the next one; see activities.ts. */
const beatSchema = z.object(progressSchema.shape)

async function heartbeatsOf(
  handle: WorkflowHandle,
  converter: LoadedDataConverter,
): Promise<ReadonlyMap<string, StepSummary['progress']>> {
  const { raw } = await handle.describe()
  const progress = new Map<string, StepSummary['progress']>()
  for (const { activityId, heartbeatDetails } of raw.pendingActivities ?? []) {
    const [step = ''] = (activityId ?? '').split('~')
    const details = await decodeArrayFromPayloads(converter, heartbeatDetails?.payloads)
    const told = beatSchema.safeParse(details[0]).data
    if (told !== undefined) progress.set(step, told)
  }
  return progress
}

/** A chunk that does not answer, because it has just ended or not begun, is counted the next time. */
async function withChunks(
  { chunks = [], ...loop }: LoopSummary,
  ask: (chunk: string) => Promise<Tally>,
): Promise<LoopSummary> {
  const tallies = await Promise.all(chunks.map((chunk) => ask(chunk).catch(() => undefined)))
  const known = tallies.filter((tally) => tally !== undefined)
  return { ...loop, ...known.reduce<Tally>(mergeTallies, loop) }
}
