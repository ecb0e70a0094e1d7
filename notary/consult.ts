// `notary.admit` of a consultation: a model may be asked for a plan, for words that a person registered.
// The notary makes the plan of it itself, out of those words, its own catalogue and its own configuration,
// so that a worker can ask no model anything else: what it brings is the minute, and in the second round
// the settled answer of the first, which is recognised by its receipt and compiled here. Registered at its
// first admission, as a firing is; from then on a request like any other. Idempotent.

import {
  compileConsultation,
  consultationStep,
  faultsOfAnswer,
  type ProposalFault,
} from '../plan/consultation.ts'
import { type Consultation, consultationId, parseConsultationId } from '../plan/ids.ts'
import type { PlannerModel } from '../plan/planner-models.ts'
import { canonicalJson } from '../security/verify/canonical-json.ts'
import { digestOf, saltedHash } from '../security/verify/hash.ts'
import type { ConsultationCall } from './admission-contract.ts'
import { type Decided, letBegin } from './admit.ts'
import { type NotaryContext, type Refusal, recordRefusal } from './context.ts'
import type { AdmitReply } from './contract.ts'
import { handlesFor } from './handles.ts'
import type { RequestRecord, State } from './state.ts'
import type { Writer } from './store.ts'
import { turnsToldOf } from './told.ts'
import { namesOf } from './users.ts'

/** How far before the registration of the words, and after now, a clock may be. */
const slackMs = 60_000

/** @throws StoreError */
export function admitConsultation(
  context: NotaryContext,
  call: ConsultationCall,
  account: string,
): Promise<AdmitReply> {
  const { requestId } = call
  return context.store.commit('effect', (writer): AdmitReply => {
    const found = findConsultation(context, writer, { call, account })
    const decided: Decided =
      'refusal' in found ? found : letBegin(context, writer, { request: found.request, account })
    if ('reply' in decided) return decided.reply
    const about = { call: 'admit', account, subject: requestId, correlation: requestId }
    recordRefusal(context, writer, { ...about, ...decided.refusal })
    const { code, message } = decided.refusal
    return { status: 'REFUSED', code, message }
  })
}

type Found = { readonly request: RequestRecord } | { readonly refusal: Refusal }

function findConsultation(
  context: NotaryContext,
  writer: Writer,
  { call, account }: { readonly call: ConsultationCall; readonly account: string },
): Found {
  const { state } = writer
  const consultation = parseConsultationId(call.requestId)
  const asked = consultation === undefined ? undefined : state.request(consultation.of)
  if (consultation === undefined || asked === undefined) {
    return refuse('UNKNOWN_REQUEST', 'nobody registered this request')
  }
  const { words } = asked
  if (words === null) return refuse('PLAN_MISMATCH', 'the request brought a plan of its own')
  if (asked.cancelled_at !== null) return refuse('REQUEST_CANCELLED', 'the request was cancelled')
  const registered = state.request(call.requestId)
  if (registered !== undefined) return { request: registered }
  if (state.proposalsOf(asked.id).some(({ accepted }) => accepted === 1)) {
    return refuse('ALREADY_PROPOSED', 'the request has its plan')
  }
  const model = context.planner[consultation.model]
  if (model === undefined) return refuse('PLAN_MISMATCH', 'no such model is set up')
  if (call.at < asked.created_at - slackMs || call.at > writer.now + slackMs) {
    return refuse('PLAN_MISMATCH', 'not the time at which it is asked')
  }
  const faults = faultsFor(context, state, { asked: { ...asked, words }, consultation, call })
  if ('code' in faults) return { refusal: faults }
  return registerConsultation(context, writer, { call, account, asked, words, model, faults })
}

/** What the model is told was wrong: nothing in the first round, and in the second nothing of the worker's. */
function faultsFor(
  context: NotaryContext,
  state: State,
  {
    asked,
    consultation: { round },
    call: { result },
  }: {
    readonly asked: RequestRecord & { readonly words: string }
    readonly consultation: Consultation
    readonly call: ConsultationCall
  },
): readonly ProposalFault[] | Refusal {
  if (round === 1) return []
  if (result === undefined || !isAnswerTo(asked.id, result, { context, state })) {
    return { code: 'SOURCE_MISMATCH', message: 'not the settled answer of a model' }
  }
  const { words, user } = asked
  const handles = handlesFor(context, state, asked)
  const faults = faultsOfAnswer({ result, words }, { ...compileContext(context, user), handles })
  const message = 'nothing is wrong with what was proposed'
  return faults ?? { code: 'PLAN_MISMATCH', message }
}

/** Whether some model of the first round answered so: its receipt carries the hash. */
function isAnswerTo(
  of: string,
  result: string,
  { context, state }: { readonly context: NotaryContext; readonly state: State },
): boolean {
  return context.planner.some((_, model) => {
    const request = consultationId({ of, round: 1, model })
    const rerun = state.rerunOf(request, consultationStep, 0)
    const address = { request, kind: 'do', step: consultationStep, iteration: 0, rerun } as const
    const { salt, result_hash: hash } = state.effect(address) ?? {}
    if (salt == null || hash == null) return false
    return saltedHash(salt, result) === hash
  })
}

function registerConsultation(
  context: NotaryContext,
  writer: Writer,
  about: {
    readonly call: ConsultationCall
    readonly account: string
    readonly asked: RequestRecord
    readonly words: string
    readonly model: PlannerModel
    readonly faults: readonly ProposalFault[]
  },
): Found {
  const { call, account, asked, words, model, faults } = about
  const { user, priority } = asked
  const told = turnsToldOf(context, writer.state, asked)
  const compiled = compileConsultation(
    { words, at: call.at, zone: context.zone, model, faults, told },
    compileContext(context, user),
  )
  if (!compiled.ok) {
    const rules = [...new Set(compiled.issues.map(({ code }) => code))]
    return { refusal: { code: 'PLAN_INVALID', message: 'no model may be asked this', rules } }
  }
  const { plan, digest } = compiled
  const record: RequestRecord = {
    ...{ id: call.requestId, kind: 'plan', name: consultationStep, user, priority, digest },
    content: digestOf({ of: asked.id, digest }),
    created_at: writer.now,
    ...{ admitted_at: null, cancelled_at: null, aborted_by: null, recipe: null, words: null },
  }
  writer.state.insertRequest(record, canonicalJson(plan))
  const body = {
    ...{ event: 'registered', channel: account, kind: record.kind, digest },
    ...{ steps: plan.steps.length, priority, of: asked.id },
  }
  const { requestId } = call
  writer.append({ kind: 'plan', actor: user, subject: requestId, correlation: requestId, body })
  return { request: record }
}

function compileContext(context: NotaryContext, user: string) {
  const { catalogue, decide } = context
  return { catalogue, decide, names: namesOf(context, user) }
}

function refuse(code: Refusal['code'], message: string): { readonly refusal: Refusal } {
  return { refusal: { code, message } }
}
