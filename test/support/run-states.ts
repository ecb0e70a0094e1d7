// Waits for a run to come to something, as a person who looks again and again does.

import { setTimeout as delay } from 'node:timers/promises'
import type { RunState } from '../../workflows/contract.ts'
import type { TemporalBench } from './temporal-worker.ts'

/** The first state seen that is so; a run that is not there yet is waited for. */
export async function whenRun(
  { client }: Pick<TemporalBench, 'client'>,
  requestId: string,
  isSo: (state: RunState) => boolean,
): Promise<RunState> {
  for (;;) {
    const state = await client.state(requestId).catch(() => undefined)
    if (state !== undefined && isSo(state)) return state
    await delay(50)
  }
}

export const isHeld = ({ status }: RunState): boolean => status === 'held'
