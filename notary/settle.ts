// `notary.settle`: what has become of an effect. The first settlement wins and never changes; the
// same one again is answered alike; only an unknown one may be resolved later (recover.ts). Three ways:
// a receipt, a guard that is false or a need that never came, and a failure of which there is no
// receipt. Facts are recorded whatever else is going on in the run. Of loops see expand.ts.
//
// A receipt of a failure that may be tried again (`absent`) is true when it is signed, and no longer:
// it settles only when no other token can have begun the effect since (tokens-alive.ts). A worker that
// goes on to another attempt brings it as `again`, so that its token counts as used up.

import { answerCodes, readProbeAnswer } from '../plan/probe.ts'
import type { ResultFault } from '../plan/result-rules.ts'
import type { OnError } from '../plan/schema.ts'
import { saltedHash } from '../security/verify/hash.ts'
import { giveBack } from './budget.ts'
import { type NotaryContext, type Refusal, recordRefusal } from './context.ts'
import type { SettleCall, SettleReply } from './contract.ts'
import { endLoop, expandLoop, gatherLoop, loopReply } from './expand.ts'
import { hasNoNeed, needsRefusal } from './forward.ts'
import { iterationOf, openEffect } from './grant.ts'
import { iterationRefusal, type Located, locate } from './locate.ts'
import { loadSources } from './provenance.ts'
import { raiseForgery } from './quarantine.ts'
import { type ProvenReceipt, proveReceipt, type ReceiptProof } from './receipts.ts'
import { reconcile, type Spending } from './reconcile.ts'
import { guardOf, guardSources } from './resolve.ts'
import type { EffectOutcome, EffectRecord } from './state.ts'
import type { Writer } from './store.ts'
import { canStillBegin, mayHaveBegunSince } from './tokens-alive.ts'

type Of<T extends SettleCall['type']> = Extract<SettleCall, { readonly type: T }>

/** Also what a loop comes to that never had an iteration: the worker names the first then. */
const isOfLoop = ({ type, iteration }: SettleCall) =>
  type === 'loop' || type === 'gather' || (type !== 'receipt' && iteration === 0)

/** @throws StoreError */
export async function settle(
  context: NotaryContext,
  call: SettleCall,
  account: string,
): Promise<SettleReply> {
  // Signatures are checked before the transaction, which cannot wait. Keys and tokens never change.
  const proven = call.type === 'receipt' ? await proveFor(context, call) : 'UNPROVEN'
  return context.store.commit('fact', (writer) => {
    const located = locate(context, writer.state, call, isOfLoop(call) ? 'loop' : 'iteration')
    const answer =
      'refusal' in located ? located : answerOf({ context, writer, located, account }, call, proven)
    if (!('refusal' in answer)) return answer
    const { code, message } = answer.refusal
    const about = { call: 'settle', account, subject: call.step, correlation: call.requestId }
    recordRefusal(context, writer, { ...about, code, message })
    return { status: 'REFUSED', code, message }
  })
}

async function proveFor(context: NotaryContext, call: Of<'receipt'>): Promise<ReceiptProof> {
  const { state } = context.store
  const located = locate(context, state, call)
  if ('refusal' in located || located.effect === undefined) return 'UNPROVEN'
  return proveReceipt(call, located.effect, state)
}

interface Job {
  readonly context: NotaryContext
  readonly writer: Writer
  readonly located: Located
  /** Who reports it, where no receipt says so. */
  readonly account: string
  /** What the worker found wrong with a result that it does not build on. */
  readonly fault?: ResultFault | undefined
  /** What became of what was reserved, where the result says what was spent. */
  readonly spending?: Spending | undefined
}
type Answer = SettleReply | { readonly refusal: Refusal }

function answerOf(job: Job, call: SettleCall, proven: ReceiptProof): Answer {
  switch (call.type) {
    case 'receipt':
      return settleReceipt(job, call, proven)
    case 'skip':
      return settleSkip(job, call)
    case 'failure':
      return settleFailure(job, call)
    case 'loop':
      return expandLoop(job, call)
    case 'gather':
      return gatherLoop(job)
  }
}

