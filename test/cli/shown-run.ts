// A run as a person is shown it, from what its workflow says of its steps.

import { type RunDocument, toRunDocument } from '../../cli/run-view.ts'
import type { RunState, StepSummary } from '../../workflows/contract.ts'

/** @param state its status, or that and more of it */
export const shown = (
  state: RunState['status'] | Omit<RunState, 'steps'>,
  ...steps: readonly StepSummary[]
): RunDocument =>
  toRunDocument({
    requestId: 'r-1',
    runId: 'run',
    state: { ...(typeof state === 'string' ? { status: state } : state), steps },
    answer: null,
    audit: { rows: 1, verified: true, head: 'h' },
    link: '',
  })
