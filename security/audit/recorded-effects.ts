// What the rows of the audit say of each run and of each effect, kept to a few words, and the gaps that
// show while they are read. Rows come in the order of `seq`, once each. Whether the rows themselves are
// whole and signed is verification's question.

import { z } from 'zod'
import type { AuditRow } from './format.ts'
import type { AuditGap } from './verification.ts'

export interface RecordedRun {
  /** Digest of the plan that was registered, or accepted for what was. */
  registered: string | undefined
  admitted: boolean
  /** A person cancelled it, or gave it up. */
  stopped: boolean
}

export interface RecordedEffect {
  readonly run: string
  readonly step: string
  kind: string | undefined
  replica: string | undefined
  intent: boolean
  minted: number
  attempts: number
  outcome: string | undefined
  /** A probe or a person said what became of it; the agent still does not know. */
  resolved: boolean
  receipt: string | null
  /** Its agent signed that it had nothing of it. */
  notBegun: boolean
  settledAt: number
}

export interface Recorded {
  readonly runs: Map<string, RecordedRun>
  readonly effects: Map<string, RecordedEffect>
  /** How many iterations a loop has, by run and step: in the last expansion that was recorded. */
  readonly loops: Map<string, number>
}

/** Names a step of a run. */
export function nameOfStep(run: string, step: string): string {
  return `${run} ${step}`
}

export type Report = (gap: AuditGap) => void

const planBody = z.object({
  event: z.enum(['registered', 'proposed', 'admitted']),
  digest: z.string(),
})
const intentBody = z.object({ idem: z.string(), kind: z.string(), agent: z.string() })
const mintBody = z.object({
  idem: z.string(),
  attempt: z.number(),
  /** Only `run` can start the effect, and counts as an attempt. */
  op: z.enum(['run', 'attach', 'cancel']).default('run'),
})
const resolvedBody = z.object({
  decision: z.literal('resolved'),
  idem: z.string(),
  outcome: z.enum(['settled', 'failed']),
})
const endedBody = z.object({
  decision: z.literal('attempt-ended'),
  idem: z.string(),
  attempts: z.number(),
})
const stoppedBody = z.object({ decision: z.enum(['cancelled', 'given-up']) })
const expandedBody = z.object({ decision: z.literal('expanded'), count: z.number() })
const outcomeBody = z.object({
  idem: z.string(),
  kind: z.string(),
  outcome: z.string(),
  code: z.string().nullable().default(null),
  /** A denial has none. */
  receipt: z.string().nullable().default(null),
  attempts: z.number(),
})

/** A row whose body is not what a notary writes has been altered, which verification says. */
export function noteRow(seen: Recorded, row: AuditRow, report: Report): void {
  const body = parseBody(row.body)
  if (row.kind === 'plan') notePlan(seen, row, planBody.safeParse(body).data)
  if (row.kind === 'intent') noteIntent(seen, row, intentBody.safeParse(body).data)
  if (row.kind === 'outcome') noteOutcome(seen, row, outcomeBody.safeParse(body).data, report)
  if (row.kind === 'mint') {
    const minted = mintBody.safeParse(body).data
    if (minted !== undefined) noteMint(effectOf(seen, row, minted.idem), minted, report)
  }
  if (row.kind === 'decision') {
    const ended = endedBody.safeParse(body).data
    if (ended !== undefined) noteAttempt(effectOf(seen, row, ended.idem), ended.attempts, report)
    const { idem, outcome } = resolvedBody.safeParse(body).data ?? {}
    if (idem !== undefined) noteResolved(effectOf(seen, row, idem), outcome, report)
    if (stoppedBody.safeParse(body).success) runOf(seen, row.correlation).stopped = true
    const { count } = expandedBody.safeParse(body).data ?? {}
    if (count !== undefined) seen.loops.set(nameOfStep(row.correlation, row.subject), count)
  }
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function runOf({ runs }: Recorded, id: string): RecordedRun {
  const run = runs.get(id) ?? { registered: undefined, admitted: false, stopped: false }
  runs.set(id, run)
  return run
}

function effectOf(seen: Recorded, row: AuditRow, idem: string): RecordedEffect {
  const known = seen.effects.get(idem)
  if (known !== undefined) return known
  const effect: RecordedEffect = {
    run: row.correlation,
    step: row.subject,
    kind: undefined,
    replica: undefined,
    intent: false,
    minted: 0,
    attempts: 0,
    outcome: undefined,
    resolved: false,
    receipt: null,
    notBegun: false,
    settledAt: 0,
  }
  seen.effects.set(idem, effect)
  runOf(seen, row.correlation)
  return effect
}

function notePlan(seen: Recorded, row: AuditRow, body: z.infer<typeof planBody> | undefined): void {
  if (body === undefined) return
  const run = runOf(seen, row.correlation)
  if (body.event === 'admitted') run.admitted = true
  // Of words: the plan that is theirs since.
  else run.registered = body.digest
}

function noteIntent(seen: Recorded, row: AuditRow, body: z.infer<typeof intentBody> | undefined) {
  if (body === undefined) return
  const effect = effectOf(seen, row, body.idem)
  effect.intent = true
  effect.kind = body.kind
  effect.replica = body.agent
}

/** Only what was unknown can be resolved, and once. */
function noteResolved(effect: RecordedEffect, outcome: string | undefined, report: Report): void {
  const { run, step } = effect
  if (effect.outcome !== 'unknown') report({ run, step, what: 'TWICE', where: 'audit' })
  effect.outcome = outcome
  effect.resolved = true
}

function noteMint(
  effect: RecordedEffect,
  { op, attempt }: z.infer<typeof mintBody>,
  report: Report,
): void {
  const { run, step } = effect
  if (!effect.intent) report({ run, step, what: 'NO_INTENT', where: 'audit' })
  if (effect.outcome !== undefined) report({ run, step, what: 'AFTER_OUTCOME', where: 'audit' })
  // Reported once, not for each further attempt.
  effect.intent = true
  effect.minted += 1
  if (op === 'run') noteAttempt(effect, attempt, report)
}

function noteAttempt(effect: RecordedEffect, attempt: number, report: Report): void {
  const { run, step, attempts } = effect
  if (attempt !== attempts + 1) report({ run, step, what: 'NO_ATTEMPT', where: 'audit' })
  effect.attempts = attempt
}

function noteOutcome(
  seen: Recorded,
  row: AuditRow,
  body: z.infer<typeof outcomeBody> | undefined,
  report: Report,
): void {
  if (body === undefined) return
  const effect = effectOf(seen, row, body.idem)
  const gap = { run: effect.run, step: effect.step, where: 'audit' }
  if (effect.outcome !== undefined) report({ ...gap, what: 'TWICE' })
  if (effect.minted === 0 && body.receipt !== null) report({ ...gap, what: 'NO_MINT' })
  else if (body.attempts !== effect.attempts) report({ ...gap, what: 'NO_ATTEMPT' })
  if (body.outcome === 'settled' && body.receipt === null) report({ ...gap, what: 'NO_RECEIPT' })
  effect.outcome = body.outcome
  effect.kind = body.kind
  effect.receipt = body.receipt
  effect.notBegun = body.outcome === 'failed' && body.code === 'NOT_BEGUN'
  effect.settledAt = row.at
  if (body.receipt !== null) effect.replica = row.actor.replace(/^agent:/, '')
}
