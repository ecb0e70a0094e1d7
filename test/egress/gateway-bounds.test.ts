// The gateway's bounds, with real servers on loopback: responses that are too long, too late or no
// HTTP, records that cannot be written, and what an agent's door opens for.

import { connect, createServer } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ActionFailure } from '../../agents/define-agent.ts'
import { EgressOutcomeUnknown } from '../../agents/egress-client.ts'
import type { FetchReply, ResolvedEgress } from '../../egress/contract.ts'
import {
  codeOf,
  type GatewayHome,
  type Outside,
  openGatewayHome,
  server,
} from '../support/gateway.ts'

let home: GatewayHome
let plain: Outside
let secure: Outside

beforeAll(async () => {
  home = await openGatewayHome()
  plain = await home.serve((request, response) => {
    const url = request.url ?? ''
    if (url.startsWith('/redirect')) {
      response.writeHead(302, { location: `http://127.0.0.1:${secure.port}/stolen` }).end()
    } else if (url.startsWith('/slow')) {
      setTimeout(() => response.end('late'), 3_000).unref()
    } else if (url.startsWith('/brief')) {
      setTimeout(() => response.end(), 100).unref()
    } else if (url.startsWith('/large')) {
      response.end('x'.repeat(200_000))
    } else if (url.startsWith('/endless')) {
      const more = () => response.write('x'.repeat(60_000), () => setTimeout(more, 5).unref())
      more()
    } else if (url.startsWith('/gzip')) {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end('x')
    } else if (url.startsWith('/broken')) {
      response.writeHead(200, { 'content-length': '100' })
      response.write('half')
      setTimeout(() => response.destroy(), 50).unref()
    } else {
      response.writeHead(200, {
        'content-type': 'text/plain; charset=utf-8',
        etag: '"one"',
        'set-cookie': 'a=b',
        server: 'secret-version',
      })
      response.end(`hello ${url}`)
    }
  })
  secure = await home.serve((_request, response) => response.end('secure'), 'https')
})
afterAll(() => home.close())
beforeEach(() => {
  home.events.length = 0
  plain.seen.length = 0
  secure.seen.length = 0
})

const open = (origin: string, changes: Partial<ResolvedEgress> = {}): ResolvedEgress => ({
  ...server,
  origins: [origin],
  ...changes,
})

/** One request of an agent with that declaration. */
async function ask(
  egress: ResolvedEgress,
  request: Parameters<GatewayHome['call']>[0] = {},
  overrides: Parameters<GatewayHome['gateway']>[0] = {},
  step: Parameters<GatewayHome['call']>[1] = {},
): Promise<FetchReply> {
  const gateway = await home.gateway(overrides)
  return gateway.handle(home.agent([egress]), await home.call(request, step))
}

const lastEvent = () => home.events.at(-1)?.summary

describe('a bound', () => {
  it('ends a response that is too long', async () => {
    const reply = await ask(open(plain.origin), { path: '/large', maxBytes: 199_999 })
    expect(codeOf(reply)).toBe('RESPONSE_TOO_LARGE')
    expect((await ask(open(plain.origin), { path: '/large', maxBytes: 200_000 })).ok).toBe(true)
    expect(codeOf(await ask(open(plain.origin), { path: '/endless' }))).toBe('RESPONSE_TOO_LARGE')
  })

  it('ends a request that takes longer than its step may', async () => {
    const detail = { resultBytes: 1_000, timeoutMs: 300 }
    const gateway = await home.gateway()
    const command = await home.authority.command({ action: 'fetch', limits: detail })
    const { token, args, salt } = command
    const request = { egress: 'server', method: 'GET', path: '/slow', maxBytes: 10 }
    const reply = await gateway.handle(
      home.agent([open(plain.origin)]),
      JSON.stringify({ token, args, salt, request }),
    )
    expect(codeOf(reply)).toBe('TIMEOUT')
  })

  it('holds for requests at once', async () => {
    const gateway = await home.gateway()
    const agent = home.agent([open(plain.origin)])
    const body = await home.call({ path: '/slow' })
    const replies = await Promise.all(Array.from({ length: 10 }, () => gateway.handle(agent, body)))
    const codes = replies.map((reply) => (reply.ok ? 'OK' : reply.code))
    expect(codes.filter((code) => code === 'OK').length).toBe(8)
    expect(codes.filter((code) => code === 'OVERLOADED').length).toBe(2)
    expect((await gateway.handle(agent, await home.call({}))).ok).toBe(true)
  })

  it('holds for what an agent may send', async () => {
    const reply = await ask(open(plain.origin), { maxBytes: 10 ** 9 })
    expect(codeOf(reply)).toBe('MALFORMED')
    const gateway = await home.gateway()
    const long = JSON.stringify({ token: 'x'.repeat(600_000) })
    expect(codeOf(await gateway.handle(home.agent([]), long))).toBe('MALFORMED')
  })
})

describe('a response', () => {
  it.each([
    ['/gzip', 'RESPONSE_INVALID'],
    ['/broken', 'BROKEN_OFF'],
  ])('that cannot be read whole is none: %s', async (path, code) => {
    expect(codeOf(await ask(open(plain.origin), { path }))).toBe(code)
  })

  it.each([
    ['no HTTP', 'SSH-2.0-x\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    [
      'a length and chunks',
      'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n',
    ],
    ['a change of protocol', 'HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'],
  ])('of %s is refused', async (_what, text) => {
    const raw = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.once('data', () => socket.end(text))
    })
    await new Promise<void>((resolve) => raw.listen(0, '127.0.0.1', resolve))
    const address = raw.address()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    try {
      expect(codeOf(await ask(open(`http://127.0.0.1:${port}`)))).toBe('RESPONSE_INVALID')
    } finally {
      raw.close()
    }
  })

  it('from nowhere is told as unsent', async () => {
    expect(codeOf(await ask(open('http://127.0.0.1:1')))).toBe('CONNECT_FAILED')
  })
})

