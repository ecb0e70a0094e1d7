// `notary.schedule`: a person enables, pauses, resumes and removes a standing registration, asks for
// firings besides, and reads what is enabled. Enabling compiles the bytes, so that nothing is kept
// which could never run; each firing compiles them again. Every change is a decision with a row.

import { compileSource } from '../plan/compile.ts'
import { firingId, parseFiringId } from '../plan/firing.ts'
import { dueTimes } from '../plan/schedule-times.ts'
import { prioritySchema } from '../plan/schema.ts'
import { digestOf, sha256 } from '../security/verify/hash.ts'
import type { NotaryCode } from './codes.ts'
import { type NotaryContext, recordRefusal } from './context.ts'
import { compileFiring, registerFiring, type Standing, toStanding } from './firing.ts'
import { approvalOfStanding, askStanding, voidStanding } from './standing-approval.ts'
import {
  maxBackfill,
  type ScheduleCall,
  type ScheduleReply,
  type ScheduleSummary,
} from './standing-contract.ts'
import type { StandingRecord } from './standing-state.ts'
import type { State } from './state.ts'
import type { Writer } from './store.ts'
import { namesOf, userOf } from './users.ts'

type Adding = Extract<ScheduleCall, { op: 'add' }>
type Changing = Exclude<ScheduleCall, { op: 'add' | 'list' | 'show' }>

/** @throws StoreError */
export async function schedule(
  context: NotaryContext,
  call: ScheduleCall,
  account: string,
): Promise<ScheduleReply> {
  const user = userOf(account, context.users)
  if (user === undefined) {
    return { status: 'REFUSED', code: 'NOT_PERMITTED', message: 'this entry point acts for nobody' }
  }
  const { state } = context.store
  switch (call.op) {
    case 'list':
      return {
        status: 'SCHEDULES',
        schedules: state
          .standings()
          .filter((standing) => standing.user === user)
          .map((standing) => summarise(state, toStanding(standing))),
      }
    case 'show': {
      const standing = standingOf(state, call.id, user)
      if (standing === undefined) return unknown
      const firings = state.firingsOf(call.id, call.limit).flatMap(({ id, created_at }) => {
        const firing = parseFiringId(id)
        return firing === undefined ? [] : [{ requestId: id, at: firing.at, begunAt: created_at }]
      })
      return { status: 'SHOWN', schedule: summarise(state, standing), firings }
    }
    case 'add':
      return add(context, call, { account, user })
    default:
      return change(context, call, { account, user })
  }
}

const unknown = {
  status: 'REFUSED',
  code: 'UNKNOWN_SCHEDULE',
  message: 'no such schedule',
} as const

interface Caller {
  readonly account: string
  readonly user: string
}

/** Somebody else's is answered like one that does not exist. */
function standingOf(state: State, id: string, user: string): Standing | undefined {
  const record = state.standing(id)
  return record?.user === user ? toStanding(record) : undefined
}

function summarise(state: State, standing: Standing): ScheduleSummary {
  const { id, kind, name, spec, policy, note, paused_at: pausedAt } = standing
  const past = state.pausesOf(id).map(({ from_at: from, to_at: to }) => ({ from, to }))
  const present = pausedAt === null ? [] : [{ from: pausedAt, to: null }]
  return {
    ...{ id, kind, name, spec, policy, note, pausedAt },
    priority: prioritySchema.parse(standing.priority),
    createdAt: standing.created_at,
    activeSince: standing.active_since,
    pauses: [...present, ...past],
    approval: approvalOfStanding(state, standing),
  }
}

function add(context: NotaryContext, call: Adding, { account, user }: Caller) {
  const { id, kind, name, source, inputs, priority, spec, policy, note } = call
  const { catalogue, decide } = context
  const names = namesOf(context, user)
  const compiled = compileSource({ kind, source, inputs, catalogue, decide, names })
  const about = { kind, name, source: sha256(source), inputs, priority, spec, policy, user }
  const content = digestOf(about)
  return context.store.commit('effect', (writer): ScheduleReply => {
    const { state } = writer
    const known = state.standing(id)
    if (known !== undefined) {
      if (known.content === content) {
        return { status: 'REGISTERED', schedule: summarise(state, toStanding(known)) }
      }
      const message = 'another schedule has this id: remove it first'
      return refuse(context, writer, { account, id, code: 'SCHEDULE_CONFLICT', message })
    }
    if (!compiled.ok) {
      const message = 'the plan does not compile'
      const issues = compiled.issues.slice(0, 100).map((issue) => ({ ...issue }))
      return { ...refuse(context, writer, { account, id, code: 'PLAN_INVALID', message }), issues }
    }
    const row: StandingRecord = {
      ...{ id, kind, name, user, priority, source, note, content },
      inputs: JSON.stringify(inputs),
      spec: JSON.stringify(spec),
      policy: JSON.stringify(policy),
      created_at: writer.now,
      active_since: writer.now,
      paused_at: null,
    }
    const standing = toStanding(row)
    const answer = askStanding(context, writer, { standing, plan: compiled.plan })
    if (answer !== undefined && 'refusal' in answer) {
      return refuse(context, writer, { account, id, ...answer.refusal })
    }
    state.insertStanding(row)
    // The digest is that of the plan with `today` in it: what a person has enabled.
    const facts = { digest: compiled.digest, source: context.commit(source) }
    record(writer, { account, user, id }, 'added', { ...facts, spec: digestOf(spec), ...policy })
    return { status: 'REGISTERED', schedule: summarise(state, standing) }
  })
}

