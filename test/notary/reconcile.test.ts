// What was reserved for an effect is lowered to what its result says it came to: once, within a share that
// always stays counted, and by nothing that its agent's receipt does not hash.

import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { queryReply } from '../../notary/contract.ts'
import { createCatalogue, defineManifest } from '../../plan/manifest.ts'
import { defaultBudgets } from '../../plan/policy-budgets.ts'
import { plainAction, plainAgent } from '../support/manifest-defaults.ts'
import { openPolicy } from '../support/policy.ts'
import { createHarness, execute, type Harness, type Run } from './harness.ts'

const metered = {
  ...plainAction,
  effect: 'egress',
  input: z.strictObject({ most: z.int(), words: z.string() }),
  output: z.strictObject({ text: z.string(), cost: z.int() }),
  roles: { '/most': 'amount', '/words': 'content' },
  units: { '/most': 'meter.cents' },
} as const
const meter = defineManifest({
  ...plainAgent,
  name: 'meter',
  actions: {
    ask: { ...metered, spent: { '/most': '/cost' } },
    // Says what it cost, and nothing reads it.
    tell: metered,
  },
})
const catalogue = createCatalogue([meter])
const [hour, day] = [3_600_000, 24 * 3_600_000]
const most = 123_457
const args = { most, words: 'x' }
const answer = (cost: unknown) => ({ status: 'DONE', value: { text: 'y', cost } }) as const

let harness: Harness
afterEach(() => harness.close())

async function open(perDay = 1_000_000) {
  const bounds = {
    ...{ agentPerDay: perDay, agentPerMonth: 10 * perDay },
    ...{ userPerDay: perDay, userPerMonth: 10 * perDay },
  }
  const amounts = { 'meter.cents': bounds }
  const budgets = { ...defaultBudgets, amounts, beyond: 'deny' } as const
  const { decide } = await openPolicy({ budgets })
  harness = await createHarness({ catalogue, decide })
  await harness.boot({ agent: 'meter' })
}

let runs = 0
function begin(action = 'ask', given: object = args): Promise<Run> {
  runs += 1
  const step = { id: 'ask', agent: 'meter', action, attempts: 3, onError: 'hold', args: given }
  const steps = JSON.stringify([step])
  const source = `{ version: 1, goal: ask, steps: ${steps}, answer: { from: [ask] } }`
  return harness.run(source, { requestId: `r-${runs}` })
}

/** Of the unit: day, month, and what is reserved. */
async function counted(): Promise<readonly number[]> {
  const reply = queryReply.parse(await harness.notary.query('cli', { what: 'budget' }))
  if (reply.status !== 'BUDGET') throw new Error(reply.status)
  const row = reply.spent.find(({ unit }) => unit === 'meter.cents')
  return row === undefined ? [] : [row.day, row.month, row.open]
}

const lastOutcome = () => {
  const row = harness.rows().findLast(({ kind }) => kind === 'outcome')
  return JSON.parse(row?.body ?? '{}')
}

/** Begun, carried out at such a cost, and settled with its result. */
async function ask(cost: unknown, given = args): Promise<void> {
  const run = await begin('ask', given)
  const token = await run.token('ask', given)
  const documents = await execute(token, answer(cost), harness.keys.receipt)
  const settled = await run.settle('ask', documents, { result: documents.content })
  expect(settled).toEqual({ status: 'SETTLED', outcome: 'settled' })
}

