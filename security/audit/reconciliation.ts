// Omission, which no hash structure can find: compares what the audit says with itself, with the
// agents' ledgers and with Temporal's history, and names each thing that one of them has and another
// lacks by run and step. Pure; rows are fed once and only a few words of each are kept. Counts on
// two orders that its callers keep: a ledger or history that must be covered by rows was read before
// the head of those rows, and a ledger that must cover rows was read after it.

import { digestOf } from '../verify/hash.ts'
import type { AuditRow } from './format.ts'
import { nameOfStep, noteRow, type Recorded, type Report } from './recorded-effects.ts'
import type { AuditGap } from './verification.ts'

/**
 * In the audit by itself: `NOT_REGISTERED`, `NOT_ADMITTED` a run has steps and no such plan row ·
 * `NO_INTENT` a token without an intent · `NO_MINT` an intent or a receipt without a token ·
 * `NO_ATTEMPT` an attempt between others is missing · `NO_RECEIPT` settled by nothing · `TWICE` an
 * effect has two outcomes · `AFTER_OUTCOME` a token after the outcome. Against a ledger:
 * `NOT_RECORDED` an agent carried out what no token was recorded for · `NOT_EXECUTED` an outcome of
 * which the agent knows nothing · `OTHER_RECEIPT` the agent has another receipt. Against Temporal:
 * `NO_OUTCOME` a closed run has a step that the audit has no such outcome for · `NOT_IN_HISTORY` an
 * effect settled in a step that the closed run never came to; of a read in a run that a person stopped
 * that is no gap, because it does not ask again for what a lost workflow task of it had read (ADR 21).
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
    /** Effect class of its action. */
    readonly effect: string
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

export function createReconciler(): Reconciler {
  const gaps: AuditGap[] = []
  const seen: Recorded = { runs: new Map(), effects: new Map(), loops: new Map() }
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

function compareWithin({ runs, effects }: Recorded, report: Report): void {
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

function compareLedgers(seen: Recorded, others: OtherRecords, report: Report): void {
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
    if (executed === undefined) {
      if (!effect.notBegun) report({ run, step, what: 'NOT_EXECUTED', where })
      continue
    }
    // Of an unknown outcome the ledger keeps no receipt, and may learn the real one later.
    if (outcome !== 'unknown' && !resolved && executed.receipt !== receipt) {
      report({ run, step, what: 'OTHER_RECEIPT', where })
    }
  }
}

/** Finds run and step of an effect that the audit has no row of: its id is a hash of its address. */
function createNaming(seen: Recorded, plans: OtherRecords['plans']) {
  let names: Map<string, { readonly run: string; readonly step: string }> | undefined
  return (idem: string) => {
    names ??= namesOf(seen, plans)
    return names.get(idem)
  }
}

function namesOf({ runs, loops }: Recorded, plans: OtherRecords['plans']) {
  const names = new Map<string, { readonly run: string; readonly step: string }>()
  for (const [run, { registered = '' }] of runs) {
    for (const step of plans.get(run) ?? []) {
      const items = loops.get(nameOfStep(run, step)) ?? 1
      for (const kind of ['do', 'undo', 'probe']) {
        for (let iteration = 0; iteration < items; iteration += 1) {
          names.set(digestOf([run, registered, kind, step, iteration, 0]), { run, step })
        }
      }
    }
  }
  return names
}

function compareHistory(seen: Recorded, history: readonly ClosedRun[], report: Report): void {
  const recorded = tallyOutcomes(seen)
  const settled = new Set(['settled', 'already-settled'])
  for (const { run, steps } of history) {
    const isStopped = seen.runs.get(run)?.stopped === true
    for (const { id, effect, outcome, undo } of steps) {
      const gap = { run, step: id, where: 'Temporal history' }
      const done = recorded.get(`do ${nameOfStep(run, id)}`)
      const items = seen.loops.get(nameOfStep(run, id))
      // A loop is settled when each of its iterations has come to an end, whatever end that is.
      const isRecorded =
        items === undefined ? done?.last === 'settled' : (done?.outcomes ?? 0) >= items
      if (settled.has(outcome) && !isRecorded) report({ ...gap, what: 'NO_OUTCOME' })
      // A failure in Temporal may be a lost answer; a step that never began cannot have settled.
      const mayBeLost = isStopped && effect === 'read'
      const neverBegan = (outcome === 'pending' && !mayBeLost) || outcome === 'skipped'
      if (neverBegan && done?.last === 'settled') {
        report({ ...gap, what: 'NOT_IN_HISTORY' })
      }
      const undone = recorded.get(`undo ${nameOfStep(run, id)}`)
      const isUndone = items === undefined ? undone?.last === 'settled' : undone?.hasSettled
      if (settled.has(undo ?? '') && isUndone !== true) {
        report({ ...gap, what: 'NO_OUTCOME' })
      }
    }
  }
}

interface Outcomes {
  last: string
  outcomes: number
  hasSettled: boolean
}

/** By kind, run and step: of a loop over all of its iterations. */
function tallyOutcomes({ effects }: Recorded): ReadonlyMap<string, Outcomes> {
  const tallies = new Map<string, Outcomes>()
  for (const { run, step, kind, outcome } of effects.values()) {
    if (outcome === undefined) continue
    const key = `${kind} ${nameOfStep(run, step)}`
    const before = tallies.get(key) ?? { last: outcome, outcomes: 0, hasSettled: false }
    tallies.set(key, {
      last: outcome,
      outcomes: before.outcomes + 1,
      hasSettled: before.hasSettled || outcome === 'settled',
    })
  }
  return tallies
}
