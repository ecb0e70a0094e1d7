// `bulkhead.yaml` as proven data: what a person sets of their deployment. Every key is known or
// refused, with the line it stands on and what to write instead; nothing is guessed. Paths stay as
// written (they are relative to the file); whoever opens them resolves them. Pure.

import {
  isAlias,
  isMap,
  isPair,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from 'yaml'
import { z } from 'zod'
import { usersSchema } from './household-rights.ts'
import { peopleSchema, placesSchema } from './known-names.ts'
import { limits } from './limits.ts'
import { nearest } from './nearest.ts'
import { plannerKeysAt, plannerSchema } from './planner-models.ts'
import { policyHint, policyKeysAt, policySchema } from './policy-settings.ts'
import { replicasSchema } from './replicas.ts'
import { isTimeZone } from './time-zone.ts'

/** Servers of the deployment whose port may be fixed; all listen on loopback only. */
const portNames = ['temporal', 'temporalUi', 'temporalHttp', 'temporalMetrics', 'bus'] as const
const port = z.number().int().min(1).max(65_535)
const setting = z.string().min(1).max(4_096)

const configurationSchema = z.strictObject({
  /** Where the person lives: IANA name. Unset: the machine's. */
  timezone: z.string().refine(isTimeZone, 'is not an IANA time zone').optional(),
  /** Unset ones are chosen freely at each start. */
  ports: z.partialRecord(z.enum(portNames), port).optional(),
  /** Whether short steps run inside their run's workflow task. Unset: they do. */
  fastLane: z.boolean().optional(),
  /** By agent, where it shall be another number than its manifest says. */
  replicas: replicasSchema.optional(),
  /** Names the person gives to addresses; under `owner` their own. What is listed is vouched for. */
  people: peopleSchema.optional(),
  places: placesSchema.optional(),
  /** What the people of the household may do for each other. Unset: nothing. */
  users: usersSchema.optional(),
  /** Models that are asked for a plan where no recipe fits. Unset: none. */
  planner: plannerSchema.optional(),
  /** The model of the house (`agents.model.local`) that finds what means the same. Unset: words alone. */
  embeddings: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$/, 'is not a name of a model')
    .optional(),
  /** What the policy asks, refuses and bounds beyond its defaults. */
  policy: policySchema.optional(),
  /** By agent, then by setting: `calendar: { folder: ... }` is what manifests call `calendar.folder`. */
  agents: z.record(z.string(), z.record(z.string(), setting)).optional(),
})
export type Configuration = z.infer<typeof configurationSchema>

export interface ConfigurationProblem {
  /** From 1. */
  readonly line: number
  readonly message: string
  /** What to write instead. */
  readonly hint: string
}

export type ParsedConfiguration =
  | {
      readonly ok: true
      readonly configuration: Configuration
      /** Line of a key, or of the nearest one above it that is there. */
      lineOf(path: readonly string[]): number
    }
  | { readonly ok: false; readonly problems: readonly ConfigurationProblem[] }

/** An empty file is a configuration too: everything has a default, or is asked for when needed. */
const emptyHint = 'see examples/home/bulkhead.yaml for a complete file'

/**
 * @param fileName for messages only
 * @param settings `<agent>.<setting>` that exist; without it any name is accepted below `agents`
 */
export function parseConfiguration(
  text: string,
  fileName: string,
  settings?: readonly string[],
): ParsedConfiguration {
  if (Buffer.byteLength(text) > limits.planFileBytes) {
    return refuse([{ line: 1, message: `${fileName} is longer than 1 MiB`, hint: emptyHint }])
  }
  const lines = new LineCounter()
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    uniqueKeys: true,
    stringKeys: true,
    merge: false,
    lineCounter: lines,
    prettyErrors: false,
  })
  const lineOf = (offset: number) => Math.max(1, lines.linePos(offset).line)
  const faults = [...document.errors, ...document.warnings].map((fault) => ({
    line: lineOf(fault.pos[0]),
    message: fault.message,
    hint:
      fault.code === 'DUPLICATE_KEY'
        ? 'keep one of the two'
        : 'check indentation, colons and quotes',
  }))
  visit(document, (key, node) => {
    const fault = faultOf(key, node)
    if (fault === undefined) return undefined
    faults.push({ line: lineOf((node as Node).range?.[0] ?? 0), ...fault })
    return visit.SKIP
  })
  if (faults.length > 0) return refuse(faults)
  const parsed = configurationSchema.safeParse(document.toJS() ?? {})
  const at = (path: readonly PropertyKey[]) => lineOf(offsetOf(document.contents, path))
  if (!parsed.success) {
    return refuse(parsed.error.issues.flatMap((issue) => problemsOf(issue, at)))
  }
  const unknown = settings === undefined ? [] : unknownSettings(parsed.data, settings, at)
  if (unknown.length > 0) return refuse(unknown)
  return { ok: true, configuration: parsed.data, lineOf: at }
}

/** As many as a person reads before they write the file anew, each as long as a line of it. */
const [maxProblems, maxWords] = [50, 300]

