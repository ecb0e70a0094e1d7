// Budgets: what the notary counts of effects and of the amounts among their arguments, when it gives
// something back, and that neither a restart nor a further attempt loses or doubles a count.

import { afterEach, describe, expect, it } from 'vitest'
import { queryReply } from '../../notary/contract.ts'
import { mostAmount } from '../../plan/amounts.ts'
import type { StepQuestion } from '../../plan/policy.ts'
import { defaultBudgets } from '../../plan/policy-budgets.ts'
import { openPolicy } from '../support/policy.ts'
import { onlyQuestion, say, users } from './approvals.ts'
import { createHarness, execute, type Harness } from './harness.ts'
import { catalogue } from './till.ts'

const eur = { agentPerDay: 10_000, agentPerMonth: 20_000, userPerDay: 10_000, userPerMonth: 20_000 }
const budgets = { ...defaultBudgets, amounts: { EUR: eur } }
const hour = 3_600_000
const day = 24 * hour

const pay = (amount: number, currency = 'EUR') => ({ amount, currency, dryRun: false })
const plan = (args: object, action = 'pay') => `
version: 1
goal: pay
steps:
  - { id: pay, agent: till, action: ${action}, attempts: 2, args: ${JSON.stringify(args)} }
answer: { from: [pay] }
`

let harness: Harness
let questions: StepQuestion[]
afterEach(() => harness.close())

async function open(change: Partial<typeof budgets> = {}, ask: Record<string, true> = {}) {
  questions = []
  const { decide } = await openPolicy({ budgets: { ...budgets, ...change }, ask })
  const anna = { id: 'anna', accounts: ['cli-anna'], approvers: [], approvesFor: [], sees: [] }
  harness = await createHarness({
    catalogue,
    users: [...users, anna],
    decide: (question) => {
      if (question.moment === 'effect' && question.effect !== 'read') questions.push(question)
      return decide(question)
    },
  })
  await harness.boot({ agent: 'till' })
}
let runs = 0
const begin = (args: object, action?: string) => {
  runs += 1
  return harness.run(plan(args, action), { requestId: `r-${runs}` })
}
const spent = async (account = 'cli') => {
  const reply = await harness.notary.query(account, { what: 'budget' })
  if (reply.status !== 'BUDGET') return reply.status
  return Object.fromEntries(reply.spent.map(({ unit, day, month }) => [unit, [day, month]]))
}
const failed = (retry: 'absent' | 'final') =>
  ({ status: 'FAILED', code: 'CONFLICT', retry }) as const

