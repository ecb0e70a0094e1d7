// Sends one authorised command and takes its reply to an outcome: verify, judge, store, settle. The
// reply is untrusted; a receipt is worth what its signature says, a result what the manifest allows.

import type { Receipt, Reply } from '../agents/protocol.ts'
import { limits } from '../plan/limits.ts'
import { judgeResult, type ResultFault } from '../plan/result-rules.ts'
import type { CapabilityCode } from '../security/capability-codes.ts'
import type { StepInput } from '../workflows/contract.ts'
import type { Attempt } from './attempt.ts'
import { addressOf } from './authorise-step.ts'
import type { DispatchDeps } from './dispatch-deps.ts'
import { AttemptFailure } from './failure.ts'
import { type Attached, attach, cancelWithRun, orEnsured } from './follow-step.ts'
import type { LoadedStep } from './load-step.ts'
import { recallSettled, resultKindOf } from './recall-settled.ts'
import type { AskProbe, Ended } from './settle-failure.ts'
import { noteAbsent, settleReceipt } from './settle-step.ts'
import {
  type Authorised,
  type OutcomeReply,
  ReplyError,
  type ReplyFault,
  verifyReply,
} from './verify-reply.ts'

interface Sent {
  readonly authorised: Authorised
  readonly loaded: LoadedStep
  readonly args: Readonly<Record<string, unknown>>
}
export type SendDeps = DispatchDeps & { readonly attempt: Attempt; readonly probe: AskProbe }
/** `refused`: the agent will never carry this command out; there is no receipt to settle. */
type Conclusion = { readonly ended: Ended } | { readonly refused: CapabilityCode }
type Followed =
  | Conclusion
  /** There is nothing to follow: never authorised, gone, or certainly without effect. */
  | { readonly absent: string }

/** For the way there and back, on top of what the action itself may take. */
const transportMs = 2_000

/** @throws AttemptFailure */
export async function sendCommand(
  input: StepInput,
  sent: Sent,
  deps: SendDeps,
): Promise<Conclusion> {
  const { authorised, loaded, args } = sent
  const { requestId, step, iteration, rerun } = input
  if (input.kind === 'do' && loaded.step.undo !== null) {
    // An undo may need the effect's id, even after a crash that leaves no other trace of it.
    await deps.artifacts.put(Buffer.from(authorised.idem), {
      kind: 'effect',
      requestId,
      step,
      iteration,
      ...(rerun === undefined || rerun === 0 ? {} : { rerun }),
      readers: [],
      createdAt: deps.now(),
    })
  }
  const answer = deps.agents.run({
    subject: authorised.subject,
    token: authorised.token,
    args,
    salt: authorised.salt,
    correlationId: requestId,
    timeoutMs: Math.min(loaded.step.timeoutMs, limits.replyMs) + transportMs,
  })
  // Awaited below; until then a rejection must not count as unhandled.
  answer.catch(() => undefined)
  const stopListening = cancelWithRun(input, deps)
  try {
    await deps.onPoint?.('after-send', input)
    const reply = await orEnsured(answer, authorised, deps)
    await deps.onPoint?.('after-reply', input)
    if (reply.status !== 'IN_PROGRESS') return await conclude(input, { ...sent, reply }, deps)
    if (deps.attempt.lane === 'fast') throw new AttemptFailure('UNFINISHED')
    deps.attempt.heartbeat(reply.progress)
    const followed = await followCommand(input, sent, deps)
    if ('absent' in followed) throw new AttemptFailure('NO_REPLY')
    return followed
  } finally {
    stopListening()
  }
}

/** Takes a command that is out already to its outcome, without sending it. @throws AttemptFailure */
export async function followCommand(
  input: StepInput,
  sent: Omit<Sent, 'authorised'>,
  deps: SendDeps,
): Promise<Followed> {
  const { action, step } = sent.loaded
  const attached = await attach(input, { maxMs: step.timeoutMs }, deps)
  if (attached.kind === 'answer') {
    if (attached.answer.status === 'DENIED') return { absent: attached.answer.code }
    return { ended: await recallSettled(input, attached.answer, deps.artifacts) }
  }
  const { reply, authorised } = attached
  if (reply.status === 'ABSENT') return { absent: 'ABSENT' }
  // Cut off by a crash, and such as may run again: a new command decides, not this answer.
  const repeatable = action.effect === 'read' || action.idempotent
  if (reply.status === 'UNKNOWN' && repeatable) return { absent: 'UNKNOWN' }
  return await conclude(input, { ...sent, authorised, reply }, deps)
}

/**
 * What an attachment has brought, as the end of the step.
 * @throws AttemptFailure EFFECT_ABSENT while another token can still begin the effect
 */
export async function concludeFinally(
  input: StepInput,
  sent: Omit<Sent, 'authorised'>,
  { reply, authorised }: Extract<Attached, { kind: 'reply' }>,
  deps: SendDeps,
): Promise<Ended | undefined> {
  // The ledger's silence about an effect is the word that it has not begun.
  const said: Reply =
    reply.status === 'ABSENT'
      ? { ...reply, status: 'FAILED', code: 'NOT_BEGUN', retry: 'absent' }
      : reply
  const attempt = { ...deps.attempt, number: input.attempts }
  const concluded = await conclude(
    input,
    { ...sent, authorised, reply: said },
    { ...deps, attempt },
  )
  return 'ended' in concluded ? concluded.ended : undefined
}

