// A question to a person, from the moment it is asked to the moment it is answered or lapses: opens it
// once for what it is about, says what became of it, and uses it up. What is asked and when, ask.ts
// decides; what a person says, decide.ts.

import type { Card, CardSubject } from '../plan/card.ts'
import { limits } from '../plan/limits.ts'
import type { JsonObject } from '../security/verify/canonical-json.ts'
import { canonicalJson } from '../security/verify/canonical-json.ts'
import { digestOf, sha256 } from '../security/verify/hash.ts'
import type { ApprovalRecord } from './approval-state.ts'
import { type CardFacts, makeCard, titleOf } from './cards.ts'
import type { Refusal } from './context.ts'
import { StoreError } from './database.ts'
import type { Writer } from './store.ts'

/** `statement`: of an approval the SHA-256 of what was signed. */
export type Answer =
  | { readonly approved: ApprovalRecord; readonly statement: string }
  | { readonly reply: { status: 'APPROVAL'; id: string; expiresAt: number } }
  | { readonly refusal: Refusal }

export type Unanswered = Exclude<Answer, { readonly approved: ApprovalRecord }>

/** What a card is good for, as a text: two questions about the same thing are one. */
export function subjectKey(subject: CardSubject, about: unknown): string {
  switch (subject.is) {
    case 'plan':
      return `plan:${subject.request}`
    case 'step': {
      const { request, step, iteration, rerun } = subject
      return `step:${request}:${step}:${iteration}:${rerun}:${digestOf(about)}`
    }
    case 'list':
      return `list:${subject.request}:${subject.step}:${subject.rerun}:${digestOf(about)}`
    case 'schedule':
      return `schedule:${subject.schedule}:${digestOf(about)}`
  }
}

type Asking = Omit<CardFacts, 'last' | 'createdAt' | 'expiresAt'>

/** What became of the question, which is asked now if it never was. Inside a job of the store. */
export function answerTo(writer: Writer, key: string, asking: Asking): Answer {
  const known = writer.state.approvalOf(key)
  if (known === undefined) return open(writer, key, asking)
  return answerOf(lapse(writer, known))
}

export function answerOf(approval: ApprovalRecord): Answer {
  const { id, state, expires_at: expiresAt, statement } = approval
  switch (state) {
    case 'open':
      return { reply: { status: 'APPROVAL', id, expiresAt } }
    case 'denied':
      return { refusal: { code: 'APPROVAL_DENIED', message: 'a person has denied it' } }
    case 'expired':
      return { refusal: { code: 'APPROVAL_EXPIRED', message: 'nobody has answered in time' } }
    case 'approved':
    case 'used':
      if (statement === null) throw new Error('approved without a statement')
      return { approved: approval, statement: sha256(statement) }
  }
}

/** The record as it is now: a question that nobody answered in time is denied. */
export function lapse(writer: Writer, approval: ApprovalRecord): ApprovalRecord {
  if (approval.state !== 'open' || writer.now < approval.expires_at) return approval
  const expired = { ...approval, state: 'expired', decided_at: writer.now } as const
  writer.state.putDecision(expired)
  noteApproval(writer, expired, { event: 'expired' })
  return expired
}

/** One use: what a plan's, a step's or a list's approval was for has been let through. */
export function useUp(writer: Writer, approval: ApprovalRecord): void {
  if (approval.state === 'used') return
  writer.state.putDecision({ ...approval, state: 'used' })
  noteApproval(writer, approval, { event: 'used' })
}

