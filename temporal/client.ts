// How entry points start, watch and stop runs. A run's workflow id is its request id, so a resend is
// the same run. Reads nothing but states and references: answers lie in the artifact store.

import {
  Client,
  Connection,
  isGrpcServiceError,
  ScheduleNotFoundError,
  ServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  type WorkflowHandle,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client'
import { ApplicationFailure, type LoadedDataConverter } from '@temporalio/common'
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js'
import { progressSchema } from '../agents/protocol.ts'
import { limits } from '../plan/limits.ts'
import type { Checkpoint } from '../security/audit/checkpoint.ts'
import {
  giveUpUpdate,
  type RequestInput,
  type ResolveInput,
  type RetryInput,
  type RunResult,
  type RunState,
  type RunStatus,
  resolveUpdate,
  retryUpdate,
  type StepSummary,
  stateQuery,
  taskQueue,
  workflowType,
} from '../workflows/contract.ts'
import { readAnchor } from './audit-anchor.ts'
import { createDataConverter } from './data-converter.ts'
import { openKeyFile } from './payload-keys.ts'
import { createSchedules, type Schedules } from './schedules.ts'
import { recipeAttribute, statusAttribute } from './search-attributes.ts'
import { watchRun } from './watch-run.ts'

/** REFUSED: the run is not where the decision makes sense. */
export type RunClientErrorCode = 'UNREACHABLE' | 'NOT_FOUND' | 'REFUSED'

export class RunClientError extends Error {
  override readonly name = 'RunClientError'
  readonly code: RunClientErrorCode
  constructor(code: RunClientErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

export interface Submission extends RequestInput {
  /** Name of the recipe, stored in clear. A plan file has none. */
  readonly recipe?: string
}

export interface RunDescription {
  readonly requestId: string
  readonly workflowId: string
  readonly runId: string
  readonly recipe?: string
  readonly status: RunStatus
  readonly closed: boolean
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  readonly closedAt?: number
}

export interface RunClient {
  /** Starts the run, or finds the one that this request already has. */
  submit(submission: Submission): Promise<{ readonly workflowId: string; readonly runId: string }>
  /** @throws RunClientError NOT_FOUND */
  describe(requestId: string): Promise<RunDescription>
  /** What each step has come to. Needs a running worker. @throws RunClientError NOT_FOUND */
  state(requestId: string): Promise<RunState>
  /** Every change of state, the last one final. Ends by itself; break out to stop watching. */
  watch(requestId: string, signal?: AbortSignal): AsyncIterable<RunState>
  /** Waits for the end. @throws RunClientError NOT_FOUND */
  result(requestId: string): Promise<RunResult>
  /**
   * Asks the workflow to stop: it launches nothing more, drains, and undoes what it may. Register
   * the cancel with the notary first; without that it refuses the undos.
   */
  cancel(requestId: string): Promise<void>
  /**
   * A person's decisions on a held run. Register each with the notary first: it decides, and the
   * workflow only takes it up. @throws RunClientError REFUSED, NOT_FOUND, UNREACHABLE
   */
  retry(requestId: string, retry: RetryInput): Promise<void>
  resolve(requestId: string, answer: ResolveInput): Promise<void>
  giveUp(requestId: string): Promise<void>
  /** @throws RunClientError UNREACHABLE, from each */
  readonly schedules: Schedules
  /** The audit's head that the anchor workflow remembers. @throws RunClientError UNREACHABLE */
  anchoredHead(): Promise<Checkpoint | undefined>
  close(): Promise<void>
}

export interface RunClientOptions {
  /** host:port */
  readonly address: string
  readonly namespace: string
  /** File with the payload keys (security/key-ring.ts). */
  readonly payloadKeyFile: string
}

/** @throws RunClientError UNREACHABLE */
export async function createRunClient(options: RunClientOptions): Promise<RunClient> {
  const { address, namespace, payloadKeyFile } = options
  const keys = openKeyFile(payloadKeyFile)
  let connection: Connection
  try {
    connection = await Connection.connect({ address })
  } catch (cause) {
    throw new RunClientError('UNREACHABLE', `cannot reach Temporal at ${address}`, { cause })
  }
  const dataConverter = createDataConverter({ keys, namespace })
  const client = new Client({ connection, namespace, dataConverter })
  const handleOf = (requestId: string) => client.workflow.getHandle(requestId)
  const decide = (requestId: string, update: string, args: [] | [unknown]) =>
    connection.withDeadline(Date.now() + decisionTimeoutMs, () =>
      found(async () => {
        const handle = handleOf(requestId)
        // Two overloads: of no arguments, and of some.
        if (args.length === 0) await handle.executeUpdate<void, []>(update)
        else await handle.executeUpdate<void, [unknown]>(update, { args })
      }),
    )
  const runs: RunClient = {
    submit: (submission) => submit(client, submission),
    describe: (requestId) => describe(handleOf(requestId)),
    state: (requestId) =>
      found(() => stateOf(handleOf(requestId), client.options.loadedDataConverter)),
    watch: (requestId, signal) => watchRun(requestId, runs, signal),
    result: (requestId) => resultOf(handleOf(requestId)),
    cancel: (requestId) =>
      found(async () => {
        await handleOf(requestId).cancel()
      }),
    retry: (requestId, retry) => decide(requestId, retryUpdate, [retry]),
    resolve: (requestId, answer) => decide(requestId, resolveUpdate, [answer]),
    giveUp: (requestId) => decide(requestId, giveUpUpdate, []),
    schedules: createSchedules(client, found),
    anchoredHead: () => found(() => readAnchor(client)),
    close: () => connection.close(),
  }
  return runs
}

/** A worker takes an update up in milliseconds; more means that none is there. */
const decisionTimeoutMs = 20_000

/** What the workflow says, and how far the agents are, which only their heartbeats know. */
async function stateOf(handle: WorkflowHandle, converter: LoadedDataConverter): Promise<RunState> {
  const state = await handle.query<RunState>(stateQuery)
  if (!state.steps.some(({ outcome }) => outcome === 'running')) return state
  const { raw } = await handle.describe()
  const progress = new Map<string, StepSummary['progress']>()
  for (const { activityId, heartbeatDetails } of raw.pendingActivities ?? []) {
    const [step = ''] = (activityId ?? '').split('~')
    const details = await decodeArrayFromPayloads(converter, heartbeatDetails?.payloads)
    const told = progressSchema.safeParse(details[0]).data
    if (told !== undefined) progress.set(step, told)
  }
  const steps = state.steps.map((summary) => {
    const told = progress.get(summary.id)
    return told === undefined ? summary : { ...summary, progress: told }
  })
  return { ...state, steps }
}

async function submit(client: Client, { recipe, ...input }: Submission) {
  const { requestId } = input
  try {
    const started = await client.workflow.start(workflowType, {
      workflowId: requestId,
      taskQueue,
      args: [input],
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowExecutionTimeout: limits.runMs,
      staticSummary: recipe ?? 'plan',
      typedSearchAttributes: [
        { key: statusAttribute, value: 'running' },
        ...(recipe === undefined ? [] : [{ key: recipeAttribute, value: recipe }]),
      ],
    })
    return { workflowId: requestId, runId: started.firstExecutionRunId }
  } catch (error) {
    // It has ended already: a resend of a finished request is that request.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
    const { runId } = await client.workflow.getHandle(requestId).describe()
    return { workflowId: requestId, runId }
  }
}

async function describe(handle: WorkflowHandle): Promise<RunDescription> {
  const execution = await found(() => handle.describe())
  const recipe = execution.typedSearchAttributes.get(recipeAttribute)
  const noted = execution.typedSearchAttributes.get(statusAttribute)
  return {
    requestId: handle.workflowId,
    workflowId: handle.workflowId,
    runId: execution.runId,
    ...(recipe === undefined ? {} : { recipe }),
    status: toStatus(execution.status.name, noted),
    closed: execution.status.name !== 'RUNNING',
    startedAt: execution.startTime.getTime(),
    ...(execution.closeTime === undefined ? {} : { closedAt: execution.closeTime.getTime() }),
  }
}

/** The server's word on whether it runs, ours on how it ended. */
function toStatus(execution: string, noted: string | undefined): RunStatus {
  if (execution === 'RUNNING') return noted === 'held' ? 'held' : 'running'
  if (execution !== 'COMPLETED') return execution === 'CANCELLED' ? 'cancelled' : 'failed'
  const statuses: readonly RunStatus[] = ['completed', 'failed', 'cancelled', 'denied']
  return statuses.find((status) => status === noted) ?? 'failed'
}

async function resultOf(handle: WorkflowHandle): Promise<RunResult> {
  try {
    return await found(() => handle.result())
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error
    // Terminated or timed out from outside: the workflow itself always returns.
    const state = await handle.query<RunState>(stateQuery).catch(() => undefined)
    return { status: 'failed', code: 'TERMINATED', steps: state?.steps ?? [], answerRef: null }
  }
}

async function found<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    if (error instanceof ServiceError && isGrpcServiceError(error.cause)) {
      throw new RunClientError('UNREACHABLE', `Temporal does not answer: ${error.cause.details}`, {
        cause: error,
      })
    }
    if (error instanceof WorkflowUpdateFailedError) {
      const { cause } = error
      const said =
        cause instanceof ApplicationFailure ? `${cause.type}: ${cause.message}` : 'failed'
      throw new RunClientError('REFUSED', `the run does not take it up: ${said}`, { cause: error })
    }
    if (error instanceof ScheduleNotFoundError) {
      throw new RunClientError('NOT_FOUND', 'Temporal has no such schedule', { cause: error })
    }
    if (!(error instanceof WorkflowNotFoundError)) throw error
    throw new RunClientError('NOT_FOUND', 'no such run', { cause: error })
  }
}
