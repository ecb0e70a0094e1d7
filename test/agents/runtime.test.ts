// One command in, one reply out: what is refused and in which order, what a stored outcome answers,
// and that an effect happens once however often it is asked for.

import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import {
  envelopeSchema,
  envelopeType,
  type Reply,
  receiptSchema,
  receiptType,
} from '../../agents/protocol.ts'
import { verifyDocument } from '../../security/verify/document.ts'
import { drawSalt, hashArgs, saltedHash, sha256 } from '../../security/verify/hash.ts'
import { type CommandInput, createAuthority } from '../support/agent-commands.ts'
import { useRuntime } from '../support/runtime-bench.ts'

const bench = useRuntime()
const signed = async (reply: Reply) => {
  if (!('receipt' in reply)) throw new Error(`no receipt in ${reply.status}`)
  const { receipt, envelope } = reply
  const key = bench.runtime.receiptPublicJwk
  return {
    receipt: receiptSchema.parse(await verifyDocument(receipt, receiptType, key)),
    envelope: envelopeSchema.parse(await verifyDocument(envelope, envelopeType, key)),
  }
}
const count = { action: 'count', args: { text: 'dentist' } } satisfies CommandInput

describe('an honest command', () => {
  it('runs once and answers with its result, a receipt and an envelope that fit together', async () => {
    const command = await bench.authority.command(count)
    const reply = await bench.runtime.handle(command)
    expect(reply).toMatchObject({ status: 'DONE', result: '{"count":1}' })
    const { receipt, envelope } = await signed(reply)
    expect(receipt).toEqual({
      idem: sha256('one'),
      argsHash: hashArgs(command.salt, command.args),
      resultHash: saltedHash(command.salt, '{"count":1}'),
      status: 'DONE',
      agent: 'test.1',
      bootEpoch: 'epoch-one-0001',
      salt: command.salt,
    })
    expect(envelope.receiptHash).toBe('receipt' in reply ? sha256(reply.receipt) : '')
    expect(envelope.idem).toBe(receipt.idem)
    expect(bench.home.effects()).toEqual([sha256('one')])
  })

  it('gets the defaults that its manifest declares', async () => {
    const reply = await bench.runtime.run({ action: 'echo', args: { text: 'hello' } })
    expect(reply).toMatchObject({ status: 'DONE', result: '{"text":"hello"}' })
  })

  it('is executed once when a hundred uses of its token arrive together', async () => {
    const command = await bench.authority.command(count)
    const replies = await Promise.all(
      Array.from({ length: 100 }, () => bench.runtime.handle(structuredClone(command))),
    )
    expect(replies.filter((reply) => reply.status === 'DONE')).toHaveLength(1)
    expect(replies.filter((reply) => 'code' in reply && reply.code === 'REPLAY')).toHaveLength(99)
    expect(bench.home.effects()).toHaveLength(1)
  })

  it('is executed once when a hundred tokens for its effect arrive together', async () => {
    const replies = await Promise.all(Array.from({ length: 100 }, () => bench.runtime.run(count)))
    expect(new Set(replies.map((reply) => reply.status))).toEqual(new Set(['DONE', 'IN_PROGRESS']))
    expect(bench.home.effects()).toHaveLength(1)
  })

  it('is another effect under another idem', async () => {
    await bench.runtime.run(count)
    await bench.runtime.run({ ...count, idem: sha256('two') })
    expect(bench.home.effects()).toHaveLength(2)
  })
})

describe('a stored outcome', () => {
  it('is told again under the new token, and nothing runs', async () => {
    const first = await bench.runtime.run(count)
    const second = await bench.runtime.run(count)
    expect(bench.home.effects()).toHaveLength(1)
    expect('receipt' in first && 'receipt' in second && first.receipt === second.receipt).toBe(true)
    const [one, two] = [await signed(first), await signed(second)]
    expect(one.envelope.jti).not.toBe(two.envelope.jti)
    expect(one.envelope.receiptHash).toBe(two.envelope.receiptHash)
  })

  it('outlives the process', async () => {
    const first = await bench.runtime.run(count)
    await bench.restart()
    expect(await bench.runtime.run(count)).toMatchObject({
      status: 'DONE',
      receipt: 'receipt' in first ? first.receipt : '',
    })
    expect(bench.home.effects()).toHaveLength(1)
  })

  it.each(['final', 'ask'] as const)('of a failure that says %s is told again', async (retry) => {
    const command = { action: 'fail', args: { code: 'CONFLICT', retry } } satisfies CommandInput
    const first = await bench.runtime.run(command)
    expect(first).toMatchObject({ status: 'FAILED', code: 'CONFLICT', retry })
    expect((await signed(first)).receipt).toMatchObject({
      status: 'FAILED',
      code: 'CONFLICT',
      retry,
    })
    expect(await bench.runtime.run(command)).toMatchObject({
      status: 'FAILED',
      code: 'CONFLICT',
      retry,
    })
    expect(bench.home.effects()).toHaveLength(1)
  })

  it('of a failure that certainly had no effect lets the command run again', async () => {
    const command = {
      action: 'fail',
      args: { code: 'UNAVAILABLE', retry: 'absent' },
    } satisfies CommandInput
    expect(await bench.runtime.run(command)).toMatchObject({ status: 'FAILED', retry: 'absent' })
    expect((await bench.runtime.handle({ op: 'health' })) as unknown).toMatchObject({
      metrics: { executed: 1 },
    })
    await bench.runtime.run(command)
    expect((await bench.runtime.handle({ op: 'health' })) as unknown).toMatchObject({
      metrics: { executed: 2 },
    })
  })
})

