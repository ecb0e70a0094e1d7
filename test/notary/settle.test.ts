// What has become of an effect: which receipts count, that the first one stays, and when a step may
// be called skipped or failed without one.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openEffect } from '../../notary/grant.ts'
import { idemOf } from '../../notary/locate.ts'
import { digestOf } from '../../security/verify/hash.ts'
import { generateKeyPairJwk, toPublicJwk } from '../../security/verify/keys.ts'
import { type Authorised, createHarness, execute, type Harness, type Run } from './harness.ts'
import { append, briefing, items, list, softly, twoWrites } from './plans.ts'

let harness: Harness
let run: Run
let token: Authorised

const done = { status: 'DONE', value: items(['one', 'two']) } as const
const other = 'A'.repeat(43)

beforeEach(async () => {
  harness = await createHarness()
  run = await harness.run(briefing, { inputs: { note: 'daily' } })
  token = await run.token('gather', list)
})
afterEach(() => harness.close())

describe('a receipt', () => {
  it('settles the step with its result', async () => {
    const documents = await execute(token, done, harness.keys.receipt)
    expect(await run.settle('gather', documents)).toEqual({ status: 'SETTLED', outcome: 'settled' })
    expect(await run.authorize('gather', list)).toMatchObject({
      outcome: 'settled',
      resultHash: documents.resultHash,
    })
    expect(harness.rows().at(-1)).toMatchObject({ kind: 'outcome', actor: 'agent:desk.0' })
  })

  it('is answered alike when it comes again, with a new envelope too', async () => {
    const documents = await execute(token, done, harness.keys.receipt)
    await run.settle('gather', documents)
    const size = harness.store.size()
    expect(await run.settle('gather', documents)).toMatchObject({ outcome: 'settled' })
    expect(harness.store.size()).toBe(size)
  })

  it('that differs from the first one is a conflict, and is recorded', async () => {
    await run.settle('gather', await execute(token, done, harness.keys.receipt))
    const second = { status: 'DONE', value: items(['three']) } as const
    const documents = await execute(token, second, harness.keys.receipt)
    expect(await run.settle('gather', documents)).toMatchObject({ code: 'RECEIPT_CONFLICT' })
    expect(harness.rows().at(-1)?.body).toContain('RECEIPT_CONFLICT')
    expect(await run.authorize('gather', list)).toMatchObject({ outcome: 'settled' })
  })

  it.each([
    ['names another effect', { receipt: { idem: other } }],
    ['names other arguments', { receipt: { argsHash: other } }],
    ['names another agent', { receipt: { agent: 'desk.1' } }],
    ['carries another salt', { receipt: { salt: 'AAAAAAAAAAAAAAAAAAAAAA' } }],
    ['names an epoch that never was', { receipt: { bootEpoch: 'epoch-9999' } }],
    ['has an envelope of another token', { envelope: { jti: 'AAAAAAAAAAAAAAAAAAAAAA' } }],
    ['has an envelope of another effect', { envelope: { idem: other } }],
    ['has an envelope of another receipt', { envelope: { receiptHash: other } }],
    ['has an envelope of another epoch', { envelope: { bootEpoch: 'epoch-9999' } }],
    ['has a member that no receipt has', { receipt: { extra: 1 } }],
  ])('is refused when it %s', async (_, change) => {
    const documents = await execute(token, done, harness.keys.receipt, change)
    expect(await run.settle('gather', documents)).toMatchObject({
      status: 'REFUSED',
      code: 'RECEIPT_INVALID',
    })
    const genuine = await execute(token, done, harness.keys.receipt)
    expect(await run.settle('gather', genuine)).toMatchObject({ outcome: 'settled' })
  })

  it('is refused in an envelope over the token of another effect', async () => {
    const writes = await harness.run(twoWrites, { requestId: 'r-2' })
    const { jti } = await writes.token('first', append('a'))
    const documents = await execute(token, done, harness.keys.receipt, { envelope: { jti } })
    expect(await run.settle('gather', documents)).toMatchObject({ code: 'RECEIPT_INVALID' })
  })

  it('is refused when another key signed it, or its envelope', async () => {
    const { privateJwk } = await generateKeyPairJwk()
    const genuine = await execute(token, done, harness.keys.receipt)
    const forged = await execute(token, done, privateJwk)
    const mixed = await execute(token, done, harness.keys.receipt, { kept: forged.receipt })
    expect(await run.settle('gather', forged)).toMatchObject({ code: 'RECEIPT_INVALID' })
    expect(await run.settle('gather', mixed)).toMatchObject({ code: 'RECEIPT_INVALID' })
    const { envelope } = await execute(token, done, privateJwk, { kept: genuine.receipt })
    expect(await run.settle('gather', { ...genuine, envelope })).toMatchObject({
      code: 'RECEIPT_INVALID',
    })
    expect(await run.settle('gather', genuine)).toMatchObject({ outcome: 'settled' })
  })

  it('is refused when its envelope stands where the receipt should', async () => {
    const { envelope, ...rest } = await execute(token, done, harness.keys.receipt)
    const swapped = { ...rest, receipt: envelope, envelope }
    expect(await run.settle('gather', swapped)).toMatchObject({ code: 'RECEIPT_INVALID' })
  })

  it('is refused for another step, though it is genuine', async () => {
    const documents = await execute(token, done, harness.keys.receipt)
    expect(await run.settle('write', documents)).toMatchObject({ code: 'NEVER_AUTHORISED' })
    await run.settle('gather', documents)
    await run.token(
      'named',
      { note: 'one', text: '-', dryRun: false },
      {
        sources: [
          { step: 'gather', iteration: 0, hash: documents.resultHash, content: documents.content },
        ],
      },
    )
    expect(await run.settle('named', documents)).toMatchObject({ code: 'RECEIPT_INVALID' })
  })

  it('of an epoch before a restart counts, in an envelope over a token of the new one', async () => {
    const first = await execute(token, done, harness.keys.receipt)
    const next = await generateKeyPairJwk()
    await harness.boot({ bootEpoch: 'epoch-0002', receiptKey: toPublicJwk(next.privateJwk) })
    const again = await run.token('gather', list)
    const kept = { kept: first.receipt }
    const answered = await execute(again, done, next.privateJwk, kept)
    expect(await run.settle('gather', answered)).toMatchObject({ outcome: 'settled' })
  })

  it('is refused in an envelope that an ended epoch signs over a token of the new one', async () => {
    const next = await generateKeyPairJwk()
    await harness.boot({ bootEpoch: 'epoch-0002', receiptKey: toPublicJwk(next.privateJwk) })
    const again = await run.token('gather', list)
    const documents = await execute(again, done, harness.keys.receipt)
    expect(await run.settle('gather', documents)).toMatchObject({ code: 'RECEIPT_INVALID' })
  })

  it('survives a restart of the notary, and so does what it settled', async () => {
    const documents = await execute(token, done, harness.keys.receipt)
    harness = await harness.restart()
    const { requestId, planDigest, kind, step, iteration } = run.call('gather', list)
    const settled = await harness.notary.settle('worker', {
      type: 'receipt',
      ...{ requestId, planDigest, kind, step, iteration },
      receipt: documents.receipt,
      envelope: documents.envelope,
      invalidResult: false,
    })
    expect(settled).toMatchObject({ outcome: 'settled' })
  })

  it('of a result that does not fit is a failure without a result', async () => {
    const documents = await execute(token, done, harness.keys.receipt)
    expect(await run.settle('gather', documents, { invalidResult: true })).toEqual({
      status: 'SETTLED',
      outcome: 'failed',
      code: 'INVALID_RESULT',
    })
    expect(await run.authorize('write', append('one two '))).toMatchObject({ code: 'RUN_ABORTING' })
  })

  it('of a result that does not fit is recorded with what is wrong with it', async () => {
    const documents = await execute(token, done, harness.keys.receipt)
    await run.settle('gather', documents, { invalidResult: true, fault: 'SECRET' })
    const { kind, body } = harness.rows().at(-1) ?? {}
    expect(kind).toBe('outcome')
    expect(JSON.parse(body ?? '')).toMatchObject({ code: 'INVALID_RESULT', fault: 'SECRET' })
  })

  it('of a result that fits is recorded without a word of what might be wrong with it', async () => {
    const documents = await execute(token, done, harness.keys.receipt)
    await run.settle('gather', documents, { fault: 'SECRET' })
    expect(JSON.parse(harness.rows().at(-1)?.body ?? '')).not.toHaveProperty('fault')
  })

  it('is taken with no other fault than there is', async () => {
    const documents = await execute(token, done, harness.keys.receipt)
    const settled = run.settle('gather', documents, { invalidResult: true, fault: 'UNTIDY' })
    expect(await settled).toMatchObject({ status: 'REFUSED', code: 'MALFORMED' })
  })
})

