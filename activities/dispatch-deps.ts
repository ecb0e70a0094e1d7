// What dispatching a step needs from outside, so that tests give it fakes. The crash hook is wired by
// the tests' own worker entry only; the composition root of the product passes none.

import type { Catalogue } from '../plan/manifest.ts'
import type { StepInput } from '../workflows/contract.ts'
import type { ArtifactStore } from './artifacts.ts'
import type { DocumentStore } from './documents.ts'
import type { AgentCalls, NotaryCalls } from './notary-calls.ts'
import type { PlanStore } from './plan-store.ts'
import type { Pools } from './pools.ts'

/** Where a test may end the process, to prove that the run survives it. */
export type CrashPoint =
  | 'after-authorise'
  | 'after-send'
  | 'after-reply'
  | 'after-artifact'
  | 'after-settle'

export interface DispatchDeps {
  readonly artifacts: ArtifactStore
  readonly plans: PlanStore
  readonly documents: DocumentStore
  readonly notary: NotaryCalls
  readonly agents: AgentCalls
  readonly pools: Pick<Pools, 'within' | 'watch'>
  readonly catalogue: Catalogue
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly onPoint?: (point: CrashPoint, at: StepInput) => Promise<void> | void
}