describe('a command is refused', () => {
  const refused = (code: string) => ({ status: 'REFUSED', code })

  it.each([
    undefined,
    null,
    'text',
    [],
    { op: 'erase' },
    { op: 'run' },
    { op: 'health', more: 1 },
    { op: 'run', token: 'x', args: [], salt: 's' },
    { op: 'run', token: 'x', args: {}, salt: 's', sender: 'worker' },
  ])('as MALFORMED when it is %j', async (payload) => {
    expect(await bench.runtime.handle(payload)).toEqual(refused('MALFORMED'))
  })

  it.each([
    ['nested too deep', JSON.parse(`${'{"a":'.repeat(40)}1${'}'.repeat(40)}`)],
    ['too long', { text: 'x'.repeat(64 * 1024) }],
    ['a number beyond 2^53', { text: 2 ** 60 }],
    ['a lone surrogate', { text: '\ud800' }],
    ['a prototype key', { text: JSON.parse('{"__proto__":{"a":1}}') }],
    ['a constructor key', { text: { constructor: 1 } }],
  ])('as MALFORMED when its arguments are %s', async (_what, sent) => {
    const reply = await bench.runtime.run({ ...count, sent })
    expect(reply).toEqual(refused('MALFORMED'))
  })

  it('as TOKEN_MALFORMED without a token', async () => {
    const command = await bench.authority.command(count)
    expect(await bench.runtime.handle({ ...command, token: 'none' })).toEqual(
      refused('TOKEN_MALFORMED'),
    )
  })

  it('as TOKEN_KEY_UNKNOWN when somebody else signed its token', async () => {
    const command = await (await createAuthority()).command(count)
    expect(await bench.runtime.handle(command)).toEqual(refused('TOKEN_KEY_UNKNOWN'))
  })

  it.each([
    ['TOKEN_ISSUER', { iss: 'notary:elsewher' }],
    ['TOKEN_AUDIENCE', { aud: 'agent:test.2:epoch-one-0001' }],
    ['TOKEN_AUDIENCE', { aud: 'agent:test.1:epoch-two-0002' }],
    ['TOKEN_BINDING', { cnf: { nk_s256: sha256('UOTHERKEY') } }],
    ['TOKEN_EXPIRED', { iat: 1_000, nbf: 1_000, exp: 1_030 }],
    ['WRONG_OPERATION', { op: 'attach' as const }],
  ])('as %s when its token says %j', async (code, claims) => {
    expect(await bench.runtime.run({ ...count, claims })).toEqual(refused(code))
    expect(bench.home.effects()).toEqual([])
  })

  it('as ARGS_HASH when other arguments were authorised', async () => {
    const reply = await bench.runtime.run({ ...count, sent: { text: 'plumber' } })
    expect(reply).toEqual(refused('ARGS_HASH'))
  })

  it('as SALT_MISMATCH when its salt is not the token’s', async () => {
    const command = { ...(await bench.authority.command(count)), salt: drawSalt() }
    expect(await bench.runtime.handle(command)).toEqual(refused('SALT_MISMATCH'))
  })

  it('as UNKNOWN_ACTION when the agent has no such action, and no prototype is asked', async () => {
    expect(await bench.runtime.run({ action: 'absent' })).toEqual(refused('UNKNOWN_ACTION'))
  })

  it('as WRONG_ACTION when its token takes the action for a milder one', async () => {
    expect(await bench.runtime.run({ action: 'erase', effect: 'read' })).toEqual(
      refused('WRONG_ACTION'),
    )
    expect(bench.home.effects()).toEqual([])
  })

  it('as INVALID_ARGS when its arguments do not fit, although they were authorised', async () => {
    const reply = await bench.runtime.run({ action: 'count', args: { text: 'a', more: true } })
    expect(reply).toEqual(refused('INVALID_ARGS'))
    expect(bench.home.effects()).toEqual([])
  })

  it('as IDEM_CONFLICT when its effect was asked with other arguments', async () => {
    await bench.runtime.run(count)
    const reply = await bench.runtime.run({ ...count, args: { text: 'plumber' } })
    expect(reply).toEqual(refused('IDEM_CONFLICT'))
    expect(bench.runtime.notices).toContainEqual({
      kind: 'refused',
      code: 'IDEM_CONFLICT',
      idem: sha256('one'),
    })
  })

  it('as LEDGER_UNAVAILABLE without a ledger, while health and describe still answer', async () => {
    await bench.restart({ ledger: undefined })
    expect(await bench.runtime.run(count)).toEqual(refused('LEDGER_UNAVAILABLE'))
    expect(await bench.runtime.run({ action: 'echo', args: { text: 'a' } })).toEqual(
      refused('LEDGER_UNAVAILABLE'),
    )
    expect(bench.home.effects()).toEqual([])
    expect(await bench.runtime.handle({ op: 'health' })).toMatchObject({ status: 'HEALTHY' })
    expect(await bench.runtime.handle({ op: 'describe' })).toMatchObject({ status: 'DESCRIPTION' })
  })

  it('without its token or arguments in any notice', async () => {
    const command = await bench.authority.command({ ...count, sent: { text: 'secret title' } })
    await bench.runtime.handle(command)
    await delay(0)
    const said = JSON.stringify(bench.runtime.notices)
    expect(said).not.toContain('secret title')
    expect(said).not.toContain(command.token.slice(0, 40))
  })
})
