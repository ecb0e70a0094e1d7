// May a forward step, or a loop as a whole, go on now? The run is neither cancelled nor turning around,
// what it needs has come to an end, and its time has come. Asked again for every token.

import { limits } from '../plan/limits.ts'
import type { NotaryContext, Refusal } from './context.ts'
import type { Located } from './locate.ts'
import { hasPassed, hasSettled } from './producers.ts'
import type { Writer } from './store.ts'

type Asked = Pick<Located, 'request' | 'registered' | 'step' | 'address' | 'loop'>

export function forwardRefusal(
  located: Asked,
  { state, now }: Pick<Writer, 'state' | 'now'>,
): Refusal | undefined {
  const { request, step, address } = located
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
  const at = step.at === undefined ? undefined : state.startTimeOf(request.id, step.id)
  if (step.at !== undefined && (at === undefined || now + limits.tokenSkewMs < at)) {
    return { code: 'NOT_YET', message: 'the step is to begin later' }
  }
  return needsRefusal(located, state)
}

/** What it builds on has come to an end; with `join: any` one thing of it has happened. */
export function needsRefusal(
  { request, registered, step, loop }: Asked,
  state: Writer['state'],
): Refusal | undefined {
  // Its needs were asked about when the loop was expanded; one that runs again expands it again.
  if (loop !== undefined) return undefined
  const about = { state, request: request.id }
  const needs = step.needs.flatMap((id) => registered.steps.get(id) ?? [])
  if (step.join === 'any') {
    if (needs.some((need) => hasSettled(about, need))) return undefined
    return { code: 'NEEDS_UNSETTLED', message: 'none of what the step needs has settled' }
  }
  const open = needs.find((need) => !hasPassed(about, need))
  if (open === undefined) return undefined
  return { code: 'NEEDS_UNSETTLED', message: `step ${open.id} has not settled` }
}

/** Nothing is left to wait for: each of its needs was skipped or failed where that is allowed. */
export function hasNoNeed(
  { request, registered, step }: Pick<Asked, 'request' | 'registered' | 'step'>,
  { state }: Pick<NotaryContext['store'], 'state'>,
): boolean {
  const about = { state, request: request.id }
  const needs = step.needs.flatMap((id) => registered.steps.get(id) ?? [])
  const isOver = needs.every((need) => hasPassed(about, need) && !hasSettled(about, need))
  return step.join === 'any' && isOver
}
