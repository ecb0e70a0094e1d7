// Responses that are passed on as they come, through a real door: what an agent is given before the end,
// what bounds it, what is on record of it, and that nothing which is not whole is taken for it.

import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { EgressOutcomeUnknown } from '../../agents/egress-client.ts'
import { createEgressStreams, type EgressStream } from '../../agents/egress-stream.ts'
import { createTurnstile } from '../../agents/gateway-call.ts'
import { egressLimits } from '../../egress/contract.ts'
import { codeOf, declared, type Outside } from '../support/gateway.ts'
import { useGateway } from '../support/gateway-bench.ts'

const bench = useGateway()
const { ask, lastEvent } = bench

type Overrides = Parameters<typeof bench.home.gateway>[0]
const doors: { close(): Promise<void> }[] = []
afterEach(async () => {
  await Promise.all(doors.splice(0).map((door) => door.close()))
})

/** A server that answers each request with what the test does with it. */
async function serve(answer: (response: ServerResponse) => void): Promise<Outside> {
  return bench.home.serve((_request, response) => {
    response.on('error', () => undefined)
    answer(response)
  })
}

/** An agent at its door, in front of that server. */
async function agentOf(
  outside: Outside,
  options: Overrides & { readonly timeoutMs?: number } = {},
) {
  const { timeoutMs = 10_000, ...overrides } = options
  const agent = bench.home.agent([declared(outside.origin)])
  doors.push(await bench.home.openDoor(agent, await bench.home.gateway(overrides)))
  const limits = { resultBytes: 1_000, timeoutMs }
  const command = await bench.home.authority.command({ action: 'fetch', args: {}, limits })
  const { token, args, salt } = command
  const proof = { token, args, salt }
  const streams = createEgressStreams(agent.socket, createTurnstile())
  const request = { egress: 'server', method: 'POST', path: '/x', maxBytes: 100_000 } as const
  const open = (changes: Partial<Parameters<typeof streams>[1]> = {}, signal?: AbortSignal) =>
    streams(proof, { ...request, ...changes }, signal)
  return { agent, open, proof, request }
}

async function textOf({ parts }: EgressStream): Promise<string> {
  const got: Uint8Array[] = []
  for await (const part of parts) got.push(part)
  return Buffer.concat(got).toString()
}
const failure = (promise: Promise<unknown>) => promise.catch((error: unknown) => error)

/** What the gateway says of a request that nobody waits for. */
async function recorded(code: string) {
  for (;;) {
    const found = bench.home.events.find(({ summary }) => summary['code'] === code)
    if (found !== undefined) return found.summary
    await delay(5)
  }
}

describe('a response that is passed on', () => {
  it('is there before it has ended, without what no agent needs', async () => {
    let end = () => undefined as unknown
    const outside = await serve((response) => {
      response.writeHead(200, { 'content-type': 'text/plain', 'set-cookie': 'a=b' })
      response.write('first')
      end = () => response.end(' last')
    })
    const { open } = await agentOf(outside)
    const stream = await open()
    expect(stream).toMatchObject({ status: 200, url: `${outside.origin}/x` })
    expect(stream.headers).toMatchObject({ 'content-type': 'text/plain' })
    expect(stream.headers).not.toHaveProperty('set-cookie')
    const parts = stream.parts[Symbol.asyncIterator]()
    const first = await parts.next()
    expect(Buffer.from(first.value ?? '').toString()).toBe('first')
    expect(lastEvent()).toBeUndefined()
    end()
    expect(await textOf({ ...stream, parts: { [Symbol.asyncIterator]: () => parts } })).toBe(
      ' last',
    )
    expect(lastEvent()).toMatchObject({ code: 'OK', status: 200, bytes: 10 })
  })

  it('keeps its bytes, whatever they are and however they are cut', async () => {
    const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, index) => (index * 7) % 256))
    const outside = await serve((response) => response.end(bytes))
    const { open } = await agentOf(outside)
    const got: Uint8Array[] = []
    for await (const part of (await open({ maxBytes: bytes.length })).parts) got.push(part)
    expect(Buffer.concat(got).equals(bytes)).toBe(true)
  })

  it('is not whole before it is on record', async () => {
    const order: string[] = []
    const outside = await serve((response) => response.end('all'))
    const { open } = await agentOf(outside, {
      record: async () => {
        await delay(50)
        order.push('recorded')
        return 'RECORDED'
      },
    })
    await textOf(await open())
    order.push('whole')
    expect(order).toEqual(['recorded', 'whole'])
  })

  it('that is empty is whole', async () => {
    const { open } = await agentOf(await serve((response) => response.writeHead(204).end()))
    const stream = await open()
    expect([stream.status, await textOf(stream)]).toEqual([204, ''])
  })

  it('that breaks off has its bytes on record, and may have had its effect', async () => {
    const outside = await serve((response) => {
      response.write('half', () => response.destroy())
    })
    const { open } = await agentOf(outside)
    expect(await failure(textOf(await open()))).toBeInstanceOf(EgressOutcomeUnknown)
    expect(lastEvent()).toMatchObject({ code: 'BROKEN_OFF', status: 200, bytes: 4 })
    expect(await failure(textOf(await open({ method: 'GET' })))).toMatchObject({
      code: 'UNAVAILABLE',
      retry: 'absent',
    })
  })
})

