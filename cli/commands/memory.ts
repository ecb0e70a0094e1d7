// `memory list|show|search|remember|forget`: what is kept in mind, asked and changed by the road that every
// plan takes: registered, checked, recorded, one step at the agent. Nothing here opens the agent's files.
// What an entry says is a quotation, whoever wrote it.

import type { Decide } from '../../plan/policy.ts'
import type { KnownNames } from '../../plan/principals.ts'
import { quote } from '../../plan/quotation.ts'
import { CommandError, type ExitCode, exitCodes } from '../exit-codes.ts'
import {
  type MemoryAction as Action,
  memoryResults,
  type MemoryResult as Result,
} from '../memory-results.ts'
import { inertJson, type Output } from '../output.ts'
import { type RunDocument, runLines } from '../run-view.ts'
import type { Session } from '../session.ts'
import {
  compileRun,
  detachable,
  drawRequestId,
  performRun,
  type RunSource,
  reportIssues,
} from './run.ts'

export interface MemoryDeps {
  readonly open: () => Promise<Session>
  readonly names: KnownNames
  readonly decide: Decide
  /** Of the platform that runs; undefined: it finds by words alone. */
  readonly embeddings: string | undefined
}

const step = 'memory'
/** Somebody waits; a model that has to be loaded first is there for the next question. */
const embedMs = 20_000

/**
 * A plan whose answer is the result of one step of the memory's. Agents do not know each other: what a text
 * means is a step before it, and where that fails the memory does without.
 *
 * @param embeddings the model of the house that says what a text means; undefined: none is set up
 */
export function memoryPlan(
  action: Action,
  args: Readonly<Record<string, unknown>>,
  embeddings?: string,
): RunSource {
  const text = embeddings === undefined ? undefined : textOf(action, args)
  const own = { id: step, agent: 'memory', action, args }
  const plan = {
    version: 1,
    goal: `Memory: ${action}`,
    steps:
      text === undefined || embeddings === undefined ? [own] : withMeaning(own, text, embeddings),
    answer: { from: [step] },
  }
  // JSON is YAML, where no character in it is one that YAML refuses.
  return { kind: 'plan', name: `memory-${action}`, source: inertJson(plan) }
}

/** What is to be kept or found by its meaning; a try that keeps nothing asks no model. */
function textOf(action: Action, args: Readonly<Record<string, unknown>>): string | undefined {
  const text =
    action === 'remember' ? args['text'] : action === 'recall' ? args['query'] : undefined
  return typeof text === 'string' && text !== '' && args['dryRun'] !== true ? text : undefined
}

function withMeaning(
  own: { readonly args: Readonly<Record<string, unknown>> },
  text: string,
  model: string,
): readonly object[] {
  const meaning = {
    ...{ id: 'meaning', agent: 'model', action: 'embed', onError: 'continue' },
    ...{ attempts: 1, timeoutMs: embedMs },
    args: { provider: 'local', model, maxMicroUsd: 0, texts: [text] },
  }
  const embedding = { model, vector: { $from: 'meaning#/vectors/0' } }
  return [meaning, { ...own, args: { ...own.args, embedding } }]
}

