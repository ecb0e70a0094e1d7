// Schedules on the Temporal server: one for each standing registration, made from the same normal form
// that the notary decides by. The server says when; the notary says whether. Every policy is set and
// nothing is left to a default: the server's catch-up window is a year.

import {
  type Client,
  ScheduleAlreadyRunning,
  type ScheduleDescription,
  type ScheduleHandle,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
} from '@temporalio/client'
import { limits } from '../plan/limits.ts'
import type { SchedulePolicy, ScheduleSpec } from '../plan/schedule.ts'
import { zoneForServer } from '../plan/schedule-times.ts'
import type { Priority } from '../plan/schema.ts'
import { type FiringInput, firingWorkflowType, taskQueue } from '../workflows/contract.ts'
import { toTaskPriority } from './priority.ts'

export interface ScheduleSetup {
  readonly id: string
  readonly spec: ScheduleSpec
  readonly policy: SchedulePolicy
  readonly note: string
  /** As the notary has it. */
  readonly paused: boolean
  readonly requestRef: string
  readonly recipe?: string
  readonly priority: Priority
}

/** What the server knows. Times are milliseconds since the epoch. */
export interface ScheduleState {
  readonly paused: boolean
  readonly note: string
  readonly next: readonly number[]
  readonly requestRef: string | undefined
  /** Left out because another ran, and given up as too late, since it was added. */
  readonly counts: { readonly taken: number; readonly skipped: number; readonly missed: number }
}

export interface Schedules {
  /** Adds it, or makes an older one of the same id what it is to be. */
  put(setup: ScheduleSetup): Promise<void>
  /** Undefined when the server has none of this id. */
  describe(id: string): Promise<ScheduleState | undefined>
  pause(id: string, note: string): Promise<void>
  resume(id: string, note: string): Promise<void>
  /** Due times from `from` to `to`, both included, one after the other. */
  backfill(id: string, from: number, to: number): Promise<void>
  /** Also when there is none. */
  remove(id: string): Promise<void>
}

const overlaps = {
  skip: ScheduleOverlapPolicy.SKIP,
  'buffer-one': ScheduleOverlapPolicy.BUFFER_ONE,
  allow: ScheduleOverlapPolicy.ALLOW_ALL,
} as const satisfies Record<SchedulePolicy['overlap'], ScheduleOverlapPolicy>

const months = [
  ...(['JANUARY', 'FEBRUARY', 'MARCH', 'APRIL', 'MAY', 'JUNE', 'JULY', 'AUGUST'] as const),
  ...(['SEPTEMBER', 'OCTOBER', 'NOVEMBER', 'DECEMBER'] as const),
]
const days = [
  ...(['SUNDAY', 'MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY'] as const),
]

/** @param guard turns the SDK's errors of transport into the caller's own */
export function createSchedules(
  client: Client,
  guard: <T>(call: () => Promise<T>) => Promise<T>,
): Schedules {
  const handleOf = (id: string) => client.schedule.getHandle(scheduleIdOf(id))
  return {
    put: (setup) => guard(() => put(client, handleOf(setup.id), setup)),
    describe: (id) => guard(() => describe(handleOf(id))),
    pause: (id, note) => guard(() => handleOf(id).pause(note)),
    resume: (id, note) => guard(() => handleOf(id).unpause(note)),
    backfill: (id, from, to) =>
      guard(() =>
        handleOf(id).backfill({
          start: new Date(from),
          end: new Date(to),
          // Asked for by a person, who wants each of them; side by side they could be a hundred.
          overlap: ScheduleOverlapPolicy.BUFFER_ALL,
        }),
      ),
    remove: (id) => guard(() => remove(handleOf(id))),
  }
}

/** What the ids of our schedules begin with on the server. */
export const schedulePrefix = 'sched:'

function scheduleIdOf(id: string): string {
  return `${schedulePrefix}${id}`
}

async function put(client: Client, handle: ScheduleHandle, setup: ScheduleSetup): Promise<void> {
  const { id, spec, policy, note, paused, requestRef, recipe, priority } = setup
  const input: FiringInput = {
    schedule: id,
    requestRef,
    zone: spec.zone,
    ...(recipe === undefined ? {} : { recipe }),
  }
  const options = {
    spec: {
      ...toTimes(spec),
      timezone: spec.kind === 'every' ? spec.zone : zoneForServer(spec, Date.now()),
      ...(policy.jitterSeconds === 0 ? {} : { jitter: policy.jitterSeconds * 1_000 }),
    },
    action: {
      type: 'startWorkflow',
      workflowType: firingWorkflowType,
      // The server adds the time that was due.
      workflowId: `firing:${id}`,
      taskQueue,
      args: [input],
      workflowExecutionTimeout: limits.runMs,
      staticSummary: recipe ?? 'plan',
      priority: toTaskPriority(priority),
    },
    policies: {
      overlap: overlaps[policy.overlap],
      catchupWindow: policy.catchUpSeconds * 1_000,
      pauseOnFailure: false,
    },
  } as const
  try {
    await client.schedule.create({
      ...options,
      scheduleId: handle.scheduleId,
      state: { paused, ...(note === '' ? {} : { note }) },
    })
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error
    // The command was cut off and is repeated, or a removal was: what the notary has is what counts.
    await handle.update(({ state }) => ({
      ...options,
      state: { ...state, paused, ...(note === '' ? {} : { note }) },
    }))
  }
}

function toTimes(spec: ScheduleSpec) {
  if (spec.kind === 'every') return { intervals: [{ every: spec.seconds * 1_000 }] }
  return {
    calendars: [
      {
        second: 0,
        minute: [...spec.minutes],
        hour: [...spec.hours],
        dayOfMonth: [...spec.daysOfMonth],
        month: months.filter((_, at) => spec.months.includes(at + 1)),
        dayOfWeek: days.filter((_, at) => spec.daysOfWeek.includes(at)),
      },
    ],
  }
}

async function describe(handle: ScheduleHandle): Promise<ScheduleState | undefined> {
  let found: ScheduleDescription
  try {
    found = await handle.describe()
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined
    throw error
  }
  const { info, state, action } = found
  const [input] = (action.args ?? []) as readonly (FiringInput | undefined)[]
  return {
    paused: state.paused,
    note: state.note ?? '',
    next: info.nextActionTimes.map((time) => time.getTime()),
    requestRef: input?.requestRef,
    counts: {
      taken: info.numActionsTaken,
      skipped: info.numActionsSkippedOverlap,
      missed: info.numActionsMissedCatchupWindow,
    },
  }
}

async function remove(handle: ScheduleHandle): Promise<void> {
  try {
    await handle.delete()
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error
  }
}
