// A party's bare connection to a deployment's bus, for bytes that our own client would never send and
// for replies that it would not read.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect, type Msg, nkeyAuthenticator } from '@nats-io/transport-node'
import { busAddressSchema } from '../../security/bus.ts'

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
  const file = (name: string) => join(folder, name)
  const { host, port, account } = busAddressSchema.parse(
    JSON.parse(readFileSync(file('bus.json'), 'utf8')),
  )
  const connection = await connect({
    servers: `${host}:${port}`,
    inboxPrefix: `_INBOX_${account}`,
    authenticator: nkeyAuthenticator(readFileSync(file('nkey.seed'))),
    tls: {
      handshakeFirst: true,
      caFile: file('ca.pem'),
      certFile: file('cert.pem'),
      keyFile: file('key.pem'),
    },
    reconnect: false,
  })
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
