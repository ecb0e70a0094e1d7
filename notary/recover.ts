// `notary.recover`: a person decides on a step that the run cannot get past by itself. Only an entry
// point may call it, so that no worker can decide that an effect shall happen again, or say of one
// that it did. A retry is a new effect with an id of its own; nothing that has settled is changed,
// except that an outcome which nobody knew gets an answer.

import { answerCodes } from '../plan/probe.ts'
import type { CompiledStep } from '../plan/schema.ts'
import { giveBack } from './budget.ts'
import { type NotaryContext, type Refusal, recordRefusal } from './context.ts'
import type { RecoverCall, RecoverReply } from './contract.ts'
import { presentEffect } from './producers.ts'
import { decideRerun, type Rerun, type RerunJob } from './rerun.ts'
import type { EffectAddress, EffectOutcome, EffectRecord, State } from './state.ts'
import { canStillBegin } from './tokens-alive.ts'
import { userOf } from './users.ts'

interface Job extends RerunJob {
  readonly account: string
}
type Decided = { readonly refusal: Refusal } | { readonly reruns: readonly Rerun[] }

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
    const own = request !== undefined && request.user === userOf(account, context.users)
    const decided = own
      ? decideRecovery(
          { context, writer, request, registered: context.plans.planOf(request), account },
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

function retry(job: Job, id: string): Decided {
  const { request, registered } = job
  const step = registered.steps.get(id)
  if (step === undefined) return refuse('UNKNOWN_STEP', 'the plan has no such step')
  if (request.cancelled_at !== null) return refuse('REQUEST_CANCELLED', 'the run was cancelled')
  if (request.aborted_by !== null) {
    return refuse('RUN_ABORTING', `step ${request.aborted_by} has turned the run around`)
  }
  const decided = decideRerun(job, step)
  if ('refusal' in decided) return decided
  if (!decided.decided) note(job, id, { decision: 'rerun', reruns: shortened(decided.reruns) })
  return { reruns: decided.reruns }
}

/** An entry for each step and rerun: the iterations of a loop by their numbers. */
function shortened(reruns: readonly Rerun[]): readonly object[] {
  const entries = new Map<string, { step: string; rerun: number; iterations: number[] }>()
  for (const { step, rerun, iteration } of reruns) {
    const key = `${step}~${rerun}`
    const entry = entries.get(key) ?? { step, rerun, iterations: [] }
    if (iteration !== undefined) entry.iterations.push(iteration)
    entries.set(key, entry)
  }
  return [...entries.values()].map(({ iterations, ...entry }) =>
    iterations.length === 0 ? entry : { ...entry, iterations },
  )
}

function resolve(
  job: Job,
  call: Extract<RecoverCall, { decision: 'happened' | 'did-not' }>,
): Decided {
  const { writer, request, registered } = job
  const { step, iteration = 0, kind, decision } = call
  if (!registered.steps.has(step)) return refuse('UNKNOWN_STEP', 'the plan has no such step')
  const effect = unknownOf(writer.state, { request: request.id, kind, step, iteration })
  const code = decision === 'happened' ? answerCodes.yes : answerCodes.no
  if (effect === undefined) {
    const about = { state: writer.state, request: request.id }
    const present = kind === 'do' ? presentEffect(about, step, iteration) : undefined
    if (present?.resolved === request.user && present.code === code) return { reruns: [] }
    return refuse('NOT_UNKNOWN', 'the outcome of the step is not unknown')
  }
  const { catalogue } = job.context
  if (canStillBegin(effect, { ...writer, catalogue })) {
    return refuse('TOKENS_ALIVE', 'the step can still happen: a token of it is alive')
  }
  const outcome = decision === 'happened' ? 'settled' : 'failed'
  const resolved = { ...effect, outcome, code, resolved: request.user } as const
  writer.state.putEffect(resolved)
  const returned = giveBack(writer, resolved) ? { returned: true } : {}
  const which = call.iteration === undefined ? {} : { iteration }
  note(job, step, {
    decision: 'resolved',
    idem: effect.idem,
    kind,
    outcome,
    code,
    ...which,
    ...returned,
  })
  return { reruns: [] }
}

/** The newest effect of that step whose outcome nobody knows. */
function unknownOf(
  state: State,
  of: Pick<EffectAddress, 'request' | 'kind' | 'step' | 'iteration'>,
): EffectRecord | undefined {
  for (let rerun = state.rerunOf(of.request, of.step, of.iteration); rerun >= 0; rerun -= 1) {
    const effect = state.effect({ ...of, rerun })
    if (effect?.outcome === 'unknown') return effect
  }
  return undefined
}

/** Turns a held run around: from the commit on its undos are authorised and nothing forward is. */
function giveUp(job: Job): Decided {
  const { writer, request, registered } = job
  if (request.cancelled_at !== null) return refuse('REQUEST_CANCELLED', 'the run was cancelled')
  if (request.aborted_by !== null) return { reruns: [] }
  const held = registered.plan.steps.find((step) => step.onError === 'hold' && hasFailed(job, step))
  if (held === undefined) return refuse('NOT_HELD', 'no step holds the run')
  writer.state.abortRequest(request.id, held.id)
  note(job, held.id, { decision: 'given-up' })
  return { reruns: [] }
}

/** Of a loop any of its iterations. */
function hasFailed({ writer: { state }, request }: Job, step: CompiledStep): boolean {
  const about = { state, request: request.id }
  if (step.forEach === undefined) return isFailure(presentEffect(about, step.id)?.outcome)
  const loop = state.presentLoop(request.id, step.id)
  return isFailure(loop?.outcome) || (loop?.failed ?? 0) + (loop?.unknown ?? 0) > 0
}

function isFailure(outcome: EffectOutcome | null | undefined): boolean {
  return outcome === 'failed' || outcome === 'denied' || outcome === 'unknown'
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
