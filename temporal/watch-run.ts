// Follows one run by asking for its state, and yields what changed. Polls, because a query is the one
// thing that Temporal answers without keeping it; a restarting worker only makes it wait.

import { setTimeout as delay } from 'node:timers/promises'
import type { RunResult, RunState, RunStatus } from '../workflows/contract.ts'
import { isOpenStatus } from './run-state.ts'

export interface WatchedRuns {
  describe(requestId: string): Promise<{ readonly status: RunStatus }>
  state(requestId: string): Promise<RunState>
  result(requestId: string): Promise<RunResult>
}

/** Quick enough for an eye, slow enough for a server that shares two cores with the run. */
const pollMs = 250

export async function* watchRun(
  requestId: string,
  runs: WatchedRuns,
  signal?: AbortSignal,
): AsyncGenerator<RunState, void, undefined> {
  let last = ''
  while (signal?.aborted !== true) {
    const { status } = await runs.describe(requestId)
    if (!isOpenStatus(status)) {
      const { answerRef: _, ...end } = await runs.result(requestId)
      yield end
      return
    }
    const state = await stateOrUndefined(requestId, runs)
    const text = JSON.stringify(state)
    if (state !== undefined && text !== last) {
      last = text
      yield state
    }
    // It waits for a person, who has been told what for.
    if (state?.status === 'held') return
    await delay(pollMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined)
  }
}

/** No worker answers while it is restarted; the run itself is unharmed. */
async function stateOrUndefined(
  requestId: string,
  runs: WatchedRuns,
): Promise<RunState | undefined> {
  try {
    return await runs.state(requestId)
  } catch {
    return undefined
  }
}
