// What is told of the audit log: a row, and a signed head over rows. Shapes only.

import { z } from 'zod'

/** One row as stored; security/audit/format.ts says how `leaf` and `prev` are computed. */
export const auditRowSchema = z.strictObject({
  seq: z.number().int(),
  /** Milliseconds since the epoch. */
  at: z.number().int(),
  kind: z.string(),
  actor: z.string(),
  subject: z.string(),
  correlation: z.string(),
  trace: z.string(),
  /** RFC 8785 text of the redacted summary. */
  body: z.string(),
  prev: z.string(),
  leaf: z.string(),
})
export type AuditRow = z.infer<typeof auditRowSchema>
/** `jws` is a compact JWS by the audit key over the other fields. */
export const checkpointSchema = z.strictObject({
  size: z.number().int(),
  root: z.string(),
  at: z.number().int(),
  jws: z.string(),
})
export type Checkpoint = z.infer<typeof checkpointSchema>