describe('a failure with a receipt', () => {
  it.each(['final', 'absent'] as const)(
    'settles the step and turns the run around (%s)',
    async (retry) => {
      const failed = { status: 'FAILED', code: 'CONFLICT', retry } as const
      const documents = await execute(token, failed, harness.keys.receipt)
      expect(await run.settle('gather', documents)).toMatchObject({
        outcome: 'failed',
        code: 'CONFLICT',
      })
      expect(await run.authorize('write', append(''))).toMatchObject({ code: 'RUN_ABORTING' })
    },
  )

  it('lets the run go on where the step says so', async () => {
    const soft = await harness.run(softly, { requestId: 'r-2' })
    await soft.break('gather', list, { status: 'FAILED', code: 'CONFLICT', retry: 'final' })
    expect(await soft.authorize('write', append('none'))).toMatchObject({ status: 'AUTHORISED' })
  })

  it('does not let the run go on when the outcome is unknown', async () => {
    const soft = await harness.run(softly, { requestId: 'r-2' })
    await soft.break('gather', list, { status: 'UNKNOWN' })
    expect(await soft.authorize('write', append('none'))).toMatchObject({ code: 'RUN_ABORTING' })
  })
})

it('an answered token keeps no undo waiting', async () => {
  const writes = await harness.run(twoWrites, { requestId: 'r-2' })
  const only = await writes.token('first', append('a'))
  const failed = { status: 'FAILED', code: 'CONFLICT', retry: 'absent' } as const
  await writes.settle('first', await execute(only, failed, harness.keys.receipt))
  const retract = { note: 'daily', entry: only.idem, dryRun: false }
  const reply = await writes.authorize('first', retract, { kind: 'undo' })
  expect(reply).toMatchObject({ status: 'AUTHORISED' })
})

