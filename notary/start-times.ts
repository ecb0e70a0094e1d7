// When the delayed steps of a run may begin. Decided once, when the plan is admitted, and kept: a
// worker that asks again, and a zone that is set otherwise later, find the same times.

import { parseFiringId } from '../plan/firing.ts'
import { limits } from '../plan/limits.ts'
import type { CompiledPlan } from '../plan/schema.ts'
import { startInstant } from '../plan/start-time.ts'
import type { Refusal } from './context.ts'
import type { RequestRecord, State } from './state.ts'

/** Step -> milliseconds since the epoch. */
export type StartTimes = Readonly<Record<string, number>>

/** Before admission; refused where the run would be over before a step of it may begin. */
export function startTimesOf(
  { id, created_at: createdAt }: Pick<RequestRecord, 'id' | 'created_at'>,
  { steps }: CompiledPlan,
  zone: string,
): { readonly times: StartTimes } | { readonly refusal: Refusal } {
  // A firing that runs late keeps the times that it would have had.
  const base = parseFiringId(id)?.at ?? createdAt
  const times: [string, number][] = []
  for (const { id: step, at } of steps) {
    if (at === undefined) continue
    const instant = startInstant(at, { base, zone })
    if (instant > createdAt + limits.runMs) {
      const message = `step ${step} would begin after the longest time that a run may take`
      return { refusal: { code: 'LIMIT', message } }
    }
    times.push([step, instant])
  }
  return { times: Object.fromEntries(times) }
}

export function keepStartTimes(state: State, request: string, times: StartTimes): void {
  for (const [step, at] of Object.entries(times)) state.insertStartTime(request, step, at)
}

/** Those of an admitted request. */
export function knownStartTimes(
  state: State,
  request: string,
  { steps }: CompiledPlan,
): StartTimes {
  return Object.fromEntries(
    steps.flatMap(({ id, at }) => {
      const known = at === undefined ? undefined : state.startTimeOf(request, id)
      return known === undefined ? [] : [[id, known] as const]
    }),
  )
}
