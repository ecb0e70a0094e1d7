// What the supervisor tells the notary: which sandbox runs under which epoch and keys, and what
// happened to processes. `boot` must be recorded before the agent may be used; events are told once
// and never awaited by anything that matters.

import { type BootCall, bootReply, type EventCall, eventReply } from '../notary/contract.ts'
import {
  type QuarantineCall,
  type QuarantineEntry,
  quarantineReply,
} from '../notary/quarantine-contract.ts'
import { type Bus, BusError } from '../security/bus.ts'
import { SupervisorError } from './codes.ts'

export interface NotaryPort {
  /** @throws SupervisorError NOT_RECORDED when the notary refuses or cannot be reached */
  boot(call: BootCall): Promise<void>
  /** Returns the whole table after the call. @throws SupervisorError NOT_RECORDED */
  quarantine(call: QuarantineCall): Promise<readonly QuarantineEntry[]>
  /** Best effort. */
  event(call: EventCall): Promise<void>
}

const timeoutMs = 5_000

export function createNotaryPort(bus: Bus): NotaryPort {
  const head = (correlationId: string, type: 'STATUS_UPDATE' | 'ERROR_NOTIFICATION') => ({
    receiver: 'notary',
    type,
    correlationId,
  })
  return {
    async boot(call) {
      const subject = `${call.agent}.${call.n}`
      const reply = await bus
        .call('notary.boot', head(call.bootEpoch, 'STATUS_UPDATE'), call, {
          reply: bootReply,
          timeoutMs,
        })
        .catch((cause: unknown) => {
          const reason = cause instanceof BusError ? cause.code : String(cause)
          throw new SupervisorError(
            'NOT_RECORDED',
            `the notary did not record the boot of ${subject}: ${reason}`,
            { cause },
          )
        })
      if (reply.status !== 'RECORDED') {
        throw new SupervisorError(
          'NOT_RECORDED',
          `the notary refused the boot of ${subject}: ${reply.code} ${reply.message}`,
        )
      }
    },
    async quarantine(call) {
      const options = { reply: quarantineReply, timeoutMs }
      const reply = await bus
        .call('notary.quarantine', head('', 'STATUS_UPDATE'), call, options)
        .catch((cause: unknown) => {
          const reason = cause instanceof BusError ? cause.code : String(cause)
          throw new SupervisorError('NOT_RECORDED', `the notary did not answer: ${reason}`, {
            cause,
          })
        })
      if (reply.status === 'QUARANTINED') return reply.entries
      throw new SupervisorError('NOT_RECORDED', `the notary refused: ${reply.code}`)
    },
    async event(call) {
      await bus
        .call('notary.event', head('', 'STATUS_UPDATE'), call, { reply: eventReply, timeoutMs })
        .catch(() => undefined)
    },
  }
}
