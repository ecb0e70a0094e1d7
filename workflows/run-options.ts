// How a run is started, by whomever: an entry point's client and a person's assistant start the same. A
// schedule's firing is started with what its schedule says instead (firing.ts), and a consultation with what
// is its run's (run-consultation.ts): children have their parent's priority.

import { limits } from '../plan/limits.ts'
import type { Priority } from '../plan/schema.ts'
import { attributesAtStart } from './search-attributes.ts'

/** 1 goes first, 5 last; 3 is what the server takes for a task without one (temporal/priority.ts). */
export const priorityKeys: Readonly<Record<Priority, number>> = {
  CRITICAL: 1,
  HIGH: 2,
  MEDIUM: 3,
  LOW: 4,
}

/** All but id, arguments, and what happens where it runs already. `recipe` is stored in clear. */
export function runOptions(run: {
  readonly priority: Priority
  readonly recipe?: string | undefined
}) {
  const { priority, recipe } = run
  return {
    workflowIdReusePolicy: 'REJECT_DUPLICATE' as const,
    workflowExecutionTimeout: limits.runMs,
    staticSummary: recipe ?? 'plan',
    priority: { priorityKey: priorityKeys[priority] },
    typedSearchAttributes: attributesAtStart(recipe),
  }
}
