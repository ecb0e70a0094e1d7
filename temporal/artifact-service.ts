// Serves the artifact store to entry points: who may read is what the artifact's readers say of the
// caller's user, and an entry point may store requests, turns of a conversation, and nothing else. The
// caller is the last token of the subject, which the bus server maps per account. Anything else gets no
// answer.

import { ArtifactError, type ArtifactStore } from '../activities/artifacts.ts'
import type { Bus } from '../security/bus.ts'
import { personOf } from '../security/people.ts'
import {
  type ArtifactGetReply,
  type ArtifactPutReply,
  type ArtifactRefusal,
  artifactGetCall,
  artifactPutCall,
  maxContentCharacters,
} from './artifact-calls.ts'
import { parseTurnDocument } from './turn-document.ts'

export interface ArtifactServiceDeps {
  readonly artifacts: ArtifactStore
  readonly now: () => number
  /** By id, the ids of those whose requests and answers a person may look at; absent: nobody's. */
  readonly sees?: Readonly<Record<string, readonly string[]>>
}

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
  const id = personOf(subject.slice(subject.lastIndexOf('.') + 1))
  return id === undefined ? undefined : `user:${id}`
}

export async function getArtifact(
  user: string | undefined,
  payload: unknown,
  { artifacts, sees = {} }: ArtifactServiceDeps,
): Promise<ArtifactGetReply> {
  if (user === undefined) return refuse('NOT_PERMITTED')
  const call = artifactGetCall.safeParse(payload)
  if (!call.success) return refuse('MALFORMED')
  try {
    const { bytes, meta } = await artifacts.get(call.data.ref)
    // Who may look at what a person asked may not listen to how they came to it.
    const readers = meta.kind === 'turn' ? [user] : readsAs(user, sees)
    if (!readers.some((reader) => meta.readers.includes(reader))) {
      return refuse('NOT_PERMITTED')
    }
    const content = Buffer.from(bytes).toString('utf8')
    if (JSON.stringify(content).length > maxContentCharacters) return refuse('TOO_LARGE')
    return { status: 'FOUND', kind: meta.kind, requestId: meta.requestId, content }
  } catch (error) {
    return toRefusal(error)
  }
}

/** The principals whose artifacts a user may read, its own first. */
function readsAs(user: string, sees: NonNullable<ArtifactServiceDeps['sees']>): readonly string[] {
  const id = user.slice('user:'.length)
  const others = Object.hasOwn(sees, id) ? (sees[id] ?? []) : []
  return [user, ...others.map((other) => `user:${other}`)]
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
  if (kind === 'turn' && parseTurnDocument(content) === undefined) return refuse('MALFORMED')
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
