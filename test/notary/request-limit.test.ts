// What a request may spend, and until when: counted as budgets are, neither lost nor doubled by a restart,
// and said by no row.

import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createHarness, execute, type Happened, type Harness } from './harness.ts'
import { catalogue } from './till.ts'

const cents = (amount: number) => ({ amount, currency: 'USD', dryRun: false })
const minute = 60_000
const guarded = { when: { cel: '1 == 1', with: {} } }
const pay = (id: string, amount: number) => ({
  ...{ id, agent: 'till', action: 'pay', args: cents(amount), onError: 'continue', ...guarded },
})
const source = JSON.stringify({
  ...{ version: 1, goal: 'pay', steps: [pay('one', 300), pay('two', 200)], answer: { from: [] } },
})
const registered = { kind: 'plan', name: 'test', source, inputs: {}, priority: 'MEDIUM' }
/** Four dollars. */
const four = { maxMicroUsd: 4_000_000 }

let harness: Harness
beforeEach(async () => {
  const decide = () => ({ verdict: 'allow', rules: ['anything'] }) as const
  harness = await createHarness({ catalogue, decide })
  await harness.boot({ agent: 'till' })
})
afterEach(() => harness.close())

const begin = (limits: object | undefined, requestId = 'r-1') =>
  harness.run(source, { requestId, ...(limits === undefined ? {} : { limits }) })

describe('what a request may spend', () => {
  it('is not crossed, also after a restart; and the run goes on without the step', async () => {
    const run = await begin(four)
    await run.perform('one', cents(300), { paid: true })
    harness = await harness.restart()
    const ask = () => harness.notary.authorize('worker', run.call('two', cents(200)))
    expect(await ask()).toMatchObject({ status: 'DENIED', code: 'REQUEST_LIMIT' })
    // That is its end, and not only an answer.
    expect(await ask()).toMatchObject({
      ...{ status: 'SETTLED', outcome: 'denied', code: 'REQUEST_LIMIT' },
    })
    expect(harness.store.state.request('r-1')).toMatchObject({ aborted_by: null })
  })

  it('is its own: another request has as much', async () => {
    await (await begin(four)).perform('one', cents(300), { paid: true })
    await (await begin(four, 'r-2')).token('one', cents(300))
    const free = await begin(undefined, 'r-3')
    await free.perform('one', cents(300), { paid: true })
    await free.token('two', cents(200))
  })

  it('has room again where what was reserved was given back', async () => {
    const run = await begin(four)
    const absent = { status: 'FAILED', code: 'CONFLICT', retry: 'absent' } as const
    await run.break('one', cents(300), absent)
    await run.token('two', cents(200))
  })

  it('is on the record as a commitment, and the refusal by its code alone', async () => {
    const run = await begin({ maxMicroUsd: 4_987_654 })
    await run.perform('one', cents(300), { paid: true })
    await run.authorize('two', cents(200))
    const text = JSON.stringify(harness.rows())
    expect(text).toContain('REQUEST_LIMIT')
    expect(text).toContain('limits')
    expect(text).not.toContain('4987654')
    await begin(undefined, 'r-2')
    const rows = harness.rows().filter(({ correlation }) => correlation === 'r-2')
    expect(JSON.stringify(rows)).not.toContain('limits')
  })
})

it('whatever is asked for, settled and given back, a request never has more reserved than it may', async () => {
  const fate = fc.constantFrom('open', 'done', 'absent', 'final')
  const effect = fc.record({ amount: fc.integer({ min: 0, max: 300 }), fate })
  let runs = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(effect, { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 0, max: 600 }),
      async (effects, most) => {
        runs += 1
        const steps = effects.map(({ amount }, n) => pay(`s${n}`, amount))
        const plan = { version: 1, goal: 'pay', steps, answer: { from: [] } }
        const limits = { maxMicroUsd: most * 10_000 }
        const run = await harness.run(JSON.stringify(plan), { requestId: `p-${runs}`, limits })
        let reserved = 0
        for (const [n, { amount, fate }] of effects.entries()) {
          const answer = await run.authorize(`s${n}`, cents(amount))
          const fits = amount === 0 || reserved + amount <= most
          expect(answer).toMatchObject(
            fits ? { status: 'AUTHORISED' } : { status: 'DENIED', code: 'REQUEST_LIMIT' },
          )
          if (answer.status !== 'AUTHORISED') continue
          reserved += amount
          if (fate === 'open') continue
          const happened: Happened =
            fate === 'done'
              ? { status: 'DONE', value: { paid: true } }
              : { status: 'FAILED', code: 'CONFLICT', retry: fate }
          await run.settle(`s${n}`, await execute(answer, happened, harness.keys.receipt))
          if (fate === 'absent') reserved -= amount
        }
        expect(reserved).toBeLessThanOrEqual(most)
      },
    ),
    { numRuns: 40 },
  )
})

describe('the deadline of a request', () => {
  it('is counted from its registration, and a resend moves nothing', async () => {
    const limits = { deadline: { withinMs: minute } }
    await begin(limits)
    harness.clock.time += minute
    const again = await harness.notary.request('cli', { requestId: 'r-1', ...registered, limits })
    expect(again).toMatchObject({ status: 'REGISTERED' })
    harness.clock.time += 1
    const run = await begin(limits)
    expect(await run.authorize('one', cents(300))).toMatchObject({ code: 'DEADLINE_PASSED' })
  })

  it('is asked of every attempt, and of no undo', async () => {
    const run = await begin({ deadline: { withinMs: minute } })
    const first = await run.token('one', cents(300))
    const second = await run.token('two', cents(200))
    harness.clock.time += 2 * minute
    expect(await run.authorize('one', cents(300))).toMatchObject({ code: 'DEADLINE_PASSED' })
    // It may have happened: only what its agent says ends it.
    expect(harness.store.state.effectsOf('r-1').map(({ outcome }) => outcome)).toEqual([null, null])
    const done = { status: 'DONE', value: { paid: true } } as const
    for (const [step, token] of [['one', first] as const, ['two', second] as const]) {
      const documents = await execute(token, done, harness.keys.receipt)
      expect(await run.settle(step, documents)).toMatchObject({ outcome: 'settled' })
    }
    await harness.notary.cancel('cli', { requestId: 'r-1' })
    const undo = { entry: first.idem, dryRun: false }
    expect(await run.authorize('one', undo, { kind: 'undo' })).toMatchObject({
      status: 'AUTHORISED',
    })
  })

  it('is not asked of a request that has none', async () => {
    const run = await begin(four)
    harness.clock.time += 20 * 24 * 60 * minute
    await run.token('one', cents(300))
  })
})
