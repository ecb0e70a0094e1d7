// The gateway with real servers on loopback: what reaches them, what never does, and what is recorded
// of it. The resolver and the clock are parameters; everything else is real.

import { createHash, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ResolvedEgress } from '../../egress/contract.ts'
import { createAuthority } from '../support/agent-commands.ts'
import { codeOf, declared, type GatewayHome } from '../support/gateway.ts'
import { useGateway } from '../support/gateway-bench.ts'

const bench = useGateway()
const { ask, lastEvent } = bench

describe('an allowed request', () => {
  it('reaches the server and comes back without what sets state', async () => {
    const request = { path: '/a', query: { b: 'c' }, headers: { accept: 'text/plain' } }
    const reply = await ask(declared(bench.plain.origin), request)
    expect(reply).toMatchObject({ ok: true, status: 200, url: `${bench.plain.origin}/a?b=c` })
    if (!reply.ok) return
    expect(Buffer.from(reply.bodyBase64, 'base64').toString()).toBe('hello /a?b=c')
    expect(new Set(Object.keys(reply.headers))).toEqual(new Set(['content-type', 'date', 'etag']))
    expect(bench.plain.seen).toEqual([
      {
        url: '/a?b=c',
        headers: {
          accept: 'text/plain',
          'accept-encoding': 'identity',
          connection: 'close',
          host: `127.0.0.1:${bench.plain.port}`,
        },
      },
    ])
  })

  it('is an event under its step, without path, value or content', async () => {
    const step = { claims: { step: 'look' } }
    await ask(declared(bench.plain.origin), { path: '/private-title' }, {}, step)
    expect(bench.home.events).toEqual([
      {
        kind: 'message',
        subject: 'egress:test.1',
        summary: {
          idem: expect.any(String),
          method: 'GET',
          host: '127.0.0.1',
          egress: 'server',
          status: 200,
          bytes: 'hello /private-title'.length,
          code: 'OK',
        },
        correlation: { requestId: 'wf:one', step: 'look' },
      },
    ])
    expect(JSON.stringify(bench.home.events)).not.toContain('title')
  })

  it('that is refused is an event that names where the missing line would stand', async () => {
    await ask(declared(bench.plain.origin, { allow: [] }), { path: '/private-title' })
    expect(lastEvent()).toMatchObject({
      code: 'PATH_REFUSED',
      missing: 'agents/test/manifest.ts:egress.server.allow',
    })
    await ask(declared(bench.plain.origin), { egress: 'private-title' })
    expect(lastEvent()).toMatchObject({ missing: 'agents/test/manifest.ts:egress' })
    await ask(declared(bench.plain.origin), { origin: 'https://private-title.example' })
    expect(lastEvent()).toMatchObject({ missing: 'bulkhead.yaml:test.server' })
    const resolve = async () => ['127.0.0.1']
    await ask(declared('http://server.example'), {}, { resolve })
    expect(lastEvent()).toMatchObject({ missing: 'bulkhead.yaml:test.server' })
    expect(JSON.stringify(bench.home.events)).not.toContain('title')
  })

  it.each(['POST', 'REPORT'] as const)('sends the body of a %s with its length', async (method) => {
    const reply = await ask(declared(bench.plain.origin), {
      method,
      body: 'ä',
      path: '/form',
    })
    expect(reply.ok).toBe(true)
    expect(bench.plain.seen[0]?.headers).toMatchObject({ 'content-length': '2' })
  })

  it.each<[string, ResolvedEgress['credential'] & object, string, string]>([
    ['a bearer', { file: 'secret', as: 'bearer' }, 'authorization', 'Bearer s3cret'],
    ['a name and password', { file: 'secret', as: 'basic' }, 'authorization', 'Basic czNjcmV0'],
    ['a header of its own', { file: 'secret', as: { header: 'x-key' } }, 'x-key', 's3cret'],
  ])('carries the credential that the agent never sees: %s', async (_what, { as }, name, value) => {
    const file = join(bench.home.folder, 'secret')
    writeFileSync(file, 's3cret')
    const reply = await ask(declared(bench.plain.origin, { credential: { file, as } }))
    expect(bench.plain.seen[0]?.headers[name]).toBe(value)
    expect(JSON.stringify([reply, bench.home.events])).not.toContain('s3cret')
  })

  it('is not sent without the credential that it needs', async () => {
    const credential = { file: join(bench.home.folder, 'absent'), as: 'bearer' } as const
    expect(codeOf(await ask(declared(bench.plain.origin, { credential })))).toBe(
      'CREDENTIAL_MISSING',
    )
    expect(bench.plain.seen).toEqual([])
  })

  it('does not follow a redirect', async () => {
    const reply = await ask(declared(bench.plain.origin), { path: '/redirect' })
    expect(reply).toMatchObject({ ok: true, status: 302 })
    expect(reply.ok && reply.headers['location']).toContain('/stolen')
    expect(bench.secure.seen).toEqual([])
  })
})