function settleReceipt(job: Job, call: Of<'receipt'>, proven: ReceiptProof): Answer {
  const { effect, address } = job.located
  if (effect === undefined || effect.args_hash === null) {
    return refuse('NEVER_AUTHORISED', 'no token was given for this effect')
  }
  if (typeof proven === 'string') {
    if (proven === 'FORGED') raiseForgery(job.writer, effect)
    return refuse('RECEIPT_INVALID', 'the receipt or its envelope is not genuine')
  }
  const isAbsent = proven.receipt.retry === 'absent'
  job.writer.state.answerToken(proven.jti, isAbsent ? 2 : 1)
  if (effect.outcome !== null) {
    if (effect.receipt === proven.digest) return settledReply(effect)
    return refuse('RECEIPT_CONFLICT', 'this effect has settled otherwise')
  }
  const { receipt, digest } = proven
  if (isAbsent && job.located.action.effect !== 'read') {
    if (call.again === true) return noteAttempt(job, proven)
    const present = { ...job.writer, catalogue: job.context.catalogue }
    if (mayHaveBegunSince(effect, proven.jti, present)) {
      return refuse(
        'TOKENS_ALIVE',
        'another token may have begun it since: the ledger must be asked',
      )
    }
  }
  const ended = { ...effect, receipt: digest, ...outcomeOf(receipt, call.invalidResult) }
  if (address.kind === 'probe') return recordProbe(job, ended, call.result)
  if (ended.outcome === 'unknown') return recordUnknown(job, ended)
  if (receipt.status !== 'DONE') return record(job, ended)
  if (call.invalidResult) return record({ ...job, fault: call.fault }, ended)
  const { result } = call
  if (result === undefined) return record(job, ended)
  if (!isHashed(result, ended)) return notHashed
  return record({ ...job, spending: reconcile(job.writer, job.located, result) }, ended)
}

const isHashed = (result: string, { salt, result_hash }: EffectRecord) =>
  saltedHash(salt ?? '', result) === result_hash

const notHashed = refuse('RECEIPT_INVALID', 'the result is not the one that the receipt hashes')

/** A token that did nothing, and that its agent will not accept again. */
function noteAttempt({ writer, located, account }: Job, { jti }: ProvenReceipt): Answer {
  writer.append({
    kind: 'decision',
    actor: account,
    subject: located.step.id,
    correlation: located.request.id,
    body: { call: 'settle', decision: 'noted', idem: located.idem, jti },
  })
  return { status: 'NOTED' }
}

/** What the probe found is kept as its code; the effect that it was asked about is settled next. */
function recordProbe(job: Job, ended: EffectRecord, result: string | undefined): Answer {
  if (ended.outcome !== 'settled') return record(job, ended)
  if (result === undefined || !isHashed(result, ended)) return notHashed
  const answer = readProbeAnswer(result)
  const code = answer === 'yes' || answer === 'no' ? answerCodes[answer] : 'UNSURE'
  return record(job, { ...ended, code })
}

/**
 * Nobody knows whether it happened. Where the action has a probe, that is asked before the outcome
 * is recorded, because afterwards the run may already have turned around.
 */
function recordUnknown(job: Job, ended: EffectRecord): Answer {
  const { writer, located } = job
  if (located.address.kind !== 'do' || located.action.probe === undefined) {
    return record(job, ended)
  }
  const probe = writer.state.effect({ ...located.address, kind: 'probe' })
  if (probe === undefined || probe.outcome === null) return { status: 'PROBE', idem: ended.idem }
  switch (probe.code) {
    case answerCodes.yes:
      return record(job, ended, { outcome: 'settled', code: answerCodes.yes })
    case answerCodes.no:
      return record(job, ended, { outcome: 'failed', code: answerCodes.no })
    default:
      return record(job, ended)
  }
}

type Settled = Pick<EffectRecord, 'code' | 'retry' | 'result_hash'> & {
  readonly outcome: EffectOutcome
}

function outcomeOf(receipt: ProvenReceipt['receipt'], invalidResult: boolean): Settled {
  const none = { code: null, retry: null, result_hash: null }
  switch (receipt.status) {
    case 'DONE':
      // It ran, and what it returned is of no use: dependents must not find a result.
      if (invalidResult) return { ...none, outcome: 'failed', code: 'INVALID_RESULT' }
      return { ...none, outcome: 'settled', result_hash: receipt.resultHash }
    case 'FAILED':
      return {
        ...none,
        outcome: 'failed',
        code: receipt.code ?? 'INTERNAL',
        retry: receipt.retry ?? null,
      }
    case 'UNKNOWN':
      return { ...none, outcome: 'unknown' }
  }
}

function settleSkip(job: Job, call: Of<'skip'>): Answer {
  const { context, located } = job
  const { effect, step, loop } = located
  if (effect !== undefined && effect.outcome !== null) return settledReply(effect)
  if (loop !== undefined && loop.outcome !== null) return loopReply(loop)
  // A token was given, so the guard was true, and its sources never change.
  if (call.kind !== 'do' || effect !== undefined) {
    return refuse('GUARD_TRUE', 'this step is not one to skip')
  }
  if (loop === undefined && hasNoNeed(located, job.writer)) {
    if (step.forEach !== undefined) return endLoop(job, { outcome: 'skipped', code: 'NO_NEED' })
    return record(job, { ...newEffect(located), outcome: 'skipped', code: 'NO_NEED' })
  }
  // Of any of its needs none has settled yet, so its guard has nothing to be asked of.
  const waiting = step.join === 'any' ? needsRefusal(located, job.writer.state) : undefined
  if (waiting !== undefined) return { refusal: waiting }
  const missing = iterationRefusal(located)
  if (missing !== undefined) return { refusal: missing }
  const loaded = loadSources(guardSources(step), call.sources, {
    located,
    cache: context.sources,
  })
  if (loaded.status === 'NEED_SOURCES') return loaded
  if (loaded.status === 'REFUSED') return loaded
  if (guardOf(step, loaded.sources) !== 'FALSE') {
    return refuse('GUARD_TRUE', 'the guard of the step is not false')
  }
  const sources = JSON.stringify(loaded.sources.hashes)
  return record(job, { ...newEffect(located), sources, outcome: 'skipped' })
}

