// A real bus for all tests of a file, with two agents' accounts, and clients that each test may leave
// open.

import { afterAll, afterEach, beforeAll } from 'vitest'
import { z } from 'zod'
import type { MessageHead } from '../../security/message.ts'
import { startBus, type TestBus } from './bus.ts'
import { type BusClients, createBusClients } from './bus-clients.ts'

export const replicas = [
  { agent: 'calendar', n: 1 },
  { agent: 'notes', n: 1 },
]
export const task: Omit<MessageHead, 'sender'> = {
  receiver: 'test',
  type: 'TASK_REQUEST',
  correlationId: 'c1',
}
export const anyReply = { reply: z.unknown(), timeoutMs: 10_000 }

export interface BusBench extends Omit<BusClients, 'closeAll'> {
  readonly server: TestBus
}

/** Registers what starts and ends them: called once, at the top of a test file. */
export function useBus(): BusBench {
  let server: TestBus
  const clients = createBusClients(() => server)

  beforeAll(async () => {
    server = await startBus({ replicas })
  })
  afterEach(() => clients.closeAll())
  afterAll(() => server.stop())
  return {
    get server() {
      return server
    },
    ...clients,
  }
}
