// `notary.recover`: a person decides on a step that the run cannot get past by itself. Only an entry
// point may call it, so that no worker can decide that an effect shall happen again, or say of one
// that it did. A retry is a new effect with an id of its own; nothing that has settled is changed,
// except that an outcome which nobody knew gets an answer.

import { limits } from '../plan/limits.ts'
import { answerCodes } from '../plan/probe.ts'
import type { CompiledStep } from '../plan/schema.ts'
import { type NotaryContext, type Refusal, recordRefusal } from './context.ts'
import type { RecoverCall, RecoverReply } from './contract.ts'
import { userOf } from './permissions.ts'
import type { RegisteredPlan } from './plan-cache.ts'
import type { EffectRecord, RequestRecord, State } from './state.ts'
import type { Writer } from './store.ts'

interface Job {
  readonly writer: Writer
  readonly request: RequestRecord
  readonly registered: RegisteredPlan
  readonly account: string
}
type Reruns = readonly { readonly step: string; readonly rerun: number }[]
type Decided = { readonly refusal: Refusal } | { readonly reruns: Reruns }

/** @throws StoreError */
export function recover(
  context: NotaryContext,
  call: RecoverCall,
  account: string,
): Promise<RecoverReply> {
  const { requestId } = call
  return context.store.commit('fact', (writer) => {
    const request = writer.state.request(requestId)
    // Somebody else's request is answered like one that does not exist.
    const own = request !== undefined && request.user === userOf(account, context.owner)
    const decided = own
      ? decideRecovery(
          { writer, request, registered: context.plans.planOf(request), account },
          call,
        )
      : refuse('UNKNOWN_REQUEST', 'no such request')
    if ('reruns' in decided) {
      return { status: 'DECIDED', reruns: decided.reruns.map((one) => ({ ...one })) }
    }
    const subject = 'step' in call ? call.step : requestId
    const about = { call: 'recover', account, subject, correlation: requestId }
    recordRefusal(context, writer, { ...about, ...decided.refusal })
    return { status: 'REFUSED', ...decided.refusal, message: decided.refusal.message }
  })
}

function decideRecovery(job: Job, call: RecoverCall): Decided {
  switch (call.decision) {
    case 'retry':
      return retry(job, call.step)
    case 'happened':
    case 'did-not':
      return resolve(job, call)
    case 'give-up':
      return giveUp(job)
  }
}

/** The step's present `do` effect. */
function presentOf({ writer: { state }, request }: Job, step: string): EffectRecord | undefined {
  const rerun = state.rerunOf(request.id, step, 0)
  return state.effect({ request: request.id, kind: 'do', step, iteration: 0, rerun })
}

function retry(job: Job, id: string): Decided {
  const { writer, request, registered } = job
  const step = registered.steps.get(id)
  if (step === undefined) return refuse('UNKNOWN_STEP', 'the plan has no such step')
  if (request.cancelled_at !== null) return refuse('REQUEST_CANCELLED', 'the run was cancelled')
  if (request.aborted_by !== null) {
    return refuse('RUN_ABORTING', `step ${request.aborted_by} has turned the run around`)
  }
  const after = descendantsOf(id, registered.plan.steps)
  const rerunOf = (one: string) => writer.state.rerunOf(request.id, one, 0)
  if (presentOf(job, id) === undefined && rerunOf(id) > 0) {
    // Decided before, and not begun since: the same decision.
    const waiting = [id, ...after].filter(
      (one) => rerunOf(one) > 0 && presentOf(job, one) === undefined,
    )
    return { reruns: waiting.map((one) => ({ step: one, rerun: rerunOf(one) })) }
  }
  const again = [id, ...after].filter((one) => one === id || presentOf(job, one) !== undefined)
  for (const one of again) {
    const refusal = retryRefusal(presentOf(job, one), one, writer, one === id)
    if (refusal !== undefined) return { refusal }
    if (rerunOf(one) >= limits.reruns) return refuse('LIMIT', `step ${one} ran too often`)
  }
  const reruns = again.map((one) => ({ step: one, rerun: rerunOf(one) + 1 }))
  for (const { step: one, rerun } of reruns) writer.state.putRerun(request.id, one, 0, rerun)
  note(job, id, { decision: 'rerun', reruns })
  return { reruns }
}

