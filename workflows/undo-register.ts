// What would have to be taken back, in the order in which it was begun. Each rerun of a step is an
// effect of its own and is undone on its own, with the results that it was built on.

import type { SkeletonStep } from '../plan/schema.ts'
import type { StepInput, StepResult } from './contract.ts'

export interface Undo {
  readonly step: SkeletonStep
  readonly input: StepInput
}

export interface UndoRegister {
  /** Before the step begins; a step without an undo is not kept. */
  register(step: SkeletonStep, input: StepInput): void
  settle(step: string, rerun: number, result: StepResult): void
  newestFirst(): readonly Undo[]
}

export function createUndoRegister(): UndoRegister {
  const undos = new Map<string, Undo>()
  const keyOf = (step: string, rerun = 0) => `${step}~${rerun}`
  return {
    register(step, input) {
      if (!step.hasUndo) return
      const own = { step: step.id, iteration: 0, ref: null }
      const sources = [...input.sources, own]
      undos.set(keyOf(step.id, input.rerun), { step, input: { ...input, kind: 'undo', sources } })
    },
    settle(step, rerun, { outcome, resultRef: ref }) {
      const key = keyOf(step, rerun)
      const known = undos.get(key)
      if (known === undefined) return
      // Nothing else proves the absence of an effect: a refusal may follow an attempt that was sent.
      if (outcome === 'skipped') {
        undos.delete(key)
        return
      }
      const sources = [...known.input.sources.slice(0, -1), { step, iteration: 0, ref }]
      undos.set(key, { ...known, input: { ...known.input, sources } })
    },
    newestFirst: () => [...undos.values()].reverse(),
  }
}
