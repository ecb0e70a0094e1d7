// A household of three: what one of them may not learn of the others, and who is none of them.

import { parse } from 'yaml'
import { compileSource } from '../../plan/compile.ts'
import { firingId, inputsOfFiring } from '../../plan/firing.ts'
import { toScheduleSpec } from '../../plan/schedule-words.ts'
import { catalogue } from '../notary/catalogue.ts'
import type { Harness } from '../notary/harness.ts'
import { expand, looping } from '../notary/loops.ts'
import { append, items, list, twoWrites } from '../notary/plans.ts'
import { sent, toMyself } from './mail-to-oneself.ts'
import {
  afterTampering,
  type NotaryCase,
  notaryCase,
  outcomeOf,
  type Reply,
} from './notary-case.ts'

const people: NonNullable<NotaryCase['users']> = [
  { id: 'owner', accounts: ['cli', 'console'], approvers: [], approvesFor: [], sees: [] },
  { id: 'anna', accounts: ['cli-anna'], approvers: [], approvesFor: ['owner'], sees: [] },
  { id: 'ben', accounts: ['cli-ben'], approvers: [], approvesFor: [], sees: ['owner'] },
]

const inHousehold = (wanted: string, name: string, attempt: NotaryCase['attempt']) => ({
  ...notaryCase(wanted, name, attempt),
  users: people,
})

/** The owner's run `r-1`, and what somebody then asks of it. */
const ofOwnersRun = (wanted: string, name: string, account: string, call: object) =>
  inHousehold(wanted, name, async (harness) => {
    await (await harness.run(twoWrites)).token('first', append('a'))
    const reply = await harness.notary.query(account, call)
    if (reply.status === 'REQUESTS' && reply.requests.length === 0) return 'UNKNOWN_REQUEST'
    return outcomeOf(reply)
  })

const one = { what: 'request', requestId: 'r-1' }
const all = { what: 'requests', limit: 10 }
const rowsOf = { what: 'rows', from: 1, limit: 10, requestId: 'r-1' }
const rows = { what: 'rows', from: 1, limit: 10 }

const asked = { requestId: 'r-1', kind: 'plan', name: 'mine', inputs: {}, priority: 'MEDIUM' }
const schedule = {
  ...{
    op: 'add',
    id: 'mine',
    kind: 'plan',
    name: 'mine',
    inputs: {},
    priority: 'MEDIUM',
    note: '',
  },
  spec: toScheduleSpec({ at: '07:00', zone: 'Europe/Vienna' }),
  policy: { overlap: 'skip', catchUpSeconds: 3_600, jitterSeconds: 0 },
}
/** An hour before some day's seven o'clock in Vienna. */
const six = Date.parse('2027-02-01T05:00:00Z')
const seven = six + 3_600_000
const firing = firingId({ schedule: 'mine', at: seven })

/** The owner's schedule, which is due. */
async function due(harness: Harness, source: string) {
  harness.clock.time = six
  await harness.notary.schedule('cli', { ...schedule, source })
  const inputs = inputsOfFiring(
    { kind: 'plan', source, inputs: {} },
    { zone: 'Europe/Vienna', at: seven },
  )
  harness.clock.time = seven
  const names = { people: { owner: ['me@home.example'] }, places: {} }
  const compiled = compileSource({
    ...{ kind: 'plan', source, inputs, catalogue, names },
    decide: () => ({ verdict: 'allow', rules: ['anything'] }),
  } as const)
  return compiled.ok ? compiled.plan : ''
}

/** As the plan of another, whose own address is none of the owner's. */
const asAnnas = (
  wanted: string,
  name: string,
  attempt: (harness: Harness) => Promise<string>,
): NotaryCase => ({ ...inHousehold(wanted, name, attempt), lawless: true })

const annasNow = (harness: Harness, table: 'request' | 'standing', ask: (a: Harness) => unknown) =>
  afterTampering(harness, `UPDATE ${table} SET user = 'user:anna'`, async (again) =>
    outcomeOf((await ask(again)) as Reply),
  )

const names: readonly NotaryCase[] = [
  asAnnas('PLAN_INVALID', "mail to the owner's address as one's own", async ({ notary }) =>
    outcomeOf(await notary.request('cli-anna', { ...asked, source: toMyself })),
  ),
  asAnnas('PLAN_INVALID', 'the same by what is proposed for words', async ({ notary }) => {
    const said = { ...asked, kind: 'text', source: 'mail it to me@home.example', inputs: {} }
    await notary.request('cli-anna', said)
    const proposal = JSON.stringify(parse(toMyself))
    return outcomeOf(await notary.admit('worker', { requestId: said.requestId, proposal }))
  }),
  asAnnas('PLAN_INVALID', 'the same by a schedule', async ({ notary }) =>
    outcomeOf(await notary.schedule('cli-anna', { ...schedule, source: toMyself })),
  ),
  asAnnas('PLAN_INVALID', 'the same by a firing', async (harness) => {
    const plan = await due(harness, toMyself)
    const call = { requestId: firing, plan }
    return annasNow(harness, 'standing', ({ notary }) => notary.admit('worker', call))
  }),
  asAnnas('FLOW', 'the same by a plan that is registered', async (harness) => {
    const { requestId, plan } = await harness.run(toMyself, { admitted: false })
    const call = { requestId, plan }
    return annasNow(harness, 'request', ({ notary }) => notary.admit('worker', call))
  }),
  asAnnas('FLOW', 'the same by a step of a plan that is admitted', async (harness) => {
    await harness.boot({ agent: 'mail', bootEpoch: 'epoch-0002' })
    const run = await harness.run(toMyself)
    const sources = [await run.perform('gather', list, items([]))]
    const call = run.call('send', sent, { sources })
    return annasNow(harness, 'request', ({ notary }) => notary.authorize('worker', call))
  }),
  asAnnas('REGISTERED', "mail to one's own address by the owner", async ({ notary }) =>
    outcomeOf(await notary.request('cli', { ...asked, source: toMyself })),
  ),
]