/** Every step that builds on `id`, near or far, in the order of the plan. */
function descendantsOf(id: string, steps: readonly CompiledStep[]): readonly string[] {
  const found = new Set([id])
  // A plan's order need not be that of its needs: until nothing is added any more.
  for (let before = 0; before < found.size; ) {
    before = found.size
    for (const step of steps) if (step.needs.some((need) => found.has(need))) found.add(step.id)
  }
  return steps.map((step) => step.id).filter((one) => one !== id && found.has(one))
}

function retryRefusal(
  effect: EffectRecord | undefined,
  id: string,
  { state, now }: Writer,
  isCause: boolean,
): Refusal | undefined {
  if (effect === undefined || effect.outcome === null) {
    return { code: 'NOT_HELD', message: `step ${id} has not come to an end` }
  }
  if (effect.outcome === 'unknown') {
    return { code: 'UNRESOLVED', message: `whether step ${id} happened must be answered first` }
  }
  if (isCause && effect.outcome !== 'failed' && effect.outcome !== 'denied') {
    return { code: 'NOT_HELD', message: `step ${id} did not fail` }
  }
  // The old effect must be over before there may be another one.
  if (state.unansweredTokens(effect.idem, now - limits.tokenSkewMs) > 0) {
    return { code: 'TOKENS_ALIVE', message: `step ${id} can still happen: a token of it is alive` }
  }
  return undefined
}

function resolve(
  job: Job,
  { step, kind, decision }: Extract<RecoverCall, { decision: 'happened' | 'did-not' }>,
): Decided {
  const { writer, request, registered } = job
  if (!registered.steps.has(step)) return refuse('UNKNOWN_STEP', 'the plan has no such step')
  const effect = unknownOf(writer.state, request.id, kind, step)
  const code = decision === 'happened' ? answerCodes.yes : answerCodes.no
  if (effect === undefined) {
    const present = kind === 'do' ? presentOf(job, step) : undefined
    if (present?.resolved === request.user && present.code === code) return { reruns: [] }
    return refuse('NOT_UNKNOWN', 'the outcome of the step is not unknown')
  }
  if (writer.state.unansweredTokens(effect.idem, writer.now - limits.tokenSkewMs) > 0) {
    return refuse('TOKENS_ALIVE', 'the step can still happen: a token of it is alive')
  }
  const outcome = decision === 'happened' ? 'settled' : 'failed'
  writer.state.putEffect({ ...effect, outcome, code, resolved: request.user })
  note(job, step, { decision: 'resolved', idem: effect.idem, kind, outcome, code })
  return { reruns: [] }
}

/** The newest effect of that step whose outcome nobody knows. */
function unknownOf(
  state: State,
  request: string,
  kind: 'do' | 'undo',
  step: string,
): EffectRecord | undefined {
  for (let rerun = state.rerunOf(request, step, 0); rerun >= 0; rerun -= 1) {
    const effect = state.effect({ request, kind, step, iteration: 0, rerun })
    if (effect?.outcome === 'unknown') return effect
  }
  return undefined
}

/** Turns a held run around: from the commit on its undos are authorised and nothing forward is. */
function giveUp(job: Job): Decided {
  const { writer, request, registered } = job
  if (request.cancelled_at !== null) return refuse('REQUEST_CANCELLED', 'the run was cancelled')
  if (request.aborted_by !== null) return { reruns: [] }
  const held = registered.plan.steps.find((step) => {
    const outcome = presentOf(job, step.id)?.outcome
    const failed = outcome === 'failed' || outcome === 'denied' || outcome === 'unknown'
    return failed && step.onError === 'hold'
  })
  if (held === undefined) return refuse('NOT_HELD', 'no step holds the run')
  writer.state.abortRequest(request.id, held.id)
  note(job, held.id, { decision: 'given-up' })
  return { reruns: [] }
}

function note({ writer, request, account }: Job, step: string, body: object): void {
  writer.append({
    kind: 'decision',
    actor: request.user,
    subject: step,
    correlation: request.id,
    trace: '',
    body: { call: 'recover', channel: account, ...body },
  })
}

function refuse(code: Refusal['code'], message: string): { readonly refusal: Refusal } {
  return { refusal: { code, message } }
}
