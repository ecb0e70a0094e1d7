// From an id to a decision: finds the question, reads its cards from their bytes, has the person's key
// sign what was read, hands it to the notary, and wakes the runs that wait. The notary decides what the
// signature is worth; here nothing is believed of a card but its bytes.

import type { ApprovalSummary, ApproveCall, ApproveReply } from '../notary/approval-contract.ts'
import type { Card } from '../plan/card.ts'
import { CardError, readCard } from '../plan/read-card.ts'
import { batchDigest, type GrantTerms } from '../security/approval/statement.ts'
import { sha256 } from '../security/verify/hash.ts'
import { signDecision, userOfAccount } from './approver.ts'
import { CommandError, type ExitCode, exitCodes } from './exit-codes.ts'
import { refusalIn } from './notary-refusal.ts'
import type { Session } from './session.ts'
import { suggest } from './suggest.ts'

export interface Shown {
  readonly approval: ApprovalSummary
  readonly card: Card
  /** RFC 8785 text of it. */
  readonly bytes: string
  readonly decision: Extract<ApproveReply, { status: 'SHOWN' }>['decision']
}

/** One question, or several that are decided together. */
export interface Question {
  /** Of the approval, or of the batch. */
  readonly id: string
  /** In the order in which they are shown and signed; at least one. */
  readonly shown: readonly Shown[]
}

type Answer<Status extends ApproveReply['status']> = Extract<ApproveReply, { status: Status }>

/** @throws CommandError when the notary refuses */
export async function ask<Status extends ApproveReply['status']>(
  session: Pick<Session, 'approve'>,
  call: ApproveCall,
  wanted: Status,
): Promise<Answer<Status>> {
  const reply = await session.approve(call)
  if (isAnswer(reply, wanted)) return reply
  const { code, words } = refusalIn(reply)
  throw new CommandError(words, {
    exitCode: exitOf(code),
    next: `npx bulkhead ${call.op === 'revoke' ? 'grants' : 'approvals --all'}`,
  })
}

function isAnswer<Status extends ApproveReply['status']>(
  reply: ApproveReply,
  wanted: Status,
): reply is Answer<Status> {
  return reply.status === wanted
}

function exitOf(code: string): ExitCode {
  if (code === 'APPROVAL_EXPIRED') return exitCodes.approval
  if (code === 'UNKNOWN_APPROVAL' || code === 'UNKNOWN_GRANT') return exitCodes.usage
  return exitCodes.denied
}

const listed = 500

/** Oldest first. @throws CommandError */
export async function listApprovals(
  session: Pick<Session, 'approve'>,
  all: boolean,
): Promise<readonly ApprovalSummary[]> {
  return (await ask(session, { op: 'list', all, limit: listed }, 'APPROVALS')).approvals
}

/** Below it a slip of the finger would decide on something. */
const shortestPrefix = 4

/** The one name that begins so. @throws CommandError where there is none, or more than one */
export function expandId(given: string, known: readonly string[], what: string): string {
  if (known.includes(given)) return given
  const next = `npx bulkhead ${what === 'grant' ? 'grants' : 'approvals --all'}`
  const fits = [...new Set(known.filter((id) => id.startsWith(given)))]
  const [only] = fits
  if (only !== undefined && fits.length === 1 && given.length >= shortestPrefix) return only
  const message =
    only === undefined
      ? `there is no ${what} ${given}${suggest(given, known)}`
      : `${given} could be ${fits.slice(0, 5).join(', ')}: say at least ${shortestPrefix} characters, and as many as tell them apart`
  throw new CommandError(message, { exitCode: exitCodes.usage, next })
}

/** An approval, or a batch with all that is still open in it. @throws CommandError */
export async function openQuestion(
  session: Pick<Session, 'approve'>,
  given: string,
): Promise<Question> {
  const approvals = await listApprovals(session, true)
  const names = approvals.flatMap(({ id, batch }) => (batch === null ? [id] : [id, batch]))
  const id = expandId(given, names, 'approval')
  const together = approvals
    .filter(({ batch, state }) => batch === id && state === 'open')
    .sort((one, other) => one.createdAt - other.createdAt || compare(one.id, other.id))
  const members = together.length > 0 ? together.map((one) => one.id) : [id]
  const shown: Shown[] = []
  for (const member of members) shown.push(await show(session, member))
  return { id, shown }
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}

/** @throws CommandError, also for bytes that are not those of the card that is asked about */
async function show(session: Pick<Session, 'approve'>, id: string): Promise<Shown> {
  const { approval, card: bytes, decision } = await ask(session, { op: 'show', id }, 'SHOWN')
  const altered = (why: string, cause?: unknown) =>
    new CommandError(`approval ${id} was altered on its way: ${why}`, {
      exitCode: exitCodes.denied,
      next: 'npx bulkhead doctor',
      cause,
    })
  if (sha256(bytes) !== approval.digest) throw altered('its digest is another')
  try {
    return { approval, card: readCard(bytes), bytes, decision }
  } catch (cause) {
    if (cause instanceof CardError) throw altered(cause.message, cause)
    throw cause
  }
}

export interface Decided {
  /** Approvals that this signature decided. */
  readonly approvals: readonly string[]
  /** Runs that could not be told, and find out by themselves. */
  readonly untold: readonly string[]
}

/** @throws CommandError when there is no key, or the notary refuses */
export async function decide(
  session: Session,
  { id, shown }: Question,
  verdict: { readonly decision: 'approve' | 'deny'; readonly grant?: GrantTerms },
): Promise<Decided> {
  const [first] = shown
  if (first === undefined) throw new Error('a question without a card')
  const digests = shown.map(({ bytes }) => sha256(bytes))
  const isBatch = id !== first.approval.id
  const statement = await signDecision(
    session.state,
    {
      iss: userOfAccount(session.account),
      aud: first.card.deployment,
      apr: id,
      card_s256: isBatch ? batchDigest(digests) : sha256(first.bytes),
      ...verdict,
    },
    Date.now(),
  )
  await ask(session, { op: 'decide', id, statement }, 'DECIDED')
  return { approvals: shown.map(({ approval }) => approval.id), untold: await wake(session, shown) }
}

/** A run that is over, not there yet or without a worker asks the notary by itself. */
async function wake(session: Session, shown: readonly Shown[]): Promise<readonly string[]> {
  const byRun = new Map<string, string[]>()
  for (const { approval } of shown) {
    if (approval.requestId === undefined) continue
    byRun.set(approval.requestId, [...(byRun.get(approval.requestId) ?? []), approval.id])
  }
  const untold: string[] = []
  for (const [requestId, approvals] of byRun) {
    try {
      await session.runs.approve(requestId, { approvals })
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'RunClientError') throw error
      if ('code' in error && error.code !== 'NOT_FOUND') untold.push(requestId)
    }
  }
  return untold
}
