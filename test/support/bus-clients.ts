// Clients of a test's bus that are closed together: our own, and bare ones for what our own code would
// never send. A test that leaves one open fails.

import { type NatsConnection, PermissionViolationError } from '@nats-io/transport-node'
import { type Bus, connectBus } from '../../security/bus.ts'
import type { TestBus } from './bus.ts'

export interface BusClients {
  /** Connects as an account through our own client. */
  enter(account: string): Promise<Bus>
  /** Connects as an account with a bare client. */
  raw(account: string): Promise<NatsConnection>
  /** Runs an attempt and returns what the server refused because of it: `operation subject`. */
  refusals(connection: NatsConnection, attempt: () => void): Promise<readonly string[]>
  closeAll(): Promise<void>
}

export function createBusClients(server: () => TestBus): BusClients {
  const open: { close(): Promise<void> }[] = []
  const refused = new WeakMap<NatsConnection, string[]>()
  return {
    async enter(account) {
      const credentials = server().credentials(account)
      const bus = await connectBus({ credentials, reconnect: false })
      open.push(bus)
      return bus
    },
    async raw(account) {
      const connection = await server().connectRaw(account)
      open.push(connection)
      refused.set(connection, collectRefusals(connection))
      return connection
    },
    async refusals(connection, attempt) {
      const all = refused.get(connection) ?? []
      const before = all.length
      attempt()
      // The server answers in order, so its refusals are here before the second answer is.
      await connection.flush()
      await connection.flush()
      return all.slice(before)
    },
    async closeAll() {
      await Promise.all(open.splice(0).map((each) => each.close()))
    },
  }
}

function collectRefusals(connection: NatsConnection): string[] {
  const found: string[] = []
  const read = async () => {
    for await (const event of connection.status()) {
      const error = event.type === 'error' ? event.error : undefined
      if (error instanceof PermissionViolationError) {
        found.push(`${error.operation} ${error.subject}`)
      }
    }
  }
  // Ends with the connection.
  void read()
  return found
}

/** Answers every message on a subject, from when this resolves, and keeps what was asked. */
export async function answerAll(
  bus: Bus,
  subject: string,
): Promise<readonly { readonly subject: string; readonly payload: unknown }[]> {
  const seen: { subject: string; payload: unknown }[] = []
  bus.serve(
    subject,
    async (call) => {
      seen.push({ subject: call.subject, payload: call.payload })
      return { by: bus.account, on: call.subject }
    },
    { type: 'TASK_RESPONSE' },
  )
  await bus.flush()
  return seen
}
