// Which replica an effect goes to, and that a worker in foreign hands gets no second one for an effect
// that the first may have begun: it can only ask again, bring receipts, and say that it failed.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { limits } from '../../plan/limits.ts'
import { createCatalogue } from '../../plan/manifest.ts'
import { generateKeyPairJwk } from '../../security/verify/keys.ts'
import { catalogue } from './catalogue.ts'
import { createHarness, execute, type Harness, type Run } from './harness.ts'
import { ringing } from './plans.ts'

const source = `
version: 1
goal: use a pool
steps:
${Array.from({ length: 12 }, (_, n) => `  - { id: look-${n}, agent: pool, action: look, args: { at: a } }`).join('\n')}
${[0, 1].map((n) => `  - { id: drop-${n}, agent: pool, action: drop, args: { at: a, dryRun: false } }`).join('\n')}
answer: { from: [look-0] }
`
const look = { at: 'a' }
const drop = { at: 'a', dryRun: false }
const absent = { status: 'FAILED', code: 'CONFLICT', retry: 'absent' } as const

let harness: Harness
let run: Run
beforeEach(async () => {
  harness = await createHarness()
  run = await harness.run(source)
})
afterEach(() => harness.close())

const boot = (n: number, change: object = {}) =>
  harness.boot({ agent: 'pool', n, bootEpoch: `epoch-pool-${n}`, ...change })
const stop = (n: number) => boot(n, { running: false })
const expire = () => {
  harness.clock.time += limits.tokenLifeMs + limits.tokenSkewMs + 1_000
}
const shutOut = (n: number) =>
  harness.notary.quarantine('supervisor', {
    ...{ op: 'set', agent: 'pool', n, by: 'user:owner', reason: '' },
  })
/** The number at the end of `pool.<n>`. */
const numberOf = (agent: string) => Number(agent.slice('pool.'.length))
/** A first token, and the replica that has nothing to do with it. */
async function begin(step: string, args: object) {
  await boot(0)
  await boot(1)
  const token = await run.token(step, args)
  const own = numberOf(token.agent)
  return { token, own, other: 1 - own }
}
const sign = (token: Parameters<typeof execute>[0], happened: Parameters<typeof execute>[1]) =>
  execute(token, happened, harness.keys.receipt)

describe('a pool', () => {
  it('gives the next effect to the replica that has least to do', async () => {
    await boot(0)
    await boot(1)
    const first = await run.token('look-0', look)
    const second = await run.token('look-1', look)
    expect(second.agent).not.toBe(first.agent)
    await run.settle('look-0', await sign(first, { status: 'DONE', value: { seen: 'a' } }))
    expect((await run.token('look-2', look)).agent).toBe(first.agent)
    // A token that nobody answers weighs until it is over.
    expire()
    const used = [await run.token('look-3', look), await run.token('look-4', look)]
    expect(new Set(used.map(({ agent }) => agent)).size).toBe(2)
  })

  it('wakes another one when all that run are busy, and tells everybody the same one', async () => {
    const asleep = await run.authorize('look-0', look)
    if (asleep.status !== 'NOT_RUNNING') throw new Error(asleep.status)
    expect(await run.authorize('look-0', look)).toEqual(asleep)
    await boot(asleep.n)
    for (const step of ['look-0', 'look-1', 'look-2', 'look-3']) {
      expect((await run.token(step, look)).agent).toBe(`pool.${asleep.n}`)
    }
    const next = { status: 'NOT_RUNNING', agent: 'pool', n: 1 - asleep.n }
    expect(await run.authorize('look-4', look)).toEqual(next)
    expect(await run.authorize('look-5', look)).toEqual(next)
    await boot(1 - asleep.n)
    expect((await run.token('look-4', look)).agent).toBe(`pool.${1 - asleep.n}`)
  })

  it('leaves out who is shut out', async () => {
    await boot(0)
    await boot(1)
    await shutOut(0)
    for (const step of ['look-0', 'look-1', 'look-2']) {
      expect((await run.token(step, look)).agent).toBe('pool.1')
    }
    await shutOut(1)
    expect(await run.authorize('look-3', look)).toMatchObject({ code: 'QUARANTINED' })
  })
})

