// A provider of models on loopback, which answers with the synthetic exchanges of test/fixtures/synthetic,
// and the agent `model` in front of it as in its sandbox: the providers' own libraries, the agent's egress
// client, the real gateway at a real door, with a real token for each call. Every request is kept as the
// server saw it.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { ActionContext } from '../../agents/define-agent.ts'
import { createEgressClient } from '../../agents/egress-client.ts'
import { createEgressStreams } from '../../agents/egress-stream.ts'
import { createTurnstile } from '../../agents/gateway-call.ts'
import { agent } from '../../agents/model/agent.ts'
import { manifest } from '../../agents/model/manifest.ts'
import type { Provider } from '../../agents/model/providers/port.ts'
import type { GatewayAgent, ResolvedEgress } from '../../egress/contract.ts'
import { choicesOf } from '../../plan/egress-declaration.ts'
import { idemOf } from '../agents/action-context.ts'
import { type GatewayHome, type Handler, openGatewayHome } from './gateway.ts'
import { type Streamed, streamOf } from './model-streams.ts'

const root = fileURLToPath(new URL('../fixtures/synthetic/', import.meta.url))

const exchange = z.strictObject({
  /** The page that it was written from. */
  synthetic: z.url(),
  path: z.string(),
  status: z.number().int(),
  headers: z.record(z.string(), z.string()),
  body: z.unknown().optional(),
  /** In place of a body: what is no JSON. */
  text: z.string().optional(),
})
export type Exchange = z.infer<typeof exchange>

export function exchangesOf(provider: Provider): readonly string[] {
  return readdirSync(join(root, provider)).map((file) => file.replace(/\.json$/, ''))
}

export function readExchange(provider: Provider, name: string): Exchange {
  return exchange.parse(JSON.parse(readFileSync(join(root, provider, `${name}.json`), 'utf8')))
}

/** The provider's usual answer with other words in it. */
export function answering(provider: Provider, words: string): Exchange {
  const usual = readExchange(provider, 'words')
  const body = JSON.stringify(usual.body)
  const kept = JSON.stringify('Dinner on Friday, four people.')
  return { ...usual, body: JSON.parse(body.replace(kept, () => JSON.stringify(words))) }
}

