// The person's own earlier runs, for the retriever: what they asked, and what was answered. Which runs there
// are is Temporal's to say, and whose they are the artifacts' readers. Of a run only references are cached,
// its contents are read anew each time. Runs that asked the memory are left out: what they answered may have
// been forgotten since.

import { parseSource } from '../plan/parse.ts'
import { canonicalJson, type JsonValue } from '../security/verify/canonical-json.ts'
import type { Artifact, ArtifactStore } from './artifacts.ts'
import { parseJson } from './compile-plan.ts'
import { createWordMatcher, type WordMatcher } from './match-words.ts'
import { openBound } from './open-bound.ts'
import { requestDocumentSchema, standingOf } from './request-document.ts'
import type { AskedOfSource, Candidate, Source, SourceAnswer } from './retrieve.ts'
import type { CountedCache } from './retrieve-cache.ts'
import { maxFoundCharacters } from './retrieve-contract.ts'

/** The newest of the whole household; what is older has to be asked for by its id. */
const mostRuns = 200
/** Side by side: each is one or two calls and one or two files. */
const atOnce = 8
const limitMs = 5_000

export interface IndexedRun {
  readonly requestId: string
  /** Of Temporal, never used twice. */
  readonly runId: string
  readonly status: string
  readonly isOver: boolean
  /** Milliseconds since the epoch. */
  readonly startedAt: number
}

/** What a run was started with and came to. Of one that is over, the same for ever. */
export interface RunRefs {
  readonly requestRef: string
  /** Null: it is under way, or was ended from outside, and has no answer. */
  readonly end: RunEnd | null
  /** It is a time of that schedule, whose document it runs. */
  readonly schedule: string | null
}

export interface RunEnd {
  readonly answerRef: string | null
  /** `agent.action` of its steps. */
  readonly steps: readonly string[]
}

export interface RunIndex {
  /** Of everybody, the newest first. */
  latest(most: number, signal: AbortSignal): Promise<readonly IndexedRun[]>
  refsOf(run: IndexedRun, signal: AbortSignal): Promise<RunRefs | undefined>
}

export interface HistorySourceDeps {
  readonly runs: RunIndex
  readonly artifacts: Pick<ArtifactStore, 'get'>
  readonly cache: CountedCache<RunRefs | undefined>
  readonly now: () => number
  readonly limitMs?: number
}

export function createHistorySource(deps: HistorySourceDeps): Source {
  return {
    name: 'history',
    limitMs: deps.limitMs ?? limitMs,
    async find({ query }: AskedOfSource, signal): Promise<SourceAnswer> {
      const matcher = createWordMatcher(query)
      const runs = await deps.runs.latest(mostRuns, signal)
      const candidates: Candidate[] = []
      let looked = 0
      while (looked < runs.length && !signal.aborted) {
        const some = runs.slice(looked, looked + atOnce)
        const found = await Promise.all(
          some.map((run) => look(run, matcher, { deps, signal }).catch(orLate(signal))),
        )
        // Given up half-way: none of these counts as looked at.
        if (signal.aborted) break
        candidates.push(...found.filter((one) => one !== undefined))
        looked += some.length
      }
      return { ok: true, candidates, looked, complete: looked === runs.length }
    },
  }
}

const orLate = (signal: AbortSignal) => (error: unknown) => {
  if (signal.aborted) return undefined
  throw error
}

async function look(
  run: IndexedRun,
  matcher: WordMatcher,
  { deps, signal }: { readonly deps: HistorySourceDeps; readonly signal: AbortSignal },
): Promise<Candidate | undefined> {
  const load = () => deps.runs.refsOf(run, signal)
  const refs = run.isOver ? await deps.cache.read(run.runId, load) : await load()
  if (refs === undefined || hasAskedMemory(refs.end)) return undefined
  const { requestId, status, startedAt } = run
  const owner = refs.schedule === null ? requestId : standingOf(refs.schedule)
  const request = await readOf(refs.requestRef, { kind: 'request', requestId: owner }, deps)
  const asked = request && askedIn(request)
  if (request === undefined || asked === undefined) return undefined
  const answerRef = asked.isProposed ? null : (refs.end?.answerRef ?? null)
  const answer =
    answerRef === null ? undefined : await readOf(answerRef, { kind: 'answer', requestId }, deps)
  const said = answer === undefined ? '' : Buffer.from(answer.bytes).toString('utf8')
  const score = matcher.score(`${said.slice(0, answerLookedAt)}\n${asked.words}`)
  if (score === 0) return undefined
  const readers = request.meta.readers.filter(
    (reader) => answer?.meta.readers.includes(reader) ?? true,
  )
  return {
    score,
    finding: {
      ...{ source: 'history', kind: 'run', name: requestId, title: asked.title, status },
      text: matcher.excerpt(said === '' ? asked.words : said, maxFoundCharacters),
      at: startedAt,
      answerRef: answer === undefined ? null : answerRef,
      label: {
        // Agents had a hand in every answer.
        integrity: answer === undefined ? 'USER' : 'UNTRUSTED',
        readers: [...readers],
        provenance: [answer === undefined ? requestId : `${requestId}#answer`],
      },
    },
  }
}

/** The rest of what a matcher looks at is for what was asked. */
const answerLookedAt = 12_000

function hasAskedMemory(end: RunEnd | null): boolean {
  return end?.steps.some((type) => type.startsWith('memory.')) ?? false
}

/** Undefined: it is gone, is not what the run says it is, or is kept no longer. */
async function readOf(
  ref: string,
  is: { readonly kind: 'request' | 'answer'; readonly requestId: string },
  { artifacts, now }: HistorySourceDeps,
): Promise<Artifact | undefined> {
  const artifact = await openBound(ref, is, artifacts)
  const expiresAt = artifact?.meta.expiresAt
  return expiresAt !== undefined && expiresAt <= now() ? undefined : artifact
}

interface Asked {
  readonly title: string
  readonly words: string
  /** By a planner, which may have built on any earlier result, the memory's too: its answer is not looked at. */
  readonly isProposed: boolean
}

/** What the person gave, as far as it says what they wanted; undefined: it is in no history. */
function askedIn({ bytes }: Artifact): Asked | undefined {
  const document = requestDocumentSchema.safeParse(parseJson(bytes))
  if (!document.success) return undefined
  const { kind, name, source, inputs } = document.data
  const given = Object.keys(inputs).length === 0 ? '' : canonicalJson(inputs as JsonValue)
  switch (kind) {
    case 'text':
      return { title: source.slice(0, 200), words: source, isProposed: true }
    case 'recipe':
      // Its text is the project's, and the same each time.
      return { title: name, words: `${name.replaceAll('-', ' ')} ${given}`, isProposed: false }
    case 'plan': {
      const parsed = parseSource('plan', source)
      if (!parsed.ok) return { title: name, words: name, isProposed: false }
      const { plan } = parsed
      // Whose result it builds on is not seen from here: it may be the memory's.
      if (JSON.stringify(plan.steps).includes('"$handle"')) return undefined
      return { title: name, words: `${name} ${plan.goal} ${given}`, isProposed: false }
    }
  }
}