function change(context: NotaryContext, call: Changing, caller: Caller): Promise<ScheduleReply> {
  const { id } = call
  return context.store.commit('effect', (writer): ScheduleReply => {
    const { state, now } = writer
    const standing = standingOf(state, id, caller.user)
    if (standing === undefined) {
      const { code, message } = unknown
      return refuse(context, writer, { ...caller, id, code, message })
    }
    const said = { ...caller, id }
    const registered = (): ScheduleReply => {
      const present = state.standing(id)
      if (present === undefined) throw new Error('a registration disappeared')
      return { status: 'REGISTERED', schedule: summarise(state, toStanding(present)) }
    }
    switch (call.op) {
      case 'pause':
        if (standing.paused_at === null) {
          state.pauseStanding(id, now, call.note)
          record(writer, said, 'paused')
        }
        return registered()
      case 'resume':
        if (standing.paused_at !== null) {
          state.resumeStanding(standing, now, call.note)
          record(writer, said, 'resumed')
        }
        return registered()
      case 'remove':
        voidStanding(writer, standing)
        state.removeStanding(id)
        record(writer, said, 'removed')
        return { status: 'REMOVED' }
      case 'trigger':
        return trigger(context, writer, { ...said, standing })
      case 'backfill':
        return backfill(context, writer, { ...said, standing, from: call.from, to: call.to })
    }
  })
}

/** Named by the second in which it was asked for; asked for twice in it, it is one. */
function trigger(
  context: NotaryContext,
  writer: Writer,
  { account, user, id, standing }: Caller & { readonly id: string; readonly standing: Standing },
): ScheduleReply {
  const at = Math.floor(writer.now / 1_000) * 1_000
  const requestId = firingId({ schedule: id, at })
  const schedule = summarise(writer.state, standing)
  if (writer.state.request(requestId) === undefined) {
    const compiled = compileFiring(context, standing, at)
    if (!compiled.ok) {
      const message = 'the plan does not compile any more'
      return refuse(context, writer, { account, id, code: 'PLAN_INVALID', message })
    }
    record(writer, { account, user, id }, 'triggered', { requestId })
    registerFiring(writer, { requestId, channel: account, standing, compiled })
  }
  return { status: 'TRIGGERED', requestId, at, schedule }
}

function backfill(
  context: NotaryContext,
  writer: Writer,
  asked: Caller & {
    readonly id: string
    readonly standing: Standing
    readonly from: number
    readonly to: number
  },
): ScheduleReply {
  const { account, user, id, standing, from, to } = asked
  if (standing.paused_at !== null) {
    const message = 'the schedule is paused: resume it first'
    return refuse(context, writer, { account, id, code: 'SCHEDULE_PAUSED', message })
  }
  if (to > writer.now || from > to) {
    const message = 'a backfill is of the past, from its earlier end to its later'
    return refuse(context, writer, { account, id, code: 'NOT_DUE', message })
  }
  const times = dueTimes(standing.spec, { after: from - 1, until: to, max: maxBackfill + 1 })
  if (times.length > maxBackfill) {
    const message = `more than ${maxBackfill} firings: ask for less at a time`
    return refuse(context, writer, { account, id, code: 'LIMIT', message })
  }
  writer.state.insertBackfill(id, { from_at: from, to_at: to })
  record(writer, { account, user, id }, 'backfilled', { from, to, firings: times.length })
  return { status: 'BACKFILL', times: [...times] }
}

function record(
  writer: Writer,
  { account, user, id }: Caller & { readonly id: string },
  decision: string,
  facts: Readonly<Record<string, string | number>> = {},
): void {
  writer.append({
    kind: 'decision',
    actor: user,
    subject: `schedule:${id}`,
    correlation: '',
    body: { call: 'schedule', decision, channel: account, ...facts },
  })
}

function refuse(
  context: NotaryContext,
  writer: Writer,
  refusal: {
    readonly account: string
    readonly id: string
    readonly code: NotaryCode
    readonly message: string
  },
) {
  const { account, id, code, message } = refusal
  const about = { call: 'schedule', account, subject: `schedule:${id}`, correlation: '' }
  recordRefusal(context, writer, { ...about, code, message })
  return { status: 'REFUSED', code, message } as const
}