/** Codes only: what a worker writes here ends up in the audit. */
const failureCode = /^[A-Z][A-Z0-9_]{0,39}$/

function settleFailure(job: Job, { code }: Of<'failure'>): Answer {
  const { writer, located } = job
  const { effect, maxAttempts, action, address } = located
  if (effect !== undefined && effect.outcome !== null) return settledReply(effect)
  if (!failureCode.test(code)) return refuse('MALFORMED', 'code is not a code')
  if (located.step.forEach !== undefined && address.kind === 'do') {
    if (located.loop === undefined) return endLoop(job, { outcome: 'failed', code })
    if (located.loop.outcome !== null) return loopReply(located.loop)
    const missing = iterationRefusal(located)
    if (missing !== undefined) return { refusal: missing }
  }
  // No token was ever given: nothing can have happened.
  if (effect === undefined) return record(job, { ...newEffect(located), outcome: 'failed', code })
  if (canStillBegin(effect, { ...writer, catalogue: job.context.catalogue })) {
    return refuse('TOKENS_ALIVE', 'a token of this effect is still alive')
  }
  if (effect.attempts < maxAttempts) {
    // An attempt can end before it is given a token. Reporting it uses one up, so that a step whose
    // agent does not start any more comes to an end.
    const attempts = effect.attempts + 1
    writer.state.putEffect({ ...effect, attempts })
    const { idem } = effect
    const body = { call: 'settle', decision: 'attempt-ended', idem, code, attempts }
    const { id: correlation } = located.request
    const about = { actor: job.account, subject: effect.step, correlation }
    writer.append({ ...about, kind: 'decision', body })
    return refuse('TOKENS_ALIVE', 'attempts of this effect are left')
  }
  // A command may have been carried out and its answer lost; only a read is harmless then.
  if (action.effect === 'read') return record(job, { ...effect, outcome: 'failed', code })
  return recordUnknown(job, { ...effect, outcome: 'unknown', code })
}

function newEffect({ address, idem }: Located): EffectRecord {
  return { ...openEffect, ...address, idem }
}

/**
 * Writes the outcome once, turns the run around where it must, and appends the row. `answer` is what
 * a probe made of an unknown outcome: a row of its own, so that both can be read.
 */
function record(
  { writer, located, account, fault, spending }: Job,
  effect: EffectRecord,
  answer?: { readonly outcome: 'settled' | 'failed'; readonly code: string },
): Answer {
  const { step, request, address } = located
  const resolved = answer === undefined ? {} : { ...answer, resolved: 'probe' }
  const settled = { ...effect, ...resolved, settled_at: writer.now }
  writer.state.putEffect(settled)
  const returned = giveBack(writer, settled)
  if (address.kind === 'do' && turnsAround(step.onError, settled.outcome)) {
    writer.state.abortRequest(request.id, step.id)
  }
  const { idem, outcome, code, result_hash: resultHash, receipt, attempts } = effect
  writer.append({
    kind: 'outcome',
    actor: receipt === null ? account : `agent:${effect.agent}.${effect.n}`,
    subject: step.id,
    correlation: request.id,
    body: {
      ...{ idem, kind: address.kind, ...iterationOf(located) },
      ...{ outcome, code, resultHash, receipt, attempts },
      ...(fault === undefined ? {} : { fault }),
      ...(returned ? { returned } : {}),
      ...(spending === undefined ? {} : { spending }),
    },
  })
  if (answer !== undefined) {
    writer.append({
      kind: 'decision',
      actor: 'notary',
      subject: step.id,
      correlation: request.id,
      body: { call: 'settle', decision: 'resolved', idem, kind: address.kind, ...answer },
    })
  }
  return settledReply(settled)
}

/**
 * `continue` forgives what certainly failed; nobody can go on from an unknown outcome. Under `hold`
 * the run waits for a person, and turns around only when that person gives it up.
 */
function turnsAround(onError: OnError, outcome: EffectOutcome | null): boolean {
  switch (onError) {
    case 'abort':
      return outcome === 'unknown' || outcome === 'failed'
    case 'continue':
      return outcome === 'unknown'
    case 'hold':
      return false
  }
}

function settledReply({ outcome, code }: EffectRecord): SettleReply {
  if (outcome === null) throw new Error('an open effect is not settled')
  return {
    status: 'SETTLED',
    // A denial is a failure to those who settle; authorize tells them apart.
    outcome: outcome === 'denied' ? 'failed' : outcome,
    ...(code === null ? {} : { code }),
  }
}

function refuse(code: Refusal['code'], message: string): { readonly refusal: Refusal } {
  return { refusal: { code, message } }
}
