// What every real server that a test starts as a program has in common: a moment at which it answers,
// and an end.

import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'

/**
 * Asks until the answer is true; what the asking throws counts as no.
 * @throws Error when the server has ended, or does not answer within half a minute
 */
export async function untilAnswers(
  child: ChildProcess,
  asks: () => Promise<boolean>,
): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    if (child.exitCode !== null) throw new Error('the server has ended')
    if (await asks().catch(() => false)) return
    await delay(100)
  }
  throw new Error('the server does not answer')
}

/** Resolves when it has ended, whoever ended it. */
export async function endServer(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill(signal)
  await ended
}
