// `bulkhead schedule`: what became of each time at which a recipe or plan was to run, and changing when it
// does (schedule-add.ts enables it). The notary is told first: a schedule that only Temporal knows fires
// nothing, and one that only the notary knows is put right by the same command again.

import type { ScheduleCall, ScheduleReply } from '../../notary/standing-contract.ts'
import { isDenial } from '../../plan/issues.ts'
import { CommandError, type ExitCode, exitCodes } from '../exit-codes.ts'
import { type FiringReport, readFirings } from '../firing-outcomes.ts'
import { refusalIn } from '../notary-refusal.ts'
import { type Output, table } from '../output.ts'
import {
  firingLine,
  readEnd,
  type ScheduleDocument,
  toScheduleDocument,
} from '../schedule-words.ts'
import { type Session, withSession } from '../session.ts'
import { suggest } from '../suggest.ts'

type Answer<Status extends ScheduleReply['status']> = Extract<ScheduleReply, { status: Status }>

/** @throws CommandError when the notary refuses; with the nearest name where there is none of it */
export async function ask<Status extends ScheduleReply['status']>(
  session: Session,
  call: ScheduleCall,
  wanted: Status,
): Promise<Answer<Status>> {
  const reply = await session.schedule(call)
  if (isAnswer(reply, wanted)) return reply
  const { code, words } = refusalIn(reply)
  const id = 'id' in call ? call.id : ''
  if (code === 'UNKNOWN_SCHEDULE') {
    const known = await ask(session, { op: 'list' }, 'SCHEDULES')
    const names = known.schedules.map((schedule) => schedule.id)
    throw new CommandError(`there is no schedule ${id}${suggest(id, names)}`, {
      exitCode: exitCodes.usage,
      next: 'npx bulkhead schedule list',
    })
  }
  throw new CommandError(words, {
    exitCode: isDenial(code) ? exitCodes.denied : exitCodes.failed,
    next: `npx bulkhead schedule ${code === 'SCHEDULE_CONFLICT' ? 'remove' : 'show'} ${id}`,
  })
}

function isAnswer<Status extends ScheduleReply['status']>(
  reply: ScheduleReply,
  wanted: Status,
): reply is Answer<Status> {
  return reply.status === wanted
}

const recentInList = 5

export function scheduleListCommand(output: Output, state: string): Promise<ExitCode> {
  return withSession(state, async (session) => {
    const { schedules } = await ask(session, { op: 'list' }, 'SCHEDULES')
    const documents: ScheduleDocument[] = []
    for (const { id } of schedules) documents.push((await read(session, id, recentInList)).document)
    output.data(documents, () =>
      table(
        documents.map((one) => [
          one.id,
          one.spec,
          one.timezone,
          whenNext(one),
          one.recent.map(({ outcome }) => outcome).join(', '),
        ]),
      ),
    )
    return exitCodes.completed
  })
}

/** The schedule as the notary has it, when Temporal fires it next, and what became of the last times. */
async function read(session: Session, id: string, limit: number) {
  const shown = await ask(session, { op: 'show', id, limit }, 'SHOWN')
  const server = await session.runs.schedules.describe(id)
  const when = { now: Date.now(), limit }
  const recent: readonly FiringReport[] = await readFirings(shown, session.runs, when)
  const document = toScheduleDocument(shown.schedule, server?.next ?? [], recent)
  return { document, server, schedule: shown.schedule }
}

export function scheduleShowCommand(
  output: Output,
  state: string,
  { id, limit }: { readonly id: string; readonly limit: number },
): Promise<ExitCode> {
  return withSession(state, async (session) => {
    const { document, server } = await read(session, id, limit)
    output.data({ ...document, counts: server?.counts ?? null }, () => [
      ...scheduleLines(document),
      ...table(document.recent.map(firingLine)),
    ])
    if (server !== undefined && server.paused === document.paused) return exitCodes.completed
    const state = server === undefined ? 'does not know it' : 'has it paused otherwise'
    output.problem(
      `Temporal ${state}: a command was cut off`,
      server === undefined
        ? `npx bulkhead schedule remove ${id}, then add it again`
        : `npx bulkhead schedule ${document.paused ? 'pause' : 'resume'} ${id}`,
    )
    return exitCodes.failed
  })
}

