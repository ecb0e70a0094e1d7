// What a row of the audit says, as far as the report reads it. Other versions wrote rows too, and a row
// may have been altered, which verification tells: what does not fit is taken as not said. Pure.

import { z } from 'zod'
import type { AuditRow } from '../notary/contract.ts'

const text = z.string().max(500).optional().catch(undefined)
const number = z.number().optional().catch(undefined)

const bodySchema = z.object({
  event: text,
  decision: text,
  call: text,
  code: text,
  rules: z.array(z.string().max(120)).max(50).optional().catch(undefined),
  missing: text,
  idem: text,
  kind: text,
  iteration: number,
  outcome: text,
  op: text,
  agent: text,
  action: text,
  fault: text,
  spending: text,
  phase: text,
  /** Digest of the policy that decided, and what it was asked. */
  policy: text,
  verdict: text,
  question: z.object({ effect: text }).optional().catch(undefined),
  receipt: text,
  grown: number,
  skipped: number,
  /** Of a question to a person: which rules ask. */
  asks: z
    .array(z.object({ rules: z.array(z.string().max(120)).max(50) }))
    .max(1_000)
    .optional()
    .catch(undefined),
})
export type RowBody = z.infer<typeof bodySchema>

export interface ReadRow {
  readonly row: AuditRow
  readonly body: RowBody
}

export function readRow(row: AuditRow): ReadRow {
  return { row, body: bodySchema.safeParse(parse(row.body)).data ?? {} }
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

/** `notes` of `agent:notes.0`, `notes.0` and `egress:notes.0`. */
export function agentOf(name: string): string {
  return name.replace(/^(?:agent|egress):/, '').replace(/\.\d+$/, '')
}
