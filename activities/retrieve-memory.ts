// What the person's memory knows, for the retriever. Nobody but the agent reads its folder, and nobody but
// the person begins runs: they have asked it by a run of their own, and this reads that run's result from the
// store. Invariant: of another person's run nothing is told, not even that there is one, so whose it is is
// looked up before it is waited for. Nothing is cached, and a result of a while ago is none: an entry that was
// forgotten meanwhile must not come back. What is remembered is untrusted, whatever it says of itself (R10).

import { z } from 'zod'
import { ArtifactError, type ArtifactStore } from './artifacts.ts'
import { openBound } from './open-bound.ts'
import type { Candidate, Source, SourceAnswer } from './retrieve.ts'

/** Cold start of a sandbox, an embedding model that has to be loaded, and a step or two. */
const limitMs = 15_000
/** Somebody who asks now has begun the run now. */
const freshMs = 60_000
/** The step of the plan that asks the memory, as the command writes it. */
const memoryStep = 'memory'

/** Says nothing of whose a run is. */
export interface MemoryRuns {
  /** The request that it was started with; undefined: there is no such run. */
  requestOf(requestId: string, signal: AbortSignal): Promise<string | undefined>
  /** Resolves when it is over, or there is none (any more); rejects when the signal is given. */
  ended(requestId: string, signal: AbortSignal): Promise<void>
}

export interface MemorySourceDeps {
  readonly artifacts: Pick<ArtifactStore, 'get' | 'find'>
  readonly runs: MemoryRuns
  readonly now: () => number
  readonly limitMs?: number
}

const recalled = z.object({
  count: z.number().int(),
  matches: z.array(
    z.object({
      id: z.string(),
      kind: z.string(),
      label: z.string(),
      remembered: z.string(),
      snippet: z.string(),
    }),
  ),
})

const noResult = { ok: false, code: 'NO_RESULT' } as const

export function createMemorySource(deps: MemorySourceDeps): Source {
  return {
    name: 'memory',
    limitMs: deps.limitMs ?? limitMs,
    async find({ user, memoryRun }, signal) {
      if (memoryRun === undefined) return { ok: false, code: 'NOT_ASKED' }
      if (!(await isOwn(memoryRun, user, { deps, signal }))) return noResult
      await deps.runs.ended(memoryRun, signal)
      const address = {
        requestId: memoryRun,
        step: memoryStep,
        iteration: 0,
        kind: 'result',
      } as const
      const stored = await deps.artifacts.find(address).catch(orNone)
      if (stored === undefined) return noResult
      const { bytes, meta } = stored.artifact
      if (!meta.readers.includes(user) || meta.createdAt < deps.now() - freshMs) return noResult
      const parsed = recalled.safeParse(JSON.parse(Buffer.from(bytes).toString('utf8')))
      return parsed.success ? toAnswer(parsed.data, memoryRun, meta.readers) : noResult
    },
  }
}

/** Another person's run is answered as if there were none, and as soon. */
async function isOwn(
  requestId: string,
  user: string,
  { deps, signal }: { readonly deps: MemorySourceDeps; readonly signal: AbortSignal },
): Promise<boolean> {
  const ref = await deps.runs.requestOf(requestId, signal)
  if (ref === undefined) return false
  const request = await openBound(ref, { kind: 'request', requestId }, deps.artifacts)
  return request?.meta.readers.includes(user) ?? false
}

function toAnswer(
  { count, matches }: z.output<typeof recalled>,
  run: string,
  readers: readonly string[],
): SourceAnswer {
  const candidates = matches.map(({ id, kind, label, remembered, snippet }, at): Candidate => {
    const time = Date.parse(remembered)
    const about = {
      source: 'memory',
      kind: 'entry',
      name: id,
      status: null,
      answerRef: null,
    } as const
    return {
      score: 1,
      finding: {
        ...about,
        // As it was told, which makes nothing of it trusted.
        title: `${kind}, said to be ${label}`,
        text: snippet,
        at: Number.isNaN(time) ? null : time,
        label: {
          integrity: 'UNTRUSTED',
          readers: [...readers],
          provenance: [`${run}/${memoryStep}#/matches/${at}`],
        },
      },
    }
  })
  return { ok: true, candidates, looked: count, complete: true }
}

function orNone(error: unknown): undefined {
  if (error instanceof ArtifactError) return undefined
  throw error
}
