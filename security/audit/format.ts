// One row of the audit and how it is sealed: redacted, spelled canonically, chained to the row before
// it, hashed as a leaf of the tree. The stored text of `body` is what is hashed, so that reading
// never has to spell it again. Same shape as auditRowSchema in notary/contract.ts.

import { redact, redactText } from '../redact.ts'
import { canonicalJson, type JsonObject } from '../verify/canonical-json.ts'
import { leafHash } from './tree.ts'

export const auditKinds = [
  'plan',
  'decision',
  'mint',
  'intent',
  'outcome',
  'message',
  'security',
  'life-cycle',
  'approval',
] as const
export type AuditKind = (typeof auditKinds)[number]

export interface AuditEntry {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly kind: AuditKind
  /** Who did it, as the notary knows it from the connection: an account, a user. */
  readonly actor: string
  /** What it was done to: a request, a step, an agent. */
  readonly subject: string
  readonly correlation: string
  readonly trace: string
  readonly body: JsonObject
}

export interface AuditRow {
  /** From 1, without gaps. */
  readonly seq: number
  readonly at: number
  readonly kind: string
  readonly actor: string
  readonly subject: string
  readonly correlation: string
  readonly trace: string
  /** RFC 8785 text of the redacted body. */
  readonly body: string
  /** Leaf hash of the row before; `genesisHash` for the first. */
  readonly prev: string
  readonly leaf: string
}

/** `prev` of the first row: 32 zero bytes. */
export const genesisHash = 'A'.repeat(43)

/**
 * Makes the row that is stored. The body is redacted here, so that no caller can forget to.
 * @throws CanonicalJsonError
 */
export function sealRow(
  entry: AuditEntry,
  position: { readonly seq: number; readonly prev: string },
): AuditRow {
  const { seq, prev } = position
  const content = {
    seq,
    at: entry.at,
    kind: entry.kind,
    actor: toName(entry.actor),
    subject: toName(entry.subject),
    correlation: toName(entry.correlation),
    trace: redactText(entry.trace),
    body: canonicalJson(redact(entry.body)),
    prev,
  }
  return { ...content, leaf: hashRow(content) }
}

/** An id of the contracts, which takes in users, steps, requests and firings. */
const idForm = /^[a-z0-9][a-z0-9:.-]{0,119}$/

/** What an id names is found by it, so an id is kept whatever it looks like: `sk-`, `pk-` are no keys there. */
function toName(text: string): string {
  return idForm.test(text) ? text : redactText(text)
}

/**
 * Leaf hash over every stored column but `leaf` itself.
 * @throws CanonicalJsonError
 */
export function hashRow(row: Omit<AuditRow, 'leaf'>): string {
  const { seq, at, kind, actor, subject, correlation, trace, body, prev } = row
  return leafHash(canonicalJson({ seq, at, kind, actor, subject, correlation, trace, body, prev }))
}
