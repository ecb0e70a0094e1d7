// The retriever: a person's words, put to each source that they chose, side by side, each within its own
// time. Invariants: what is not for the person who asks is among no findings, whatever a source returned;
// a source that is slow or down is reported beside the findings of the others. Knows no bus, no server and no
// file: sources are ports. Nothing of it goes to a planner (R8).

import type { Finding, RetrievalSource, SourceFault, SourceReport } from './retrieve-contract.ts'

export interface AskedOfSource {
  /** The principal who asks, e.g. `user:owner`. */
  readonly user: string
  readonly query: string
  /** The run of theirs that asks their memory. */
  readonly memoryRun?: string | undefined
}

export interface Candidate {
  /** Of the words of the query, how many fit: 0 to 1. A source that ranks by itself says 1. */
  readonly score: number
  readonly finding: Finding
}

export type SourceAnswer =
  | {
      readonly ok: true
      /** The best first among equals. */
      readonly candidates: readonly Candidate[]
      readonly looked: number | null
      /** False: there was no time for the rest, or it cannot be reached. */
      readonly complete: boolean
    }
  | { readonly ok: false; readonly code: SourceFault }

export interface Source {
  readonly name: RetrievalSource
  /** Milliseconds after which `signal` asks it for what it has. */
  readonly limitMs: number
  /** Ends soon after the signal, with what it has found; else it is not waited for. May reject. */
  find(asked: AskedOfSource, signal: AbortSignal): Promise<SourceAnswer>
}

export interface Retrieved {
  readonly findings: readonly Finding[]
  readonly sources: readonly SourceReport[]
}

/** For what a source has found when its time is over. */
export const graceMs = 1_000

export async function retrieve(
  asked: AskedOfSource & { readonly limit: number },
  sources: readonly Source[],
  options: { readonly graceMs: number } = { graceMs },
): Promise<Retrieved> {
  const found = await Promise.all(
    sources.map(async (source) =>
      toFound(source.name, await askInTime(source, asked, options), asked),
    ),
  )
  return {
    findings: found.flatMap(({ findings }) => findings),
    sources: found.map(({ report }) => report),
  }
}

const late = { ok: true, candidates: [], looked: null, complete: false } as const
const down = { ok: false, code: 'UNAVAILABLE' } as const

async function askInTime(
  source: Source,
  asked: AskedOfSource,
  options: { readonly graceMs: number },
): Promise<SourceAnswer> {
  const over = new AbortController()
  const timers: NodeJS.Timeout[] = []
  const tooLate = new Promise<SourceAnswer>((resolve) => {
    timers.push(
      setTimeout(() => over.abort(), source.limitMs),
      setTimeout(() => resolve(late), source.limitMs + options.graceMs),
    )
  })
  try {
    const ask = async () => source.find(asked, over.signal)
    // What was given up because its time was over is late, and no failure.
    const answer = ask().catch(() => (over.signal.aborted ? late : down))
    return await Promise.race([answer, tooLate])
  } finally {
    for (const timer of timers) clearTimeout(timer)
    over.abort()
  }
}

function toFound(
  source: RetrievalSource,
  answer: SourceAnswer,
  { user, limit }: { readonly user: string; readonly limit: number },
): { readonly findings: readonly Finding[]; readonly report: SourceReport } {
  if (!answer.ok) {
    const report = { source, status: 'FAILED', code: answer.code, count: 0, looked: null } as const
    return { findings: [], report }
  }
  const own = answer.candidates.filter(({ finding }) => finding.label.readers.includes(user))
  const fitting = best(own)
  const status = answer.complete ? 'ANSWERED' : 'SLOW'
  return {
    findings: fitting.slice(0, limit).map(({ finding }) => finding),
    report: { source, status, code: null, count: fitting.length, looked: answer.looked },
  }
}

/** Those with all of the words; where there is none, those with most of them first. */
function best(candidates: readonly Candidate[]): readonly Candidate[] {
  const ranked = candidates.toSorted((one, other) => other.score - one.score)
  const whole = ranked.filter(({ score }) => score === 1)
  return whole.length > 0 ? whole : ranked
}