describe('the record', () => {
  it('that cannot be written keeps the next request from leaving', async () => {
    const down = new Set(['notary'])
    const gateway = await home.gateway({
      record: async (event) => !down.has('notary') && home.events.push(event) > 0,
    })
    const agent = home.agent([open(plain.origin)])
    expect((await gateway.handle(agent, await home.call({ path: '/first' }))).ok).toBe(true)
    expect(codeOf(await gateway.handle(agent, await home.call({ path: '/second' })))).toBe(
      'NOT_AUDITED',
    )
    expect(plain.seen.map(({ url }) => url)).toEqual(['/first'])
    down.clear()
    expect((await gateway.handle(agent, await home.call({ path: '/third' }))).ok).toBe(true)
    expect(home.events.map(({ summary }) => summary['code'])).toContain('OK')
  })

  it('of a flood of refusals is a few rows that say how many there were', async () => {
    let now = Date.now()
    const gateway = await home.gateway({ now: () => now })
    const agent = home.agent([open(plain.origin)])
    for (let i = 0; i < 100; i += 1) await gateway.handle(agent, 'nonsense')
    expect(home.events.length).toBe(20)
    now += 1_000
    await gateway.handle(agent, 'nonsense')
    expect(home.events.length).toBe(21)
    expect(lastEvent()).toMatchObject({ code: 'MALFORMED', skipped: 80 })
  })
})

describe('the door of an agent', () => {
  it('answers its requests, and its client says what may be asked again', async () => {
    const agent = home.agent([open(plain.origin)])
    const fetch = await home.door(agent, await home.gateway())
    const { token, args, salt } = await home.authority.command({ action: 'fetch', args: { a: 1 } })
    const proof = { token, args, salt }
    const request = { egress: 'server', method: 'GET', path: '/x', maxBytes: 100 } as const
    expect(await fetch(proof, request)).toMatchObject({ status: 200, body: 'hello /x' })
    const failure = (promise: Promise<unknown>) => promise.catch((error: unknown) => error)
    expect(await failure(fetch({ ...proof, args: {} }, request))).toMatchObject({
      code: 'UNAVAILABLE',
      retry: 'final',
      message: expect.stringContaining('ARGS_HASH'),
    })
    expect(await failure(fetch(proof, { ...request, path: '/large' }))).toMatchObject({
      code: 'LIMIT_EXCEEDED',
      retry: 'final',
    })
    expect(await failure(fetch(proof, { ...request, path: '/broken' }))).toMatchObject({
      code: 'UNAVAILABLE',
      retry: 'absent',
    })
    const post = { ...request, method: 'POST', path: '/broken' } as const
    expect(await failure(fetch(proof, post))).toBeInstanceOf(EgressOutcomeUnknown)
    const none = { ...request, path: '/a', egress: 'absent' }
    expect(await failure(fetch(proof, none))).toBeInstanceOf(ActionFailure)
  })

  it('takes many requests of one agent, as many at once as it may', async () => {
    const agent = home.agent([open(plain.origin)])
    const fetch = await home.door(agent, await home.gateway())
    const { token, args, salt } = await home.authority.command({ action: 'fetch', args: {} })
    const request = { egress: 'server', method: 'GET', path: '/brief', maxBytes: 100 } as const
    const many = Array.from({ length: 40 }, () => fetch({ token, args, salt }, request))
    for (const { status } of await Promise.all(many)) expect(status).toBe(200)
    const post = { ...request, method: 'POST' } as const
    const late = fetch({ token, args, salt }, post, AbortSignal.abort())
    await expect(late).rejects.toMatchObject({ code: 'UNAVAILABLE', retry: 'absent' })
  })

  it('opens for nothing but its one call', async () => {
    const agent = home.agent([open(plain.origin)])
    await home.door(agent, await home.gateway())
    const say = (text: string) =>
      new Promise<string>((resolve) => {
        let heard = ''
        const socket = connect(agent.socket, () => socket.write(text))
        socket.on('data', (chunk) => {
          heard += chunk.toString()
        })
        socket.on('error', () => undefined)
        socket.on('close', () => resolve(heard))
      })
    const get = 'GET http://127.0.0.1:1/ HTTP/1.1\r\nhost: x\r\n\r\n'
    expect(await say(get)).toContain('MALFORMED')
    const body = await home.call({})
    const post = (path: string) =>
      `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`
    expect(await say(post('/elsewhere'))).toContain('MALFORMED')
    expect(await say(post('/fetch').replace('POST', 'PUT'))).toContain('MALFORMED')
    expect(plain.seen).toEqual([])
    expect(await say(post('/fetch'))).toContain('"ok":true')
    plain.seen.length = 0
    const tunnel = `CONNECT 127.0.0.1:${plain.port} HTTP/1.1\r\nhost: x\r\n\r\n`
    expect(await say(tunnel)).toBe('')
    expect(await say('nonsense\r\n\r\n')).toBe('')
    expect(plain.seen).toEqual([])
  })
})
