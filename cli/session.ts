// An open session with a running deployment: the bus as the enrolled owner, typed calls to the
// notary and the artifact store, and a Temporal client. Holds the owner's keys and the payload key;
// never the artifact key, so content is only what the worker hands to this user.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { z } from 'zod'
import { type ApproveCall, approveReply } from '../notary/approval-contract.ts'
import {
  cancelReply,
  headReply,
  type QueryCall,
  queryReply,
  type RecoverCall,
  type RequestCall,
  recoverReply,
  requestReply,
} from '../notary/contract.ts'
import { type ScheduleCall, scheduleReply } from '../notary/standing-contract.ts'
import { type Bus, BusError, connectBus } from '../security/bus.ts'
import { type Deployment, deploymentSchema } from '../security/deployment.ts'
import type { MessageHead } from '../security/message.ts'
import {
  type ArtifactPutCall,
  artifactGetReply,
  artifactPutReply,
} from '../temporal/artifact-calls.ts'
import type { Assistant } from '../temporal/assistant-client.ts'
import { createRunClient, type RunClient } from '../temporal/client.ts'
import { type RetrieveCall, type RetrieveReply, retrieveReply } from '../temporal/retrieve-calls.ts'
import { CommandError, exitCodes } from './exit-codes.ts'

const callTimeoutMs = 15_000
/** Longer than the retriever gives its slowest source. */
const retrievalTimeoutMs = 30_000

export function notRunning(state: string, cause?: unknown): CommandError {
  return new CommandError(`the platform is not running on ${state}`, {
    exitCode: exitCodes.failed,
    next: 'npm start   (sample home)   or   npx bulkhead up --config bulkhead.yaml',
    cause,
  })
}

/** The deployment that runs on a state folder; undefined also when its supervisor was killed. */
export function findDeployment(state: string): Deployment | undefined {
  const deployment = readDeployment(join(state, 'run', 'deployment.json'))
  return deployment !== undefined && isAlive(deployment.pid) ? deployment : undefined
}