describe('a skip', () => {
  async function gathered(titles: readonly string[]) {
    const documents = await execute(
      token,
      { status: 'DONE', value: items(titles) },
      harness.keys.receipt,
    )
    await run.settle('gather', documents)
    const { resultHash: hash, content } = documents
    return { step: 'gather', iteration: 0, hash, content }
  }

  it('is settled when the guard is false', async () => {
    const source = await gathered(['one'])
    const { content: _, ...named } = source
    expect(await run.skip('maybe', [named])).toMatchObject({ status: 'NEED_SOURCES' })
    expect(await run.skip('maybe', [source])).toMatchObject({ outcome: 'skipped' })
    expect(await run.skip('maybe', [source])).toMatchObject({ outcome: 'skipped' })
    expect(await run.authorize('maybe', append('many'))).toMatchObject({ outcome: 'skipped' })
  })

  it('is refused when the guard is true, there is none, or its sources are not given', async () => {
    const source = await gathered(['one', 'two'])
    expect(await run.skip('maybe', [source])).toMatchObject({ code: 'GUARD_TRUE' })
    expect(await run.skip('write', [source])).toMatchObject({ code: 'GUARD_TRUE' })
    expect(await run.skip('maybe')).toMatchObject({ code: 'SOURCE_MISSING' })
  })

  it('is refused before what the guard needs has settled, and after it has failed', async () => {
    expect(await run.skip('maybe')).toMatchObject({ code: 'NEEDS_UNSETTLED' })
    const failed = { status: 'FAILED', code: 'CONFLICT', retry: 'final' } as const
    await run.settle('gather', await execute(token, failed, harness.keys.receipt))
    expect(await run.skip('maybe')).toMatchObject({ code: 'NEEDS_UNSETTLED' })
  })

  it('is refused once a token was given, whatever the guard is said to be today', async () => {
    const source = await gathered(['one'])
    const address = { request: 'r-1', kind: 'do', step: 'maybe', iteration: 0, rerun: 0 } as const
    await harness.store.commit('fact', ({ state }) => {
      const idem = idemOf(run.digest, address)
      state.putEffect({ ...openEffect, ...address, idem, attempts: 1 })
    })
    expect(await run.skip('maybe', [source])).toMatchObject({ code: 'GUARD_TRUE' })
  })
})

