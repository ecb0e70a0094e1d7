// `notary.authorize`: may this effect happen now? Decides from state and settled receipts. Every
// question is asked again for every token; none is answered by the worker. What is granted is
// recorded and signed by grant.ts.

import { limits } from '../plan/limits.ts'
import { hashArgs } from '../security/verify/hash.ts'
import { type NotaryContext, type Refusal, recordRefusal } from './context.ts'
import type { AuthorizeCall, AuthorizeReply } from './contract.ts'
import { runningEpoch } from './epochs.ts'
import { decideFollow } from './follow.ts'
import {
  type Following,
  type Grantable,
  type Granted,
  grant,
  grantFollowing,
  mint,
  openEffect,
} from './grant.ts'
import { type Located, locate } from './locate.ts'
import { decidePolicy } from './policy.ts'
import { isPassed, loadSources } from './provenance.ts'
import { guardOf, resolveArgs, wantedSources } from './resolve.ts'
import type { EffectRecord, State } from './state.ts'
import type { Writer } from './store.ts'

type Decision =
  | { readonly type: 'REPLY'; readonly reply: AuthorizeReply }
  /** `fate`: no later call can be answered otherwise, so the step is settled as denied. */
  | {
      readonly type: 'DENY'
      readonly refusal: Refusal
      readonly located?: Located
      readonly fate: boolean
    }
  | ({ readonly type: 'GRANT' } & Grantable)
  | ({ readonly type: 'FOLLOW' } & Following)

/** @throws StoreError */
export async function authorize(
  context: NotaryContext,
  call: AuthorizeCall,
  account: string,
): Promise<AuthorizeReply> {
  const recorded = await context.store.commit('effect', (writer): AuthorizeReply | Granted => {
    const decision = decideAuthorize(context, writer, call)
    switch (decision.type) {
      case 'REPLY':
        return decision.reply
      case 'DENY':
        return deny(context, writer, { decision, call, account })
      case 'GRANT':
        return grant(writer, decision)
      case 'FOLLOW':
        return grantFollowing(writer, decision)
    }
  })
  if ('status' in recorded) return recorded
  await context.onPoint?.('after-record', call)
  const minted = await mint(context, recorded)
  await context.onPoint?.('after-mint', call)
  return minted
}

function decideAuthorize(context: NotaryContext, writer: Writer, call: AuthorizeCall): Decision {
  const { state } = writer
  const located = locatePresent(context, state, call)
  if ('refusal' in located) return { type: 'DENY', refusal: located.refusal, fate: false }
  const denied = (refusal: Refusal, fate = false): Decision => {
    return { type: 'DENY', refusal, located, fate }
  }
  const { effect, step, registered, effectOf } = located
  if (effect !== undefined && effect.outcome !== null) {
    return { type: 'REPLY', reply: settledReply(effect) }
  }
  if (call.op !== 'run') {
    const follow = decideFollow(context, state, located, call.op)
    if ('refusal' in follow) return denied(follow.refusal)
    if ('reply' in follow) return { type: 'REPLY', reply: follow.reply }
    return { type: 'FOLLOW', op: call.op, ...follow }
  }
  const untimely = untimelyRefusal(located, state, writer.now)
  if (untimely !== undefined) return denied(untimely)
  const loaded = loadSources(wantedSources(located), call.sources, {
    registered,
    catalogue: context.catalogue,
    cache: context.sources,
    effectOf,
  })
  if (loaded.status === 'NEED_SOURCES') {
    const steps = loaded.steps.map((source) => ({ ...source }))
    return { type: 'REPLY', reply: { status: 'NEED_SOURCES', steps } }
  }
  if (loaded.status === 'REFUSED') {
    const { code } = loaded.refusal
    return denied(loaded.refusal, code === 'LIMIT' || code === 'NO_RESULT')
  }
  const { sources } = loaded
  const guard = call.kind === 'do' ? guardOf(step, sources) : 'TRUE'
  if (guard !== 'TRUE') {
    const message = 'the guard of the step is not true'
    return denied({ code: 'GUARD_FALSE', message }, guard === 'FAILED')
  }
  const resolved = resolveArgs(located, sources, call.args)
  if (resolved.status === 'REFUSED') return denied(resolved.refusal, resolved.fate)
  const forbidden = decidePolicy(context, located)
  if (forbidden !== undefined) return denied(forbidden, true)
  if ((effect?.attempts ?? 0) >= located.maxAttempts) {
    return denied({ code: 'ATTEMPTS_USED_UP', message: 'no attempt is left' })
  }
  const { args } = resolved
  if (effect !== undefined && hashArgs(effect.salt ?? '', args) !== effect.args_hash) {
    return denied({ code: 'ARGS_MISMATCH', message: 'not the arguments of the first attempt' })
  }
  const epoch = runningEpoch(context, state, located)
  if ('refusal' in epoch) return denied(epoch.refusal, true)
  if ('status' in epoch) return { type: 'REPLY', reply: epoch }
  return { type: 'GRANT', located, epoch, args, sources }
}