describe('what was reserved', () => {
  it('counts while the effect is out, and is lowered to what it came to when it has ended', async () => {
    await open()
    const run = await begin()
    const token = await run.token('ask', args)
    expect(await counted()).toEqual([most, most, most])
    const documents = await execute(token, answer(54_321), harness.keys.receipt)
    await run.settle('ask', documents, { result: documents.content })
    expect(await counted()).toEqual([54_321, 54_321, 0])
    expect(lastOutcome()).toMatchObject({ outcome: 'settled', spending: 'lowered' })
    // What a person spends is theirs, and the owner reads every row.
    const text = JSON.stringify(harness.rows())
    for (const amount of ['54321', `${most}`]) expect(text).not.toContain(amount)
  })

  it.each([
    ['nothing', 0],
    ['less than an eighth of it', 15_432],
    ['an eighth of it', 15_433],
  ])('keeps an eighth counted where the agent says %s', async (_, cost) => {
    await open()
    await ask(cost)
    expect(await counted()).toEqual([15_433, 15_433, 0])
  })

  it('is not raised by an agent that says more, which is told in the row', async () => {
    await open()
    await ask(most + 1)
    expect(await counted()).toEqual([most, most, 0])
    expect(lastOutcome()).toMatchObject({ outcome: 'settled', spending: 'exceeded' })
  })

  it.each([
    ['all of it', most],
    ['less than nothing', -1],
    ['a part of one', 0.5],
    ['a text', '1'],
    ['nothing that is there', null],
  ])('stays counted where the agent says %s', async (_, cost) => {
    await open()
    await ask(cost)
    expect(await counted()).toEqual([most, most, 0])
    expect(lastOutcome()).not.toHaveProperty('spending')
  })

  it('stays counted where nothing was reserved of nothing', async () => {
    await open()
    await ask(0, { ...args, most: 0 })
    expect(await counted()).toEqual([0, 0, 0])
  })

  it.each([
    ['no result is brought', { result: undefined }, answer(5), 'settled'],
    ['the result is refused', { invalidResult: true }, answer(5), 'failed'],
    ['the result is no JSON', {}, { status: 'DONE', value: '{"cost":5' } as const, 'settled'],
    [
      'a key is there twice',
      {},
      { status: 'DONE', value: '{"cost":5,"cost":5,"text":"y"}' } as const,
      'settled',
    ],
    [
      'it failed after it was sent',
      { result: undefined },
      { status: 'FAILED', code: 'CONFLICT', retry: 'final' } as const,
      'failed',
    ],
    ['nobody knows', { result: undefined }, { status: 'UNKNOWN' } as const, 'unknown'],
  ])('stays counted where %s', async (_, change, happened, outcome) => {
    await open()
    const run = await begin()
    const documents = await execute(await run.token('ask', args), happened, harness.keys.receipt)
    const settled = await run.settle('ask', documents, { result: documents.content, ...change })
    expect(settled).toMatchObject({ status: 'SETTLED', outcome })
    expect(await counted()).toEqual([most, most, 0])
  })

  it('stays counted for an action that does not say so', async () => {
    await open()
    const run = await begin('tell')
    const documents = await execute(await run.token('ask', args), answer(5), harness.keys.receipt)
    await run.settle('ask', documents, { result: documents.content })
    expect(await counted()).toEqual([most, most, 0])
  })
})

describe('who brings the result', () => {
  it('cannot bring another than the receipt hashes, and may bring the right one after', async () => {
    await open()
    const run = await begin()
    const token = await run.token('ask', args)
    const documents = await execute(token, answer(54_321), harness.keys.receipt)
    const cheaper = await execute(token, answer(1), harness.keys.receipt)
    expect(await run.settle('ask', documents, { result: cheaper.content })).toMatchObject({
      ...{ status: 'REFUSED', code: 'RECEIPT_INVALID' },
    })
    expect(await counted()).toEqual([most, most, most])
    await run.settle('ask', documents, { result: documents.content })
    expect(await counted()).toEqual([54_321, 54_321, 0])
  })

  it('changes nothing by bringing it again, nor after it had left it out', async () => {
    await open()
    for (const first of [true, false]) {
      const before = (await counted())[0] ?? 0
      const run = await begin()
      const token = await run.token('ask', args)
      const documents = await execute(token, answer(54_321), harness.keys.receipt)
      const { content: result } = documents
      await run.settle('ask', documents, first ? { result } : {})
      const once = await counted()
      expect(once[0]).toBe(before + (first ? 54_321 : most))
      await run.settle('ask', documents, { result })
      harness = await harness.restart()
      const call = { type: 'receipt', ...documents, invalidResult: false, result }
      const { content: _, resultHash: __, ...asked } = call
      const address = { requestId: run.requestId, planDigest: run.digest, kind: 'do' }
      const about = { ...address, step: 'ask', iteration: 0 }
      expect(await harness.notary.settle('worker', { ...asked, ...about })).toMatchObject({
        outcome: 'settled',
      })
      expect(await counted()).toEqual(once)
    }
  })

  it('lowers nothing where power fails before the row, and once where it settles after', async () => {
    await open()
    const run = await begin()
    const token = await run.token('ask', args)
    const documents = await execute(token, answer(54_321), harness.keys.receipt)
    await harness.tamper(`CREATE TRIGGER broken BEFORE INSERT ON audit WHEN NEW.kind = 'outcome'
      BEGIN SELECT RAISE(ABORT, 'power is gone'); END`)
    harness = await harness.restart()
    const about = { requestId: run.requestId, planDigest: run.digest, kind: 'do', step: 'ask' }
    const { receipt, envelope, content: result } = documents
    const call = { type: 'receipt', ...about, iteration: 0, receipt, envelope, result }
    const settle = () => harness.notary.settle('worker', { ...call, invalidResult: false })
    expect(await settle().catch(() => 'FAILED')).not.toMatchObject({ status: 'SETTLED' })
    await harness.tamper('DROP TRIGGER broken')
    harness = await harness.restart()
    expect(await counted()).toEqual([most, most, most])
    expect(await settle()).toMatchObject({ status: 'SETTLED' })
    expect(await counted()).toEqual([54_321, 54_321, 0])
  })
})

