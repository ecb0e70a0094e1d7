// The machine-readable shape of a run (interfaces.md) and how a person sees it. Pure. Other
// programs rely on these names: additions are allowed, renames are not.

import { toHandle } from '../plan/handle.ts'
import type {
  LoopSummary,
  OpenApproval,
  RunState,
  StepOutcome,
  StepProgress,
  StepSummary,
  Tally,
} from '../workflows/contract.ts'
import { consultedLine } from './consulted-view.ts'
import { doneOf, failedLines, loopWords } from './loop-view.ts'
import { progressWords } from './progress-words.ts'
import { type Advice, adviceFor } from './run-advice.ts'

export interface AuditSummary {
  readonly rows: number
  readonly verified: boolean
  readonly head: string
  /** Only the signed head was verified: rows are the owner's to read. Absent: every row. */
  readonly scope?: 'head'
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
    /** It came to its outcome inside its run's workflow task. Absent: in an activity of its own. */
    readonly lane?: 'fast'
    readonly progress?: StepProgress
    /** Of a loop: how many iterations came to what, and the first that did not go well. */
    readonly loop?: Omit<LoopSummary, 'chunks'> & { readonly done: number }
    /** Not before this instant, milliseconds since the epoch. */
    readonly at?: number
    /** What a person is asked before it may begin. */
    readonly approvals?: readonly OpenApproval[]
    /** What a later plan calls its result. Absent where it has none; of a loop each iteration has one. */
    readonly handle?: string
  }[]
  /** Of one in words: the models that were asked for its plan, in order. */
  readonly consulted?: RunState['consulted']
  /** What a person is asked before the plan may begin. */
  readonly approvals?: readonly OpenApproval[]
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
  const steps = facts.state.steps.map((step) => toStep(step, facts.requestId))
  const { status, approvals, consulted } = facts.state
  const asked = approvals === undefined ? {} : { approvals }
  const recipe = facts.recipe === undefined ? {} : { recipe: facts.recipe }
  const code = facts.state.code === undefined ? {} : { code: facts.state.code }
  const told = { ...asked, ...recipe, ...code }
  const next = adviceFor({ requestId: facts.requestId, status, steps, ...told })
  return {
    requestId: facts.requestId,
    workflowId: facts.requestId,
    runId: facts.runId,
    ...recipe,
    status,
    answer: facts.answer,
    steps,
    ...asked,
    ...(consulted === undefined ? {} : { consulted }),
    ...code,
    ...(next.length === 0 ? {} : { next }),
    audit: facts.audit,
    links: { temporal: facts.link },
  }
}

function toStep(step: StepSummary, requestId: string): RunDocument['steps'][number] {
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
    ...(step.lane === undefined ? {} : { lane: step.lane }),
    ...(step.progress === undefined ? {} : { progress: step.progress }),
    ...(step.loop === undefined ? {} : { loop: toLoop(step.loop) }),
    ...(step.at === undefined ? {} : { at: step.at }),
    ...(step.approvals === undefined ? {} : { approvals: step.approvals }),
    ...(hasResult(step)
      ? { handle: toHandle({ request: requestId, step: step.id, iteration: 0 }) }
      : {}),
  }
}

/** A step that happened by somebody's word, a person's or a probe's, has a code and no result. */
function hasResult({ outcome, code, loop }: StepSummary): boolean {
  const isSettled = outcome === 'settled' || outcome === 'already-settled'
  return isSettled && code === undefined && loop === undefined
}

function toLoop({ chunks: _, ...loop }: LoopSummary) {
  return { ...loop, done: doneOf(loop) }
}

/** Address of a run in Temporal's Web UI. */
export function temporalLink(ui: string, namespace: string, requestId: string, runId: string) {
  const { origin } = new URL(ui)
  return `${origin}/namespaces/${namespace}/workflows/${encodeURIComponent(requestId)}/${runId}/timeline`
}

const marks: Readonly<Record<StepOutcome, string>> = {
  pending: ' ',
  running: '>',
  waiting: '?',
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
  const lane = step.lane === undefined ? '' : `, ${step.lane} lane`
  const progress = step.progress === undefined ? '' : `, ${progressWords(step.progress)}`
  const loop = step.loop === undefined ? '' : `, ${loopWords(step.loop)}`
  const attempts = step.attempts > 1 ? `, ${step.attempts} attempts` : ''
  return `${marks[step.outcome]} ${step.id}  ${step.type}  ${step.outcome}${code}${undo}  ${step.durationMs} ms${attempts}${rerun}${loop}${timeOf(step)}${lane}${progress}`
}

/** A step of a run that is waiting for its time says when that is. */
function timeOf({ at, outcome }: StepSummary): string {
  if (at === undefined || outcome !== 'pending') return ''
  return `, not before ${new Date(at).toISOString().replace('.000Z', 'Z')}`
}

/** The steps that changed between two states, as lines. */
export function changedSteps(before: RunState | undefined, after: RunState): readonly string[] {
  const wordsOf = ({ outcome, undo, rerun, progress, loop }: StepSummary) =>
    JSON.stringify([outcome, undo, rerun, progress, ...tenthsOf(loop)])
  const known = new Map(before?.steps.map((step) => [step.id, wordsOf(step)]))
  return after.steps
    .filter((step) => step.outcome !== 'pending')
    .filter((step) => known.get(step.id) !== wordsOf(step))
    .map(stepLine)
}

/** A line for every tenth of a loop and for each that goes wrong, not for every iteration. */
function tenthsOf(loop: LoopSummary | undefined): readonly number[] {
  if (loop === undefined) return []
  const { total, undos } = loop
  const tenths = (tally: Tally) => Math.floor((10 * doneOf(tally)) / Math.max(1, total))
  return [tenths(loop), loop.failed.length, undos === undefined ? -1 : tenths(undos)]
}

/** What of a run later plans can build on, and how they name it. */
export function handleLines({ requestId, steps }: RunDocument): readonly string[] {
  const plain = steps.flatMap(({ id, handle }) =>
    handle === undefined ? [] : [`  ${id}  ${handle}`],
  )
  const loops = steps.flatMap(({ id, loop }) =>
    (loop?.outcomes.settled ?? 0) === 0 ? [] : [`  ${id}  ${requestId}/${id}/<iteration>`],
  )
  const lines = [...plain, ...loops]
  if (lines.length === 0) return []
  return [
    'results, as { $handle: <name>, pointer: /<field> } in the arguments of a plan:',
    ...lines,
  ]
}

/** What a person reads at the end of a run. */
export function runLines(run: RunDocument): readonly string[] {
  const verdict = run.audit.verified ? 'verified' : 'NOT VERIFIED'
  return [
    ...(run.answer === null ? [] : [run.answer.trimEnd(), '']),
    `${run.requestId}: ${run.status}${run.code === undefined ? '' : ` (${run.code})`}`,
    ...(run.consulted ?? []).map(consultedLine),
    ...run.steps.flatMap((step) => [
      stepLine({ ...step, type: `${step.agent}.${step.action}` }),
      ...(step.loop === undefined ? [] : failedLines(step.id, step.loop)),
      ...(step.loop?.undos === undefined ? [] : failedLines(`undo ${step.id}`, step.loop.undos)),
    ]),
    ...(run.next ?? []).flatMap(({ about, next }) => [about, `  next: ${next}`]),
    `audit: ${run.audit.rows} rows, ${run.audit.scope === 'head' ? 'their head ' : ''}${verdict}`,
    `Temporal: ${run.links.temporal}`,
  ]
}
