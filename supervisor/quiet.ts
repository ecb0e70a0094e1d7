// When an agent that gets no new tokens has nothing under way any more: what it was sent has been
// answered, and nothing came for a moment. Seen from outside, by the bytes that pass its forwarder.

import { setTimeout as delay } from 'node:timers/promises'
import { limits } from '../plan/limits.ts'
import type { Forwarder } from './forwarder.ts'

/** A token that was minted last is sent within milliseconds; this is for a busy machine. */
const quietMs = 250
const lookEveryMs = 10

/**
 * Resolves when the agent is quiet, or when the time in which any agent must reply has passed.
 * @param since milliseconds since the epoch; what came before it was the handshake
 */
export async function untilQuiet(
  forwarder: Pick<Forwarder, 'activity'>,
  { since, now }: { readonly since: number; readonly now: () => number },
): Promise<void> {
  const begun = now()
  while (now() - begun < limits.replyMs) {
    const { toAgent, fromAgent } = forwarder.activity()
    const isPending = toAgent > Math.max(fromAgent, since)
    if (!isPending && now() - Math.max(begun, toAgent) >= quietMs) return
    await delay(lookEveryMs)
  }
}
