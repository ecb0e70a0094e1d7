// The requests that planners are held against, as README.md describes them: read from YAML and proven.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { refusalReasons } from '../../planner/rules/contract.ts'

const literal = z.union([z.string(), z.number(), z.boolean(), z.null()])
const wanted = z.union([literal, z.strictObject({ 'one-of': z.array(literal).min(1) })])
export type Wanted = z.infer<typeof wanted>

const step = z.strictObject({
  do: z.union([z.string(), z.array(z.string()).min(1)]),
  with: z.record(z.string(), wanted).default({}),
  'without-or': z.record(z.string(), wanted).default({}),
  uses: z.array(z.string()).default([]),
  says: z.string().optional(),
  optional: z.literal(true).optional(),
})
export type WantedStep = z.infer<typeof step>

const common = {
  say: z.string().min(1),
  'held-out': z.literal(true).optional(),
  /** What was said before it, and run where it could be. */
  after: z.array(z.string().min(1)).optional(),
}
const request = z.union([
  z.strictObject({ ...common, plan: z.array(step).min(1) }),
  z.strictObject({ ...common, question: z.union([z.literal(true), z.string()]) }),
  z.strictObject({ ...common, refusal: z.enum(refusalReasons) }),
  z.strictObject({ ...common, decline: z.literal(true) }),
])
export type EvalRequest = z.infer<typeof request>

const folderOf = (name: string) => join(import.meta.dirname, name)

/** Follow-ups: each with what came before it. */
export function readConversations(): readonly EvalRequest[] {
  const held = ({ ...one }: EvalRequest): EvalRequest => ({ ...one, 'held-out': true })
  const files = readAll(folderOf('conversations'))
  return [...(files.get('open.yaml') ?? []), ...(files.get('held-out.yaml') ?? []).map(held)]
}

/** File name -> its requests, in their order. */
export function readRequests(): ReadonlyMap<string, readonly EvalRequest[]> {
  return readAll(folderOf('requests'))
}

function readAll(folder: string): ReadonlyMap<string, readonly EvalRequest[]> {
  const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'))
  return new Map(
    files.toSorted().map((file) => {
      const value: unknown = parse(readFileSync(join(folder, file), 'utf8'))
      return [file, z.array(request).parse(value)]
    }),
  )
}