const departed: readonly NotaryCase[] = [
  inHousehold('NOT_PERMITTED', 'the plan of somebody who was removed', async (harness, law) => {
    const { requestId, plan } = await harness.run(twoWrites, { admitted: false })
    law.users.shift()
    return outcomeOf(await harness.notary.admit('worker', { requestId, plan }))
  }),
  inHousehold('NOT_PERMITTED', 'a firing for somebody who was removed', async (harness, law) => {
    const plan = await due(harness, twoWrites)
    law.users.shift()
    const got = outcomeOf(await harness.notary.admit('worker', { requestId: firing, plan }))
    return harness.store.state.request(firing) === undefined ? got : 'used up'
  }),
  inHousehold('NOT_PERMITTED', 'a step of somebody who was removed', async (harness, law) => {
    const run = await harness.run(twoWrites)
    law.users.shift()
    return outcomeOf(await run.authorize('first', append('a')))
  }),
  inHousehold('NOT_PERMITTED', 'a loop of somebody who was removed', async (harness, law) => {
    const run = await harness.run(looping)
    const source = await run.perform('gather', list, items(['one']))
    law.users.shift()
    return outcomeOf(await expand(harness, run, { sources: [source] }))
  }),
]

/** An agent of one's own: Ben has replica 8 of it, Anna none yet; the owner's runs. */
const withOwnDesk = (wanted: string, name: string, attempt: NotaryCase['attempt']) => ({
  ...inHousehold(wanted, name, attempt),
  slots: { owner: 0, ben: 1 },
})
const ownDesk = [
  withOwnDesk('AUTHORISED', "a step at one's own replica", async (harness) => {
    await harness.boot({ n: 8, bootEpoch: 'epoch-0008' })
    const run = await harness.run(twoWrites, { account: 'cli-ben' })
    const reply = await run.authorize('read', list)
    return 'agent' in reply && reply.agent !== 'desk.8' ? 'ELSEWHERE' : outcomeOf(reply)
  }),
  withOwnDesk('NOT_PERMITTED', 'a step of who has no replica yet', async (harness) => {
    const run = await harness.run(twoWrites, { account: 'cli-anna' })
    return outcomeOf(await run.authorize('read', list))
  }),
  withOwnDesk('NOT_PERMITTED', "an effect that stands at another's replica", async (harness) => {
    await harness.boot({ n: 8, bootEpoch: 'epoch-0008' })
    const run = await harness.run(twoWrites, { account: 'cli-ben' })
    await run.token('first', append('a'))
    return afterTampering(harness, 'UPDATE effect SET n = 0', async (again) =>
      outcomeOf(await again.notary.authorize('worker', run.call('first', append('a')))),
    )
  }),
]

export const peopleCases: readonly NotaryCase[] = [
  ...ownDesk,
  ...names,
  ...departed,
  ofOwnersRun('UNKNOWN_REQUEST', "what became of another's request", 'cli-anna', one),
  ofOwnersRun('UNKNOWN_REQUEST', "a list with another's request", 'cli-anna', all),
  ofOwnersRun('UNKNOWN_REQUEST', "the rows of another's request", 'cli-anna', rowsOf),
  ofOwnersRun('NOT_PERMITTED', 'all rows, of who is not the owner', 'cli-anna', rows),
  ofOwnersRun('REQUESTS', 'what became of a request that one may see', 'cli-ben', one),
  ofOwnersRun('REQUESTS', 'a list with a request that one may see', 'cli-ben', all),
  ofOwnersRun('ROWS', 'the rows of a request that one may see', 'cli-ben', rowsOf),
  ofOwnersRun('ROWS', 'all rows, of the owner', 'cli', rows),
  inHousehold('UNKNOWN_REQUEST', 'a cancellation by who may only look', async (harness) => {
    await harness.run(twoWrites)
    return outcomeOf(await harness.notary.cancel('cli-ben', { requestId: 'r-1' }))
  }),
  inHousehold('UNKNOWN_REQUEST', 'a decision by who may only look', async (harness) => {
    await harness.run(twoWrites)
    const call = { requestId: 'r-1', decision: 'give-up' }
    return outcomeOf(await harness.notary.recover('cli-ben', call))
  }),
  inHousehold('NOT_PERMITTED', 'a head for who is not of the household', async ({ notary }) =>
    outcomeOf(await notary.head('cli-zoe', {})),
  ),
  inHousehold('HEAD', 'a head for who is', async ({ notary }) =>
    outcomeOf(await notary.head('cli-anna', {})),
  ),
  inHousehold('NOT_PERMITTED', 'a request of who stands for nobody', async ({ notary }) => {
    const call = { requestId: 'r-1', kind: 'plan', name: 'two', source: twoWrites, inputs: {} }
    return outcomeOf(await notary.request('ingress', { ...call, priority: 'MEDIUM' }))
  }),
]
