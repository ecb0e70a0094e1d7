// A part of a loop as a workflow of its own: its name, what it is given, and what it comes to. Shapes only.

import type { SkeletonStep } from '../plan/schema.ts'
import type { FailedIteration, OpenApproval, StepInput, StepOutcome } from './contract.ts'

/** An iteration, and which rerun of it (0: the first). */
export type IterationRun = readonly [iteration: number, rerun: number]

export const chunkWorkflowType = 'chunk'
/** No request's id: they have no tilde. */
export const chunkWorkflowId = (requestId: string, chunk: string) => `${requestId}~${chunk}`
/** Signal to a chunk: launch nothing more, let what runs come to its end. */
export const stopSignal = 'stop'

/** A part of a loop, in a workflow of its own so that no history grows with the list. */
export interface ChunkInput {
  readonly step: SkeletonStep
  /** Of any of them; `iteration` and `rerun` are set for each. */
  readonly input: StepInput
  /** In the order in which they are begun. */
  readonly iterations: readonly IterationRun[]
  /** How many may be out at once. */
  readonly slots: number
}

export interface ChunkResult {
  /** One for each of the input's iterations; `pending`: never begun; `waiting`: to be begun again. */
  readonly outcomes: readonly StepOutcome[]
  readonly failed: readonly FailedIteration[]
  /** Iterations for which the notary answered for a later rerun than was asked. */
  readonly reruns: readonly IterationRun[]
  /** Most attempts that one of them took. */
  readonly attempts: number
  /** What those that are `waiting` wait for, the first few. */
  readonly approvals?: readonly OpenApproval[]
}
