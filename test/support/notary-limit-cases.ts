// What the notary lets a request do that may spend so much, and only until then: of its plan before anything
// runs, of each step, and of the models that are asked for its plan.

import type { PlannerModel } from '../../plan/planner-models.ts'
import type { RequestLimits } from '../../plan/request-limits.ts'
import { askCall, consult, idOf, openHouse, planner } from '../notary/consultations.ts'
import { createHarness, type Harness, type Run } from '../notary/harness.ts'
import { ask, book, proposalOf, propose } from '../notary/proposals.ts'
import { catalogue } from '../notary/till.ts'
import { type NotaryCase, notaryCase, outcomeOf, type Reply } from './notary-case.ts'

const cents = (amount: number, currency = 'USD') => ({ amount, currency, dryRun: false })
const upTo = (count: number) => ({ maxMicroUsd: count * 10_000 })
const guarded = { when: { cel: '1 == 1', with: {} } }

const pay = (id: string, amount: number, more: object = {}) => ({
  ...{ id, agent: 'till', action: 'pay', args: cents(amount), ...more },
})
const planOf = (...steps: readonly object[]) =>
  JSON.stringify({ version: 1, goal: 'pay', steps, answer: { from: ['one'] } })

/** Three cents for sure, and three more if a guard lets it. */
const threeAndThree = planOf(pay('one', 3), pay('two', 3, { needs: ['one'], ...guarded }))

/** Of a till that no rule guards, for a request within these limits. */
function paying(
  wanted: string,
  name: string,
  given: { readonly limits: RequestLimits; readonly plan?: string },
  attempt: (run: Run, harness: Harness) => Promise<Reply>,
): NotaryCase {
  return notaryCase(wanted, name, async () => {
    const decide = () => ({ verdict: 'allow', rules: ['anything'] }) as const
    const harness = await createHarness({ catalogue, decide })
    try {
      await harness.boot({ agent: 'till' })
      const { limits, plan = threeAndThree } = given
      const run = await harness.run(plan, { limits, admitted: false })
      return outcomeOf(await attempt(run, harness))
    } finally {
      await harness.close()
    }
  })
}

const admit = (run: Run, { notary }: Harness) =>
  notary.admit('worker', { requestId: run.requestId, plan: run.plan })

/** Admitted, and its first step done. */
async function begun(run: Run, harness: Harness): Promise<void> {
  await admit(run, harness)
  await run.perform('one', cents(3), { paid: true })
}

const dear: readonly PlannerModel[] = planner.map((one) => ({ ...one, maxMicroUsd: 400 }))

/** Of a house with two models, four hundred millionths of a dollar each, for words within these limits. */
function asking(
  wanted: string,
  name: string,
  limits: RequestLimits,
  attempt: (house: Harness) => Promise<Reply>,
): NotaryCase {
  return notaryCase(wanted, name, async () => {
    const house = await openHouse({ planner: dear })
    try {
      await ask(house, { limits })
      return outcomeOf(await attempt(house))
    } finally {
      await house.close()
    }
  })
}

async function askModel(house: Harness, index: 0 | 1): Promise<Reply> {
  await consult(house, idOf(1, index))
  const model = dear[index] as PlannerModel
  return house.notary.authorize('worker', askCall(house, idOf(1, index), { model }))
}

/** Eight in the evening, where the harness begins at nine in the morning. */
const evening = planOf(pay('one', 1, { at: { local: '20:00' } }))

export const limitCases: readonly NotaryCase[] = [
  paying('ADMITTED', 'a plan that can keep to it', { limits: upTo(3) }, admit),
  paying('AUTHORISED', 'a step up to the last cent', { limits: upTo(6) }, async (run, harness) => {
    await begun(run, harness)
    return run.authorize('two', cents(3))
  }),
  paying('REQUEST_LIMIT', 'a step beyond it', { limits: upTo(5) }, async (run, harness) => {
    await begun(run, harness)
    return run.authorize('two', cents(3))
  }),
  paying(
    'AUTHORISED',
    'another attempt at what is counted already',
    { limits: upTo(3) },
    async (run, harness) => {
      await admit(run, harness)
      await run.authorize('one', cents(3))
      return run.authorize('one', cents(3))
    },
  ),
  paying(
    'AUTHORISED',
    'what is paid in another currency',
    { limits: upTo(0), plan: planOf(pay('one', 0, { args: cents(3, 'EUR') })) },
    async (run, harness) => {
      await admit(run, harness)
      return run.authorize('one', cents(3, 'EUR'))
    },
  ),
  paying('INFEASIBLE', 'a plan that costs more', { limits: upTo(2) }, admit),
  paying(
    'INFEASIBLE',
    'a plan whose steps together cost more',
    { limits: upTo(5), plan: planOf(pay('one', 3), pay('two', 3)) },
    admit,
  ),
  paying(
    'INFEASIBLE',
    'a plan that begins later',
    { limits: { deadline: { withinMs: 3_600_000 } }, plan: evening },
    admit,
  ),
  paying(
    'ADMITTED',
    'a plan that begins before',
    { limits: { deadline: { withinMs: 12 * 3_600_000 } }, plan: evening },
    admit,
  ),
  paying(
    'DEADLINE_PASSED',
    'a step a moment after',
    { limits: { deadline: { withinMs: 60_000 } } },
    async (run, harness) => {
      await begun(run, harness)
      harness.clock.time += 60_001
      return run.authorize('two', cents(3))
    },
  ),
  paying(
    'AUTHORISED',
    'a step at the last moment',
    { limits: { deadline: { withinMs: 60_000 } } },
    async (run, harness) => {
      await begun(run, harness)
      harness.clock.time += 60_000
      return run.authorize('two', cents(3))
    },
  ),
  paying('REQUEST_CONFLICT', 'the same request with more', { limits: upTo(3) }, (run, harness) =>
    harness.notary.request('cli', {
      ...{ requestId: run.requestId, kind: 'plan', name: 'test', source: threeAndThree },
      ...{ inputs: {}, priority: 'MEDIUM', limits: upTo(4) },
    }),
  ),
  asking('AUTHORISED', 'a model that costs no more', { maxMicroUsd: 400 }, (house) =>
    askModel(house, 0),
  ),
  asking('REQUEST_LIMIT', 'a model that costs more', { maxMicroUsd: 399 }, (house) =>
    askModel(house, 0),
  ),
  asking('REQUEST_LIMIT', 'another model after it', { maxMicroUsd: 799 }, async (house) => {
    await askModel(house, 0)
    return askModel(house, 1)
  }),
  asking('DEADLINE_PASSED', 'a model after it', { deadline: { withinMs: 1_000 } }, (house) => {
    house.clock.time += 1_001
    return askModel(house, 0)
  }),
  asking(
    'INFEASIBLE',
    'a plan for which too little is left',
    { maxMicroUsd: 700 },
    async (house) => {
      await askModel(house, 0)
      const args = { ...askCall(house, idOf(1)).args, maxMicroUsd: 301 }
      return propose(house, proposalOf({ id: 'think', agent: 'model', action: 'propose', args }))
    },
  ),
  asking('APPROVAL', 'a plan for which enough is left', { maxMicroUsd: 700 }, async (house) => {
    await askModel(house, 0)
    return propose(house, proposalOf(book('blue')))
  }),
]
