// What a person may do about a run that did not go well, as commands to type. Pure. Every unknown
// outcome and every failed undo has a line: nothing that needs a person ends in silence.

import type { StepOutcome } from '../workflows/contract.ts'

export interface AdvisedRun {
  readonly requestId: string
  readonly status: string
  readonly steps: readonly {
    readonly id: string
    readonly outcome: StepOutcome
    readonly undo?: StepOutcome
    readonly undoCode?: string
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
  const advice = steps.flatMap(({ id, outcome, undo, undoCode }): readonly Advice[] => {
    const found: Advice[] = []
    if (outcome === 'unknown') {
      found.push({
        about: `nobody knows whether ${id} happened: look, then say so`,
        next: `npx bulkhead runs resolve ${requestId} ${id} --happened   or   --did-not`,
      })
    }
    if (undo === 'unknown') {
      found.push({
        about: `nobody knows whether ${id} was undone: look, then say so`,
        next: `npx bulkhead runs resolve ${requestId} ${id} --undo --happened   or   --did-not`,
      })
    }
    if (undo === 'failed' || undo === 'denied') {
      const why = undoCode === undefined ? '' : ` (${undoCode})`
      found.push({
        about: `${id} was not undone${why}: what it did is still there`,
        next: `npx bulkhead audit query --run ${requestId} --kind outcome`,
      })
    }
    return found
  })
  if (status !== 'held') return advice
  const failed = steps.filter(({ outcome }) => outcome === 'failed' || outcome === 'denied')
  const retries = failed.map(({ id }) => ({
    about: `${id} failed, and the run waits`,
    next: `npx bulkhead runs retry ${requestId} ${id}`,
  }))
  const end = {
    about: 'or give the run up: what it did is undone',
    next: `npx bulkhead runs give-up ${requestId}`,
  }
  return [...advice, ...retries, end]
}
