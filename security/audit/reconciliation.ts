// Omission, which no hash structure can find: compares what the audit says with itself, with the
// agents' ledgers and with Temporal's history, and names each thing that one of them has and another
// lacks by run and step. Pure; rows are fed once and only a few words of each are kept. Counts on
// two orders that its callers keep: a ledger or history that must be covered by rows was read before
// the head of those rows, and a ledger that must cover rows was read after it.

import { z } from 'zod'
import { digestOf } from '../verify/hash.ts'
import type { AuditRow } from './format.ts'
import type { AuditGap } from './verification.ts'

/**
 * In the audit by itself: `NOT_REGISTERED`, `NOT_ADMITTED` a run has steps and no such plan row ·
 * `NO_INTENT` a token without an intent · `NO_MINT` an intent or a receipt without a token ·
 * `NO_ATTEMPT` an attempt between others is missing · `NO_RECEIPT` settled by nothing · `TWICE` an
 * effect has two outcomes · `AFTER_OUTCOME` a token after the outcome. Against a ledger:
 * `NOT_RECORDED` an agent carried out what no token was recorded for · `NOT_EXECUTED` an outcome of
 * which the agent knows nothing · `OTHER_RECEIPT` the agent has another receipt. Against Temporal:
 * `NO_OUTCOME` a closed run has a step that the audit has no such outcome for · `NOT_IN_HISTORY` an
 * effect settled in a step that the closed run never came to.
 */
export type GapCode =
  | 'NOT_REGISTERED'
  | 'NOT_ADMITTED'
  | 'NO_INTENT'
  | 'NO_MINT'
  | 'NO_ATTEMPT'
  | 'NO_RECEIPT'
  | 'TWICE'
  | 'AFTER_OUTCOME'
  | 'NOT_RECORDED'
  | 'NOT_EXECUTED'
  | 'OTHER_RECEIPT'
  | 'NO_OUTCOME'
  | 'NOT_IN_HISTORY'

export interface LedgerEffect {
  readonly idem: string
  readonly action: string
  readonly state: 'RESERVED' | 'EXECUTING' | 'DONE' | 'FAILED' | 'UNKNOWN'
  /** SHA-256 of the receipt, where there is one. */
  readonly receipt: string | null
}

export interface LedgerCopy {
  /** `<name>.<n>` */
  readonly replica: string
  readonly effects: readonly LedgerEffect[]
}

/** A run that is closed, as Temporal tells it. */
export interface ClosedRun {
  readonly run: string
  readonly steps: readonly {
    readonly id: string
    readonly outcome: string
    readonly undo?: string | undefined
  }[]
}

export interface OtherRecords {
  /** Read before the head of the rows. */
  readonly ledgersBefore: readonly LedgerCopy[]
  /** Read after it. */
  readonly ledgersAfter: readonly LedgerCopy[]
  /** Read before the head of the rows. */
  readonly history: readonly ClosedRun[]
  /** Steps of each run's plan, to name an effect of which the audit has no row. */
  readonly plans: ReadonlyMap<string, readonly string[]>
  /** Milliseconds since the epoch: ledgers may have forgotten what is older. */
  readonly since: number
}

export interface Reconciliation {
  readonly runs: number
  readonly effects: number
  /** The first 100. */
  readonly gaps: readonly AuditGap[]
}

export interface Reconciler {
  /** In the order of `seq`. */
  row(row: AuditRow): void
  finish(others: OtherRecords): Reconciliation
}

const maxGaps = 100

const planBody = z.object({ event: z.enum(['registered', 'admitted']), digest: z.string() })
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
const outcomeBody = z.object({
  idem: z.string(),
  kind: z.string(),
  outcome: z.string(),
  /** A denial has none. */
  receipt: z.string().nullable().default(null),
  attempts: z.number(),
})

interface Run {
  registered: string | undefined
  admitted: boolean
}

interface Effect {
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
  settledAt: number
}

/** What the rows say, kept small. */
interface Seen {
  readonly runs: Map<string, Run>
  readonly effects: Map<string, Effect>
}

type Report = (gap: AuditGap) => void

export function createReconciler(): Reconciler {
  const gaps: AuditGap[] = []
  const seen: Seen = { runs: new Map(), effects: new Map() }
  const report: Report = (gap) => {
    if (gaps.length < maxGaps) gaps.push(gap)
  }
  return {
    row: (row) => noteRow(seen, row, report),
    finish: (others) => {
      compareWithin(seen, report)
      compareLedgers(seen, others, report)
      compareHistory(seen, others.history, report)
      return { runs: seen.runs.size, effects: seen.effects.size, gaps }
    },
  }
}

/** A row whose body is not what a notary writes has been altered, which verification says. */
function noteRow(seen: Seen, row: AuditRow, report: Report): void {
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
  }
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function runOf({ runs }: Seen, id: string): Run {
  const run = runs.get(id) ?? { registered: undefined, admitted: false }
  runs.set(id, run)
  return run
}

function effectOf(seen: Seen, row: AuditRow, idem: string): Effect {
  const known = seen.effects.get(idem)
  if (known !== undefined) return known
  const effect: Effect = {
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
    settledAt: 0,
  }
  seen.effects.set(idem, effect)
  runOf(seen, row.correlation)
  return effect
}

function notePlan(seen: Seen, row: AuditRow, body: z.infer<typeof planBody> | undefined): void {
  if (body === undefined) return
  const run = runOf(seen, row.correlation)
  if (body.event === 'registered') run.registered = body.digest
  else run.admitted = true
}