export function scheduleLines(document: ScheduleDocument): string[] {
  const { id, spec, timezone, overlap, catchUp, jitter, note } = document
  return [
    `${id}: ${spec} in ${timezone}${note === '' ? '' : ` (${note})`}`,
    `overlap ${overlap}, catch-up ${catchUp}, jitter ${jitter}`,
    whenNext(document),
    ...(document.approval?.state === 'open'
      ? [`  next: npx bulkhead approvals show ${document.approval.id}`]
      : []),
  ]
}

function whenNext({ approval, paused, next }: ScheduleDocument): string {
  if (approval?.state === 'open') return 'waits for your approval, and fires not before'
  if (approval?.state === 'denied' || approval?.state === 'expired') {
    return `${approval.state}: it never fires; remove it, or add it again`
  }
  return paused ? 'paused' : `next ${next ?? 'never'}`
}

export function schedulePauseCommand(
  output: Output,
  state: string,
  { op, id, note }: { readonly op: 'pause' | 'resume'; readonly id: string; readonly note: string },
): Promise<ExitCode> {
  return withSession(state, async (session) => {
    const { schedule } = await ask(session, { op, id, note }, 'REGISTERED')
    await session.runs.schedules[op](id, note)
    const next = (await session.runs.schedules.describe(id))?.next ?? []
    const document = toScheduleDocument(schedule, next, [])
    output.data(document, () => scheduleLines(document))
    return exitCodes.completed
  })
}

export function scheduleTriggerCommand(
  output: Output,
  state: string,
  id: string,
): Promise<ExitCode> {
  return withSession(state, async (session) => {
    const requestRef = (await session.runs.schedules.describe(id))?.requestRef
    const { requestId, at, schedule } = await ask(session, { op: 'trigger', id }, 'TRIGGERED')
    if (requestRef === undefined) {
      throw new CommandError(`Temporal does not know the schedule ${id}`, {
        exitCode: exitCodes.failed,
        next: `npx bulkhead schedule remove ${id}, then add it again`,
      })
    }
    const { runId } = await session.runs.submit({
      ...{ requestId, requestRef, firing: { schedule: id, at, zone: schedule.spec.zone } },
      ...(schedule.kind === 'recipe' ? { recipe: schedule.name } : {}),
      priority: schedule.priority,
    })
    output.data({ id, requestId, runId }, () => [
      `run ${requestId} started`,
      `follow it with: npx bulkhead runs watch ${requestId}`,
    ])
    return exitCodes.completed
  })
}

export function scheduleBackfillCommand(
  output: Output,
  state: string,
  given: { readonly id: string; readonly from: string; readonly to: string },
): Promise<ExitCode> {
  const { id } = given
  return withSession(state, async (session) => {
    const { schedule } = await ask(session, { op: 'show', id, limit: 1 }, 'SHOWN')
    const { zone } = schedule.spec
    const from = readEnd(given.from, zone, 'from')
    // A day that is not over ends now.
    const to = Math.min(readEnd(given.to, zone, 'to'), Date.now() - 1_000)
    const { times } = await ask(session, { op: 'backfill', id, from, to }, 'BACKFILL')
    if (times.length > 0) await session.runs.schedules.backfill(id, from, to)
    const document = { id, times: times.map((at) => new Date(at).toISOString()) }
    output.data(document, () => [
      ...document.times,
      `${times.length} firings; follow them with: npx bulkhead schedule show ${id}`,
    ])
    return exitCodes.completed
  })
}

export function scheduleRemoveCommand(
  output: Output,
  state: string,
  id: string,
): Promise<ExitCode> {
  return withSession(state, async (session) => {
    // The notary first: from then on none of it is admitted, whatever Temporal still starts.
    await ask(session, { op: 'remove', id }, 'REMOVED')
    await session.runs.schedules.remove(id)
    output.data({ id, removed: true }, () => [`${id}: removed; what ran stays in the record`])
    return exitCodes.completed
  })
}