describe('what is counted', () => {
  it('is each effect, and its amount by currency, once whatever its attempts', async () => {
    await open()
    const run = await begin(pay(400))
    await run.token('pay', pay(400))
    await run.token('pay', pay(400))
    await (await begin(pay(50))).perform('pay', pay(50), { paid: true })
    expect(await spent()).toEqual({ '': [2, 2], EUR: [450, 450] })
    const none = { agentDay: 0, agentMonth: 0, userDay: 0, userMonth: 0 }
    expect(questions.map(({ budget, amounts }) => [budget, amounts])).toEqual([
      [none, [{ unit: 'EUR', currency: true, amount: 400, ...none }]],
      [none, [{ unit: 'EUR', currency: true, amount: 400, ...none }]],
      [
        { agentDay: 1, agentMonth: 1, userDay: 1, userMonth: 1 },
        [
          {
            ...{ unit: 'EUR', currency: true, amount: 50 },
            ...{ agentDay: 400, agentMonth: 400, userDay: 400, userMonth: 400 },
          },
        ],
      ],
    ])
  })

  it('is what takes back like what gives, a spelling like another, and what is no money by itself', async () => {
    await open()
    await (await begin(pay(-300, 'eur'))).token('pay', pay(-300, 'eur'))
    await (await begin({ times: 7, dryRun: false }, 'stamp')).token('pay', {
      times: 7,
      dryRun: false,
    })
    expect(await spent()).toEqual({ '': [2, 2], EUR: [300, 300], 'till.stamp': [7, 7] })
  })

  it('is told as no more than a number holds, however much it came to', async () => {
    await open()
    const args = { times: Number.MAX_SAFE_INTEGER, dryRun: false }
    await (await begin(args, 'stamp')).token('pay', args)
    expect(await spent()).toEqual({ '': [1, 1], 'till.stamp': [mostAmount, mostAmount] })
    // As if it had happened ten thousand times.
    await harness.tamper(`UPDATE budget SET used = used * 10000 WHERE unit = 'till.stamp'`)
    harness = await harness.restart()
    const reply = await harness.notary.query('cli', { what: 'budget' })
    expect(queryReply.safeParse(reply).error).toBeUndefined()
    const most = Number.MAX_SAFE_INTEGER
    expect(await spent()).toEqual({ '': [1, 1], 'till.stamp': [most, most] })
    await (await begin(args, 'stamp')).token('pay', args)
  })

  it('is told to whom it is about, and to nobody else', async () => {
    await open()
    await (await begin(pay(400))).token('pay', pay(400))
    expect(await spent('cli-anna')).toEqual({})
    expect(await spent('cli-zoe')).toBe('REFUSED')
    expect(await spent('ingress')).toBe('REFUSED')
  })

  it('is neither lost nor doubled by a restart, at any point of an effect', async () => {
    await open()
    const run = await begin(pay(400))
    const first = await run.token('pay', pay(400))
    harness = await harness.restart()
    const same = (source: typeof run) =>
      harness.notary.authorize('worker', source.call('pay', pay(400)))
    expect(await same(run)).toMatchObject({ status: 'AUTHORISED', idem: first.idem })
    expect(await spent()).toEqual({ '': [1, 1], EUR: [400, 400] })
    const { receipt, envelope } = await execute(first, failed('absent'), harness.keys.receipt)
    harness.clock.time += 33_000
    const settle = () =>
      harness.notary.settle('worker', {
        ...{ type: 'receipt', receipt, envelope, invalidResult: false },
        ...{
          requestId: run.requestId,
          planDigest: run.digest,
          kind: 'do',
          step: 'pay',
          iteration: 0,
        },
      })
    // The second token may have begun it since: nothing is given back for a word that is out of date.
    expect(await settle()).toMatchObject({ code: 'TOKENS_ALIVE' })
    expect(await spent()).toEqual({ '': [1, 1], EUR: [400, 400] })
    harness = await harness.restart()
    expect(await spent()).toEqual({ '': [1, 1], EUR: [400, 400] })
  })

  it('is not there when the row that says so is not, and there once when it is', async () => {
    await open()
    const run = await begin(pay(400))
    // The last row of an authorisation cannot be written: power fails between the count and its end.
    await harness.tamper(`CREATE TRIGGER broken BEFORE INSERT ON audit WHEN NEW.kind = 'mint'
      BEGIN SELECT RAISE(ABORT, 'power is gone'); END`)
    harness = await harness.restart()
    const ask = () => harness.notary.authorize('worker', run.call('pay', pay(400)))
    expect(await ask().catch(() => 'REFUSED')).not.toMatchObject({ status: 'AUTHORISED' })
    await harness.tamper('DROP TRIGGER broken')
    harness = await harness.restart()
    expect(await spent()).toEqual({})
    expect(harness.rows().filter(({ kind }) => kind === 'intent')).toEqual([])
    expect(await ask()).toMatchObject({ status: 'AUTHORISED' })
    expect(await spent()).toEqual({ '': [1, 1], EUR: [400, 400] })
  })

  it('is forgotten a day and a month later, and not before', async () => {
    await open()
    await (await begin(pay(400))).token('pay', pay(400))
    harness.clock.time += day - 1
    expect(await spent()).toEqual({ '': [1, 1], EUR: [400, 400] })
    harness.clock.time += hour + 1
    expect(await spent()).toEqual({ '': [0, 1], EUR: [0, 400] })
    harness.clock.time += 29 * day - hour - 1
    expect(await spent()).toEqual({ '': [0, 1], EUR: [0, 400] })
    harness.clock.time += day + 1
    expect(await spent()).toEqual({})
  })
})

