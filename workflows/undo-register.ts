// What would have to be taken back, in the order in which it was begun. Each rerun of a step is an
// effect of its own and is undone on its own, with the results that it was built on. A chunk of a
// loop is kept whole: its iterations do not build on each other, so newest first holds within it by
// undoing the last one first, and against all else because it was begun at one moment.

import type { SkeletonStep } from '../plan/schema.ts'
import type { ChunkResult, IterationRun } from './chunk-contract.ts'
import type { StepInput, StepResult } from './contract.ts'

export interface Undo {
  readonly step: SkeletonStep
  /** Of a chunk: of any of its iterations. */
  readonly input: StepInput
  /** Of a chunk: which, newest first. */
  readonly iterations?: readonly IterationRun[]
}

interface Chunk {
  readonly step: SkeletonStep
  readonly input: StepInput
  readonly iterations: readonly IterationRun[]
}

export interface UndoRegister {
  /** Before the step begins; a step without an undo is not kept. */
  register(step: SkeletonStep, input: StepInput): void
  settle(step: string, rerun: number, result: StepResult): void
  /** It was not begun after all. */
  withdraw(step: string, rerun: number): void
  /** Before the chunk begins. */
  registerChunk(name: string, chunk: Chunk): void
  settleChunk(name: string, result: ChunkResult): void
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
    withdraw: (step, rerun) => void undos.delete(keyOf(step, rerun)),
    registerChunk(name, { step, input, iterations }) {
      if (!step.hasUndo) return
      const newestFirst = iterations.toReversed()
      undos.set(name, { step, input: { ...input, kind: 'undo' }, iterations: newestFirst })
    },
    settleChunk(name, { outcomes, reruns }) {
      const known = undos.get(name)
      if (known?.iterations === undefined) return
      const answered = new Map(reruns)
      const newest = outcomes.length - 1
      const left = known.iterations
        .filter((_, index) => mayHaveHappened(outcomes[newest - index]))
        .flatMap(([iteration, rerun]) => {
          // A reset forgets reruns and the notary does not: each of them may be undone.
          const last = Math.max(rerun, answered.get(iteration) ?? 0)
          return Array.from(
            { length: last - rerun + 1 },
            (_, back): IterationRun => [iteration, last - back],
          )
        })
      if (left.length === 0) undos.delete(name)
      else undos.set(name, { ...known, iterations: left })
    },
    newestFirst: () => [...undos.values()].reverse(),
  }
}

function mayHaveHappened(outcome: ChunkResult['outcomes'][number] | undefined): boolean {
  return outcome !== 'pending' && outcome !== 'waiting' && outcome !== 'skipped'
}
