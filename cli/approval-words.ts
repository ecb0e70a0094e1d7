// How questions, decisions and grants are told as lines, and how "always" is read. Pure.

import type { ApprovalSummary, ApproveReply, GrantSummary } from '../notary/approval-contract.ts'
import { cardWords } from '../plan/card-words.ts'
import { ScheduleWordsError, toSeconds } from '../plan/schedule-words.ts'
import { type GrantTerms, grantTermsSchema } from '../security/approval/statement.ts'
import type { Question } from './decide-approval.ts'
import { CommandError, exitCodes } from './exit-codes.ts'
import { table } from './output.ts'

function day(at: number): string {
  return new Date(at).toISOString().slice(0, 16).replace('T', ' ')
}

export function approvalTable(approvals: readonly ApprovalSummary[]): readonly string[] {
  const rows = approvals.map(({ id, batch, state, title, createdAt, expiresAt }) => [
    id,
    batch === null ? '' : `with ${batch}`,
    state,
    state === 'open' ? `until ${day(expiresAt)}` : `asked ${day(createdAt)}`,
    title,
  ])
  const open = approvals.filter(({ state }) => state === 'open')
  if (open.length === 0) return [...table(rows), 'nothing waits for you']
  return [...table(rows), 'look at one with: npx bulkhead approvals show <id>']
}

/** All cards of a question, one below the other. */
export function questionLines({ shown }: Question, whole: boolean): readonly string[] {
  return shown.flatMap(({ approval, card }, index) => [
    ...(shown.length === 1 ? [] : [`${index + 1} of ${shown.length}, decided together`]),
    `approval ${approval.id}: ${approval.state}`,
    ...cardWords(card, { whole }),
    ...(index + 1 < shown.length ? [''] : []),
  ])
}

export function grantTable(grants: readonly GrantSummary[]): readonly string[] {
  if (grants.length === 0) return ['nothing is granted: each question is asked']
  return table(
    grants.map((grant) => [
      grant.id,
      grant.name,
      `${grant.step} ${grant.action}`,
      `used ${grant.used} of ${grant.count} a ${grant.per}, ${grant.usedEver} ever`,
      `until ${day(grant.expiresAt)}`,
    ]),
  )
}

export function countLines({
  weeks,
  unused,
}: Pick<Extract<ApproveReply, { status: 'COUNT' }>, 'weeks' | 'unused'>): readonly string[] {
  return [
    ...table(
      weeks.map(({ from, asked, approved, denied }) => [
        `week of ${day(from).slice(0, 10)}`,
        `${asked} asked`,
        `${approved} approved`,
        `${denied} denied`,
      ]),
    ),
    ...unused.flatMap(({ id, name, step }) => [
      `grant ${id} (${name}, ${step}) saved no question`,
      `  next: npx bulkhead grants revoke ${id}`,
    ]),
  ]
}

export interface AlwaysWords {
  readonly always?: boolean
  readonly per?: string
  readonly count?: number
  /** A span of time as 90d, or a date. */
  readonly until?: string
}

const example = 'npx bulkhead approve <id> --always --per week --count 5 --until 90d'

/** Nothing is granted for ever, nor without a count. @throws CommandError */
export function readGrant(
  { always = false, per, count, until }: AlwaysWords,
  now: number,
): GrantTerms | undefined {
  const given = [per, count, until].filter((word) => word !== undefined).length
  if (!always && given === 0) return undefined
  const misread = (message: string) =>
    new CommandError(message, { exitCode: exitCodes.usage, next: example })
  if (!always || given < 3) {
    throw misread('"always" is --always with --per, --count and --until: how often, and how long')
  }
  const terms = grantTermsSchema.safeParse({ per, count, exp: toEnd(until ?? '', now) })
  if (terms.success) return terms.data
  throw misread(
    '--per is day, week or month, --count from 1 to 1000, --until a date or a span as 90d',
  )
}

/** Seconds since the epoch; undefined for what is neither a date nor a span. */
function toEnd(until: string, now: number): number | undefined {
  if (/^\d{4}-\d{2}-\d{2}/.test(until)) {
    const at = Date.parse(until)
    return Number.isNaN(at) ? undefined : Math.floor(at / 1_000)
  }
  try {
    return Math.floor(now / 1_000) + toSeconds(until)
  } catch (cause) {
    if (cause instanceof ScheduleWordsError) return undefined
    throw cause
  }
}