describe('a failure without a receipt', () => {
  it('counts at once when no token was ever given', async () => {
    const writes = await harness.run(twoWrites, { requestId: 'r-2' })
    expect(await writes.fail('first')).toEqual({
      status: 'SETTLED',
      outcome: 'failed',
      code: 'NO_REPLY',
    })
    expect(await writes.authorize('second', append('b'))).toMatchObject({ code: 'RUN_ABORTING' })
  })

  it('waits until every token has expired and the attempts are used up', async () => {
    const writes = await harness.run(twoWrites, { requestId: 'r-2' })
    await writes.token('first', append('a'))
    expect(await writes.fail('first')).toMatchObject({ code: 'TOKENS_ALIVE' })
    harness.clock.time += 20_000
    await writes.token('first', append('a'))
    harness.clock.time += 32_000
    expect(await writes.fail('first')).toMatchObject({ code: 'TOKENS_ALIVE' })
    harness.clock.time += 1
    // A command may have been carried out, so that a write is unknown and not failed.
    expect(await writes.fail('first')).toMatchObject({ outcome: 'unknown', code: 'NO_REPLY' })
    expect(await writes.authorize('second', append('b'))).toMatchObject({ code: 'RUN_ABORTING' })
  })

  it('uses up an attempt when it is reported while some are left', async () => {
    const writes = await harness.run(twoWrites, { requestId: 'r-2' })
    await writes.token('first', append('a'))
    harness.clock.time += 32_001
    expect(await writes.fail('first')).toMatchObject({ code: 'TOKENS_ALIVE' })
    expect(await writes.authorize('first', append('a'))).toMatchObject({ code: 'ATTEMPTS_USED_UP' })
    expect(await writes.fail('first')).toMatchObject({ outcome: 'unknown' })
  })

  it('of a read is a failure', async () => {
    harness.clock.time += 32_001
    for (let n = 1; n < 5; n += 1) await run.fail('gather')
    expect(await run.fail('gather')).toMatchObject({ outcome: 'failed' })
  })

  it('does not overrule what has settled, and a late receipt is a conflict', async () => {
    const documents = await execute(token, done, harness.keys.receipt)
    const writes = await harness.run(twoWrites, { requestId: 'r-2' })
    const late = await writes.token('first', append('a'))
    await writes.token('first', append('a'))
    harness.clock.time += 32_001
    await writes.fail('first')
    const receipt = await execute(
      late,
      { status: 'DONE', value: { entry: 'e' } },
      harness.keys.receipt,
    )
    expect(await writes.settle('first', receipt)).toMatchObject({ code: 'RECEIPT_CONFLICT' })
    await run.settle('gather', documents)
    expect(await run.fail('gather')).toMatchObject({ outcome: 'settled' })
  })

  it('is refused with a text that is not a code', async () => {
    expect(await run.fail('write', { code: 'the title was Dentist' })).toMatchObject({
      code: 'MALFORMED',
    })
  })
})

it('names an effect by what it is, so that nobody can choose its id', () => {
  const parts = [run.requestId, run.digest, 'do', 'gather', 0, 0]
  expect(token.idem).toBe(digestOf(parts))
})
