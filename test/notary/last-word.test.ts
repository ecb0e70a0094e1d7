// A failure before the effect is true when it is signed, and no longer: the notary takes it for the end
// of a step only when no other token can have begun the effect since, so that what is reported as
// failed did not happen, and may be asked for again.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { toPublicJwk } from '../../security/verify/keys.ts'
import { type Authorised, createHarness, execute, type Harness, type Run } from './harness.ts'
import { append, holding } from './plans.ts'

let harness: Harness
let run: Run
let first: Authorised
let second: Authorised
beforeEach(async () => {
  harness = await createHarness()
  run = await harness.run(holding.replace('attempts: 1', 'attempts: 5'))
  first = await run.token('first', append('a'))
  second = await run.token('first', append('a'))
})
afterEach(() => harness.close())

const absent = { status: 'FAILED', code: 'CONFLICT', retry: 'absent' } as const
const signed = (token: Authorised) => execute(token, absent, harness.keys.receipt)
const bring = async (token: Authorised, change: object = {}) =>
  run.settle('first', await signed(token), change)
const look = () => run.token('first', {}, { op: 'attach' })
const retry = () =>
  harness.notary.recover('cli', { requestId: 'r-1', decision: 'retry', step: 'first' })

describe('a failure before the effect', () => {
  it('settles nothing while another token is out, and nobody can have it run again', async () => {
    expect(await bring(second)).toMatchObject({ status: 'REFUSED', code: 'TOKENS_ALIVE' })
    expect(await retry()).toMatchObject({ code: 'NOT_HELD' })
    expect(await run.settle('first', await signed(second))).toMatchObject({ code: 'TOKENS_ALIVE' })
  })

  it('is not the last word of a look that was before the end of the other token', async () => {
    const early = await look()
    harness.clock.time += 32_001
    expect(await bring(early)).toMatchObject({ code: 'TOKENS_ALIVE' })
    // What it did meanwhile is in the ledger, and so is found by the next look.
    const done = { status: 'DONE', value: { entry: 'e' } } as const
    const found = await execute(await look(), done, harness.keys.receipt)
    expect(await run.settle('first', found)).toMatchObject({ outcome: 'settled' })
  })

  it('settles by a look after the other token has expired', async () => {
    harness.clock.time += 33_000
    expect(await bring(await look())).toMatchObject({ outcome: 'failed', code: 'CONFLICT' })
    expect(await retry()).toMatchObject({ status: 'DECIDED' })
  })

  it('is not the word of a ledger in which the other token would not have begun it', async () => {
    harness.clock.time += 33_000
    const documents = await signed(await look())
    await harness.tamper(`UPDATE token SET boot_epoch = 'elsewhere' WHERE jti = '${second.jti}'`)
    harness = await harness.restart()
    const { requestId, digest: planDigest } = run
    const address = { requestId, planDigest, kind: 'do', step: 'first', iteration: 0 }
    const { receipt, envelope } = documents
    const call = { type: 'receipt', ...address, receipt, envelope, invalidResult: false }
    expect(await harness.notary.settle('worker', call)).toMatchObject({ code: 'TOKENS_ALIVE' })
  })

  it('settles by a look at the ledger of the next process', async () => {
    const receiptKey = toPublicJwk(harness.keys.receipt)
    await harness.boot({ bootEpoch: 'epoch-0002', receiptKey })
    expect(await bring(second)).toMatchObject({ code: 'TOKENS_ALIVE' })
    expect(await bring(await look())).toMatchObject({ outcome: 'failed' })
  })

  it('settles when every other token has said the same', async () => {
    expect(await bring(first, { again: true })).toEqual({ status: 'NOTED' })
    expect(await bring(second)).toMatchObject({ outcome: 'failed' })
    const noted = harness.rows().filter(({ body }) => body.includes('"decision":"noted"'))
    expect(noted).toHaveLength(1)
  })

  it('that is only noted settles nothing', async () => {
    await bring(first, { again: true })
    await bring(second, { again: true })
    expect(await run.authorize('first', append('a'))).toMatchObject({ status: 'AUTHORISED' })
  })

  it('is noted only of what did not happen: any other receipt settles', async () => {
    const done = { status: 'DONE', value: { entry: 'e' } } as const
    const documents = await execute(first, done, harness.keys.receipt)
    expect(await run.settle('first', documents, { again: true })).toMatchObject({
      outcome: 'settled',
    })
  })

  it('of a read settles at once: there is nothing that could happen twice', async () => {
    const args = { day: 'today' }
    await run.token('read', args)
    expect(await run.break('read', args, absent)).toMatchObject({ outcome: 'failed' })
  })
})