describe('what is given back', () => {
  it('is what the agent says, with its last word, not to have begun; once', async () => {
    await open()
    const run = await begin(pay(400))
    await (await begin(pay(50))).token('pay', pay(50))
    await run.break('pay', pay(400), failed('absent'))
    expect(await spent()).toEqual({ '': [1, 1], EUR: [50, 50] })
    expect(JSON.parse(harness.rows().at(-1)?.body ?? '')).toMatchObject({ returned: true })
    await run.fail('pay')
    expect(await spent()).toEqual({ '': [1, 1], EUR: [50, 50] })
    const { idem } = JSON.parse(harness.rows().at(-1)?.body ?? '')
    const again = await harness.store.commit('fact', ({ state }) => state.refundEffect(idem))
    expect([again, await spent()]).toEqual([false, { '': [1, 1], EUR: [50, 50] }])
  })

  it('is what a person has looked at and not found', async () => {
    await open()
    const recover = async (decision: 'happened' | 'did-not') => {
      const run = await begin({ times: 7, dryRun: false }, 'stamp')
      const { requestId } = run
      await run.break('pay', { times: 7, dryRun: false }, { status: 'UNKNOWN' })
      const unknown = await spent()
      harness.clock.time += 33_000
      await harness.notary.recover('cli', { requestId, decision, step: 'pay', kind: 'do' })
      return [unknown, await spent()]
    }
    const one = { '': [1, 1], 'till.stamp': [7, 7] }
    expect(await recover('happened')).toEqual([one, one])
    expect(await recover('did-not')).toEqual([{ '': [2, 2], 'till.stamp': [14, 14] }, one])
  })

  it('is what a probe of the agent did not find', async () => {
    await open()
    const answered = async (happened: 'yes' | 'no' | 'unsure') => {
      const run = await begin(pay(400))
      const token = await run.token('pay', pay(400))
      const documents = await execute(token, { status: 'UNKNOWN' }, harness.keys.receipt)
      expect(await run.settle('pay', documents)).toMatchObject({ status: 'PROBE' })
      harness.clock.time += 33_000
      const probe = await run.token('pay', { entry: token.idem }, { kind: 'probe' })
      const found = await execute(
        probe,
        { status: 'DONE', value: { happened } },
        harness.keys.receipt,
      )
      await run.settle('pay', found, { kind: 'probe', result: found.content })
      await run.settle('pay', documents)
      return spent()
    }
    expect(await answered('yes')).toEqual({ '': [1, 1], EUR: [400, 400] })
    expect(await answered('no')).toEqual({ '': [1, 1], EUR: [400, 400] })
    expect(await answered('unsure')).toEqual({ '': [2, 2], EUR: [800, 800] })
  })

  it('is nothing of what failed otherwise, or was undone', async () => {
    await open()
    await (await begin(pay(400))).break('pay', pay(400), failed('final'))
    expect(await spent()).toEqual({ '': [1, 1], EUR: [400, 400] })
    const run = await begin(pay(50))
    const { idem } = await run.token('pay', pay(50))
    await run.break('pay', pay(50), failed('final'))
    const undo = { entry: idem, dryRun: false }
    const token = await run.token('pay', undo, { kind: 'undo' })
    const value = { status: 'DONE', value: { gone: true } } as const
    await run.settle('pay', await execute(token, value, harness.keys.receipt), { kind: 'undo' })
    expect(await spent()).toEqual({ '': [2, 2], EUR: [450, 450] })
  })
})

describe('beyond a budget', () => {
  it('of effects nothing happens until there is room again, for this user', async () => {
    await open({ agents: { till: { perDay: 1, perMonth: 2 } } })
    await (await begin(pay(1))).token('pay', pay(1))
    expect(await (await begin(pay(1))).authorize('pay', pay(1))).toMatchObject({
      status: 'DENIED',
      code: 'POLICY',
      rules: ['budget.agent'],
      missing: expect.stringContaining('budget'),
    })
    harness.clock.time += day + hour
    await (await begin(pay(1))).token('pay', pay(1))
    harness.clock.time += day + hour
    expect(await (await begin(pay(1))).authorize('pay', pay(1))).toMatchObject({
      rules: ['budget.agent'],
    })
  })

  it('of an amount a person is asked, and no row says how much it was', async () => {
    await open()
    await (await begin(pay(8_765))).token('pay', pay(8_765))
    expect(await (await begin(pay(1_236))).authorize('pay', pay(1_236))).toMatchObject({
      status: 'APPROVAL',
    })
    expect(await (await begin(pay(1, 'CHF'))).authorize('pay', pay(1, 'CHF'))).toMatchObject({
      status: 'APPROVAL',
    })
    await (await begin(pay(1_235))).token('pay', pay(1_235))
    const text = JSON.stringify(harness.rows())
    expect(text).toContain('budget')
    for (const amount of ['8765', '1236', '1235']) expect(text).not.toContain(amount)
  })

  it('of an amount what was said beforehand counts for nothing, and what was shown does', async () => {
    await open({ amounts: { EUR: { ...eur, userPerDay: 1_000 } } }, { 'till.pay': true })
    const admit = ({ requestId, plan }: Awaited<ReturnType<typeof begin>>) =>
      harness.notary.admit('worker', { requestId, plan })
    const first = await begin(pay(400))
    const exp = Math.floor((harness.clock.time + 30 * day) / 1_000)
    await say(harness, await onlyQuestion(harness), { grant: { per: 'day', count: 9, exp } })
    await admit(first)
    await first.token('pay', pay(400))
    await (await begin(pay(400))).token('pay', pay(400))
    const third = await begin(pay(400))
    expect(await third.authorize('pay', pay(400))).toMatchObject({ status: 'APPROVAL' })
    await say(harness, await onlyQuestion(harness))
    await third.token('pay', pay(400))
    // Shown as a part of its plan: that is one question, and not two.
    const fourth = await begin(pay(500))
    await say(harness, await onlyQuestion(harness))
    await admit(fourth)
    await fourth.token('pay', pay(500))
    expect(await spent()).toEqual({ '': [4, 4], EUR: [1_700, 1_700] })
  })

  it('of an amount nothing happens where nobody is to be asked', async () => {
    await open({ beyond: 'deny' })
    await (await begin(pay(10_000))).token('pay', pay(10_000))
    expect(await (await begin(pay(1))).authorize('pay', pay(1))).toMatchObject({
      status: 'DENIED',
      rules: ['budget.amount'],
    })
  })
})