/** A worker that has forgotten a rerun, after a reset, is answered for the present one. */
function locatePresent(context: NotaryContext, state: State, call: AuthorizeCall) {
  const { rerun, ...rest } = call
  const located = locate(context, state, call)
  if ('refusal' in located || call.kind !== 'do' || rerun === undefined) return located
  return locate(context, state, rest)
}

function settledReply({ outcome, code, idem, rerun, result_hash }: EffectRecord): AuthorizeReply {
  if (outcome === null) throw new Error('an open effect is not settled')
  return {
    status: 'SETTLED',
    outcome,
    idem,
    rerun,
    ...(code === null ? {} : { code }),
    ...(result_hash === null ? {} : { resultHash: result_hash }),
  }
}

function untimelyRefusal(located: Located, state: State, now: number): Refusal | undefined {
  switch (located.address.kind) {
    case 'do':
      return forwardRefusal(located, state)
    case 'undo':
      return undoRefusal(located, state, now)
    case 'probe':
      return probeRefusal(located, state, now)
  }
}

/** A forward step: the run goes on, and everything that it needs has come to an end. */
function forwardRefusal(
  { request, registered, step, address, effectOf }: Located,
  state: State,
): Refusal | undefined {
  if (request.cancelled_at !== null) {
    return { code: 'REQUEST_CANCELLED', message: 'the request was cancelled' }
  }
  if (request.aborted_by !== null) {
    return { code: 'RUN_ABORTING', message: `step ${request.aborted_by} has turned the run around` }
  }
  // What the probe finds must stay true: whoever asked whether it happened may not let it happen.
  if (state.effect({ ...address, kind: 'probe' }) !== undefined) {
    return { code: 'UNRESOLVED', message: 'the step is being asked about' }
  }
  const open = step.needs.find((id) => {
    const need = registered.steps.get(id)
    return need === undefined || !isPassed(need, effectOf(id))
  })
  if (open === undefined) return undefined
  return { code: 'NEEDS_UNSETTLED', message: `step ${open} has not settled` }
}

/** An undo: the run is turning around, the step may have happened, and can happen no more. */
function undoRefusal({ request, done }: Located, state: State, now: number): Refusal | undefined {
  if (request.cancelled_at === null && request.aborted_by === null) {
    return { code: 'NOT_ABORTING', message: 'the run is not being undone' }
  }
  if (done === undefined || done.args_hash === null) {
    return { code: 'NEVER_AUTHORISED', message: 'the step was never authorised' }
  }
  // A ledger runs such an effect again when a token arrives late: after its undo, for good.
  const { outcome, retry } = done
  const mayStillRun = outcome === null || outcome === 'unknown' || retry === 'absent'
  if (mayStillRun && state.unansweredTokens(done.idem, now - limits.tokenSkewMs) > 0) {
    return { code: 'TOKENS_ALIVE', message: 'the step can still happen: a token of it is alive' }
  }
  return undefined
}

/** A probe: the step may have happened, nobody knows, and it can happen no more. */
function probeRefusal({ done }: Located, state: State, now: number): Refusal | undefined {
  if (done === undefined || done.args_hash === null) {
    return { code: 'NEVER_AUTHORISED', message: 'the step was never authorised' }
  }
  if (done.outcome !== null) {
    return { code: 'NOT_UNKNOWN', message: 'the outcome of the step is recorded' }
  }
  if (state.unansweredTokens(done.idem, now - limits.tokenSkewMs) > 0) {
    return { code: 'TOKENS_ALIVE', message: 'the step can still happen: a token of it is alive' }
  }
  return undefined
}

function deny(
  context: NotaryContext,
  writer: Writer,
  denial: {
    readonly decision: Extract<Decision, { type: 'DENY' }>
    readonly call: AuthorizeCall
    readonly account: string
  },
): AuthorizeReply {
  const { decision, call, account } = denial
  const { refusal, located, fate } = decision
  const { code, message, rules = [], missing } = refusal
  const about = { call: 'authorize', account, subject: call.step, correlation: call.requestId }
  recordRefusal(context, writer, { ...about, ...refusal })
  // With a token out, the effect may have happened: then only its receipt or its end settles it.
  if (fate && located !== undefined && located.effect === undefined) {
    settleDenied(writer, located, code)
  }
  const missingRule = missing === undefined ? {} : { missing }
  return { status: 'DENIED', code, rules: [...rules], message, ...missingRule }
}

function settleDenied(writer: Writer, { request, step, address, idem }: Located, code: string) {
  // What it builds on has no result: that is how a run goes, and nobody's prohibition.
  const outcome = code === 'NO_RESULT' ? 'failed' : 'denied'
  const settled = { outcome, code, settled_at: writer.now } as const
  writer.state.putEffect({ ...openEffect, ...address, idem, ...settled })
  if (address.kind === 'do' && step.onError === 'abort') {
    writer.state.abortRequest(request.id, step.id)
  }
  writer.append({
    kind: 'outcome',
    actor: 'notary',
    subject: step.id,
    correlation: request.id,
    trace: '',
    body: { idem, kind: address.kind, outcome, code, attempts: 0 },
  })
}