describe('a bound', () => {
  it('ends a stream that is too long, and nothing beyond it is given', async () => {
    const outside = await serve((response) => {
      const more = () => response.writable && response.write('x'.repeat(10_000), more)
      more()
    })
    const { open } = await agentOf(outside)
    const stream = await open({ maxBytes: 25_000 })
    let bytes = 0
    const reading = (async () => {
      for await (const part of stream.parts) bytes += part.length
    })()
    expect(await failure(reading)).toMatchObject({ code: 'RESPONSE_TOO_LARGE' })
    expect(bytes).toBeLessThanOrEqual(25_000)
    expect(lastEvent()).toMatchObject({ code: 'RESPONSE_TOO_LARGE', bytes })
  })

  it('ends a stream that takes longer than its step may', async () => {
    const outside = await serve((response) => response.write('and so on'))
    const { open } = await agentOf(outside, { timeoutMs: 300 })
    expect(await failure(textOf(await open()))).toMatchObject({ code: 'TIMEOUT' })
    expect(lastEvent()).toMatchObject({ code: 'TIMEOUT', status: 200, bytes: 9 })
  })

  it('ends a stream that its agent does not read', async () => {
    const outside = await serve((response) => {
      const more = () => response.writable && response.write('x'.repeat(60_000), more)
      more()
    })
    const { agent, proof, request } = await agentOf(outside, { timeoutMs: 500 })
    const maxBytes = egressLimits.streamedBytes
    const body = JSON.stringify({ ...proof, request: { ...request, maxBytes, stream: true } })
    const deaf = connect(agent.socket)
    deaf.on('error', () => undefined)
    deaf.pause()
    deaf.write(`POST /fetch HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
    const { bytes } = await recorded('TIMEOUT')
    // Only what fits the sockets' buffers was taken from the server.
    expect(bytes).toBeLessThan(maxBytes)
    deaf.destroy()
  })

  it('is another for what is passed on than for what is kept', async () => {
    const to = declared(bench.plain.origin)
    const { responseBytes, streamedBytes } = egressLimits
    const stream = true as const
    expect((await ask(to, { maxBytes: responseBytes })).ok).toBe(true)
    expect(codeOf(await ask(to, { maxBytes: responseBytes + 1 }))).toBe('MALFORMED')
    expect((await ask(to, { maxBytes: streamedBytes, stream })).ok).toBe(true)
    expect(codeOf(await ask(to, { maxBytes: streamedBytes + 1, stream }))).toBe('MALFORMED')
  })
})

describe('a stream', () => {
  it('that is refused before anything left says why', async () => {
    const outside = await serve((response) => response.end('x'))
    const { open } = await agentOf(outside)
    expect(await failure(open({ egress: 'absent' }))).toMatchObject({
      code: 'UNAVAILABLE',
      retry: 'final',
      message: expect.stringContaining('EGRESS_UNDECLARED'),
    })
    expect(await failure(open({}, AbortSignal.abort()))).toMatchObject({ retry: 'absent' })
    expect(outside.seen).toEqual([])
  })

  it('ends at the server when its agent hangs up, and is on record with what it gave', async () => {
    let left = () => undefined as unknown
    const gone = new Promise<void>((resolve) => {
      left = resolve
    })
    const outside = await serve((response) => {
      response.on('close', () => left())
      response.write('and so on')
    })
    const { open } = await agentOf(outside)
    const stream = await open()
    await stream.parts[Symbol.asyncIterator]().next()
    stream.close()
    await gone
    expect(await recorded('BROKEN_OFF')).toMatchObject({ status: 200, bytes: 9 })
  })

  it('takes one of the places until it has ended, read or not', async () => {
    const replies: ServerResponse[] = []
    const outside = await serve((response) => {
      response.write('and so on')
      replies.push(response)
    })
    const { open } = await agentOf(outside)
    const many = () => Promise.all(Array.from({ length: egressLimits.concurrent }, () => open()))
    const read = await many()
    // The gateway would refuse it, had it not waited here.
    const next = open()
    for (const response of replies) response.end()
    for (const stream of read) expect(await textOf(stream)).toBe('and so on')
    const after = await next
    replies.at(-1)?.end()
    await textOf(after)
    for (const stream of await many()) stream.close()
    while (bench.home.events.length < 2 * egressLimits.concurrent + 1) await delay(5)
    const last = await open()
    expect(last.status).toBe(200)
    last.close()
  })
})

describe('a gateway that is gone before its last line', () => {
  it.each([
    ['without any', ''],
    ['after the head', '{"status":200,"headers":{},"url":"http://x"}\n'],
    [
      'in the middle',
      '{"status":200,"headers":{},"url":"http://x"}\n{"partBase64":"eA=="}\n{"end":tr',
    ],
    ['with another word', '{"status":200,"headers":{},"url":"http://x"}\n{"done":true}\n'],
    ['with two heads', '{"status":200,"headers":{},"url":"x"}\n'.repeat(2)],
    ['with an end and no head', '{"end":true}\n'],
    ['with a line without end', `{"status":200,"headers":{},"url":"${'x'.repeat(600_000)}`],
  ])('gave nothing that is whole: %s', async (_what, said) => {
    const { socket } = { socket: `${bench.home.folder}/gone.sock` }
    rmSync(socket, { force: true })
    const door = createServer((_request, response) => response.end(said)).listen(socket)
    await once(door, 'listening')
    doors.push({ close: async () => void door.close() })
    const streams = createEgressStreams(socket, createTurnstile())
    const request = { egress: 'server', method: 'POST', path: '/x', maxBytes: 10 } as const
    const asked = streams({ token: 't', args: {}, salt: 's' }, request)
    expect(await failure(asked.then(textOf))).toMatchObject({
      name: 'EgressOutcomeUnknown',
      code: 'BROKEN_OFF',
    })
  })
})