function noteIntent(seen: Seen, row: AuditRow, body: z.infer<typeof intentBody> | undefined) {
  if (body === undefined) return
  const effect = effectOf(seen, row, body.idem)
  effect.intent = true
  effect.kind = body.kind
  effect.replica = body.agent
}

/** Only what was unknown can be resolved, and once. */
function noteResolved(effect: Effect, outcome: string | undefined, report: Report): void {
  const { run, step } = effect
  if (effect.outcome !== 'unknown') report({ run, step, what: 'TWICE', where: 'audit' })
  effect.outcome = outcome
  effect.resolved = true
}

function noteMint(effect: Effect, { op, attempt }: z.infer<typeof mintBody>, report: Report): void {
  const { run, step } = effect
  if (!effect.intent) report({ run, step, what: 'NO_INTENT', where: 'audit' })
  if (effect.outcome !== undefined) report({ run, step, what: 'AFTER_OUTCOME', where: 'audit' })
  // Reported once, not for each further attempt.
  effect.intent = true
  effect.minted += 1
  if (op === 'run') noteAttempt(effect, attempt, report)
}

function noteAttempt(effect: Effect, attempt: number, report: Report): void {
  const { run, step, attempts } = effect
  if (attempt !== attempts + 1) report({ run, step, what: 'NO_ATTEMPT', where: 'audit' })
  effect.attempts = attempt
}

function noteOutcome(
  seen: Seen,
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
  effect.settledAt = row.at
  if (body.receipt !== null) effect.replica = row.actor.replace(/^agent:/, '')
}

function compareWithin({ runs, effects }: Seen, report: Report): void {
  const doing = new Set<string>()
  for (const { run, step, intent, minted, outcome } of effects.values()) {
    doing.add(run)
    if (intent && minted === 0 && outcome === undefined) {
      report({ run, step, what: 'NO_MINT', where: 'audit' })
    }
  }
  for (const id of doing) {
    const { registered, admitted } = runs.get(id) ?? {}
    const gap = { run: id, step: '', where: 'audit' }
    if (registered === undefined) report({ ...gap, what: 'NOT_REGISTERED' })
    if (admitted !== true) report({ ...gap, what: 'NOT_ADMITTED' })
  }
}

function compareLedgers(seen: Seen, others: OtherRecords, report: Report): void {
  const nameOf = createNaming(seen, others.plans)
  for (const { replica, effects } of others.ledgersBefore) {
    for (const { idem, action, state } of effects) {
      const recorded = seen.effects.get(idem)
      // Reserved: the command was accepted and nothing was done yet.
      if (state === 'RESERVED' || (recorded !== undefined && recorded.minted > 0)) continue
      const { run, step } = recorded ?? nameOf(idem) ?? { run: '', step: `(${action})` }
      report({ run, step, what: 'NOT_RECORDED', where: `ledger of ${replica}` })
    }
  }
  const ledgers = new Map(
    others.ledgersAfter.map(({ replica, effects }) => [
      replica,
      new Map(effects.map((effect) => [effect.idem, effect])),
    ]),
  )
  for (const [idem, effect] of seen.effects) {
    const { run, step, replica, receipt, outcome, resolved, settledAt } = effect
    const ledger = replica === undefined ? undefined : ledgers.get(replica)
    if (ledger === undefined || receipt === null || settledAt < others.since) continue
    const executed = ledger.get(idem)
    const where = `ledger of ${replica}`
    if (executed === undefined) report({ run, step, what: 'NOT_EXECUTED', where })
    // Of an unknown outcome the ledger keeps no receipt, and may learn the real one later.
    else if (outcome !== 'unknown' && !resolved && executed.receipt !== receipt) {
      report({ run, step, what: 'OTHER_RECEIPT', where })
    }
  }
}

/** Finds run and step of an effect that the audit has no row of: its id is a hash of its address. */
function createNaming({ runs }: Seen, plans: OtherRecords['plans']) {
  let names: Map<string, { readonly run: string; readonly step: string }> | undefined
  return (idem: string) => {
    if (names === undefined) {
      names = new Map()
      for (const [run, { registered }] of runs) {
        for (const step of plans.get(run) ?? []) {
          for (const kind of ['do', 'undo', 'probe']) {
            names.set(digestOf([run, registered ?? '', kind, step, 0, 0]), { run, step })
          }
        }
      }
    }
    return names.get(idem)
  }
}

function compareHistory(seen: Seen, history: readonly ClosedRun[], report: Report): void {
  const outcomes = new Map<string, string>()
  for (const { run, step, kind, outcome } of seen.effects.values()) {
    if (outcome !== undefined) outcomes.set(`${run} ${kind} ${step}`, outcome)
  }
  const settled = new Set(['settled', 'already-settled'])
  for (const { run, steps } of history) {
    for (const { id, outcome, undo } of steps) {
      const gap = { run, step: id, where: 'Temporal history' }
      const recorded = outcomes.get(`${run} do ${id}`)
      if (settled.has(outcome) && recorded !== 'settled') report({ ...gap, what: 'NO_OUTCOME' })
      // A failure in Temporal may be a lost answer; a step that never began cannot have settled.
      if ((outcome === 'pending' || outcome === 'skipped') && recorded === 'settled') {
        report({ ...gap, what: 'NOT_IN_HISTORY' })
      }
      if (settled.has(undo ?? '') && outcomes.get(`${run} undo ${id}`) !== 'settled') {
        report({ ...gap, what: 'NO_OUTCOME' })
      }
    }
  }
}