describe('an effect of several tokens', () => {
  it('stays counted in full, because each may have spent as much', async () => {
    await open()
    const run = await begin()
    await run.token('ask', args)
    const token = await run.token('ask', args)
    const documents = await execute(token, answer(54_321), harness.keys.receipt)
    await run.settle('ask', documents, { result: documents.content })
    expect(await counted()).toEqual([most, most, 0])
  })

  it('is lowered where the agent has said of each other one that it did nothing', async () => {
    await open()
    const run = await begin()
    const first = await run.token('ask', args)
    const busy = { status: 'FAILED', code: 'CONFLICT', retry: 'absent' } as const
    const nothing = await execute(first, busy, harness.keys.receipt)
    expect(await run.settle('ask', nothing, { again: true })).toEqual({ status: 'NOTED' })
    const token = await run.token('ask', args)
    const documents = await execute(token, answer(54_321), harness.keys.receipt)
    await run.settle('ask', documents, { result: documents.content })
    expect(await counted()).toEqual([54_321, 54_321, 0])
  })

  it('is lowered once when it runs again by a decision, each for itself', async () => {
    await open()
    const run = await begin()
    const failed = await execute(
      await run.token('ask', args),
      { status: 'FAILED', code: 'CONFLICT', retry: 'final' },
      harness.keys.receipt,
    )
    await run.settle('ask', failed)
    const { requestId } = run
    const decided = await harness.notary.recover('cli', {
      requestId,
      decision: 'retry',
      step: 'ask',
    })
    expect(decided).toMatchObject({ status: 'DECIDED' })
    const token = await run.token('ask', args)
    const documents = await execute(token, answer(54_321), harness.keys.receipt)
    await run.settle('ask', documents, { result: documents.content })
    expect((await counted()).slice(0, 2)).toEqual([most + 54_321, most + 54_321])
  })
})

it('gives back what it was lowered to, where it is given back', async () => {
  await open()
  await ask(54_321)
  const { idem } = lastOutcome()
  expect(await harness.store.commit('fact', ({ state }) => state.refundEffect(idem))).toBe(true)
  expect(await counted()).toEqual([0, 0, 0])
})

it('is taken from the day and the month in which it was reserved', async () => {
  await open()
  const run = await begin()
  const token = await run.token('ask', args)
  const documents = await execute(token, answer(54_321), harness.keys.receipt)
  harness.clock.time += day + hour
  expect(await counted()).toEqual([0, most, 0])
  await run.settle('ask', documents, { result: documents.content })
  expect(await counted()).toEqual([0, 54_321, 0])
})

it('makes room for the next, and not more of it than was lowered', async () => {
  await open(300_000)
  const authorised = async () => (await (await begin()).authorize('ask', args)).status
  await ask(50_000)
  await ask(50_000)
  expect(await counted()).toEqual([100_000, 100_000, 0])
  expect(await authorised()).toBe('AUTHORISED')
  expect(await authorised()).toBe('DENIED')
})

/** Many runs, one after the other: as long as a busy machine takes. */
const patience = { timeout: 240_000 }

it(
  'lets an agent that always says nothing spend eight times a budget at most',
  patience,
  async () => {
    // Each of 100 is refused where the day has no room for all of what it reserves.
    await open(1_000)
    const given = { ...args, most: 100 }
    let carriedOut = 0
    for (let call = 0; call < 200; call += 1) {
      const run = await begin('ask', given)
      const reply = await run.authorize('ask', given)
      if (reply.status !== 'AUTHORISED') break
      const documents = await execute(reply, answer(0), harness.keys.receipt)
      await run.settle('ask', documents, { result: documents.content })
      carriedOut += 100
    }
    expect(carriedOut).toBeLessThanOrEqual(8 * 1_000)
    expect(carriedOut).toBeGreaterThan(1_000)
  },
)

it('is what each came to, or its eighth, whatever is reserved and said', patience, async () => {
  await open(1_000_000_000)
  const calls = fc.array(fc.tuple(fc.nat(10_000), fc.nat(12_000)), { maxLength: 5 })
  await fc.assert(
    fc.asyncProperty(calls, async (all) => {
      const [before = 0] = await counted()
      for (const [reserved, cost] of all) await ask(cost, { ...args, most: reserved })
      const expected = all.reduce((sum, [reserved, cost]) => {
        return sum + (cost > reserved ? reserved : Math.max(cost, Math.ceil(reserved / 8)))
      }, 0)
      expect(((await counted())[0] ?? 0) - before).toBe(expected)
    }),
    { numRuns: 20 },
  )
})