describe('a token', () => {
  const foreign = () => createAuthority()

  it.each<[string, Parameters<GatewayHome['call']>[1] & object, string]>([
    ['that has expired', { claims: { iat: 1_000, nbf: 1_000, exp: 1_030 } }, 'TOKEN_EXPIRED'],
    ['of an earlier life', { claims: { aud: 'agent:test.1:epoch-zero-00' } }, 'TOKEN_AUDIENCE'],
    ['of another agent', { claims: { aud: 'agent:other.1:epoch-one-0001' } }, 'TOKEN_AUDIENCE'],
    ['of another deployment', { claims: { iss: 'notary:elsewhere' } }, 'TOKEN_ISSUER'],
    ['bound to another key', { claims: { cnf: { nk_s256: 'A'.repeat(43) } } }, 'TOKEN_BINDING'],
    ["with another step's arguments", { sent: { path: '/other' } }, 'ARGS_HASH'],
    ['of an action without egress', { action: 'echo' }, 'EGRESS_NOT_OF_ACTION'],
    ['of another operation', { claims: { op: 'cancel' } }, 'WRONG_OPERATION'],
  ])('%s lets nothing out', async (_what, step, code) => {
    expect(codeOf(await ask(declared(bench.plain.origin), {}, {}, step))).toBe(code)
    expect(bench.plain.seen).toEqual([])
    expect(lastEvent()).toMatchObject({ code, status: 0 })
  })

  it('with another salt lets nothing out', async () => {
    const gateway = await bench.home.gateway()
    const call = {
      ...JSON.parse(await bench.home.call({})),
      salt: randomBytes(16).toString('base64url'),
    }
    const reply = await gateway.handle(
      bench.home.agent([declared(bench.plain.origin)]),
      JSON.stringify(call),
    )
    expect(codeOf(reply)).toBe('SALT_MISMATCH')
  })

  it('by another key lets nothing out', async () => {
    const gateway = await bench.home.gateway()
    const { token } = await (await foreign()).command({ action: 'fetch', args: { path: '/' } })
    const call = { ...JSON.parse(await bench.home.call({})), token }
    const reply = await gateway.handle(
      bench.home.agent([declared(bench.plain.origin)]),
      JSON.stringify(call),
    )
    expect(codeOf(reply)).toBe('TOKEN_KEY_UNKNOWN')
    expect(bench.plain.seen).toEqual([])
  })

  it('is of no use while no sandbox of the agent runs', async () => {
    const reply = await ask(declared(bench.plain.origin), {}, { epochOf: () => undefined })
    expect(codeOf(reply)).toBe('NOT_RUNNING')
  })

  it.each([
    ['nothing', ''],
    ['no token', '{"request":{"egress":"server","method":"GET","path":"/","maxBytes":1}}'],
    ['a list', '[]'],
    ['a duplicate key', '{"token":"a","token":"b"}'],
    ['a member that nobody knows', '{"token":"a","args":{},"salt":"a","agent":"other.1"}'],
  ])('must come in the permitted shape, which is not %s', async (_what, body) => {
    const gateway = await bench.home.gateway()
    const reply = await gateway.handle(bench.home.agent([declared(bench.plain.origin)]), body)
    expect(codeOf(reply)).toBe('MALFORMED')
  })

  it('begun with while it lived may finish after it', async () => {
    let now = Date.now()
    const reply = ask(declared(bench.plain.origin), { path: '/slow' }, { now: () => now })
    await expect.poll(() => bench.plain.seen).toHaveLength(1)
    now += 60_000
    expect(await reply).toMatchObject({ ok: true, status: 200 })
  })
})

