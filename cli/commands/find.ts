// `bulkhead find`: words put to memory, history and configuration at once. The memory is asked by a run of
// the person's own, begun here, because nobody else may begin one; the worker's retriever takes its result
// up beside what it finds itself. What was found is somebody's words: shown as a quotation.

import type { Decide } from '../../plan/policy.ts'
import type { KnownNames } from '../../plan/principals.ts'
import { quote } from '../../plan/quotation.ts'
import type {
  Finding,
  RetrievalSource,
  RetrieveReply,
  SourceReport,
} from '../../temporal/retrieve-calls.ts'
import { CommandError, type ExitCode, exitCodes } from '../exit-codes.ts'
import type { Output } from '../output.ts'
import type { Session } from '../session.ts'
import { memoryPlan } from './memory.ts'
import { compileRun, drawRequestId, startRun } from './run.ts'

export interface FindOptions {
  readonly query: string
  readonly sources: readonly RetrievalSource[]
  readonly limit: number
  readonly names: KnownNames
  readonly decide: Decide
}

type Found = Extract<RetrieveReply, { status: 'FOUND' }>

/** @returns failed where some source did not answer in time, in full, or at all */
export async function findCommand(
  open: () => Promise<Session>,
  output: Output,
  options: FindOptions,
): Promise<ExitCode> {
  const { query, limit } = options
  if (query.trim() === '' || query.length > maxQuery) {
    throw new CommandError(`say what is looked for, in at most ${maxQuery} characters`, {
      exitCode: exitCodes.usage,
      next: 'npx bulkhead find dentist',
    })
  }
  const session = await open()
  try {
    const sources = [...options.sources]
    const run = sources.includes('memory') ? await askMemory(session, options) : undefined
    const memory = run === undefined ? {} : { memory: { requestId: run } }
    const reply = await session.retrieve({ query, sources, limit, ...memory })
    if (reply.status !== 'FOUND') throw refused(reply.code)
    output.data({ query, ...reply, memoryRun: run ?? null }, () => foundLines(reply))
    for (const source of reply.sources) tell(source, run, output)
    return reply.sources.every(({ status }) => status === 'ANSWERED')
      ? exitCodes.completed
      : exitCodes.failed
  } finally {
    await session.close()
  }
}

const maxQuery = 500

/** The id of a run that asks the memory; undefined where none may be begun, which is then reported. */
async function askMemory(session: Session, options: FindOptions): Promise<string | undefined> {
  const { query, limit, names, decide } = options
  const plan = memoryPlan('recall', { query, limit }, session.deployment.embeddings)
  if (!compileRun(plan, { inputs: {}, names, decide }).ok) return undefined
  const requestId = drawRequestId(plan.name, new Date())
  try {
    await startRun(session, plan, { inputs: {}, requestId })
    return requestId
  } catch (error) {
    // The others answer all the same.
    if (error instanceof CommandError) return undefined
    throw error
  }
}

type RefusalCode = Extract<RetrieveReply, { status: 'REFUSED' }>['code']

const refusals = {
  BUSY: ['too much is being looked for at once', 'npx bulkhead find ...   in a moment'],
  MALFORMED: ['it is of another release', 'npx bulkhead down, then npx bulkhead up'],
  NOT_PERMITTED: ['nobody of the household asks this', 'npx bulkhead users list'],
} as const satisfies Record<RefusalCode, readonly [string, string]>

function refused(code: RefusalCode): CommandError {
  const [message, next] = refusals[code]
  return new CommandError(`the worker refused: ${message}`, { exitCode: exitCodes.failed, next })
}

export function foundLines({ findings, sources, cache }: Found): readonly string[] {
  const counted = sources
    .filter(({ status }) => status !== 'FAILED')
    .map(({ source, count }) => `${source} ${count}`)
  return [
    ...findings.flatMap(linesOf),
    `found: ${counted.join(', ')} (references from the cache: ${cache.hits} of ${cache.hits + cache.misses})`,
  ]
}

/** Longer than any excerpt. */
const whole = 1_000

function linesOf(finding: Finding): readonly string[] {
  const { kind, name, title, text, at, status, label } = finding
  const when = at === null ? '' : `  ${new Date(at).toISOString().slice(0, 16).replace('T', ' ')}`
  const stands = status === null ? '' : `  ${status}`
  const about = title === name || title === '' ? '' : `  ${quote(title, 100)}`
  const trusted = label.integrity === 'UNTRUSTED' ? ', UNTRUSTED' : ''
  return [
    `${kind}  ${name}${when}${stands}${about}`,
    `  ${quote(text, whole)}${trusted}`,
    `  ${openedBy(finding)}`,
  ]
}

function openedBy({ kind, name }: Finding): string {
  switch (kind) {
    case 'entry':
      return `npx bulkhead memory show ${name}`
    case 'run':
      return `npx bulkhead runs show ${name}`
    case 'recipe':
      return `npx bulkhead recipes show ${name}`
    case 'schedule':
      return `npx bulkhead schedule show ${name}`
    case 'person':
    case 'place':
      return 'in bulkhead.yaml'
  }
}

function tell(
  { source, status, code }: SourceReport,
  run: string | undefined,
  output: Output,
): void {
  if (status === 'SLOW') {
    const next = source === 'memory' && run !== undefined ? `runs show ${run}` : 'find ...   again'
    output.problem(`${source} did not answer in time, or not in full`, `npx bulkhead ${next}`)
  }
  if (status === 'FAILED') output.problem(...failureOf(source, code, run))
}

function failureOf(
  source: RetrievalSource,
  code: SourceReport['code'],
  run: string | undefined,
): readonly [string, string] {
  const show = `npx bulkhead ${run === undefined ? 'agents connect memory' : `runs show ${run}`}`
  switch (code) {
    case 'NOT_ASKED':
      return ['your memory may not be asked, or is not set up', show]
    case 'NO_RESULT':
      return ['your memory gave no answer', show]
    case 'UNAVAILABLE':
    case null:
      return [`${source} cannot be reached`, 'npx bulkhead status']
  }
}
