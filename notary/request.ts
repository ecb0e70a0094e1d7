// `notary.request`: registers what a person asked. The notary compiles the bytes itself and keeps the
// one digest that it will ever admit for this request. Idempotent by id; the same id with other
// content is REQUEST_CONFLICT. The user is the entry point's, never a field.

import { compileSource } from '../plan/compile.ts'
import { awaitProposal, type Registrable } from '../plan/compile-proposal.ts'
import { firingPrefix, parseConsultationId } from '../plan/ids.ts'
import type { Issue } from '../plan/issues.ts'
import { canonicalJson } from '../security/verify/canonical-json.ts'
import { digestOf, sha256 } from '../security/verify/hash.ts'
import { type NotaryContext, recordRefusal } from './context.ts'
import type { RequestCall, RequestReply } from './contract.ts'
import { handlesOf } from './handles.ts'
import { keepLimits } from './request-limit.ts'
import type { Writer } from './store.ts'
import { faultsOfContext } from './told.ts'
import { namesOf, userOf } from './users.ts'

/** Issues in a reply; a file of 1 MiB can have more than a message holds. */
const maxIssues = 100

/** @throws StoreError */
export async function request(
  context: NotaryContext,
  call: RequestCall,
  account: string,
): Promise<RequestReply> {
  const refuse = (
    writer: Writer,
    refusal: { code: 'REQUEST_CONFLICT' | 'PLAN_INVALID' | 'NOT_PERMITTED'; message: string },
    issues?: readonly Issue[],
  ): RequestReply => {
    const about = { call: 'request', account, subject: call.requestId, correlation: call.requestId }
    const rules = [...new Set(issues?.map((issue) => issue.code) ?? [])]
    recordRefusal(context, writer, { ...about, ...refusal, rules })
    const shown = issues === undefined ? {} : shownIssues({ ok: false, issues })
    return { status: 'REFUSED', ...refusal, ...shown }
  }

  const user = userOf(account, context.users)
  // With such an id an entry point could take the place of a firing before it is due.
  const isFiring = call.requestId.startsWith(firingPrefix)
  const isConsultation = parseConsultationId(call.requestId) !== undefined
  if (user === undefined || isFiring || isConsultation) {
    const message =
      user === undefined ? 'this entry point acts for nobody' : 'such ids are given by the house'
    return context.store.commit('fact', (writer) =>
      refuse(writer, { code: 'NOT_PERMITTED', message }),
    )
  }
  const { requestId, kind, name, source, inputs, priority, limits, context: told } = call
  // Without limits and without a context the content is what it was before there were any.
  const limited = limits === undefined ? {} : { limits }
  const before = told === undefined ? {} : { context: told }
  const content = digestOf({
    ...{ kind, name, source: sha256(source), inputs, priority, user },
    ...limited,
    ...before,
  })
  const known = context.store.state.request(call.requestId)
  // A resend is answered from the state: a later release may compile the same bytes differently.
  const compiled = known === undefined ? compileCall(context, call, user) : undefined
  return context.store.commit('effect', (writer) => {
    const registered = writer.state.request(call.requestId)
    if (registered !== undefined) {
      if (registered.content === content) {
        return { status: 'REGISTERED', digest: registered.digest, user: registered.user }
      }
      const message = 'this request id was registered with other content'
      return refuse(writer, { code: 'REQUEST_CONFLICT', message })
    }
    if (compiled === undefined) throw new Error('a registration disappeared')
    if (!compiled.ok) {
      const message = 'the plan does not compile'
      return refuse(writer, { code: 'PLAN_INVALID', message }, compiled.issues)
    }
    const { plan, digest } = compiled
    writer.state.insertRequest(
      {
        id: call.requestId,
        kind,
        name,
        user,
        priority,
        content,
        digest,
        created_at: writer.now,
        admitted_at: null,
        cancelled_at: null,
        aborted_by: null,
        // Of words two plans may be made: what was approved of one is not of the other.
        recipe: kind === 'text' ? null : sha256(source),
        words: kind === 'text' ? source : null,
      },
      canonicalJson(plan),
    )
    keepLimits(writer, requestId, limits)
    if (told !== undefined) writer.state.insertContext(requestId, told)
    const body = { channel: account, digest, steps: plan.steps.length }
    writer.append({
      ...{ kind: 'plan', actor: user, subject: requestId, correlation: requestId, trace: '' },
      body: { event: 'registered', ...body, ...toRow(context, call) },
    })
    return { status: 'REGISTERED', digest, user }
  })
}

/** Of what was registered: nothing that anybody could read a value out of. */
function toRow({ commit }: NotaryContext, call: RequestCall) {
  const { kind, priority, source, inputs, limits, context: told } = call
  const limited = limits && { limits: commit(limits) }
  const before = told && { turns: told.turns.length, context: commit(told) }
  return { kind, priority, source: commit(source), inputs: commit(inputs), ...limited, ...before }
}

/** Of words: the plan without steps that stands in the place of the one that is to be proposed. */
function compileCall(context: NotaryContext, call: RequestCall, user: string): Registrable {
  const { kind, source, inputs } = call
  const issues = faultsOfContext(context, context.store.state, { call, user })
  if (issues.length > 0) return { ok: false, issues }
  if (kind === 'text') return awaitProposal(source, inputs)
  const { catalogue, decide } = context
  const names = namesOf(context, user)
  const handles = handlesOf(context, context.store.state, user)
  return compileSource({ kind, source, inputs, catalogue, decide, names, handles })
}

/** As many issues as a reply takes. */
export function shownIssues(compiled: Registrable | undefined): { issues?: Issue[] } {
  if (compiled === undefined || compiled.ok) return {}
  return { issues: compiled.issues.slice(0, maxIssues).map((issue) => ({ ...issue })) }
}
