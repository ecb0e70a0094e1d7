// What a person may do about a run that did not go well, as commands to type. Pure. Every unknown
// outcome and every failed undo has a line: nothing that needs a person ends in silence.

import type { LoopSummary, OpenApproval, StepOutcome, Tally } from '../workflows/contract.ts'
import { wordsFor, wordsForLimit } from './failure-words.ts'

export interface AdvisedRun {
  readonly requestId: string
  readonly status: string
  readonly recipe?: string
  /** Why it ended so, where that is known. */
  readonly code?: string
  /** Of a plan that waits to be approved as a whole. */
  readonly approvals?: readonly OpenApproval[]
  readonly steps: readonly {
    readonly id: string
    readonly agent?: string
    readonly action?: string
    readonly outcome: StepOutcome
    readonly code?: string
    readonly undo?: StepOutcome
    readonly undoCode?: string
    readonly approvals?: readonly OpenApproval[]
    readonly loop?: Pick<LoopSummary, 'failed' | 'undos'>
  }[]
}

export interface Advice {
  /** What is the matter, one sentence. */
  readonly about: string
  /** The command to type next. */
  readonly next: string
}

/** Outcomes of steps and undos together, as exit codes are made of them. */
export function allOutcomes({ steps }: Pick<AdvisedRun, 'steps'>): readonly StepOutcome[] {
  return steps.flatMap(({ outcome, undo }) => (undo === undefined ? [outcome] : [outcome, undo]))
}

export function adviceFor(run: AdvisedRun): readonly Advice[] {
  const { requestId, status, steps } = run
  const asked = [
    ...limitAdvice(run),
    ...approvalAdvice('the plan', run.approvals),
    ...steps.flatMap(({ id, approvals }) => approvalAdvice(id, approvals)),
  ]
  const advice = steps.flatMap(
    ({ id, agent = '', outcome, undo, undoCode, loop }): readonly Advice[] => {
      const found: Advice[] = []
      for (const name of unknownOf(id, outcome, loop)) {
        found.push({
          about: `nobody knows whether ${name} happened: look, then say so`,
          next: `npx bulkhead runs resolve ${requestId} ${name} --happened   or   --did-not`,
        })
      }
      for (const name of unknownOf(id, undo, loop?.undos)) {
        found.push({
          about: `nobody knows whether ${name} was undone: look, then say so`,
          next: `npx bulkhead runs resolve ${requestId} ${name} --undo --happened   or   --did-not`,
        })
      }
      if (undo === 'failed' || undo === 'denied') {
        const why = undoCode === undefined ? '' : ` (${undoCode})`
        const words = wordsFor(agent, undoCode)
        const because = words === undefined ? '' : `; ${words.what}`
        found.push({
          about: `${id} was not undone${why}: what it did is still there${because}`,
          next: `npx bulkhead audit query --run ${requestId} --kind outcome`,
        })
      }
      return found
    },
  )
  if (status !== 'held') {
    return [...asked, ...advice, ...steps.flatMap((step) => failureAdvice(step, run))]
  }
  const failed = steps.filter(({ outcome }) => outcome === 'failed' || outcome === 'denied')
  const retries = failed.map(({ id, agent = '', code }) => {
    const words = wordsFor(agent, code)
    const why = words === undefined ? '' : `: ${words.what} (${code})`
    return {
      about: `${id} failed, and the run waits${why}`,
      next: `npx bulkhead runs retry ${requestId} ${id}`,
    }
  })
  const end = {
    about: 'or give the run up: what it did is undone',
    next: `npx bulkhead runs give-up ${requestId}`,
  }
  return [...asked, ...advice, ...retries, end]
}

/** Of a loop each code once, with how many there are of those that are told. */
function failureAdvice(
  { id, agent = '', action = '', outcome, code, loop }: AdvisedRun['steps'][number],
  { requestId, recipe }: Pick<AdvisedRun, 'requestId' | 'recipe'>,
): readonly Advice[] {
  const items = loop?.failed.filter((one) => one.outcome === 'failed') ?? []
  const codes = [...(outcome === 'failed' ? [code] : []), ...items.map((one) => one.code)]
  return [...new Set(codes)].flatMap((one): readonly Advice[] => {
    const words = wordsFor(agent, one)
    if (one === undefined || words === undefined) return []
    const next = words.next({ requestId, recipe, step: id, agent, code: one })
    return [{ about: `${id} failed, ${agent}.${action}: ${words.what} (${one})`, next }]
  })
}

/** Each once: a loop beyond its limit is refused item by item. */
function limitAdvice({ code, recipe, steps }: AdvisedRun): readonly Advice[] {
  const refused = steps.flatMap(({ id, outcome, code: own, loop }) => {
    const items = loop?.failed.filter((one) => one.outcome === 'denied') ?? []
    const codes = [...(outcome === 'denied' ? [own] : []), ...items.map((one) => one.code)]
    return codes.map((one) => [one, id] as const)
  })
  const found = new Map([[code, 'the plan'], ...refused.toReversed()])
  return [...found].flatMap(([one, name]): readonly Advice[] => {
    const words = wordsForLimit(one)
    if (words === undefined) return []
    return [{ about: `${name}: ${words.what} (${one})`, next: words.next({ recipe }) }]
  })
}

function approvalAdvice(name: string, approvals: readonly OpenApproval[] = []): readonly Advice[] {
  return approvals.map(({ id, expiresAt }) => ({
    about: `${name} waits for your approval, until ${new Date(expiresAt).toISOString()}`,
    next: `npx bulkhead approvals show ${id}   then   npx bulkhead approve ${id}   or   deny ${id}`,
  }))
}

/** A step, or the iterations of a loop: the first few, and the next few once those are answered. */
function unknownOf(
  id: string,
  outcome: StepOutcome | undefined,
  tally: Pick<Tally, 'failed'> | undefined,
): readonly string[] {
  if (outcome !== 'unknown') return []
  const unknown = tally?.failed.filter((one) => one.outcome === 'unknown') ?? []
  return unknown.length === 0 ? [id] : unknown.map(({ iteration }) => `${id}:${iteration}`)
}