describe('a write', () => {
  it('stays with its replica when that is stopped, whoever else is free', async () => {
    const { own } = await begin('drop-0', drop)
    await stop(own)
    const there = { status: 'NOT_RUNNING', agent: 'pool', n: own }
    expect(await run.authorize('drop-0', drop)).toEqual(there)
    // No token is left, which says nothing of what the first one did.
    expire()
    expect(await run.authorize('drop-0', drop)).toEqual(there)
    expect(await run.fail('drop-0')).toMatchObject({ code: 'TOKENS_ALIVE' })
    expect(await run.authorize('drop-0', drop)).toEqual(there)
    // Nor does a new life of its process.
    await boot(own, { bootEpoch: 'epoch-pool-anew' })
    await boot(own, { bootEpoch: 'epoch-pool-anew', running: false })
    expect(await run.authorize('drop-0', drop)).toEqual(there)
  })

  it('is refused when its replica is shut out, whoever else is free', async () => {
    const { own } = await begin('drop-0', drop)
    await shutOut(own)
    expire()
    expect(await run.authorize('drop-0', drop)).toMatchObject({ code: 'QUARANTINED' })
  })

  it('goes elsewhere when its replica has said of every token that it did nothing', async () => {
    const { token, own, other } = await begin('drop-0', drop)
    const second = await run.token('drop-0', drop)
    expect(second.agent).toBe(token.agent)
    await run.settle('drop-0', await sign(token, absent), { again: true })
    await stop(own)
    // The second is out.
    expect(await run.authorize('drop-0', drop)).toMatchObject({ status: 'NOT_RUNNING', n: own })
    await boot(own, { bootEpoch: 'epoch-pool-anew' })
    await run.settle('drop-0', await sign(second, absent), { again: true })
    // Where it is it stays, as long as that serves.
    expect((await run.token('drop-0', drop)).agent).toBe(`pool.${own}`)
    expect(other).not.toBe(own)
  })

  it('is done by nobody but its new replica once it has gone elsewhere', async () => {
    const { token, own, other } = await begin('drop-0', drop)
    const done = await sign(token, { status: 'DONE', value: { dropped: 'a' } })
    await run.settle('drop-0', await sign(token, absent), { again: true })
    await stop(own)
    const moved = await run.token('drop-0', drop)
    expect(moved).toMatchObject({ agent: `pool.${other}`, idem: token.idem })
    expect(harness.rows().map(({ body }) => JSON.parse(body))).toContainEqual({
      ...{ call: 'authorize', decision: 'moved', idem: token.idem, from: own, to: other },
    })
    // The first one comes back: it gets nothing of this effect, and nothing of it is believed.
    await boot(own, { bootEpoch: 'epoch-pool-anew' })
    expect((await run.token('drop-0', drop)).agent).toBe(`pool.${other}`)
    expect(await run.settle('drop-0', done)).toMatchObject({ code: 'RECEIPT_INVALID' })
    const value = { dropped: 'a' }
    const settled = await run.settle('drop-0', await sign(moved, { status: 'DONE', value }))
    expect(settled).toMatchObject({ status: 'SETTLED', outcome: 'settled' })
    // And it is undone where it was done.
    await harness.notary.cancel('cli', { requestId: 'r-1' })
    const undo = await run.token('drop-0', { entry: token.idem, dryRun: false }, { kind: 'undo' })
    expect(undo.agent).toBe(`pool.${other}`)
  })

  it('is undone where it was done, whoever else is free', async () => {
    const { token, own } = await begin('drop-0', drop)
    await run.settle('drop-0', await sign(token, { status: 'DONE', value: { dropped: 'a' } }))
    await harness.notary.cancel('cli', { requestId: 'r-1' })
    await stop(own)
    const args = { entry: token.idem, dryRun: false }
    expect(await run.authorize('drop-0', args, { kind: 'undo' })).toEqual({
      ...{ status: 'NOT_RUNNING', agent: 'pool', n: own },
    })
  })

  it('does not go elsewhere when its replica has said that it does not know', async () => {
    await harness.close()
    const pooledBell = [...catalogue.values()].map((manifest) =>
      manifest.name === 'bell' ? { ...manifest, replicas: 2 } : manifest,
    )
    harness = await createHarness({ catalogue: createCatalogue(pooledBell) })
    const bell = (n: number, change: object = {}) =>
      harness.boot({ agent: 'bell', n, bootEpoch: `epoch-bell-${n}`, ...change })
    await bell(0)
    await bell(1)
    run = await harness.run(ringing)
    const args = { at: 'noon', dryRun: false }
    const token = await run.token('ring', args)
    const own = Number(token.agent.slice('bell.'.length))
    const unknown = await sign(token, { status: 'UNKNOWN' })
    expect(await run.settle('ring', unknown)).toMatchObject({ status: 'PROBE' })
    await bell(own, { running: false })
    expire()
    expect(await run.authorize('ring', args)).toMatchObject({ status: 'NOT_RUNNING', n: own })
  })

  it('does not go elsewhere on a word that is not its replica’s own', async () => {
    const { token, own } = await begin('drop-0', drop)
    const forged = await execute(token, absent, (await generateKeyPairJwk()).privateJwk)
    expect(await run.settle('drop-0', forged, { again: true })).toMatchObject({
      code: 'RECEIPT_INVALID',
    })
    await stop(own)
    expire()
    expect(await run.authorize('drop-0', drop)).toMatchObject({ status: 'NOT_RUNNING', n: own })
  })
})

describe('a read', () => {
  it('stays while a token of it is alive, and goes elsewhere when none is', async () => {
    const { token, own, other } = await begin('look-0', look)
    await stop(own)
    expect(await run.authorize('look-0', look)).toMatchObject({ status: 'NOT_RUNNING', n: own })
    expire()
    const moved = await run.token('look-0', look)
    expect(moved.agent).toBe(`pool.${other}`)
    // What the first one read comes too late, and shuts nobody out.
    const late = await sign(token, { status: 'DONE', value: { seen: 'a' } })
    expect(await run.settle('look-0', late)).toMatchObject({ code: 'RECEIPT_INVALID' })
    expect(harness.notary.quarantines()).toEqual([])
  })

  it('waits for its token when its replica is shut out, and goes elsewhere then', async () => {
    const { own, other } = await begin('look-0', look)
    await shutOut(own)
    expect(await run.authorize('look-0', look)).toMatchObject({ code: 'TOKENS_ALIVE' })
    expire()
    expect((await run.token('look-0', look)).agent).toBe(`pool.${other}`)
  })

  it('is followed where it was begun, and nowhere else', async () => {
    const { own } = await begin('look-0', look)
    await stop(own)
    expire()
    expect(await run.authorize('look-0', {}, { op: 'attach' })).toMatchObject({
      ...{ status: 'NOT_RUNNING', n: own },
    })
  })
})
