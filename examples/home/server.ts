// The web of the sample home: its feeds, its weather and its screen time (in the shape of an ActivityWatch
// server) on one port of this machine, so that a briefing needs no network. Not a part of Bulkhead: what
// is served has the shape of the real services, and pointing the configuration at those instead needs no
// other change. `node examples/home/server.ts [port]` runs it until it is interrupted.

import { createServer, type IncomingMessage } from 'node:http'
import { answerFeed, opmlOf, type WebReply } from './feeds.ts'
import { answerScreentime } from './screentime.ts'
import { answerWeather } from './weather.ts'

export interface HomeServerOptions {
  /** On 127.0.0.1; unset: any that is free. */
  readonly port?: number
  readonly seed?: number
  /** The clock that the content is anchored to. */
  now?(): number
}

export interface HomeServer {
  /** `http://127.0.0.1:<port>` */
  readonly origin: string
  /** What was asked so far. */
  readonly requests: readonly HomeRequest[]
  close(): Promise<void>
}

export interface HomeRequest {
  /** Path and query. */
  readonly target: string
  readonly headers: IncomingMessage['headers']
}

/** The last ones only: the server may run for days. */
const maxRemembered = 1_000

export async function startHomeServer(options: HomeServerOptions = {}): Promise<HomeServer> {
  const { port = 0, seed = 1, now = Date.now } = options
  const requests: HomeRequest[] = []
  let origin = ''
  const server = createServer((request, response) => {
    const { url: target = '/', headers } = request
    requests.push({ target, headers })
    if (requests.length > maxRemembered) requests.shift()
    const url = new URL(target, origin)
    const asked = { path: url.pathname, query: url.searchParams, headers, now: now(), seed }
    const isRead = request.method === 'GET' || request.method === 'HEAD'
    const reply: WebReply = (isRead
      ? (answerFeed(asked) ??
        answerWeather(asked) ??
        answerScreentime(asked) ??
        answerList(asked, origin))
      : undefined) ?? { status: isRead ? 404 : 405, headers: {}, body: '' }
    response.writeHead(reply.status, reply.headers)
    response.end(reply.body)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  origin = `http://127.0.0.1:${address.port}`
  return {
    origin,
    requests,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

function answerList({ path }: { readonly path: string }, origin: string): WebReply | undefined {
  if (path !== '/feeds/subscriptions.opml') return undefined
  return { status: 200, headers: { 'content-type': 'text/x-opml' }, body: opmlOf(origin) }
}

if (import.meta.main) {
  const { origin, close } = await startHomeServer({ port: Number(process.argv[2] ?? '0') })
  process.stdout.write(`${origin}\n`)
  process.once('SIGINT', () => void close())
  process.once('SIGTERM', () => void close())
}
