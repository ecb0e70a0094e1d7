// What Temporal's history says of closed runs, for reconciliation: the outcome of each step as the
// workflow returned it. A run that Temporal does not know (any more) is named as not reached.

import type { RequestSummary } from '../notary/contract.ts'
import type { ClosedRun } from '../security/audit/reconciliation.ts'
import type { RunClient } from '../temporal/client.ts'

export interface ClosedRuns {
  readonly history: readonly ClosedRun[]
  readonly unreached: readonly string[]
}

/** Asked for at the same time; each is two calls to a server on this machine. */
const atOnce = 16

/** `runs` of the requests, where they are closed. */
export async function readClosedRuns(
  client: Pick<RunClient, 'describe' | 'result'>,
  requests: readonly RequestSummary[],
): Promise<ClosedRuns> {
  const history: ClosedRun[] = []
  const unreached: string[] = []
  const waiting = requests.map((request) => request.requestId)
  const readOn = async () => {
    for (let run = waiting.shift(); run !== undefined; run = waiting.shift()) {
      const found = await readOne(client, run)
      if (found === 'NOT_FOUND') unreached.push(run)
      else if (found !== 'OPEN') history.push(found)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, readOn))
  return { history, unreached }
}

async function readOne(
  client: Pick<RunClient, 'describe' | 'result'>,
  run: string,
): Promise<ClosedRun | 'OPEN' | 'NOT_FOUND'> {
  try {
    if (!(await client.describe(run)).closed) return 'OPEN'
    const { steps } = await client.result(run)
    return {
      run,
      steps: steps.map(({ id, effect, outcome, undo }) => ({ id, effect, outcome, undo })),
    }
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'NOT_FOUND') return 'NOT_FOUND'
    throw cause
  }
}
