// An agent is untrusted: what it answers is believed only as far as its receipt, its envelope and
// its manifest go. Each case changes one thing that an honest reply has right.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Reply } from '../../agents/protocol.ts'
import { signDocument } from '../../security/verify/document.ts'
import { saltedHash, sha256 } from '../../security/verify/hash.ts'
import { generateKeyPairJwk } from '../../security/verify/keys.ts'
import { type Bench, createBench, failureTypeOf } from './dispatch-fixture.ts'

let bench: Bench
beforeEach(async () => {
  bench = await createBench()
})
afterEach(() => bench.close())

describe('an agent that lies', () => {
  const lies: Record<string, NonNullable<Bench['world']['override']['reply']>> = {
    'another result': (honest) =>
      honest.status === 'DONE' ? { ...honest, result: '{"count":2,"events":[]}' } : honest,
    'an envelope of another receipt': async (honest) => {
      if (honest.status !== 'DONE') return honest
      return { ...honest, receipt: await resign(honest.receipt, { code: 'INTERNAL' }) }
    },
    'a receipt of another effect': (honest) => forge(honest, { idem: 'x'.repeat(43) }),
    'a receipt for other arguments': (honest) => forge(honest, { argsHash: 'x'.repeat(43) }),
    'a receipt of another agent': (honest) => forge(honest, { agent: 'calendar.1' }),
    'a receipt with another salt': (honest) => forge(honest, { salt: 'x'.repeat(22) }),
    'a receipt of another status': (honest) => forge(honest, { status: 'UNKNOWN' }),
    'an envelope of an earlier token': (honest) => forge(honest, {}, { jti: 'earlier' }),
    'an envelope of another effect': (honest) => forge(honest, {}, { idem: 'x'.repeat(43) }),
    'a receipt that another key signed': async (honest) => {
      if (honest.status !== 'DONE') return honest
      const { privateJwk } = await generateKeyPairJwk()
      const receipt = await resign(honest.receipt, {}, privateJwk)
      const claims = { ...claimsOf(honest.envelope), receiptHash: sha256(receipt) }
      const envelope = await signDocument(
        'bulkhead-envelope+jws',
        claims,
        bench.world.receiptKeys.privateJwk,
      )
      return { ...honest, receipt, envelope }
    },
    'an envelope of another boot': (honest) => forge(honest, {}, { bootEpoch: 'epoch-02' }),
    'a signature of another key': async (honest) => {
      const { privateJwk } = await generateKeyPairJwk()
      return forge(honest, {}, {}, privateJwk)
    },
  }

  const signedByItself = new Set([
    'a receipt of another effect',
    'a receipt for other arguments',
    'a receipt of another agent',
    'a receipt with another salt',
    'a receipt that another key signed',
  ])
  const refuseReceipt = () => ({ status: 'REFUSED', code: 'RECEIPT_INVALID', message: '' }) as const

  const claimsOf = (jws: string): Record<string, unknown> =>
    JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString())
  const resign = async (jws: string, change: Record<string, unknown>, key?: unknown) =>
    signDocument(
      'bulkhead-receipt+jws',
      { ...claimsOf(jws), ...change },
      key ?? bench.world.receiptKeys.privateJwk,
    )
  async function forge(
    honest: Reply,
    receipt: Record<string, unknown>,
    envelope: Record<string, unknown> = {},
    key: unknown = bench.world.receiptKeys.privateJwk,
  ) {
    if (honest.status !== 'DONE') return honest
    const forged = await resign(honest.receipt, receipt, key)
    const claims = { ...claimsOf(honest.envelope), receiptHash: sha256(forged), ...envelope }
    return {
      ...honest,
      receipt: forged,
      envelope: await signDocument('bulkhead-envelope+jws', claims, key),
    }
  }

  it.each(Object.keys(lies))('with %s is not believed', async (name) => {
    bench.world.override.reply = lies[name] ?? (() => ({ status: 'IN_PROGRESS' }))
    bench.world.override.settle = refuseReceipt
    expect(await failureTypeOf(bench.dispatch('read'))).toBe('REPLY_INVALID')
    // What its own key vouches for is evidence for the notary; the rest may be anybody's work.
    const isBrought = bench.world.log.includes('settle:read:receipt')
    expect(isBrought).toBe(signedByItself.has(name))
  })

  it('is believed when a kept receipt is older than its replica, and the envelope is new', async () => {
    bench.world.override.reply = (honest) => forge(honest, { bootEpoch: 'epoch-00' })
    expect((await bench.dispatch('read')).outcome).toBe('settled')
  })

  const key = '-----BEGIN PRIVATE KEY-----'
  const misfits: readonly (readonly [string, string, unknown])[] = [
    ['lacks a field', 'OFF_SCHEMA', { count: 1 }],
    ['has a field too many', 'OFF_SCHEMA', { count: 1, events: [], admin: true }],
    ['has the wrong type', 'OFF_SCHEMA', { count: 'many', events: [] }],
    ['is too large', 'TOO_LARGE', { count: 1, events: [{ summary: 'x'.repeat(70 * 1024) }] }],
    ['holds a secret', 'SECRET', { count: 1, events: [{ summary: key }] }],
  ]
  it.each(misfits)(
    'about its result fails the step, and the notary hears why: it %s (%s)',
    async (_, fault, misfit) => {
      await bench.close()
      bench = await createBench(async () => misfit)
      const result = await bench.dispatch('read')
      expect(result).toMatchObject({ outcome: 'failed', code: 'INVALID_RESULT', resultRef: null })
      const settled = bench.world.seen.findLast(({ subject }) => subject === 'notary.settle')
      expect(settled?.payload).toMatchObject({ type: 'receipt', invalidResult: true, fault })
    },
  )

  it('about the one spelling of its result fails the step: it has white space', async () => {
    bench.world.override.reply = async (honest) => {
      if (honest.status !== 'DONE') return honest
      const result = honest.result.replace('{', '{ ')
      const salt = String(claimsOf(honest.receipt)['salt'])
      return { ...(await forge(honest, { resultHash: saltedHash(salt, result) })), result }
    }
    expect(await bench.dispatch('read')).toMatchObject({
      outcome: 'failed',
      code: 'INVALID_RESULT',
    })
  })

  it('is asked again when the notary does not take its receipt', async () => {
    bench.world.override.settle = () => ({
      status: 'REFUSED',
      code: 'RECEIPT_INVALID',
      message: '',
    })
    expect(await failureTypeOf(bench.dispatch('read'))).toBe('REPLY_INVALID')
  })
})
