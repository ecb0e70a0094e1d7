// `notary.admit` of a request in words: the worker brings what some planner proposes. Neither is trusted.
// The notary compiles the bytes itself, under the rules for a planner's literals and with the words that
// the person registered; the first that compile are the request's plan for good, and from then on it is
// admitted as any plan is. Idempotent for the same bytes; others are refused (docs/adr/0053).

import { compileProposal } from '../plan/compile-proposal.ts'
import { limits } from '../plan/limits.ts'
import { canonicalJson } from '../security/verify/canonical-json.ts'
import { sha256 } from '../security/verify/hash.ts'
import type { ProposalCall } from './admission-contract.ts'
import { type Decided, letBegin } from './admit.ts'
import { type NotaryContext, type Refusal, recordRefusal } from './context.ts'
import type { AdmitReply } from './contract.ts'
import { handlesFor } from './handles.ts'
import { shownIssues } from './request.ts'
import type { RequestRecord } from './state.ts'
import type { Writer } from './store.ts'
import { namesOf } from './users.ts'

type Compiled = ReturnType<typeof compileProposal>

/** @throws StoreError */
export function admitProposal(
  context: NotaryContext,
  call: ProposalCall,
  account: string,
): Promise<AdmitReply> {
  const { requestId, proposal } = call
  const hash = sha256(proposal)
  // Outside of the transaction: a plan of a thousand steps takes a while.
  const compiled = compileFor(context, context.store.state.request(requestId), proposal)
  return context.store.commit('effect', (writer): AdmitReply => {
    const { state } = writer
    const request = state.request(requestId)
    const fixed = fixProposal(context, writer, { request, compiled, hash, account })
    const decided: Decided =
      'refusal' in fixed ? fixed : letBegin(context, writer, { request: fixed.request, account })
    if ('reply' in decided) return decided.reply
    const about = { call: 'admit', account, subject: requestId, correlation: requestId }
    recordRefusal(context, writer, { ...about, ...decided.refusal })
    const { code, message } = decided.refusal
    const issues = code === 'PLAN_INVALID' ? shownIssues(compiled) : {}
    return { status: 'REFUSED', code, message, ...issues }
  })
}

/** Undefined: there is nothing to compile it for. */
function compileFor(
  context: NotaryContext,
  request: RequestRecord | undefined,
  proposal: string,
): Compiled | undefined {
  if (request === undefined || request.words === null) return undefined
  const { catalogue, decide } = context
  const names = namesOf(context, request.user)
  const handles = handlesFor(context, context.store.state, request)
  return compileProposal({ proposal, words: request.words }, { catalogue, decide, names, handles })
}

/** The request with its plan, which is this proposal's if it had none. */
function fixProposal(
  context: NotaryContext,
  writer: Writer,
  asked: {
    readonly request: RequestRecord | undefined
    readonly compiled: Compiled | undefined
    readonly hash: string
    readonly account: string
  },
): { readonly request: RequestRecord } | { readonly refusal: Refusal } {
  const { request, compiled, hash, account } = asked
  const { state, now } = writer
  if (request === undefined) {
    return refuse('UNKNOWN_REQUEST', 'nobody registered this request')
  }
  if (compiled === undefined || request.words === null) {
    return refuse('PLAN_MISMATCH', 'the request was registered with a plan of its own')
  }
  if (request.admitted_at === null && request.cancelled_at !== null) {
    return refuse('REQUEST_CANCELLED', 'the request was cancelled')
  }
  const { id } = request
  const judged = state.proposalsOf(id)
  const accepted = judged.find((one) => one.accepted === 1)
  if (accepted !== undefined) {
    if (accepted.hash === hash) return { request }
    return refuse('ALREADY_PROPOSED', 'another proposal is the plan of this request')
  }
  const isKnown = judged.some((one) => one.hash === hash)
  if (!isKnown && judged.length >= limits.proposals) {
    return refuse('PROPOSALS_USED_UP', 'no more is proposed for this request')
  }
  if (!compiled.ok) {
    if (!isKnown) state.insertProposal({ request: id, hash, accepted: 0, at: now })
    const rules = [...new Set(compiled.issues.map(({ code }) => code))]
    return { refusal: { code: 'PLAN_INVALID', message: 'the proposal does not compile', rules } }
  }
  // Refused under rules of before, and not under those of now: judged once is enough.
  if (isKnown) return refuse('PROPOSALS_USED_UP', 'this proposal was refused before')
  const { plan, digest } = compiled
  state.insertProposal({ request: id, hash, accepted: 1, at: now })
  state.fixPlan(id, { digest, planText: canonicalJson(plan) })
  const body = {
    event: 'proposed',
    digest,
    steps: plan.steps.length,
    proposal: context.commit(hash),
  }
  writer.append({ kind: 'plan', actor: account, subject: id, correlation: id, body })
  return { request: { ...request, digest } }
}

function refuse(code: Refusal['code'], message: string): { readonly refusal: Refusal } {
  return { refusal: { code, message } }
}
