// Which steps may take the fast lane: be executed inside their run's workflow task, by one local
// attempt, instead of as an activity of their own. A task that is lost with its worker is repeated, and
// what it had done the repeat may not do again: where the run was cancelled meanwhile, it begins nothing
// and has nothing to undo. So only what has no effect goes there. Pure.

import type { CompiledStep } from './schema.ts'

/** What is longer would hold up its run, which can do nothing else meanwhile. */
export const fastTimeoutMs = 2_000

export function laneOf({ effect, timeoutMs }: CompiledStep): 'fast' | 'regular' {
  return effect === 'read' && timeoutMs <= fastTimeoutMs ? 'fast' : 'regular'
}
