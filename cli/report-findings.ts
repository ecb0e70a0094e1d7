// Which rows tell of a violation, and what of it. One row at a time. What can still be put right later (an
// unknown outcome, reach that grew) is kept open until the last row, and then stands or does not. Pure.

import { personOf } from '../security/people.ts'
import type { Violation } from './report-contract.ts'
import {
  ofAgent,
  ofApprovals,
  ofEgress,
  ofNotary,
  ofOthers,
  ofOutcomes,
  ofResults,
  ofSignals,
  ofSpending,
  type Remedies,
  type Remedy,
} from './report-remedies.ts'
import { agentOf, type ReadRow } from './report-rows.ts'

/** One violation as one row tells it. */
export interface Finding {
  readonly place: Violation['place']
  readonly code: string
  readonly rules: readonly string[]
  readonly run: string
  readonly subject: string
  readonly missing: string
  readonly seq: number
  readonly at: number
  /** What it stands for: a row of the gateway may tell of several. */
  readonly times: number
  /** A person's own command, whose refusal was on their screen. */
  readonly told: boolean
  readonly remedy: Remedy
  /** Beside what the remedy says. */
  readonly detail: string
}

/** The finding of one row by itself; undefined: nothing is wrong. */
export function findingOf(read: ReadRow): Finding | undefined {
  switch (read.row.kind) {
    case 'decision':
      return read.body.decision === 'refused' ? coded(read, 'notary', ofNotary) : undefined
    case 'security':
      return ofSecurityRow(read)
    case 'message':
      return ofEgressRow(read)
    case 'outcome':
      return ofOutcomeRow(read)
    case 'approval': {
      const remedy = ofApprovals[read.body.event ?? '']
      const code = (read.body.event ?? '').toUpperCase()
      return remedy === undefined ? undefined : found(read, { place: 'approval', code, remedy })
    }
    default:
      return undefined
  }
}

function ofSecurityRow(read: ReadRow): Finding | undefined {
  const { row, body } = read
  const { event } = body
  if (event === 'over-quota') return coded(read, 'platform', ofSignals, 'OVER_QUOTA')
  if (event === 'not-recorded') return coded(read, 'agent', ofSignals, 'NOT_RECORDED')
  // A quarantine and its end are consequences; the signal has a row before it.
  if (event !== undefined && event !== 'refused') return undefined
  if (row.actor.startsWith('agent:')) return coded(read, 'agent', ofAgent)
  return body.code === undefined ? undefined : coded(read, 'signal', ofSignals)
}

const passing: ReadonlySet<string> = new Set(['OK', 'OPENED'])

function ofEgressRow(read: ReadRow): Finding | undefined {
  const { row, body } = read
  if (!row.subject.startsWith('egress:') || passing.has(body.code ?? '')) return undefined
  const finding = coded(read, 'egress', ofEgress)
  return finding === undefined ? undefined : { ...finding, times: 1 + (body.skipped ?? 0) }
}

function ofOutcomeRow(read: ReadRow): Finding | undefined {
  const { row, body } = read
  if (body.code === 'INVALID_RESULT') {
    const agent = agentOf(row.actor)
    const detail = body.fault ?? 'its own agent says so'
    const remedy = {
      ...ofResults,
      next: () => ofResults.next({ run: '', subject: agent, missing: '' }),
    }
    return { ...found(read, { place: 'result', code: body.code, remedy }), detail }
  }
  if (body.spending === 'exceeded') {
    const agent = agentOf(row.actor)
    const remedy = {
      ...ofSpending,
      next: () => ofSpending.next({ run: '', subject: agent, missing: '' }),
    }
    return found(read, { place: 'result', code: 'SPENT_MORE', remedy })
  }
  const failed = body.outcome === 'failed' || body.outcome === 'denied'
  // Nothing was there to be taken back.
  if (body.kind !== 'undo' || !failed || body.code === 'NEVER_AUTHORISED') return undefined
  return coded(read, 'outcome', ofOutcomes, 'UNDO_FAILED')
}

/** Code by code; one that no table has is reported, too. */
function coded(
  read: ReadRow,
  place: Finding['place'],
  remedies: Remedies,
  code = read.body.code ?? 'NO_CODE',
): Finding | undefined {
  const isKnown = Object.hasOwn(remedies, code)
  const remedy = isKnown ? remedies[code] : ofOthers
  return remedy === undefined ? undefined : found(read, { place, code, remedy })
}

type Kind = Pick<Finding, 'place' | 'code' | 'remedy'>

function found({ row, body }: ReadRow, kind: Kind): Finding {
  const { seq, at, correlation: run, subject, actor } = row
  const { rules = [], missing = '' } = body
  const told = personOf(actor) !== undefined
  return { ...kind, rules, run, subject, missing, seq, at, times: 1, told, detail: '' }
}

/** What stands until a later row puts it right. */
export interface OpenFindings {
  add(read: ReadRow): void
  all(): readonly Finding[]
}

/** Unknown outcomes that are waited for at once; the oldest are kept. */
const maxOpen = 10_000

export function createOpenFindings(): OpenFindings {
  const open = new Map<string, Finding>()
  const put = (key: string, finding: Finding | undefined) => {
    if (finding === undefined || (open.size >= maxOpen && !open.has(key))) return
    open.set(key, finding)
  }
  return {
    add(read) {
      const { row, body } = read
      if (row.kind === 'outcome' && body.outcome === 'unknown') {
        const code = body.kind === 'undo' ? 'UNDO_UNKNOWN' : 'UNKNOWN_OUTCOME'
        const finding = coded(read, 'outcome', ofOutcomes, code)
        const item = body.iteration === undefined ? '' : `:${body.iteration}`
        if (body.kind !== 'probe' && finding !== undefined) {
          put(`idem ${body.idem}`, { ...finding, subject: `${row.subject}${item}` })
        }
      }
      if (row.kind === 'decision' && body.decision === 'resolved') open.delete(`idem ${body.idem}`)
      if (row.kind === 'life-cycle' && body.event === 'policy-refused') {
        put('policy', coded(read, 'platform', ofSignals, 'POLICY_REFUSED'))
      }
      if (row.kind === 'life-cycle' && body.event === 'policy-changed') open.delete('policy')
      if (row.kind === 'security' && body.event === 'reach') {
        if ((body.grown ?? 0) > 0) put('reach', coded(read, 'platform', ofSignals, 'REACH_GREW'))
        else open.delete('reach')
      }
    },
    all: () => [...open.values()],
  }
}
