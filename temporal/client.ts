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
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client'
import { ApplicationFailure } from '@temporalio/common'
import type { Priority } from '../plan/schema.ts'
import type { Checkpoint } from '../security/audit/checkpoint.ts'
import {
  type ApproveInput,
  approveUpdate,
  giveUpUpdate,
  type RequestInput,
  type ResolveInput,
  type RetryInput,
  type RunResult,
  type RunState,
  type RunStatus,
  resolveUpdate,
  retryUpdate,
  stateQuery,
  taskQueue,
  workflowType,
} from '../workflows/contract.ts'
import { runOptions } from '../workflows/run-options.ts'
import { recipeAttribute, statusAttribute } from '../workflows/search-attributes.ts'
import { type Assistant, createAssistant } from './assistant-client.ts'
import { readAnchor } from './audit-anchor.ts'
import { createDataConverter } from './data-converter.ts'
import { openKeyFile } from './payload-keys.ts'
import { isOpenStatus, stateOf } from './run-state.ts'
import { createSchedules, type Schedules } from './schedules.ts'
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
  /** Of its tasks among all others'; as registered, and MEDIUM without. */
  readonly priority?: Priority
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
  /** Wakes a run that may wait for what has been decided. @throws RunClientError as the others do */
  approve(requestId: string, approved: ApproveInput): Promise<void>
  /** @throws RunClientError UNREACHABLE, from each */
  readonly schedules: Schedules
  /** The one of the person with this account of the bus. */
  assistant(account: string): Assistant
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
      found(() => stateOf(requestId, handleOf, client.options.loadedDataConverter)),
    watch: (requestId, signal) => watchRun(requestId, runs, signal),
    result: (requestId) => resultOf(handleOf(requestId)),
    cancel: (requestId) =>
      found(async () => {
        await handleOf(requestId).cancel()
      }),
    retry: (requestId, retry) => decide(requestId, retryUpdate, [retry]),
    resolve: (requestId, answer) => decide(requestId, resolveUpdate, [answer]),
    giveUp: (requestId) => decide(requestId, giveUpUpdate, []),
    approve: (requestId, approved) => decide(requestId, approveUpdate, [approved]),
    schedules: createSchedules(client, found),
    assistant: (account) =>
      createAssistant(client, account, (call) =>
        connection.withDeadline(Date.now() + decisionTimeoutMs, () => found(call)),
      ),
    anchoredHead: () => found(() => readAnchor(client)),
    close: () => connection.close(),
  }
  return runs
}

/** A worker takes an update up in milliseconds; more means that none is there. */
const decisionTimeoutMs = 20_000

async function submit(client: Client, { recipe, priority = 'MEDIUM', ...input }: Submission) {
  const { requestId } = input
  try {
    const started = await client.workflow.start(workflowType, {
      workflowId: requestId,
      taskQueue,
      args: [{ lane: 'fast', ...input }],
      workflowIdConflictPolicy: 'USE_EXISTING',
      ...runOptions({ priority, recipe }),
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
  const known = statuses.find((status) => status === noted)
  if (execution === 'RUNNING') return known !== undefined && isOpenStatus(known) ? known : 'running'
  if (execution !== 'COMPLETED') return execution === 'CANCELLED' ? 'cancelled' : 'failed'
  return known === undefined || isOpenStatus(known) ? 'failed' : known
}

const statuses = [
  'running',
  'waiting-approval',
  'held',
  'scheduled',
  'completed',
  'failed',
  'cancelled',
  'denied',
] as const satisfies readonly RunStatus[]

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
    if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) {
      throw new RunClientError('UNREACHABLE', 'no worker takes it up', { cause: error })
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
