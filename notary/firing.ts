// Admission for schedules: which firing of a standing registration becomes a request. The notary works
// out for itself when the schedule is due and what its plan is then, so that a worker can delay a
// firing or drop it, and never invent one. From the commit on it is a request like any other.

import { type CompileResult, compileSource } from '../plan/compile.ts'
import { type Firing, inputsOfFiring, parseFiringId } from '../plan/firing.ts'
import { firingPrefix } from '../plan/ids.ts'
import type { SchedulePolicy, ScheduleSpec } from '../plan/schedule.ts'
import { isDue } from '../plan/schedule-times.ts'
import type { InputValues } from '../plan/schema.ts'
import { canonicalJson } from '../security/verify/canonical-json.ts'
import { sha256 } from '../security/verify/hash.ts'
import type { NotaryContext, Refusal } from './context.ts'
import type { StandingRecord } from './standing-state.ts'
import type { RequestRecord } from './state.ts'
import type { Writer } from './store.ts'
import { namesOf } from './users.ts'

/** A standing registration with its columns read. */
export interface Standing extends Omit<StandingRecord, 'kind' | 'inputs' | 'spec' | 'policy'> {
  readonly kind: 'recipe' | 'plan'
  readonly inputs: InputValues
  readonly spec: ScheduleSpec
  readonly policy: SchedulePolicy
}

/** Our own rows, proven when they were written. */
export function toStanding(record: StandingRecord): Standing {
  return {
    ...record,
    kind: record.kind === 'recipe' ? 'recipe' : 'plan',
    inputs: JSON.parse(record.inputs) as InputValues,
    spec: JSON.parse(record.spec) as ScheduleSpec,
    policy: JSON.parse(record.policy) as SchedulePolicy,
  }
}

const second = 1_000

/** Why a firing that was due at `at` may not begin at `now`; undefined: it may. Pure. */
export function refuseFiring(
  standing: Pick<Standing, 'paused_at' | 'active_since' | 'spec' | 'policy'> | undefined,
  { at, now, backfilled }: { readonly at: number; readonly now: number; backfilled: boolean },
): Refusal | undefined {
  if (standing === undefined) {
    return { code: 'UNKNOWN_SCHEDULE', message: 'nobody has enabled this schedule' }
  }
  if (standing.paused_at !== null) {
    return { code: 'SCHEDULE_PAUSED', message: 'the schedule is paused' }
  }
  if (!isDue(standing.spec, at)) {
    return { code: 'NOT_NOMINAL', message: 'the schedule is never due at this time' }
  }
  if (at > now) return { code: 'NOT_DUE', message: 'the schedule is not due yet' }
  if (backfilled) return undefined
  if (at < standing.active_since) {
    return { code: 'NOT_DUE', message: 'the schedule was not enabled when it was due' }
  }
  const { catchUpSeconds, jitterSeconds } = standing.policy
  if (now - at > (catchUpSeconds + jitterSeconds) * second) {
    return { code: 'FIRING_MISSED', message: 'it was due longer ago than it may be caught up' }
  }
  return undefined
}

/** What `admit` finds for a request that nobody registered: nothing, a refusal, or a firing. */
export type Found =
  | { readonly is: 'none' }
  | { readonly is: 'refused'; readonly refusal: Refusal }
  | { readonly is: 'firing'; readonly firing: Firing; readonly standing: Standing }

export function findFiring(
  { state, now }: Pick<Writer, 'state' | 'now'>,
  requestId: string,
): Found {
  if (!requestId.startsWith(firingPrefix)) return { is: 'none' }
  const firing = parseFiringId(requestId)
  if (firing === undefined) {
    const refusal = { code: 'NOT_NOMINAL', message: 'not the id of a firing' } as const
    return { is: 'refused', refusal }
  }
  const record = state.standing(firing.schedule)
  const standing = record === undefined ? undefined : toStanding(record)
  const { schedule, at } = firing
  const backfilled = state.isBackfilled(schedule, at)
  const refusal = refuseFiring(standing, { at, now, backfilled })
  if (refusal !== undefined || standing === undefined) {
    return { is: 'refused', refusal: refusal ?? unknown }
  }
  return { is: 'firing', firing, standing }
}

const unknown: Refusal = { code: 'UNKNOWN_SCHEDULE', message: 'nobody has enabled this schedule' }

/** The plan of a firing: the registered bytes, with the day on which it was due as `today`. */
export function compileFiring(
  context: Pick<NotaryContext, 'catalogue' | 'decide' | 'names'>,
  standing: Standing,
  at: number,
): CompileResult {
  const { kind, source, user } = standing
  const { catalogue, decide } = context
  const names = namesOf(context, user)
  const inputs = inputsOfFiring(standing, { zone: standing.spec.zone, at })
  return compileSource({ kind, source, inputs, catalogue, decide, names })
}

/** Registers the firing as a request of the person who enabled its schedule. */
export function registerFiring(
  writer: Writer,
  {
    requestId,
    channel,
    standing,
    compiled: { plan, digest },
  }: {
    readonly requestId: string
    readonly channel: string
    readonly standing: Standing
    readonly compiled: Extract<CompileResult, { ok: true }>
  },
): RequestRecord {
  const { id, kind, name, user, priority, content } = standing
  const record: RequestRecord = {
    ...{ id: requestId, kind, name, user, priority, content, digest },
    created_at: writer.now,
    admitted_at: null,
    cancelled_at: null,
    aborted_by: null,
    recipe: sha256(standing.source),
    words: null,
  }
  writer.state.insertRequest(record, canonicalJson(plan))
  writer.append({
    kind: 'plan',
    actor: user,
    subject: requestId,
    correlation: requestId,
    body: {
      event: 'registered',
      channel,
      kind,
      digest,
      steps: plan.steps.length,
      priority,
      schedule: id,
    },
  })
  return record
}
