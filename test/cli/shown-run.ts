// A run as a person is shown it, from what its workflow says of its steps.

import { type RunDocument, toRunDocument } from '../../cli/run-view.ts'
import type { RunState, StepSummary } from '../../workflows/contract.ts'

export const shown = (status: RunState['status'], ...steps: readonly StepSummary[]): RunDocument =>
  toRunDocument({
    requestId: 'r-1',
    runId: 'run',
    state: { status, steps },
    answer: null,
    audit: { rows: 1, verified: true, head: 'h' },
    link: '',
  })
