// The way back of one call at an agent's door: one reply, or the lines of a response that is passed on as it
// comes. Invariant: the last line of a stream is written after the gateway has recorded what became of it,
// so that a stream without one is never taken for whole. Never holds more than one part that waits.

import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { EgressError } from './codes.ts'
import type { FetchReply, StreamLine } from './contract.ts'
import type { Relay } from './gateway.ts'

export interface Return {
  readonly relay: Relay
  /** Must be called once, after everything else. */
  end(reply: FetchReply): void
}

export function createReturn(response: ServerResponse): Return {
  const gone = new AbortController()
  let isStream = false
  response.once('close', () => {
    if (response.writableFinished) return
    gone.abort(new EgressError('BROKEN_OFF', 'the agent no longer listens'))
  })
  const begin = (type: string) =>
    response.writeHead(200, { 'content-type': type, connection: 'close' })
  const say = (line: StreamLine) => response.write(`${JSON.stringify(line)}\n`)
  return {
    relay: {
      gone: gone.signal,
      head(head) {
        isStream = true
        begin('application/x-ndjson')
        say(head)
      },
      async part(bytes, signal) {
        const hasRoom = say({ partBase64: bytes.toString('base64') })
        if (!hasRoom) await once(response, 'drain', { signal })
      },
    },
    end(reply) {
      if (!isStream) {
        begin('application/json').end(JSON.stringify(reply))
        return
      }
      say(reply.ok ? { end: true } : reply)
      response.end()
    },
  }
}