/** @throws CommandError when the file is damaged or another version's */
function readDeployment(file: string): Deployment | undefined {
  try {
    return deploymentSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new CommandError(`${file} is not a deployment file of this version`, {
      exitCode: exitCodes.failed,
      next: 'stop the platform with Ctrl-C where it was started, then npx bulkhead up',
      cause,
    })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Somebody else's process of that id is one too.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

export interface Session {
  /** The state folder, or a person's. */
  readonly state: string
  /** Of the bus: `cli` is the owner's, `cli-<id>` a person's. */
  readonly account: string
  readonly deployment: Deployment
  readonly runs: RunClient
  /** This person's, and nobody else's. */
  readonly assistant: Assistant
  request(call: RequestCall): Promise<z.infer<typeof requestReply>>
  cancel(requestId: string): Promise<z.infer<typeof cancelReply>>
  recover(call: RecoverCall): Promise<z.infer<typeof recoverReply>>
  schedule(call: ScheduleCall): Promise<z.infer<typeof scheduleReply>>
  approve(call: ApproveCall): Promise<z.infer<typeof approveReply>>
  query(call: QueryCall): Promise<z.infer<typeof queryReply>>
  head(): Promise<z.infer<typeof headReply>>
  putRequest(requestId: string, content: string): Promise<z.infer<typeof artifactPutReply>>
  /** Of a conversation; cli/turn-documents.ts proves what comes back. */
  putTurn(turnId: string, content: string): Promise<z.infer<typeof artifactPutReply>>
  getArtifact(ref: string): Promise<z.infer<typeof artifactGetReply>>
  /** Waits for the slowest of its sources. */
  retrieve(payload: RetrieveCall): Promise<RetrieveReply>
  close(): Promise<void>
}

/** @throws CommandError when the deployment is not running or does not answer */
export async function openSession(state: string): Promise<Session> {
  const deployment = findDeployment(state)
  if (deployment === undefined) throw notRunning(state)
  const folder = join(state, 'cli')
  const bus = await enterBus(state)
  const runs = await createRunClient({
    address: deployment.temporal.address,
    namespace: deployment.temporal.namespace,
    payloadKeyFile: join(folder, 'payload.key'),
  }).catch(async (cause: unknown) => {
    // An open connection would keep the command from ending.
    await bus.close()
    throw cause
  })
  return createSession(state, deployment, bus, runs)
}

/** Keys are replaced in a moment, file by file; a restarted server is there again as soon. */
const entryPauseMs = 250
const entryTries = 12

/** @throws CommandError when the bus lets nobody in for some seconds, or the platform ends */
async function enterBus(state: string): Promise<Bus> {
  for (let tried = 1; ; tried += 1) {
    try {
      // Renewed, because a run may be watched for longer than keys are left alone.
      const credentials = join(state, 'cli', 'bus')
      return await connectBus({ credentials, reconnect: false, renew: true })
    } catch (cause) {
      if (tried === entryTries || findDeployment(state) === undefined) {
        throw notRunning(state, cause)
      }
      await delay(entryPauseMs)
    }
  }
}

/** The session ends with the work, however that ends: an open one keeps the command from ending. */
export async function withSession<T>(
  state: string,
  use: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await openSession(state)
  try {
    return await use(session)
  } finally {
    await session.close()
  }
}

function createSession(state: string, deployment: Deployment, bus: Bus, runs: RunClient): Session {
  const call = async <T>(
    subject: string,
    type: MessageHead['type'],
    payload: unknown,
    reply: z.ZodType<T>,
    timeoutMs = callTimeoutMs,
  ): Promise<T> => {
    const head = { receiver: subject, type, correlationId: correlationOf(payload) }
    try {
      return await bus.call(subject, head, payload, { reply, timeoutMs })
    } catch (cause) {
      if (!(cause instanceof BusError)) throw cause
      throw new CommandError(`${subject}: ${cause.message}`, {
        exitCode: exitCodes.failed,
        next: 'npx bulkhead status',
        cause,
      })
    }
  }
  const put = (payload: ArtifactPutCall) =>
    call('worker.artifact.put', 'RETRIEVAL_REQUEST', payload, artifactPutReply)
  return {
    state,
    account: bus.account,
    deployment,
    runs,
    assistant: runs.assistant(bus.account),
    request: (payload) => call('notary.request', 'TASK_REQUEST', payload, requestReply),
    cancel: (requestId) => call('notary.cancel', 'TASK_REQUEST', { requestId }, cancelReply),
    recover: (payload) => call('notary.recover', 'TASK_REQUEST', payload, recoverReply),
    schedule: (payload) => call('notary.schedule', 'TASK_REQUEST', payload, scheduleReply),
    approve: (payload) => call('notary.approve', 'TASK_REQUEST', payload, approveReply),
    query: (payload) => call('notary.query', 'RETRIEVAL_REQUEST', payload, queryReply),
    head: () => call('notary.head', 'RETRIEVAL_REQUEST', {}, headReply),
    putRequest: (requestId, content) => put({ kind: 'request', requestId, content }),
    putTurn: (turnId, content) => put({ kind: 'turn', requestId: turnId, content }),
    getArtifact: (ref) =>
      call('worker.artifact.get', 'RETRIEVAL_REQUEST', { ref }, artifactGetReply),
    retrieve: (payload) =>
      call('worker.retrieve', 'RETRIEVAL_REQUEST', payload, retrieveReply, retrievalTimeoutMs),
    async close() {
      // A call may still be waiting for a platform that is gone, and the SDK's own retry throws when
      // its connection is closed under it: the end of this process closes it as well.
      if (findDeployment(state)?.pid !== deployment.pid) return
      await Promise.allSettled([bus.close(), runs.close()])
    },
  }
}

function correlationOf(payload: unknown): string {
  if (typeof payload === 'object' && payload !== null && 'requestId' in payload) {
    return String(payload.requestId)
  }
  return ''
}
