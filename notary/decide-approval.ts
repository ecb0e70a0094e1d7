// A person's decision on a question, or on a batch of them: one signature over one digest, by an approver
// of the one whose request it is. Each way in which a statement can be none has a code of its own. The
// first decision stands; the same statement again is answered alike.

import type { Card } from '../plan/card.ts'
import { limits } from '../plan/limits.ts'
import { nobody } from '../plan/principals.ts'
import { batchDigest, type GrantTerms, type Statement } from '../security/approval/statement.ts'
import { StatementError, type Verified, verifyStatement } from '../security/approval/verify.ts'
import { digestOf, sha256 } from '../security/verify/hash.ts'
import type { ApprovalRecord } from './approval-state.ts'
import { isOfFlow } from './conditions.ts'
import type { NotaryContext, Refusal } from './context.ts'
import { flowOf } from './flow.ts'
import { matterOf } from './grants.ts'
import { answerOf, lapse, nameFor, noteApproval, readCard } from './questions.ts'
import type { Writer } from './store.ts'
import { mayDecideFor, namesOf } from './users.ts'

type Refused = { readonly refusal: Refusal }
export type Decided = Refused | { readonly decided: ApprovalRecord }

/** Who signed what; asked before the transaction, which cannot wait. */
export async function proveStatement(
  { users }: Pick<NotaryContext, 'users'>,
  jws: string,
): Promise<Verified | Refused> {
  try {
    return await verifyStatement(
      jws,
      users.flatMap(({ approvers }) => approvers),
    )
  } catch (cause) {
    if (!(cause instanceof StatementError)) throw cause
    if (cause.code === 'KEY_UNKNOWN') return refuse('NOT_APPROVER', 'no approver has this key')
    return refuse('APPROVAL_UNSIGNED', 'this is no decision that anybody signed')
  }
}

/** Inside a job of the store. `questions`: what the caller names, one or all of a batch. */
export function decideApproval(
  context: NotaryContext,
  writer: Writer,
  asked: {
    readonly id: string
    readonly jws: string
    readonly proven: Verified
    readonly questions: readonly [ApprovalRecord, ...ApprovalRecord[]]
  },
): Decided {
  const { id, jws, proven } = asked
  const { statement } = proven
  const [named, ...others] = asked.questions
  const first = lapse(writer, named)
  const questions = [first, ...others.map((one) => lapse(writer, one))]
  const foreign = foreignTo(context, proven, questions)
  if (foreign !== undefined) return foreign
  if (statement.aud !== context.issuer || statement.apr !== id) {
    return refuse('APPROVAL_MOVED', 'the decision is about something else')
  }
  const isSame = questions.find((one) => one.statement === jws)
  if (isSame !== undefined) return { decided: isSame }
  const open = questions.filter((one) => one.state === 'open')
  if (open.length === 0) return over(first)
  const isBatch = id !== first.id
  const digests = open.map(({ digest }) => digest)
  if (statement.card_s256 !== (isBatch ? batchDigest(digests) : first.digest)) {
    return refuse('APPROVAL_ALTERED', 'what was signed is not what is asked')
  }
  const gone = open.find((one) => isGone(writer, one))
  if (gone !== undefined) return refuse('APPROVAL_EXPIRED', 'what it was about is gone')
  const terms = statement.grant
  const wrong = terms === undefined ? undefined : grantRefusal(writer, statement, terms, open)
  if (wrong !== undefined) return wrong
  const decided = open.map((one) =>
    record(writer, one, { jws, proven, batch: isBatch ? digests : null }),
  )
  if (terms !== undefined) for (const one of decided) grantEach(context, writer, one, terms)
  return { decided: decided[0] ?? first }
}

/** The key is somebody's, who says so, and may decide for each of those who are asked. */
function foreignTo(
  { users }: NotaryContext,
  { statement, key }: Verified,
  questions: readonly ApprovalRecord[],
): Refused | undefined {
  const signer = users.find(({ approvers }) => approvers.some(({ x }) => x === key.x))
  const principal = `user:${signer?.id}`
  if (signer === undefined || statement.iss !== principal) {
    return refuse('NOT_APPROVER', 'the key is not that of the one who is named')
  }
  const may = questions.every(({ user }) => mayDecideFor(statement.iss, user, users))
  return may ? undefined : refuse('NOT_APPROVER', 'this is for somebody else to decide')
}

