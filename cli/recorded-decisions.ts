// What the audit says the policy was asked and answered about effects: from rows to decisions, from
// decisions to what another policy would have answered. A row of another version, or an altered one, is
// no decision. Pure.

import { z } from 'zod'
import type { AuditRow } from '../notary/contract.ts'
import type { Decide, Decision, StepQuestion } from '../plan/policy.ts'
import { questionSchema } from '../plan/recorded-question.ts'

export interface RecordedDecision {
  /** Of the row. */
  readonly seq: number
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly run: string
  readonly step: string
  readonly verdict: Decision['verdict']
  readonly rules: readonly string[]
  readonly missing?: string
  /** Digest of the policy that said so. */
  readonly policy: string
  readonly question: StepQuestion
}

const rules = z.array(z.string())
const intentBody = z.object({
  verdict: z.enum(['allow', 'ask']),
  rules,
  policy: z.string(),
  question: questionSchema,
})
const refusalBody = z.object({
  decision: z.literal('refused'),
  code: z.literal('POLICY'),
  rules,
  missing: z.string().default(''),
  policy: z.string(),
  question: questionSchema,
})

export function readDecision(row: AuditRow): RecordedDecision | undefined {
  const { seq, at, correlation: run, subject: step } = row
  const body = parse(row.body)
  if (row.kind === 'intent') {
    const { data } = intentBody.safeParse(body)
    return data === undefined ? undefined : { seq, at, run, step, ...data }
  }
  if (row.kind !== 'decision') return undefined
  const { data } = refusalBody.safeParse(body)
  if (data === undefined) return undefined
  const { missing, policy, question } = data
  return { seq, at, run, step, verdict: 'deny', rules: data.rules, missing, policy, question }
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

/** A recorded decision that another policy would not have made. */
export interface Difference extends RecordedDecision {
  readonly anew: Decision
}

/** Undefined where the verdict is the same, for whatever reasons. */
export function differenceOf(recorded: RecordedDecision, decide: Decide): Difference | undefined {
  const anew = decide(recorded.question)
  return anew.verdict === recorded.verdict ? undefined : { ...recorded, anew }
}

const verbs = { allow: 'allowed by', ask: 'asked about by', deny: 'denied by' } as const

/** One line: `denied by rate.agent; missing: ...` */
export function verdictWords(decision: {
  readonly verdict: Decision['verdict']
  readonly rules: readonly string[]
  readonly missing?: string
}): string {
  const { verdict, rules: named, missing = '' } = decision
  const wanted = missing === '' ? '' : `; missing: ${missing}`
  return `${verbs[verdict]} ${named.join(', ')}${wanted}`
}

/** What the rules were told, in one line. */
export function factWords(question: StepQuestion): string {
  const { audience, touches = [], hasUndo, minute, usage, priority, user, budget } = question
  const seen = typeof audience === 'string' ? audience : Object.entries(audience).flat().join(' ')
  return [
    `${question.agent}.${question.action}, ${question.effect}${question.kind === 'undo' ? ' as an undo' : ''}`,
    `seen by ${seen}`,
    hasUndo ? 'can be undone' : 'cannot be undone',
    ...(touches.length === 0 ? [] : [`touches ${touches.join(', ')}`]),
    ...(user === undefined ? [] : [`for ${user}`]),
    ...(priority === undefined ? [] : [priority]),
    ...(minute === undefined ? [] : [`at ${clock(minute)}`]),
    ...(usage === undefined
      ? []
      : [`after ${usage.agent} effects of the agent and ${usage.user} of the user in an hour`]),
    ...(budget === undefined
      ? []
      : [
          `${budget.agentDay} and ${budget.userDay} in a day, ${budget.agentMonth} and ${budget.userMonth} in a month`,
        ]),
    ...(question.amounts ?? []).map(
      ({ unit, amount }) =>
        `an amount in ${unit} ${amount === undefined ? 'beyond' : 'within'} its budget`,
    ),
  ].join('; ')
}

function clock(minute: number): string {
  const two = (number: number) => String(number).padStart(2, '0')
  return `${two(Math.floor(minute / 60))}:${two(minute % 60)}`
}
