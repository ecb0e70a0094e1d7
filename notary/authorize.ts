// `notary.authorize`: may this effect happen now? Decides from state and settled receipts. Every
// question is asked again for every token; none is answered by the worker. What is granted is
// recorded and signed by grant.ts.

import { hashArgs } from '../security/verify/hash.ts'
import { coverStep } from './ask.ts'
import { type Reasons, reasonsOf } from './conditions.ts'
import { type NotaryContext, type Refusal, recordRefusal } from './context.ts'
import type { AuthorizeCall, AuthorizeReply } from './contract.ts'
import { type Cover, coverFollowUp } from './cover.ts'
import { runningEpoch } from './epochs.ts'
import { decideFlow } from './flow.ts'
import { decideFollow } from './follow.ts'
import { forwardRefusal } from './forward.ts'
import {
  type Following,
  type Grantable,
  type Granted,
  grant,
  grantFollowing,
  iterationOf,
  mint,
  openEffect,
} from './grant.ts'
import { type Located, locate } from './locate.ts'
import { decideEffect } from './policy.ts'
import { loadSources } from './provenance.ts'
import type { Unanswered } from './questions.ts'
import { limitRefusal } from './request-limit.ts'
import { guardOf, type ResolvedArgs, resolveArgs, wantedSources } from './resolve.ts'
import type { EffectRecord, State } from './state.ts'
import type { Writer } from './store.ts'
import { canStillBegin, type Present } from './tokens-alive.ts'
import { departedRefusal } from './users.ts'

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
  const { effect, step } = located
  if (effect !== undefined && effect.outcome !== null) {
    return { type: 'REPLY', reply: settledReply(effect) }
  }
  if (call.op !== 'run') {
    const follow = decideFollow(context, presentOf(context, writer), located, call.op)
    if ('refusal' in follow) return denied(follow.refusal)
    if ('reply' in follow) return { type: 'REPLY', reply: follow.reply }
    return { type: 'FOLLOW', op: call.op, ...follow, policy: context.policy.digest }
  }
  const untimely = untimelyRefusal(context, located, presentOf(context, writer))
  if (untimely !== undefined) return denied(untimely)
  const loaded = loadSources(wantedSources(located), call.sources, {
    located,
    cache: context.sources,
  })
  if (loaded.status === 'NEED_SOURCES') return { type: 'REPLY', reply: loaded }
  if (loaded.status === 'REFUSED') {
    const { code } = loaded.refusal
    const isFate = code === 'LIMIT' || code === 'NO_RESULT' || code === 'UNKNOWN_HANDLE'
    return denied(loaded.refusal, isFate)
  }
  const { sources } = loaded
  const guard = call.kind === 'do' ? guardOf(step, sources) : 'TRUE'
  if (guard !== 'TRUE') {
    const message = 'the guard of the step is not true'
    return denied({ code: 'GUARD_FALSE', message }, guard === 'FAILED')
  }
  const resolved = resolveArgs(located, sources, call.args)
  if (resolved.status === 'REFUSED') return denied(resolved.refusal, resolved.fate)
  const answer = decideEffect(context, writer, { located, args: resolved.args })
  if ('refusal' in answer) return denied(answer.refusal, true)
  const beyond = limitRefusal(writer, located, resolved.args)
  if (beyond !== undefined) return denied(beyond, true)
  const flow = decideFlow(context, located, resolved.args)
  if ('refusal' in flow) return denied(flow.refusal, true)
  if ((effect?.attempts ?? 0) >= located.maxAttempts) {
    return denied({ code: 'ATTEMPTS_USED_UP', message: 'no attempt is left' })
  }
  const { args } = resolved
  if (effect !== undefined && hashArgs(effect.salt ?? '', args) !== effect.args_hash) {
    return denied({ code: 'ARGS_MISMATCH', message: 'not the arguments of the first attempt' })
  }
  const reasons = reasonsOf(answer.asks, flow, sources)
  const cover = coverOf(context, writer, { located, ...reasons, args })
  if (cover !== undefined && 'refusal' in cover) return denied(cover.refusal, true)
  if (cover !== undefined && 'reply' in cover) return { type: 'REPLY', reply: cover.reply }
  const epoch = runningEpoch(context, presentOf(context, writer), located, 'begin')
  if ('refusal' in epoch) return denied(epoch.refusal, true)
  if ('status' in epoch) return { type: 'REPLY', reply: epoch }
  return { type: 'GRANT', located, epoch, args, sources, judged: answer.judged, cover }
}

/** A person's decision, where a rule asks for one: undefined where none does. */
function coverOf(
  context: NotaryContext,
  writer: Writer,
  asked: Reasons & { readonly located: Located; readonly args: ResolvedArgs },
): Cover | Unanswered | undefined {
  if (asked.rules.length === 0) return undefined
  const isForward = asked.located.address.kind === 'do'
  return isForward ? coverStep(context, writer, asked) : coverFollowUp(writer, asked.located)
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

function presentOf({ catalogue }: NotaryContext, { state, now }: Writer): Present {
  return { catalogue, state, now }
}

function untimelyRefusal(
  { users }: NotaryContext,
  located: Located,
  present: Present,
): Refusal | undefined {
  switch (located.address.kind) {
    case 'do':
      return departedRefusal(located.request.user, users) ?? forwardRefusal(located, present)
    case 'undo':
      return undoRefusal(located, present)
    case 'probe':
      return probeRefusal(located, present)
  }
}

/** An undo: the run is turning around, the step may have happened, and can happen no more. */
function undoRefusal({ request, done }: Located, present: Present): Refusal | undefined {
  if (request.cancelled_at === null && request.aborted_by === null) {
    return { code: 'NOT_ABORTING', message: 'the run is not being undone' }
  }
  if (done === undefined || done.args_hash === null) {
    return { code: 'NEVER_AUTHORISED', message: 'the step was never authorised' }
  }
  // A ledger runs such an effect again when a token arrives late: after its undo, for good.
  const { outcome } = done
  const mayStillRun = outcome === null || outcome === 'unknown'
  if (mayStillRun && canStillBegin(done, present)) {
    return { code: 'TOKENS_ALIVE', message: 'the step can still happen: a token of it is alive' }
  }
  return undefined
}

/** A probe: the step may have happened, nobody knows, and it can happen no more. */
function probeRefusal({ done }: Located, present: Present): Refusal | undefined {
  if (done === undefined || done.args_hash === null) {
    return { code: 'NEVER_AUTHORISED', message: 'the step was never authorised' }
  }
  if (done.outcome !== null) {
    return { code: 'NOT_UNKNOWN', message: 'the outcome of the step is recorded' }
  }
  if (canStillBegin(done, present)) {
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

function settleDenied(writer: Writer, located: Located, code: string) {
  const { request, step, address, idem } = located
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
    body: { idem, kind: address.kind, ...iterationOf(located), outcome, code, attempts: 0 },
  })
}
