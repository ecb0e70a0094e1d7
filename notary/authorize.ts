// `notary.authorize`: may this effect happen now? Decides from state and settled receipts. Every
// question is asked again for every token; none is answered by the worker. What is granted is
// recorded and signed by grant.ts.

import { limits } from '../plan/limits.ts'
import { hashArgs } from '../security/verify/hash.ts'
import { type NotaryContext, type Refusal, recordRefusal } from './context.ts'
import type { AuthorizeCall, AuthorizeReply } from './contract.ts'
import { type Grantable, type Granted, grant, mint, openEffect } from './grant.ts'
import { type Located, locate } from './locate.ts'
import { decidePolicy } from './policy.ts'
import { isPassed, loadSources } from './provenance.ts'
import { guardOf, resolveArgs, wantedSources } from './resolve.ts'
import type { EffectRecord, EpochRecord, State } from './state.ts'
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
    }
  })
  return 'status' in recorded ? recorded : mint(context, recorded)
}

function decideAuthorize(context: NotaryContext, writer: Writer, call: AuthorizeCall): Decision {
  const { state } = writer
  const located = locate(context, state, call)
  if ('refusal' in located) return { type: 'DENY', refusal: located.refusal, fate: false }
  const denied = (refusal: Refusal, fate = false): Decision => {
    return { type: 'DENY', refusal, located, fate }
  }
  const { effect, step, registered, effectOf } = located
  if (effect !== undefined && effect.outcome !== null) {
    return { type: 'REPLY', reply: settledReply(effect) }
  }
  const untimely =
    call.kind === 'do' ? forwardRefusal(located) : undoRefusal(located, state, writer.now)
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
  if (loaded.status === 'REFUSED') return denied(loaded.refusal, loaded.refusal.code === 'LIMIT')
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
  if ('status' in epoch) return { type: 'REPLY', reply: epoch }
  return { type: 'GRANT', located, epoch, args, sources }
}

function settledReply({ outcome, code, idem, result_hash }: EffectRecord): AuthorizeReply {
  if (outcome === null) throw new Error('an open effect is not settled')
  return {
    status: 'SETTLED',
    outcome,
    idem,
    ...(code === null ? {} : { code }),
    ...(result_hash === null ? {} : { resultHash: result_hash }),
  }
}

/** A forward step: the run goes on, and everything that it needs has come to an end. */
function forwardRefusal({ request, registered, step, effectOf }: Located): Refusal | undefined {
  if (request.cancelled_at !== null) {
    return { code: 'REQUEST_CANCELLED', message: 'the request was cancelled' }
  }
  if (request.aborted_by !== null) {
    return { code: 'RUN_ABORTING', message: `step ${request.aborted_by} has turned the run around` }
  }
  const open = step.needs.find((id) => {
    const need = registered.steps.get(id)
    return need === undefined || !isPassed(need, effectOf(id))
  })
  if (open === undefined) return undefined
  return { code: 'NEEDS_UNSETTLED', message: `step ${open} has not settled` }
}

/** An undo: the run is turning around, the step may have happened, and can happen no more. */
function undoRefusal(
  { request, step, effectOf }: Located,
  state: State,
  now: number,
): Refusal | undefined {
  if (request.cancelled_at === null && request.aborted_by === null) {
    return { code: 'NOT_ABORTING', message: 'the run is not being undone' }
  }
  const done = effectOf(step.id)
  if (done === undefined || done.args_hash === null) {
    return { code: 'NEVER_AUTHORISED', message: 'the step was never authorised' }
  }
  // A ledger runs such an effect again when a token arrives late: after its undo, for good.
  const mayStillRun = done.outcome === null || done.retry === 'absent'
  if (mayStillRun && state.unansweredTokens(done.idem, now - limits.tokenSkewMs) > 0) {
    return { code: 'TOKENS_ALIVE', message: 'the step can still happen: a token of it is alive' }
  }
  return undefined
}

/** The replica is fixed by the effect's id, so that it stays the same without being stored first. */
function runningEpoch(
  context: NotaryContext,
  state: State,
  { step, idem, effect }: Located,
): EpochRecord | Extract<AuthorizeReply, { status: 'NOT_RUNNING' }> {
  const replicas = context.catalogue.get(step.agent)?.replicas ?? 1
  const n = effect?.n ?? Buffer.from(idem, 'base64url').readUInt32BE(0) % replicas
  const replica = state.replica(step.agent, n)
  const epoch = replica?.running === 1 ? state.epoch(step.agent, n, replica.boot_epoch) : undefined
  return epoch ?? { status: 'NOT_RUNNING', agent: step.agent, n }
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
  const outcome = 'denied'
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
