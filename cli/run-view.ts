// The machine-readable shape of a run (interfaces.md) and how a person sees it. Pure. Other
// programs rely on these names: additions are allowed, renames are not.

import type { RunState, StepOutcome, StepSummary } from '../workflows/contract.ts'
import { type Advice, adviceFor } from './run-advice.ts'

export interface AuditSummary {
  readonly rows: number
  readonly verified: boolean
  readonly head: string
}

export interface RunDocument {
  readonly requestId: string
  readonly workflowId: string
  readonly runId: string
  readonly recipe?: string
  readonly status: string
  readonly answer: string | null
  readonly steps: readonly {
    readonly id: string
    readonly agent: string
    readonly action: string
    readonly effect: string
    readonly outcome: StepOutcome
    readonly code?: string
    readonly attempts: number
    readonly durationMs: number
    readonly undo?: StepOutcome
    readonly undoCode?: string
    readonly rerun?: number
    readonly progress?: { readonly done: number; readonly total: number | null }
  }[]
  readonly code?: string
  /** What waits for a person, and the command for it. */
  readonly next?: readonly Advice[]
  readonly audit: AuditSummary
  readonly links: { readonly temporal: string; readonly console?: string }
}

export interface RunFacts {
  readonly requestId: string
  readonly runId: string
  readonly recipe?: string
  readonly state: RunState
  readonly answer: string | null
  readonly audit: AuditSummary
  readonly link: string
}

export function toRunDocument(facts: RunFacts): RunDocument {
  const steps = facts.state.steps.map(toStep)
  const { status } = facts.state
  const next = adviceFor({ requestId: facts.requestId, status, steps })
  return {
    requestId: facts.requestId,
    workflowId: facts.requestId,
    runId: facts.runId,
    ...(facts.recipe === undefined ? {} : { recipe: facts.recipe }),
    status,
    answer: facts.answer,
    steps,
    ...(facts.state.code === undefined ? {} : { code: facts.state.code }),
    ...(next.length === 0 ? {} : { next }),
    audit: facts.audit,
    links: { temporal: facts.link },
  }
}

function toStep(step: StepSummary): RunDocument['steps'][number] {
  const [agent = '', action = ''] = step.type.split('.')
  return {
    id: step.id,
    agent,
    action,
    effect: step.effect,
    outcome: step.outcome,
    ...(step.code === undefined ? {} : { code: step.code }),
    attempts: step.attempts,
    durationMs: step.durationMs,
    ...(step.undo === undefined ? {} : { undo: step.undo }),
    ...(step.undoCode === undefined ? {} : { undoCode: step.undoCode }),
    ...(step.rerun === undefined ? {} : { rerun: step.rerun }),
    ...(step.progress === undefined ? {} : { progress: step.progress }),
  }
}

/** Address of a run in Temporal's Web UI. */
export function temporalLink(ui: string, namespace: string, requestId: string, runId: string) {
  const { origin } = new URL(ui)
  return `${origin}/namespaces/${namespace}/workflows/${encodeURIComponent(requestId)}/${runId}/timeline`
}

const marks: Readonly<Record<StepOutcome, string>> = {
  pending: ' ',
  running: '>',
  settled: '+',
  'already-settled': '+',
  denied: 'x',
  unknown: '?',
  failed: 'x',
  skipped: '-',
}

/** `+ work  calendar.list  settled  84 ms` */
export function stepLine(step: StepSummary): string {
  const code = step.code === undefined ? '' : ` (${step.code})`
  const undoCode = step.undoCode === undefined ? '' : ` (${step.undoCode})`
  const undo = step.undo === undefined ? '' : `, undo ${step.undo}${undoCode}`
  const rerun = step.rerun === undefined ? '' : `, rerun ${step.rerun}`
  const progress = step.progress === undefined ? '' : `, ${progressOf(step.progress)}`
  const attempts = step.attempts > 1 ? `, ${step.attempts} attempts` : ''
  return `${marks[step.outcome]} ${step.id}  ${step.type}  ${step.outcome}${code}${undo}  ${step.durationMs} ms${attempts}${rerun}${progress}`
}

function progressOf({ done, total }: NonNullable<StepSummary['progress']>): string {
  return total === null ? `${done} done` : `${done} of ${total}`
}

/** The steps that changed between two states, as lines. */
export function changedSteps(before: RunState | undefined, after: RunState): readonly string[] {
  const wordsOf = ({ outcome, undo, rerun, progress }: StepSummary) =>
    JSON.stringify([outcome, undo, rerun, progress])
  const known = new Map(before?.steps.map((step) => [step.id, wordsOf(step)]))
  return after.steps
    .filter((step) => step.outcome !== 'pending')
    .filter((step) => known.get(step.id) !== wordsOf(step))
    .map(stepLine)
}

/** What a person reads at the end of a run. */
export function runLines(run: RunDocument): readonly string[] {
  const verdict = run.audit.verified ? 'verified' : 'NOT VERIFIED'
  return [
    ...(run.answer === null ? [] : [run.answer.trimEnd(), '']),
    `${run.requestId}: ${run.status}${run.code === undefined ? '' : ` (${run.code})`}`,
    ...run.steps.map((step) => stepLine({ ...step, type: `${step.agent}.${step.action}` })),
    ...(run.next ?? []).flatMap(({ about, next }) => [about, `  next: ${next}`]),
    `audit: ${run.audit.rows} rows, ${verdict}`,
    `Temporal: ${run.links.temporal}`,
  ]
}