async function conclude(
  input: StepInput,
  { reply, authorised, loaded }: Sent & { readonly reply: Reply },
  deps: SendDeps,
): Promise<Conclusion> {
  switch (reply.status) {
    case 'DONE': {
      const receipt = await prove(input, { reply, authorised }, deps)
      const judged = judgeResult(reply.result, loaded.action)
      const ended = judged.ok
        ? await keep(input, { reply, receipt, loaded }, deps)
        : await settle(input, reply, { ...deps, fault: judged.fault })
      return { ended }
    }
    case 'FAILED': {
      await prove(input, { reply, authorised }, deps)
      const { number, runCancelled } = deps.attempt
      const again = reply.retry === 'absent' && number < input.attempts && !runCancelled.aborted
      if (again) {
        await noteAbsent(input, reply, deps)
        const { retryAfterMs: retryMs } = reply
        throw new AttemptFailure('EFFECT_ABSENT', retryMs === undefined ? {} : { retryMs })
      }
      return { ended: await settle(input, reply, deps) }
    }
    case 'UNKNOWN':
      await prove(input, { reply, authorised }, deps)
      return { ended: await settle(input, reply, deps) }
    case 'IN_PROGRESS':
      throw new AttemptFailure('IN_PROGRESS')
    case 'REFUSED':
      if (refusals[reply.code] === 'stale') throw new AttemptFailure('STALE_TOKEN')
      return { refused: reply.code }
    case 'ABSENT':
    case 'HEALTHY':
    case 'DESCRIPTION':
      throw new AttemptFailure('REPLY_INVALID')
  }
}

async function prove(
  input: StepInput,
  { reply, authorised }: { readonly reply: OutcomeReply; readonly authorised: Authorised },
  { notary }: Pick<DispatchDeps, 'notary'>,
): Promise<Receipt> {
  try {
    return await verifyReply(reply, authorised)
  } catch (cause) {
    if (!(cause instanceof ReplyError)) throw cause
    if (isEvidence[cause.code]) {
      // It settles nothing: the notary finds the same fault, and judges whose signature is on it.
      const { receipt, envelope } = reply
      const call = { type: 'receipt', ...addressOf(input), invalidResult: true } as const
      await notary.settle({ ...call, receipt, envelope }).catch(() => undefined)
    }
    throw new AttemptFailure('REPLY_INVALID', { cause })
  }
}

/** The replica's own key signed an envelope over a receipt that is none, or another's. */
const isEvidence: Readonly<Record<ReplyFault, boolean>> = {
  ENVELOPE_SIGNATURE: false,
  ENVELOPE_OF_ANOTHER_TOKEN: false,
  ENVELOPE_OF_ANOTHER_RECEIPT: false,
  RECEIPT_SIGNATURE: true,
  RECEIPT_OF_ANOTHER_EFFECT: true,
  // Genuine, and would settle: what it says was stored nowhere.
  RECEIPT_OF_ANOTHER_RESULT: false,
}

/** Durable first, settled second. */
async function keep(
  input: StepInput,
  done: {
    readonly reply: Extract<Reply, { status: 'DONE' }>
    readonly receipt: Receipt
    readonly loaded: LoadedStep
  },
  deps: SendDeps,
): Promise<Ended> {
  const { requestId, step, iteration, rerun } = input
  const resultRef = await deps.artifacts.put(Buffer.from(done.reply.result), {
    kind: resultKindOf(input),
    requestId,
    step,
    iteration,
    ...(rerun === undefined || rerun === 0 ? {} : { rerun }),
    readers: [...done.loaded.readers],
    resultHash: done.receipt.resultHash,
    salt: done.receipt.salt,
    createdAt: deps.now(),
  })
  await deps.onPoint?.('after-artifact', input)
  const isReadFor = input.kind === 'do' && done.loaded.action.spent !== undefined
  const read = isReadFor ? { result: done.reply.result } : {}
  const ended = await settle(input, done.reply, { ...deps, ...read })
  return ended.outcome === 'settled' ? { ...ended, resultRef } : ended
}

async function settle(
  input: StepInput,
  reply: OutcomeReply,
  deps: SendDeps & { readonly fault?: ResultFault; readonly result?: string },
): Promise<Ended> {
  const { outcome, code } = await settleReceipt(input, reply, deps)
  await deps.onPoint?.('after-settle', input)
  return { outcome, ...(code === undefined ? {} : { code }), resultRef: null }
}

/**
 * stale: another token may be accepted, because this one was used, is too old, or names a process
 * that has been replaced. final: this command is wrong, and asking again cannot make it right.
 */
const refusals: Readonly<Record<CapabilityCode, 'stale' | 'final'>> = {
  TOKEN_MALFORMED: 'final',
  TOKEN_ALGORITHM: 'final',
  TOKEN_TYPE: 'final',
  TOKEN_HEADER: 'final',
  TOKEN_KEY_UNKNOWN: 'stale',
  TOKEN_SIGNATURE: 'final',
  TOKEN_ISSUER: 'final',
  TOKEN_AUDIENCE: 'stale',
  TOKEN_EXPIRED: 'stale',
  TOKEN_NOT_YET: 'stale',
  TOKEN_LIFE: 'final',
  TOKEN_BINDING: 'stale',
  TOKEN_CLAIMS: 'final',
  DETAILS_COUNT: 'final',
  WRONG_ACTION: 'final',
  WRONG_OPERATION: 'final',
  ARGS_HASH: 'final',
  SALT_MISMATCH: 'final',
  APPROVAL_MISSING: 'final',
  REPLAY: 'stale',
  IDEM_CONFLICT: 'final',
  LEDGER_UNAVAILABLE: 'stale',
  MALFORMED: 'final',
  EXPIRED_MESSAGE: 'stale',
  UNKNOWN_ACTION: 'final',
  INVALID_ARGS: 'final',
}
