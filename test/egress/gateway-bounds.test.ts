// The gateway's bounds, with real servers on loopback: responses that are too long, too late or no
// HTTP, records that cannot be written, and what an agent's door opens for.

import { connect, createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { ActionFailure } from '../../agents/define-agent.ts'
import { EgressOutcomeUnknown } from '../../agents/egress-client.ts'
import { codeOf, declared } from '../support/gateway.ts'
import { useGateway } from '../support/gateway-bench.ts'

const bench = useGateway()
const { ask, lastEvent } = bench

describe('a bound', () => {
  it('ends a response that is too long', async () => {
    const reply = await ask(declared(bench.plain.origin), { path: '/large', maxBytes: 199_999 })
    expect(codeOf(reply)).toBe('RESPONSE_TOO_LARGE')
    expect(
      (await ask(declared(bench.plain.origin), { path: '/large', maxBytes: 200_000 })).ok,
    ).toBe(true)
    expect(codeOf(await ask(declared(bench.plain.origin), { path: '/endless' }))).toBe(
      'RESPONSE_TOO_LARGE',
    )
  })

  it('ends a request that takes longer than its step may', async () => {
    const detail = { resultBytes: 1_000, timeoutMs: 300 }
    const gateway = await bench.home.gateway()
    const command = await bench.home.authority.command({ action: 'fetch', limits: detail })
    const { token, args, salt } = command
    const request = { egress: 'server', method: 'GET', path: '/slow', maxBytes: 10 }
    const reply = await gateway.handle(
      bench.home.agent([declared(bench.plain.origin)]),
      JSON.stringify({ token, args, salt, request }),
    )
    expect(codeOf(reply)).toBe('TIMEOUT')
  })

  it('holds for requests at once', async () => {
    const gateway = await bench.home.gateway()
    const agent = bench.home.agent([declared(bench.plain.origin)])
    const body = await bench.home.call({ path: '/slow' })
    const replies = await Promise.all(Array.from({ length: 10 }, () => gateway.handle(agent, body)))
    const codes = replies.map((reply) => (reply.ok ? 'OK' : reply.code))
    expect(codes.filter((code) => code === 'OK').length).toBe(8)
    expect(codes.filter((code) => code === 'OVERLOADED').length).toBe(2)
    expect((await gateway.handle(agent, await bench.home.call({}))).ok).toBe(true)
  })

  it('holds for what an agent may send', async () => {
    const reply = await ask(declared(bench.plain.origin), { maxBytes: 10 ** 9 })
    expect(codeOf(reply)).toBe('MALFORMED')
    const gateway = await bench.home.gateway()
    const long = JSON.stringify({ token: 'x'.repeat(600_000) })
    expect(codeOf(await gateway.handle(bench.home.agent([]), long))).toBe('MALFORMED')
  })
})

describe('a response', () => {
  it.each([
    ['/gzip', 'RESPONSE_INVALID'],
    ['/broken', 'BROKEN_OFF'],
  ])('that cannot be read whole is none: %s', async (path, code) => {
    expect(codeOf(await ask(declared(bench.plain.origin), { path }))).toBe(code)
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
      expect(codeOf(await ask(declared(`http://127.0.0.1:${port}`)))).toBe('RESPONSE_INVALID')
    } finally {
      raw.close()
    }
  })

  it('from nowhere is told as unsent', async () => {
    expect(codeOf(await ask(declared('http://127.0.0.1:1')))).toBe('CONNECT_FAILED')
  })
})

describe('the record', () => {
  it('that cannot be written keeps the next request from leaving', async () => {
    const down = new Set(['notary'])
    const gateway = await bench.home.gateway({
      record: async (event) => {
        if (down.has('notary')) return 'FAILED'
        bench.home.events.push(event)
        return 'RECORDED'
      },
    })
    const agent = bench.home.agent([declared(bench.plain.origin)])
    expect((await gateway.handle(agent, await bench.home.call({ path: '/first' }))).ok).toBe(true)
    expect(codeOf(await gateway.handle(agent, await bench.home.call({ path: '/second' })))).toBe(
      'NOT_AUDITED',
    )
    expect(bench.plain.seen.map(({ url }) => url)).toEqual(['/first'])
    down.clear()
    expect((await gateway.handle(agent, await bench.home.call({ path: '/third' }))).ok).toBe(true)
    expect(bench.home.events.map(({ summary }) => summary['code'])).toContain('OK')
  })

  it('of a flood of refusals is a few rows that say how many there were', async () => {
    let now = Date.now()
    const gateway = await bench.home.gateway({ now: () => now })
    const agent = bench.home.agent([declared(bench.plain.origin)])
    for (let i = 0; i < 100; i += 1) await gateway.handle(agent, 'nonsense')
    expect(bench.home.events.length).toBe(20)
    now += 1_000
    await gateway.handle(agent, 'nonsense')
    expect(bench.home.events.length).toBe(21)
    expect(lastEvent()).toMatchObject({ code: 'MALFORMED', skipped: 80 })
  })
})

describe('the door of an agent', () => {
  it('answers its requests, and its client says what may be asked again', async () => {
    const agent = bench.home.agent([declared(bench.plain.origin)])
    const fetch = await bench.home.door(agent, await bench.home.gateway())
    const { token, args, salt } = await bench.home.authority.command({
      action: 'fetch',
      args: { a: 1 },
    })
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
    const look = { ...post, method: 'REPORT' } as const
    expect(await failure(fetch(proof, look))).toMatchObject({ retry: 'absent' })
    const none = { ...request, path: '/a', egress: 'absent' }
    expect(await failure(fetch(proof, none))).toBeInstanceOf(ActionFailure)
  })

  it('takes many requests of one agent, as many at once as it may', async () => {
    const agent = bench.home.agent([declared(bench.plain.origin)])
    const fetch = await bench.home.door(agent, await bench.home.gateway())
    const { token, args, salt } = await bench.home.authority.command({ action: 'fetch', args: {} })
    const request = { egress: 'server', method: 'GET', path: '/brief', maxBytes: 100 } as const
    const many = Array.from({ length: 40 }, () => fetch({ token, args, salt }, request))
    for (const { status } of await Promise.all(many)) expect(status).toBe(200)
    const post = { ...request, method: 'POST' } as const
    const late = fetch({ token, args, salt }, post, AbortSignal.abort())
    await expect(late).rejects.toMatchObject({ code: 'UNAVAILABLE', retry: 'absent' })
  })

  it('opens for nothing but its two calls', async () => {
    const agent = bench.home.agent([declared(bench.plain.origin)])
    await bench.home.door(agent, await bench.home.gateway())
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
    const body = await bench.home.call({})
    const post = (path: string) =>
      `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`
    expect(await say(post('/elsewhere'))).toContain('MALFORMED')
    expect(await say(post('/fetch').replace('POST', 'PUT'))).toContain('MALFORMED')
    expect(bench.plain.seen).toEqual([])
    expect(await say(post('/fetch'))).toContain('"ok":true')
    bench.plain.seen.length = 0
    const tunnel = `CONNECT 127.0.0.1:${bench.plain.port} HTTP/1.1\r\nhost: x\r\n\r\n`
    expect(await say(tunnel)).toContain('"code":"MALFORMED"')
    expect(await say('nonsense\r\n\r\n')).toBe('')
    expect(bench.plain.seen).toEqual([])
  })
})
