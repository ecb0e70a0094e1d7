// Has the supervisor enforce the quarantine table: tells it the whole table until it says that it
// holds, at the start and after every change. Until then a replica that is shut out may still run;
// it gets no token, because that is decided from the table itself.

import { type Bus, BusError } from '../security/bus.ts'
import { enforceReply, type QuarantineEntry } from './quarantine-contract.ts'

export interface Enforcement {
  /** Once a second; true when the supervisor holds what the table says. */
  tick(): Promise<boolean>
}

const timeoutMs = 5_000

export function createEnforcement(
  bus: Pick<Bus, 'call'>,
  table: () => readonly QuarantineEntry[],
): Enforcement {
  const head = { receiver: 'supervisor', type: 'STATUS_UPDATE', correlationId: '' } as const
  let held: string | undefined
  let asking: Promise<boolean> | undefined
  const enforce = async (): Promise<boolean> => {
    const entries = table()
    const wanted = JSON.stringify(entries)
    if (wanted === held) return true
    try {
      const options = { reply: enforceReply, timeoutMs }
      const reply = await bus.call('supervisor.quarantine', head, { entries }, options)
      if (reply.status === 'ENFORCED') held = wanted
    } catch (error) {
      // Not there yet, or busy: the next tick asks again.
      if (!(error instanceof BusError)) throw error
    }
    return wanted === held
  }
  return {
    tick: () => {
      asking ??= enforce().finally(() => {
        asking = undefined
      })
      return asking
    },
  }
}