/** Of an answer without a template: one line, the step's name and its result. */
export function resultIn<Name extends Action>(
  action: Name,
  answer: string | null,
): Result<Name> | undefined {
  const prefix = `${step}: `
  if (answer?.startsWith(prefix) !== true) return undefined
  const parsed = memoryResults[action].safeParse(parseJson(answer.slice(prefix.length)))
  // The same schema as the type's.
  return parsed.success ? (parsed.data as Result<Name>) : undefined
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Runs one action, and shows its result, or what became of the run. */
export async function memoryCommand<Name extends Action>(
  { open, names, decide, embeddings }: MemoryDeps,
  output: Output,
  asked: {
    readonly action: Name
    readonly args: Readonly<Record<string, unknown>>
    readonly lines: (result: Result<Name>) => readonly string[]
  },
): Promise<ExitCode> {
  const { action, args, lines } = asked
  const run = memoryPlan(action, args, embeddings)
  const compiled = compileRun(run, { inputs: {}, names, decide })
  if (!compiled.ok) {
    output.data({ ok: false, issues: compiled.issues }, () => [])
    return reportIssues(compiled, output)
  }
  const session = await open()
  try {
    const requestId = drawRequestId(run.name, new Date())
    const { document, exitCode } = await detachable(requestId, output, () =>
      performRun(session, run, output, { inputs: {}, requestId }),
    )
    const result = exitCode === exitCodes.completed ? resultIn(action, document.answer) : undefined
    if (result === undefined) {
      output.data({ requestId, status: document.status, run: document }, () => runLines(document))
      explain(document, output)
      return exitCode === exitCodes.completed ? exitCodes.failed : exitCode
    }
    output.data({ requestId, status: document.status, result }, () => lines(result))
    return exitCode
  } finally {
    await session.close()
  }
}

const nexts: Readonly<Record<string, readonly [string, string]>> = {
  NOT_FOUND: ['nothing is remembered under that id', 'npx bulkhead memory list'],
  INVALID_INPUT: [
    'the end lies in the past, or is no date',
    'npx bulkhead memory remember "..." --expires 2027-01-31',
  ],
  LIMIT_EXCEEDED: [
    'there is no room for more',
    'npx bulkhead memory list, then memory forget <id>',
  ],
  CORRUPT_DATA: [
    'it cannot be read, or keys.db is not the one of this memory',
    'npx bulkhead memory list   (an entry that is damaged can be forgotten)',
  ],
  NOT_PERMITTED: [
    'you have no memory on this platform',
    'npx bulkhead agents connect memory   then start the platform again',
  ],
}

function explain({ steps }: RunDocument, output: Output): void {
  const code = steps.find(({ id }) => id === step)?.code
  if (code === undefined || !Object.hasOwn(nexts, code)) return
  const [what, next] = nexts[code] ?? []
  if (what !== undefined) output.problem(what, next)
}

type Entry = Result<'show'>['entry']

/** Longer than any text that may be remembered: `show` cuts nothing. */
const whole = 5_000

function headOf(entry: Omit<Entry, 'text'>): string {
  const { id, kind, label, source, remembered, expires } = entry
  const until = expires === null ? '' : `, until ${expires.replace('.000Z', 'Z')}`
  const from = source === null ? '' : `, from ${quote(source, 200)}`
  // As it was told, which makes nothing of it trusted.
  return `${id}  ${kind}  ${remembered.slice(0, 10)}${until}  said to be ${label}${from}`
}

const expiredLines = (expired: number) =>
  expired === 0 ? [] : [`${expired} expired, and ${expired === 1 ? 'is' : 'are'} forgotten`]

export function listLines({ count, entries, next, damaged, expired }: Result<'list'>) {
  return [
    ...entries.flatMap((entry) => [headOf(entry), `  ${quote(entry.text, 400)}`]),
    ...damaged.map((id) => `${id}  cannot be read; npx bulkhead memory forget ${id}`),
    count === 0 ? 'nothing is remembered' : `${entries.length} of ${count}`,
    ...(next === null ? [] : [`more: npx bulkhead memory list --after ${next}`]),
    ...expiredLines(expired),
  ]
}

/** @param embeddings as configured: whether to say how more could be found, or that a model was silent */
export function foundLines(
  { count, words, meaning, matches, expired }: Result<'recall'>,
  embeddings?: string,
) {
  const none = 'nothing that is remembered has one of these words'
  const some = words === 'all' ? `${count} found` : `${count} found, none with all of the words`
  return [
    ...matches.flatMap((entry) => [
      `${headOf(entry)}${nearness(entry)}`,
      `  ${quote(entry.snippet, 400)}`,
    ]),
    count === 0 ? none : some,
    ...meaningLines(meaning, embeddings),
    ...expiredLines(expired),
  ]
}

const nearness = ({ by, similarity }: Result<'recall'>['matches'][number]) =>
  by === 'words' || similarity === null ? '' : `, by its meaning (${similarity.toFixed(2)})`

function meaningLines(meaning: Result<'recall'>['meaning'], embeddings: string | undefined) {
  if (embeddings === undefined) {
    return ['by words alone: no model finds by meaning (`embeddings:` in bulkhead.yaml)']
  }
  if (meaning === null) return [`by words alone: ${embeddings} did not answer`]
  const { count, without } = meaning
  const left = without === 0 ? '' : `; ${without} kept without it are found by words alone`
  return [`${count} by meaning${left}`]
}

export const shownLines = ({ entry }: Result<'show'>) => [
  headOf(entry),
  `  ${quote(entry.text, whole)}`,
]

export const rememberedLines = ({ after }: Result<'remember'>) => [
  ...shownLines({ entry: after.entry, expired: 0 }),
  `forget it: npx bulkhead memory forget ${after.entry.id}`,
]

export const forgottenLines = ({ id, after }: Result<'forget'>) => [
  `${id} is forgotten; ${after.entries} left`,
]

/** @throws CommandError for what can be no id of an entry */
export function requireId(id: string): string {
  if (/^[0-9a-f]{16}$/.test(id)) return id
  throw new CommandError('an id of an entry has sixteen digits of 0-9 and a-f', {
    exitCode: exitCodes.usage,
    next: 'npx bulkhead memory list',
  })
}
