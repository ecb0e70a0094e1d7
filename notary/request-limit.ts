// What one request may spend, and until when its steps may begin (docs/adr/0060). Kept with its registration;
// judged of a whole plan at its admission, and of every effect at each of its authorisations, before anything
// is sent. Models that are asked for its plan count as its own. Undos and probes are never refused here: what
// was done can always be taken back, and looked for.

import { amountsOf } from '../plan/amounts.ts'
import { consultationsOf } from '../plan/consultation.ts'
import { estimatePlan, infeasible } from '../plan/estimate.ts'
import { parseConsultationId } from '../plan/ids.ts'
import { deadlineOf, microUsdOf, type RequestLimits } from '../plan/request-limits.ts'
import type { CompiledPlan } from '../plan/schema.ts'
import type { NotaryContext, Refusal } from './context.ts'
import type { Located } from './locate.ts'
import { isCounted } from './policy.ts'
import type { ResolvedArgs } from './resolve.ts'
import type { StartTimes } from './start-times.ts'
import type { RequestRecord, State } from './state.ts'
import type { Writer } from './store.ts'

type Present = Pick<Writer, 'state' | 'now'>

/** With the registration, in its transaction. */
export function keepLimits(
  { state, now }: Present,
  request: string,
  given: RequestLimits | undefined,
): void {
  if (given === undefined) return
  const deadline = deadlineOf(given, now) ?? null
  state.insertRequestLimit({ request, deadline, max_micro_usd: given.maxMicroUsd ?? null })
}

/** The request that a person registered: of a consultation the one that it is for. */
const ownerOf = (request: string) => parseConsultationId(request)?.of ?? request

function reservedMicroUsd(state: State, owner: string, except: string): number {
  const rows = state.reservedBy([owner, ...consultationsOf(owner)], except)
  return rows.reduce((sum, one) => sum + microUsdOf(one), 0)
}

/** Of a plan that would begin: it cannot be carried out within what is left. */
export function infeasibleRefusal(
  { catalogue }: Pick<NotaryContext, 'catalogue'>,
  { state, now }: Present,
  { request, plan, times }: { request: RequestRecord; plan: CompiledPlan; times: StartTimes },
): Refusal | undefined {
  // Of a consultation its one step is asked: the next model may cost less.
  const limit = state.requestLimit(request.id)
  if (limit === undefined) return undefined
  const startOf = ({ id }: { readonly id: string }) => times[id]
  const estimate = estimatePlan(plan, { catalogue, now, startOf })
  const most = limit.max_micro_usd
  const left = most === null ? most : most - reservedMicroUsd(state, request.id, '')
  const given = { deadline: limit.deadline ?? undefined, maxMicroUsd: left ?? undefined }
  const [issue] = infeasible(estimate, given, now)
  return issue === undefined ? undefined : { code: 'INFEASIBLE', message: issue.message }
}

/** Of an effect that would begin now, with these arguments. */
export function limitRefusal(
  { state, now }: Present,
  located: Located,
  args: ResolvedArgs,
): Refusal | undefined {
  const { request, step, actionName, action, address, idem } = located
  if (address.kind !== 'do') return undefined
  const owner = ownerOf(request.id)
  const limit = state.requestLimit(owner)
  if (limit === undefined) return undefined
  if (limit.deadline !== null && now > limit.deadline) {
    return { code: 'DEADLINE_PASSED', message: 'the deadline of the request is over' }
  }
  if (limit.max_micro_usd === null || !isCounted(located)) return undefined
  const amounts = amountsOf(`${step.agent}.${actionName}`, action, args)
  const wanted = amounts.reduce((sum, one) => sum + microUsdOf(one), 0)
  // What costs nothing stays possible when all is spent.
  if (wanted === 0) return undefined
  if (reservedMicroUsd(state, owner, idem) + wanted > limit.max_micro_usd) {
    return { code: 'REQUEST_LIMIT', message: 'it would reserve more than the request may spend' }
  }
  return undefined
}
