// `notary.schedule`: a person's standing registrations, and what became of them. Shapes only. What is
// registered here is all that a worker can ever be admitted for at a due time.

import { z } from 'zod'
import { scheduleIdPattern, schedulePolicySchema, scheduleSpecSchema } from '../plan/schedule.ts'
import { prioritySchema } from '../plan/schema.ts'
import { approvalStates } from './approval-contract.ts'
import { requestCall, requestReply } from './contract.ts'

const id = z.string().regex(scheduleIdPattern)
/** One printable line: it is shown on terminals and in Temporal's Web UI. */
const note = z.string().regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]{0,200}$/u)
/** Milliseconds since the epoch. */
const time = z.int().min(0)

/** Firings that one backfill may ask for: each is a run. */
export const maxBackfill = 100

export const scheduleCall = z.discriminatedUnion('op', [
  /** Idempotent; another content under the same id is SCHEDULE_CONFLICT until it is removed. */
  z.strictObject({
    op: z.literal('add'),
    id,
    ...requestCall.omit({ requestId: true }).shape,
    // What is done without anybody looking is what a person has written or chosen.
    kind: z.enum(['recipe', 'plan']),
    spec: scheduleSpecSchema,
    policy: schedulePolicySchema,
    note,
  }),
  z.strictObject({ op: z.enum(['pause', 'resume']), id, note }),
  z.strictObject({ op: z.literal('remove'), id }),
  /** One firing now, whatever the spec says, because a person asks for it. */
  z.strictObject({ op: z.literal('trigger'), id }),
  /** Firings of the past, however late; both ends belong to it. */
  z.strictObject({ op: z.literal('backfill'), id, from: time, to: time }),
  z.strictObject({ op: z.literal('list') }),
  /** With the latest `limit` firings that were admitted. */
  z.strictObject({ op: z.literal('show'), id, limit: z.int().min(1).max(500) }),
])
export type ScheduleCall = z.infer<typeof scheduleCall>

export const scheduleSummary = z.strictObject({
  id,
  kind: z.string(),
  name: z.string(),
  priority: prioritySchema,
  spec: scheduleSpecSchema,
  policy: schedulePolicySchema,
  note: z.string(),
  createdAt: time,
  /** Since when, without a pause, it may fire. */
  activeSince: time,
  pausedAt: time.nullable(),
  /** When it was not to fire; the last without an end while it is paused. */
  pauses: z.array(z.strictObject({ from: time, to: time.nullable() })),
  /** A person's approval of what every firing does; null: nothing needs one. Until then none fires. */
  approval: z.strictObject({ id: z.string(), state: z.enum(approvalStates) }).nullable(),
})
export type ScheduleSummary = z.infer<typeof scheduleSummary>

export const scheduleReply = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('REGISTERED'), schedule: scheduleSummary }),
  z.strictObject({ status: z.literal('REMOVED') }),
  z.strictObject({
    status: z.literal('TRIGGERED'),
    requestId: z.string(),
    /** What its firing is named by. */
    at: time,
    schedule: scheduleSummary,
  }),
  z.strictObject({ status: z.literal('BACKFILL'), times: z.array(time) }),
  z.strictObject({ status: z.literal('SCHEDULES'), schedules: z.array(scheduleSummary) }),
  z.strictObject({
    status: z.literal('SHOWN'),
    schedule: scheduleSummary,
    firings: z.array(z.strictObject({ requestId: z.string(), at: time, begunAt: time })),
  }),
  requestReply.options[1],
])
export type ScheduleReply = z.infer<typeof scheduleReply>
