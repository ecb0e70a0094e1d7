// A party's bare connection to a deployment's bus, for bytes that our own client would never send and
// for replies that it would not read.

import { connect, type Msg } from '@nats-io/transport-node'
import { connectionOptions } from '../../security/bus.ts'

export interface RawParty {
  /** Sends the text as it is; resolves with the payload of the reply's envelope, or with the reply. */
  ask(subject: string, text: string, timeoutMs?: number): Promise<unknown>
  send(subject: string, bytes: string | Uint8Array, reply?: string): void
  /** What arrives on a subject from when this resolves. */
  watch(subject: string): Promise<readonly Msg[]>
  close(): Promise<void>
}

/** `folder`: credentials as security/bus.ts reads them. */
export async function connectParty(folder: string): Promise<RawParty> {
  const connection = await connect(connectionOptions(folder))
  return {
    async ask(subject, text, timeout = 20_000) {
      const reply = await connection.request(subject, text, { timeout })
      const value: unknown = reply.json()
      const isEnvelope = typeof value === 'object' && value !== null && 'payload' in value
      return isEnvelope ? value.payload : value
    },
    send: (subject, bytes, reply) =>
      connection.publish(subject, bytes, reply === undefined ? {} : { reply }),
    async watch(subject) {
      const seen: Msg[] = []
      connection.subscribe(subject, { callback: (_error, message) => void seen.push(message) })
      await connection.flush()
      return seen
    },
    close: () => connection.close(),
  }
}