function open(writer: Writer, key: string, asking: Asking): Answer {
  const { state } = writer
  const { user, subject, plan } = asking
  // Later than any card about the same thing, so that no two are alike.
  const createdAt = Math.max(writer.now, state.lastAskedAbout(key) + 1)
  const expiresAt = createdAt + limits.approvalLifeMs
  // Words have no name of their own: what was approved last is the plan of other words.
  const isNamed = asking.authorship.author === 'person'
  const approvedLast = isNamed ? state.lastApproved(user, plan.name) : undefined
  const last = approvedLast === undefined ? undefined : readCard(approvedLast)
  const card = makeCard({ ...asking, last, createdAt, expiresAt })
  const text = canonicalJson(card)
  if (Buffer.byteLength(text) > limits.cardBytes) {
    const message = 'what a person would have to read is too long: ask for less at a time'
    return { refusal: { code: 'LIMIT', message } }
  }
  const digest = sha256(text)
  const record: ApprovalRecord = {
    id: nameFor('a', digest, (id) => state.approval(id) !== undefined),
    subject: key,
    kind: subject.is,
    user,
    name: plan.name,
    request: 'request' in subject ? subject.request : null,
    schedule: 'schedule' in subject ? subject.schedule : null,
    step: 'step' in subject ? subject.step : null,
    digest,
    card: text,
    title: titleOf(card),
    created_at: createdAt,
    expires_at: expiresAt,
    ...{ state: 'open', decided_at: null, statement: null, key: null, batch_of: null },
    batch: batchFor(writer, user, digest),
    voided_at: null,
  }
  state.insertApproval(record)
  const asks = card.asks.map(({ step, rules }) => ({ step, rules }))
  const asked = { event: 'asked', is: subject.is, plan: plan.digest, asks: asks.slice(0, 100) }
  noteApproval(writer, record, { ...asked, batch: record.batch, expiresAt })
  return answerOf(record)
}

/** Questions beyond those of an hour are one: a person who is asked too often reads nothing. */
function batchFor({ state, now }: Writer, user: string, digest: string): string | null {
  const hour = 3_600_000
  const recent = state.approvalsOf(user, now - hour)
  if (recent.length < limits.questionsPerHour) return null
  const batch = recent.findLast((one) => one.batch !== null && one.state === 'open')?.batch ?? null
  const members = batch === null ? [] : state.approvalsOfBatch(batch)
  if (batch !== null && members.length < limits.questionsPerBatch) return batch
  return nameFor('b', digest, (id) => state.approvalsOfBatch(id).length > 0)
}

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'

/** A name that a person can read out: of the digest as much as tells it from those that there are. */
export function nameFor(
  prefix: 'a' | 'b' | 'g',
  digest: string,
  isTaken: (id: string) => boolean,
): string {
  const bits = [...Buffer.from(digest, 'base64url')]
    .map((byte) => byte.toString(2).padStart(8, '0'))
    .join('')
  const letters = (bits.match(/.{5}/g) ?? []).map((five) => alphabet[Number.parseInt(five, 2)])
  for (let length = 9; length <= 39; length += 1) {
    const id = `${prefix}${letters.slice(0, length).join('')}`
    if (!isTaken(id)) return id
  }
  throw new Error('two cards of one digest')
}

/** Its card is no longer kept (retention.ts): that it was decided can be told, and not on what. */
export function isForgotten({ card }: Pick<ApprovalRecord, 'card'>): boolean {
  return card === ''
}

/** Cards read last, by their texts: a loop asks for the same one with each of its items. */
const cards = new Map<string, Card>()
const keptCards = 16

export function readCard({ digest, card: text }: Pick<ApprovalRecord, 'digest' | 'card'>): Card {
  const known = cards.get(text)
  if (known !== undefined) return known
  if (sha256(text) !== digest) {
    throw new StoreError('AUDIT_UNAVAILABLE', 'a stored card does not hash to its digest')
  }
  const card = JSON.parse(text) as Card
  cards.set(text, card)
  const [oldest] = cards.keys()
  if (cards.size > keptCards && oldest !== undefined) cards.delete(oldest)
  return card
}

/** A row: what and by whom, never a value of an argument. */
export function noteApproval(
  writer: Writer,
  { id, user, request, digest, schedule }: ApprovalRecord,
  body: JsonObject,
): void {
  const about = schedule === null ? {} : { schedule }
  writer.append({
    kind: 'approval',
    actor: 'notary',
    subject: id,
    correlation: request ?? '',
    body: { user, card: digest, ...about, ...body },
  })
}