describe('a name', () => {
  const named = (changes: Partial<ResolvedEgress> = {}) =>
    declared(`http://server.example:${bench.plain.port}`, changes)

  it.each([
    ['127.0.0.1', 'this machine'],
    ['10.0.0.5', 'the house'],
    ['169.254.169.254', 'cloud metadata'],
    ['::1', 'this machine'],
    ['::ffff:127.0.0.1', 'this machine in disguise'],
  ])('that leads to %s, %s, is refused', async (address) => {
    expect(codeOf(await ask(named(), {}, { resolve: async () => [address] }))).toBe(
      'ADDRESS_REFUSED',
    )
    expect(bench.plain.seen).toEqual([])
  })

  it('may lead there where the manifest says so', async () => {
    const resolve = async () => ['127.0.0.1']
    const reply = await ask(named({ privateAddress: true }), {}, { resolve })
    expect(reply).toMatchObject({ ok: true, status: 200 })
    expect(bench.plain.seen[0]?.headers.host).toBe(`server.example:${bench.plain.port}`)
  })

  it('is resolved once, and that very address is connected to', async () => {
    const answers = [['127.0.0.1'], ['169.254.169.254']]
    let asked = 0
    const resolve = async () => answers[asked++] ?? []
    const reply = await ask(named({ privateAddress: true }), {}, { resolve })
    expect(reply.ok).toBe(true)
    expect(asked).toBe(1)
    expect(bench.plain.seen.length).toBe(1)
  })

  it('C05: that leads to a public address now and to this machine later is judged each time', async () => {
    const answers = [['192.0.2.1'], ['127.0.0.1']]
    const resolve = async () => answers.shift() ?? []
    expect(codeOf(await ask(named(), {}, { resolve }))).toBe('ADDRESS_REFUSED')
    expect(codeOf(await ask(named(), {}, { resolve }))).toBe('ADDRESS_REFUSED')
    expect(bench.plain.seen).toEqual([])
  })

  it('that leads nowhere is told as unsent', async () => {
    expect(codeOf(await ask(named()))).toBe('NAME_UNRESOLVED')
    expect(codeOf(await ask(named(), {}, { resolve: async () => [] }))).toBe('NAME_UNRESOLVED')
  })

  it('is not resolved where bulkhead.yaml writes an address', async () => {
    expect((await ask(declared(bench.plain.origin))).ok).toBe(true)
  })
})

describe('TLS', () => {
  it('is checked for the name or address that was compared', async () => {
    expect(await ask(declared(bench.secure.origin))).toMatchObject({ ok: true, status: 200 })
    const named = declared(`https://localhost:${bench.secure.port}`, { privateAddress: true })
    const resolve = async () => ['127.0.0.1']
    expect((await ask(named, {}, { resolve })).ok).toBe(true)
  })

  it('with a certificate for another name is refused before anything is sent', async () => {
    const named = declared(`https://other.example:${bench.secure.port}`, { privateAddress: true })
    const reply = await ask(named, {}, { resolve: async () => ['127.0.0.1'] })
    expect(codeOf(reply)).toBe('TLS_REFUSED')
    expect(bench.secure.seen).toEqual([])
  })

  it('under an authority that nobody trusts is refused', async () => {
    expect(codeOf(await ask(declared(bench.secure.origin), {}, { trusted: undefined }))).toBe(
      'TLS_REFUSED',
    )
    expect(bench.secure.seen).toEqual([])
  })

  it('with the pinned key is accepted, with another refused', async () => {
    const { pin } = bench.home.trust
    expect((await ask(declared(bench.secure.origin, { pin }))).ok).toBe(true)
    const other = createHash('sha256').update('another key').digest('base64')
    bench.secure.seen.length = 0
    expect(codeOf(await ask(declared(bench.secure.origin, { pin: other })))).toBe('PIN_MISMATCH')
    expect(bench.secure.seen).toEqual([])
  })

  it('is not spoken by a server in clear, and nothing is sent to it', async () => {
    const origin = bench.plain.origin.replace('http:', 'https:')
    expect(codeOf(await ask(declared(origin)))).toBe('TLS_REFUSED')
    expect(bench.plain.seen).toEqual([])
  })
})
