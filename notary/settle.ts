// `notary.settle`: what has become of an effect. The first settlement wins and never changes; the
// same one again is answered alike; only an unknown one may be resolved later (recover.ts). Three ways: a receipt, a guard that is false, and a failure of
// which there is no receipt. Facts are recorded whatever else is going on in the run.
//
// A receipt of a failure that may be tried again (`absent`) settles like any other: a worker that
// wants another attempt asks for a token and does not bring the receipt. Bringing it is giving up,
// which a worker may always do.

import { limits } from '../plan/limits.ts'
import { answerCodes, readProbeAnswer } from '../plan/probe.ts'
import type { OnError } from '../plan/schema.ts'
import { saltedHash } from '../security/verify/hash.ts'
import { type NotaryContext, type Refusal, recordRefusal } from './context.ts'
import type { SettleCall, SettleReply } from './contract.ts'
import { openEffect } from './grant.ts'
import { type Located, locate } from './locate.ts'
import { loadSources } from './provenance.ts'
import { raiseForgery } from './quarantine.ts'
import { type ProvenReceipt, proveReceipt, type ReceiptProof } from './receipts.ts'
import { guardOf, guardSources } from './resolve.ts'
import type { EffectOutcome, EffectRecord } from './state.ts'
import type { Writer } from './store.ts'

type Of<T extends SettleCall['type']> = Extract<SettleCall, { readonly type: T }>

/** @throws StoreError */
export async function settle(
  context: NotaryContext,
  call: SettleCall,
  account: string,
): Promise<SettleReply> {
  // Signatures are checked before the transaction, which cannot wait. Keys and tokens never change.
  const proven = call.type === 'receipt' ? await proveFor(context, call) : 'UNPROVEN'
  return context.store.commit('fact', (writer) => {
    const located = locate(context, writer.state, call)
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
  job.writer.state.answerToken(proven.jti)
  if (effect.outcome !== null) {
    if (effect.receipt === proven.digest) return settledReply(effect)
    return refuse('RECEIPT_CONFLICT', 'this effect has settled otherwise')
  }
  const { receipt, digest } = proven
  const ended = { ...effect, receipt: digest, ...outcomeOf(receipt, call.invalidResult) }
  if (address.kind === 'probe') return recordProbe(job, ended, call.result)
  return ended.outcome === 'unknown' ? recordUnknown(job, ended) : record(job, ended)
}

/** What the probe found is kept as its code; the effect that it was asked about is settled next. */
function recordProbe(job: Job, ended: EffectRecord, result: string | undefined): Answer {
  if (ended.outcome !== 'settled') return record(job, ended)
  if (result === undefined || saltedHash(ended.salt ?? '', result) !== ended.result_hash) {
    return refuse('RECEIPT_INVALID', 'the result is not the one that the receipt hashes')
  }
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
  const { effect, step, registered, effectOf } = located
  if (effect !== undefined && effect.outcome !== null) return settledReply(effect)
  // A token was given, so the guard was true, and its sources never change.
  if (call.kind !== 'do' || effect !== undefined) {
    return refuse('GUARD_TRUE', 'this step is not one to skip')
  }
  const loaded = loadSources(guardSources(step), call.sources, {
    registered,
    catalogue: context.catalogue,
    cache: context.sources,
    effectOf,
  })
  if (loaded.status === 'NEED_SOURCES') {
    return { status: 'NEED_SOURCES', steps: loaded.steps.map((source) => ({ ...source })) }
  }
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
  const { effect, maxAttempts, action } = located
  if (effect !== undefined && effect.outcome !== null) return settledReply(effect)
  if (!failureCode.test(code)) return refuse('MALFORMED', 'code is not a code')
  // No token was ever given: nothing can have happened.
  if (effect === undefined) return record(job, { ...newEffect(located), outcome: 'failed', code })
  if (writer.now <= effect.tokens_until + limits.tokenSkewMs) {
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
    const about = { actor: job.account, subject: effect.step, correlation, trace: '' }
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
  { writer, located, account }: Job,
  effect: EffectRecord,
  answer?: { readonly outcome: 'settled' | 'failed'; readonly code: string },
): Answer {
  const { step, request, address } = located
  const resolved = answer === undefined ? {} : { ...answer, resolved: 'probe' }
  const settled = { ...effect, ...resolved, settled_at: writer.now }
  writer.state.putEffect(settled)
  if (address.kind === 'do' && turnsAround(step.onError, settled.outcome)) {
    writer.state.abortRequest(request.id, step.id)
  }
  const { idem, outcome, code, result_hash: resultHash, receipt, attempts } = effect
  writer.append({
    kind: 'outcome',
    actor: receipt === null ? account : `agent:${effect.agent}.${effect.n}`,
    subject: step.id,
    correlation: request.id,
    trace: '',
    body: { idem, kind: address.kind, outcome, code, resultHash, receipt, attempts },
  })
  if (answer !== undefined) {
    writer.append({
      kind: 'decision',
      actor: 'notary',
      subject: step.id,
      correlation: request.id,
      trace: '',
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