function refuse(found: readonly ConfigurationProblem[]): ParsedConfiguration {
  const all = [...found].sort((left, right) => left.line - right.line)
  const problems = all.slice(0, maxProblems).map(({ line, message, hint }) => ({
    line,
    message: cut(message),
    hint: cut(hint),
  }))
  const more = all[maxProblems]
  if (more !== undefined) {
    const message = `from here on ${all.length - maxProblems} more problems`
    problems.push({ line: more.line, message, hint: 'mend those above first' })
  }
  return { ok: false, problems }
}

function cut(words: string): string {
  return words.length > maxWords ? `${words.slice(0, maxWords - 1)}…` : words
}

type LineAt = (path: readonly PropertyKey[]) => number

function problemsOf(issue: z.core.$ZodIssue, at: LineAt): ConfigurationProblem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownKey([...issue.path, key], keysAt(issue.path), at))
  }
  if (
    issue.code === 'invalid_key' &&
    ['people', 'places', 'users'].includes(String(issue.path[0]))
  ) {
    const message = `${issue.path.map(String).join('.')} is not a name`
    return [{ line: at(issue.path), message, hint: hintFor(issue.path.slice(0, 1)) }]
  }
  if (issue.code === 'invalid_key')
    return [unknownKey(issue.path, keysAt(issue.path.slice(0, -1)), at)]
  const key = issue.path.map(String).join('.')
  return [
    {
      line: at(issue.path),
      message: `${key === '' ? 'the file' : key}: ${issue.message}`,
      hint: hintFor(issue.path),
    },
  ]
}

function keysAt(path: readonly PropertyKey[]): readonly string[] {
  if (path.length === 0) return Object.keys(configurationSchema.shape)
  if (path[0] === 'policy') return policyKeysAt(path.slice(1))
  if (path[0] === 'planner') return plannerKeysAt(path.slice(1))
  return path[0] === 'users' ? ['approvesFor', 'sees', 'agents'] : portNames
}

function unknownKey(
  path: readonly PropertyKey[],
  known: readonly string[],
  at: LineAt,
): ConfigurationProblem {
  const key = String(path.at(-1))
  return {
    line: at(path),
    message: `${path.map(String).join('.')} is not a setting`,
    hint: nearest(key, known).fix ?? `there are ${known.join(', ')}`,
  }
}

function unknownSettings(
  { agents = {} }: Configuration,
  settings: readonly string[],
  at: LineAt,
): ConfigurationProblem[] {
  return Object.entries(agents).flatMap(([agent, values]) =>
    Object.keys(values)
      .filter((key) => !settings.includes(`${agent}.${key}`))
      .map((key) => ({
        line: at(['agents', agent, key]),
        message: `agents.${agent}.${key} is not a setting`,
        hint: nearest(`${agent}.${key}`, settings).fix ?? `there are ${settings.join(', ')}`,
      })),
  )
}

function hintFor(path: readonly PropertyKey[]): string {
  switch (path[0]) {
    case 'timezone':
      return 'an IANA name, such as Europe/Vienna'
    case 'ports':
      return path.length > 1 ? 'a number from 1 to 65535' : 'ports: { temporalUi: 8233 }'
    case 'fastLane':
      return 'true or false'
    case 'replicas':
      return `replicas: { weather: 2 }, from 1 to ${limits.replicas}`
    case 'people':
      return 'people: { owner: [me@example.org], bob: [bob@example.org] }'
    case 'places':
      return 'places: { office: [Example Street 1] }'
    case 'policy':
      return policyHint(path[1])
    case 'planner':
      return 'planner: { models: [{ provider: local, model: qwen3:8b, maxMicroUsd: 0 }] }'
    case 'embeddings':
      return 'embeddings: nomic-embed-text, as the server of agents.model.local calls it'
    case 'users':
      return 'users: { anna: { approvesFor: [owner], sees: [owner] } }'
    case 'agents':
      return 'agents: { calendar: { folder: path/to/calendars } }'
    default:
      return emptyHint
  }
}

/** What YAML can say and this file may not. */
function faultOf(key: unknown, node: unknown): Omit<ConfigurationProblem, 'line'> | undefined {
  if (isAlias(node) || (isNode(node) && (node.anchor !== undefined || node.tag !== undefined))) {
    return { message: 'anchors, aliases and tags are not read', hint: 'write the value out' }
  }
  // Readers of plain objects drop it in silence.
  if (key === 'key' && isScalar(node) && node.value === '__proto__') {
    return { message: '__proto__ is not a setting', hint: emptyHint }
  }
  return undefined
}

function isNode(node: unknown): node is Node & { anchor?: string; tag?: string } {
  return (
    isScalar(node) || isMap(node) || (typeof node === 'object' && node !== null && 'items' in node)
  )
}

/** Where the key of a path stands, or the nearest one above it. */
function offsetOf(contents: unknown, path: readonly PropertyKey[]): number {
  let offset = 0
  let node = contents
  for (const key of path) {
    if (!isMap(node)) break
    const pair = node.items.find(
      (item) => isPair(item) && isScalar(item.key) && item.key.value === key,
    )
    if (pair === undefined || !isScalar(pair.key)) break
    offset = pair.key.range?.[0] ?? offset
    node = pair.value
  }
  return offset
}
