// What the nemesis proves: pure, from what the outside world saw and what the records say.

import type { Ending } from './workload.ts'

export interface World {
  /** How often the effect of a job happened. */
  times(requestId: string): number
  /** State of its row in the agent's ledger; undefined without one. */
  ledger(requestId: string): string | undefined
}

export interface Verdict {
  readonly runs: number
  readonly settled: number
  readonly unknown: number
  /** Effects that happened more than once: how many too many. */
  readonly duplicates: number
  /** Told as done and not done, or never told at all. */
  readonly lost: number
  /** Told as failed: nobody waits for it, and the effect did not happen. */
  readonly failed: number
  /** Unknown without the excuse of a non-idempotent step that was cut off while executing. */
  readonly inexcusable: readonly string[]
  /** Ids of runs behind `duplicates`, `lost` and `failed`, with what they came to. */
  readonly details: readonly string[]
}

export function judge(endings: readonly Ending[], world: World): Verdict {
  const count = { settled: 0, unknown: 0, duplicates: 0, lost: 0, failed: 0 }
  const inexcusable: string[] = []
  const details: string[] = []
  for (const { job, result } of endings) {
    const { requestId, kind } = job
    const times = world.times(requestId)
    const act = result?.steps.find((step) => step.id === 'act')
    const told = `${requestId}: ${result?.status ?? 'never ended'} ${act?.outcome ?? ''} ${act?.code ?? ''}, ${times} times, ledger ${world.ledger(requestId) ?? 'absent'}`
    if (times > 1) {
      count.duplicates += times - 1
      details.push(told)
    }
    if (result === undefined) {
      count.lost += 1
      details.push(told)
    } else if (act?.outcome === 'settled' || act?.outcome === 'already-settled') {
      if (times === 0) {
        count.lost += 1
        details.push(told)
      } else count.settled += 1
    } else if (act?.outcome === 'unknown') {
      count.unknown += 1
      const excused = kind === 'count' && world.ledger(requestId) === 'UNKNOWN'
      if (!excused) inexcusable.push(told)
    } else if (times > 0) {
      // Told as not done, and it was.
      count.lost += 1
      details.push(told)
    } else {
      count.failed += 1
      details.push(told)
    }
  }
  return { runs: endings.length, ...count, inexcusable, details }
}