export interface Asked {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Events, and what the server does after the last of them. */
export interface Streaming extends Streamed {
  readonly then: 'end' | 'break-off' | 'wait' | 'go-on'
}

/** What the server does with the next request. */
export type Conduct = Exchange | Streaming | 'silent' | 'endless' | 'breaks-off'

/** As the server would stream it, where it would. */
export function streaming(
  provider: Provider,
  exchange: Exchange,
  then: Streaming['then'] = 'end',
): Conduct {
  const streamed = streamOf(provider, exchange)
  return streamed === undefined ? exchange : { ...streamed, then }
}

export interface ModelHome {
  readonly home: GatewayHome
  /** In the order in which they arrived. */
  readonly asked: Asked[]
  /** What the last run said of how far it was: how many, of what. */
  readonly told: (readonly [done: number, unit: string | undefined])[]
  /** For the requests from now on: one each, the last for all that follow. */
  reply(...conducts: readonly Conduct[]): void
  /** One action of the agent, to the end; its result parsed by the manifest. */
  run(
    action: Action,
    args: Readonly<Record<string, unknown>>,
    options?: RunOptions,
  ): Promise<unknown>
  close(): Promise<void>
}
type Action = keyof typeof manifest.actions

export interface RunOptions {
  /** What the gateway allows one request to take, in place of the manifest's. */
  readonly requestMs?: number
  readonly now?: number
}

/** What only the gateway knows, by provider. */
export const keyOf = (provider: Provider) => `key-of-${provider}-0123456789`

export async function openModelHome(): Promise<ModelHome> {
  const home = await openGatewayHome()
  const asked: Asked[] = []
  const told: ModelHome['told'] = []
  let conducts: readonly Conduct[] = []
  const server = await home.serve((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => {
      body += chunk
    })
    request.on('end', () => {
      asked.push({ path: request.url ?? '', headers: request.headers, body })
      const [next = 'silent', ...more] = conducts
      if (more.length > 0) conducts = more
      conduct(next, request, response)
    })
  })
  for (const id of ['anthropic', 'openai', 'gemini'] as const) {
    writeFileSync(join(home.folder, `key-${id}`), keyOf(id))
  }
  return {
    home,
    asked,
    told,
    reply: (...next) => {
      asked.length = 0
      conducts = next
    },
    async run(action, args, { requestMs, now = Date.parse('2026-11-22T08:00:00Z') } = {}) {
      const egress = declarations(home, server.origin, requestMs)
      const known: GatewayAgent = {
        ...home.agent(egress),
        actions: { fetch: manifest.actions[action].egress ?? [] },
        choices: { fetch: choicesOf(manifest.actions)[action] ?? '' },
      }
      const door = await home.openDoor(known, await home.gateway())
      const limits = { resultBytes: 500_000, timeoutMs: 120_000 }
      const { token, salt } = await home.authority.command({ action: 'fetch', args, limits })
      const call = agent.actions.get(action)?.prepare(args)
      if (call === undefined) throw new Error(`${action} refuses its arguments`)
      const client = createEgressClient(known.socket)
      const streams = createEgressStreams(known.socket, createTurnstile())
      told.length = 0
      const proof = { token, args: { ...args }, salt }
      const none = () => {
        throw new Error('the agent has no folder and no secret')
      }
      const context: ActionContext = {
        ...{ idem: idemOf(action), kind: 'do', now: () => now, folder: none, secret: none },
        fetch: (request) => client(proof, request),
        stream: (request) => streams(proof, request),
        progress: (done, _total, unit) => told.push([done, unit]),
        connect: () => Promise.reject(new Error('the agent has no tunnel')),
        run: () => Promise.reject(new Error('the agent has no program')),
      }
      try {
        return manifest.actions[action].output.parse(await call(context))
      } finally {
        await door.close()
      }
    },
    close: () => home.close(),
  }
}

function declarations(
  home: GatewayHome,
  origin: string,
  requestMs: number | undefined,
): readonly ResolvedEgress[] {
  return (manifest.egress ?? []).map(({ id, allow, credential, ...declared }) => ({
    id,
    origins: [origin],
    setting: `model.${id}`,
    allow,
    privateAddress: declared.privateAddress ?? false,
    ...(declared.onlyPrivate === undefined ? {} : { onlyPrivate: declared.onlyPrivate }),
    requestMs: requestMs ?? declared.requestMs ?? 1,
    ...(credential === undefined
      ? {}
      : { credential: { as: credential.as, file: join(home.folder, `key-${id}`) } }),
  }))
}

function conduct(next: Conduct, request: Parameters<Handler>[0], response: ServerResponse): void {
  if (next === 'silent') return
  if (next === 'breaks-off') {
    request.socket.destroy()
  } else if (next === 'endless') {
    response.writeHead(200, { 'content-type': 'application/json' })
    const more = () => response.writable && response.write('x'.repeat(65_536), more)
    response.on('error', () => undefined)
    more()
  } else if (request.url !== next.path) {
    response.writeHead(599).end('this exchange is of another path')
  } else if ('events' in next) {
    stream(next, response)
  } else {
    response.writeHead(next.status, next.headers)
    response.end(next.text ?? JSON.stringify(next.body))
  }
}

function stream({ events, then }: Streaming, response: ServerResponse): void {
  response.on('error', () => undefined)
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
  for (const event of events) response.write(event)
  switch (then) {
    case 'end':
      response.end()
      break
    case 'break-off':
      // After what was said has left.
      response.write(': going\n\n', () => response.destroy())
      break
    case 'go-on': {
      const last = events.at(-1) ?? ''
      const more = () => response.writable && response.write(last.repeat(200), more)
      more()
      break
    }
    case 'wait':
  }
}