/** A decision that has been made stands. */
function over(approval: ApprovalRecord): Refused {
  const answer = answerOf(approval)
  if ('refusal' in answer) return answer
  return refuse('APPROVAL_USED', 'it has been decided before')
}

/** A schedule that was removed, a run that was cancelled. */
function isGone({ state }: Writer, { request, voided_at: voidedAt }: ApprovalRecord): boolean {
  const cancelled = request === null ? undefined : state.request(request)?.cancelled_at
  return voidedAt !== null || (cancelled ?? null) !== null
}

function record(
  writer: Writer,
  approval: ApprovalRecord,
  given: {
    readonly jws: string
    readonly proven: Verified
    readonly batch: readonly string[] | null
  },
): ApprovalRecord {
  const { jws, batch } = given
  const { statement, kid, key } = given.proven
  const decided: ApprovalRecord = {
    ...approval,
    state: statement.decision === 'approve' ? 'approved' : 'denied',
    decided_at: writer.now,
    statement: jws,
    key: key.x,
    batch_of: batch === null ? null : JSON.stringify(batch),
  }
  writer.state.putDecision(decided)
  const body = { event: decided.state, by: statement.iss, signed: sha256(jws), kid }
  noteApproval(writer, decided, { ...body, batch: batch === null ? null : approval.batch })
  return decided
}

/** "Always" is said to one plan or one step, with an end that is not far. */
function grantRefusal(
  { now }: Writer,
  { decision }: Statement,
  { exp }: GrantTerms,
  open: readonly ApprovalRecord[],
): Refused | undefined {
  const isFit = open.length === 1 && open.every(({ kind }) => kind === 'plan' || kind === 'step')
  if (decision !== 'approve' || !isFit) {
    return refuse('MALFORMED', 'a grant is given by approving one plan or one step')
  }
  const asks = open.flatMap((one) => readCard(one).asks)
  if (asks.some(({ rules }) => rules.some(isOfFlow))) {
    return refuse('MALFORMED', 'what a flow rule asks about is approved each time, as it is then')
  }
  const until = exp * 1_000
  if (until <= now || until > now + limits.grantLifeMs) {
    return refuse('LIMIT', 'a grant ends within a year, and not before it begins')
  }
  return undefined
}

/** One for each step that was asked about. */
function grantEach(
  context: NotaryContext,
  writer: Writer,
  approval: ApprovalRecord,
  { per, count, exp }: GrantTerms,
): void {
  const { state, now } = writer
  const card = readCard(approval)
  const request = approval.request === null ? undefined : state.request(approval.request)
  if (request === undefined || approval.statement === null) return
  const { plan } = context.plans.planOf(request)
  const statement = sha256(approval.statement)
  for (const { step, args } of card.asks) {
    const flow = flowOf(plan, context)
    const followed = flow.steps.get(step)
    if (followed === undefined) continue
    const matter = matterOf(flow, followed, {
      names: namesOf(context, approval.user) ?? nobody,
      actual: args,
    })
    const action = actionNamed(card, step)
    const about = { user: approval.user, recipe: card.plan.recipe, step, matter }
    const digest = digestOf({ ...about, statement })
    const id = nameFor('g', digest, (one) => state.grant(one) !== undefined)
    const grant = { ...about, id, approval: approval.id, statement, name: card.plan.name, action }
    const terms = { per, count, created_at: now, expires_at: exp * 1_000, revoked_at: null }
    state.insertGrant({ ...grant, ...terms })
    noteApproval(writer, approval, { event: 'granted', grant: id, step, per, count, until: exp })
  }
}

function actionNamed({ plan }: Card, step: string): string {
  return plan.steps.find(({ id }) => id === step)?.action ?? step
}

function refuse(code: Refusal['code'], message: string): Refused {
  return { refusal: { code, message } }
}
