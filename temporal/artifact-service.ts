// Serves the artifact store to entry points: who may read is what the artifact's readers say of the
// caller's user, and an entry point may store requests and nothing else. The caller is the last
// token of the subject, which the bus server maps per account. Anything else gets no answer.

import { ArtifactError, type ArtifactStore } from '../activities/artifacts.ts'
import type { Bus } from '../security/bus.ts'
import {
  type ArtifactGetReply,
  type ArtifactPutReply,
  type ArtifactRefusal,
  artifactGetCall,
  artifactPutCall,
  maxContentCharacters,
} from './artifact-calls.ts'

export interface ArtifactServiceDeps {
  readonly artifacts: ArtifactStore
  readonly now: () => number
}

/** Accounts of entry points and the user each acts for; one owner until there are sessions. */
const users: ReadonlyMap<string, string> = new Map([
  ['cli', 'user:owner'],
  ['console', 'user:owner'],
])

export function serveArtifacts(bus: Bus, deps: ArtifactServiceDeps): void {
  const options = {
    type: 'RETRIEVAL_RESPONSE',
    onMalformed: () => refuse('MALFORMED'),
  } as const
  bus.serve(
    'worker.artifact.get.*',
    ({ subject, payload }) => getArtifact(userOf(subject), payload, deps),
    options,
  )
  bus.serve(
    'worker.artifact.put.*',
    ({ subject, payload }) => putArtifact(userOf(subject), payload, deps),
    options,
  )
}

/** The user an entry point acts for; undefined for every other account. */
export function userOf(subject: string): string | undefined {
  return users.get(subject.slice(subject.lastIndexOf('.') + 1))
}

export async function getArtifact(
  user: string | undefined,
  payload: unknown,
  { artifacts }: ArtifactServiceDeps,
): Promise<ArtifactGetReply> {
  if (user === undefined) return refuse('NOT_PERMITTED')
  const call = artifactGetCall.safeParse(payload)
  if (!call.success) return refuse('MALFORMED')
  try {
    const { bytes, meta } = await artifacts.get(call.data.ref)
    if (!meta.readers.includes(user)) return refuse('NOT_PERMITTED')
    const content = Buffer.from(bytes).toString('utf8')
    if (JSON.stringify(content).length > maxContentCharacters) return refuse('TOO_LARGE')
    return { status: 'FOUND', kind: meta.kind, requestId: meta.requestId, content }
  } catch (error) {
    return toRefusal(error)
  }
}

export async function putArtifact(
  user: string | undefined,
  payload: unknown,
  { artifacts, now }: ArtifactServiceDeps,
): Promise<ArtifactPutReply> {
  if (user === undefined) return refuse('NOT_PERMITTED')
  const call = artifactPutCall.safeParse(payload)
  if (!call.success) return refuse('MALFORMED')
  const { kind, requestId, content } = call.data
  try {
    const meta = { kind, requestId, readers: [user], createdAt: now() }
    return { status: 'STORED', ref: await artifacts.put(Buffer.from(content), meta) }
  } catch (error) {
    return toRefusal(error)
  }
}

function toRefusal(error: unknown): ArtifactRefusal {
  if (!(error instanceof ArtifactError)) throw error
  switch (error.code) {
    case 'BAD_REFERENCE':
      return refuse('MALFORMED')
    case 'MISSING':
      return refuse('NOT_FOUND')
    case 'CORRUPT':
      return refuse('CORRUPT')
    case 'STORAGE_FULL':
      return refuse('STORAGE_FULL')
  }
}

function refuse(code: ArtifactRefusal['code']): ArtifactRefusal {
  return { status: 'REFUSED', code }
}
