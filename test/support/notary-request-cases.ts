// Who may ask, what may be registered and which plan may run: a case for each refusal that the notary
// gives before a step is asked for, and to what a person decides on one.

import { serveNotary } from '../../notary/serve.ts'
import { compileSource } from '../../plan/compile.ts'
import { firingId, inputsOfFiring } from '../../plan/firing.ts'
import { toScheduleSpec } from '../../plan/schedule-words.ts'
import { createMessage } from '../../security/message.ts'
import { generateKeyPairJwk, toPublicJwk } from '../../security/verify/keys.ts'
import { catalogue } from '../notary/catalogue.ts'
import { type Harness, nkey } from '../notary/harness.ts'
import { append, briefing, holding, list, twoWrites } from '../notary/plans.ts'
import { startBus } from './bus.ts'
import { createBusClients } from './bus-clients.ts'
import { afterTampering, type NotaryCase, notaryCase, outcomeOf } from './notary-case.ts'
import { decide } from './policy.ts'

const failed = { status: 'FAILED', code: 'CONFLICT', retry: 'final' } as const
const day = 86_400_000
const asked = {
  requestId: 'r-1',
  kind: 'plan',
  name: 'briefing',
  source: briefing,
  inputs: { note: 'daily' },
  priority: 'MEDIUM',
}

const request = async ({ notary }: Harness, change: object = {}, account = 'cli') =>
  outcomeOf(await notary.request(account, { ...asked, ...change }))
const admit = async ({ notary }: Harness, plan: unknown, requestId = 'r-1') =>
  outcomeOf(await notary.admit('worker', { requestId, plan }))
const recover = async ({ notary }: Harness, decision: object) =>
  outcomeOf(await notary.recover('cli', { requestId: 'r-1', ...decision }))
const boot = async ({ notary, keys }: Harness, change: object) => {
  const receiptKey = toPublicJwk(keys.receipt)
  const replica = { agent: 'desk', n: 0, bootEpoch: 'epoch-0001', running: true, nkey, receiptKey }
  return outcomeOf(await notary.boot('supervisor', { ...replica, ...change }))
}

function planOf(source: string, inputs: Readonly<Record<string, string>> = {}) {
  const compiled = compileSource({ kind: 'plan', source, inputs, catalogue, decide })
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.issues))
  return compiled.plan
}
const ownPlan = () => planOf(briefing, { note: 'daily' })

/** A run whose first step failed, and that waits for a person. */
async function held(harness: Harness) {
  const run = await harness.run(holding)
  await run.break('first', append('a'), failed)
  return run
}

/** As the owner's, where the one request is another person's. */
async function ofAnother(harness: Harness, ask: (again: Harness) => Promise<string>) {
  await harness.run(twoWrites)
  return afterTampering(harness, "UPDATE request SET user = 'user:other'", ask)
}

const schedule = {
  ...{ op: 'add', id: 'twice', kind: 'plan', name: 'twice', source: twoWrites, inputs: {} },
  ...{ priority: 'MEDIUM', note: '' },
  spec: toScheduleSpec({ at: '07:00', zone: 'Europe/Vienna' }),
  policy: { overlap: 'skip', catchUpSeconds: 3_600, jitterSeconds: 0 },
}
/** An hour before some day's seven o'clock in Vienna. */
const six = Date.parse('2027-02-01T05:00:00Z')
const seven = six + 3_600_000
const firing = firingId({ schedule: 'twice', at: seven })

async function scheduled(harness: Harness) {
  harness.clock.time = six
  await harness.notary.schedule('cli', schedule)
  const inputs = inputsOfFiring(
    { kind: 'plan', source: twoWrites, inputs: {} },
    { zone: 'Europe/Vienna', at: seven },
  )
  harness.clock.time = seven
  return compileSource({ kind: 'plan', source: twoWrites, inputs, catalogue, decide })
}

/** What a notary on a real bus answers to these bytes from the worker. */
async function answerOnBus({ notary }: Harness, text: string): Promise<string> {
  const server = await startBus({ replicas: [] })
  const clients = createBusClients(() => server)
  try {
    const bus = await clients.enter('notary')
    serveNotary(bus, notary)
    await bus.flush()
    const answer = await (await clients.raw('worker')).request('notary.head', text, {
      timeout: 5_000,
    })
    return outcomeOf(answer.json<{ payload: { status: string; code?: string } }>().payload)
  } finally {
    await clients.closeAll()
    await server.stop()
  }
}

const messages: readonly NotaryCase[] = [
  notaryCase('EXPIRED_MESSAGE', 'a message of long ago', (harness) => {
    const head = { sender: 'worker', receiver: 'notary', correlationId: '' }
    const late = createMessage({ ...head, type: 'RETRIEVAL_REQUEST' }, {}, 1)
    return answerOnBus(harness, JSON.stringify(late))
  }),
  notaryCase('MALFORMED', 'bytes that are no message', (harness) => answerOnBus(harness, '[')),
  notaryCase('MALFORMED', 'a payload with a member that nobody knows', (harness) =>
    request(harness, { user: 'user:other' }),
  ),
  notaryCase('MALFORMED', 'a plan that is not JSON', async (harness) => {
    await request(harness)
    return admit(harness, undefined)
  }),
  notaryCase('MALFORMED', 'a failure told in words', async (harness) => {
    const run = await harness.run(twoWrites)
    return outcomeOf(await run.fail('first', { code: 'what a person wrote' }))
  }),
  notaryCase('MALFORMED', 'a replica that no manifest has', (harness) =>
    boot(harness, { n: 1, bootEpoch: 'epoch-0002' }),
  ),
  notaryCase('MALFORMED', 'a receipt key that is none', (harness) =>
    boot(harness, { bootEpoch: 'epoch-0002', receiptKey: { kty: 'OKP', crv: 'Ed25519', x: '' } }),
  ),
  notaryCase('MALFORMED', 'a quarantine of what no manifest has', async ({ notary }) => {
    const call = { op: 'set', agent: 'desk', n: 1, by: 'user:owner', reason: 'test' }
    return outcomeOf(await notary.quarantine('supervisor', call))
  }),
  ...(['agentEvent', 'event'] as const).map((call) =>
    notaryCase('MALFORMED', `a run named by ${call}`, async (harness) => {
      await harness.run(twoWrites)
      const event = { kind: 'security', subject: 'x', summary: { code: 'SEEN' } }
      const correlation = { requestId: 'r-1', step: 'first' }
      const account = call === 'event' ? 'supervisor' : 'desk.0'
      return outcomeOf(await harness.notary[call](account, { ...event, correlation }))
    }),
  ),
  notaryCase('NOT_PERMITTED', 'a worker that registers', (harness) =>
    request(harness, {}, 'worker'),
  ),
  notaryCase('NOT_PERMITTED', 'a worker that cancels', async (harness) => {
    await harness.run(twoWrites)
    return outcomeOf(await harness.notary.cancel('worker', { requestId: 'r-1' }))
  }),
  notaryCase('NOT_PERMITTED', 'an entry point that stands for nobody', (harness) =>
    request(harness, {}, 'ingress'),
  ),
  notaryCase('NOT_PERMITTED', 'a request with the id of a firing', (harness) =>
    request(harness, { requestId: firing }),
  ),
]

const registration: readonly NotaryCase[] = [
  notaryCase('REGISTERED', 'a plan', (harness) => request(harness)),
  notaryCase('REQUEST_CONFLICT', 'the same id with other inputs', async (harness) => {
    await request(harness)
    return request(harness, { inputs: { note: 'other' } })
  }),
  notaryCase('REQUEST_CONFLICT', 'an epoch with another key of the bus', (harness) =>
    boot(harness, { nkey: 'UOTHER' }),
  ),
  notaryCase('REQUEST_CONFLICT', 'an epoch with another key for receipts', async (harness) => {
    const { privateJwk } = await generateKeyPairJwk()
    return boot(harness, { receiptKey: toPublicJwk(privateJwk) })
  }),
  notaryCase('REQUEST_CONFLICT', 'an epoch that another one has followed', async (harness) => {
    await boot(harness, { bootEpoch: 'epoch-0002' })
    return boot(harness, {})
  }),
  notaryCase('REQUEST_CONFLICT', 'an epoch that has stopped', async (harness) => {
    await boot(harness, { running: false })
    return boot(harness, {})
  }),
  notaryCase('PLAN_INVALID', 'a plan of an action that there is not', (harness) =>
    request(harness, { source: briefing.replace('action: list', 'action: lost') }),
  ),
  notaryCase('PLAN_INVALID', 'a schedule of such a plan', async ({ notary }) => {
    const source = twoWrites.replace('action: list', 'action: lost')
    return outcomeOf(await notary.schedule('cli', { ...schedule, source }))
  }),
  notaryCase('PLAN_INVALID', 'a firing whose plan is forbidden since', async (harness, law) => {
    const compiled = await scheduled(harness)
    law.forbidden = true
    return admit(harness, compiled.ok ? compiled.plan : '', firing)
  }),
  notaryCase(
    'PLAN_INVALID',
    'a firing at will whose plan is forbidden since',
    async (harness, law) => {
      await scheduled(harness)
      law.forbidden = true
      return outcomeOf(await harness.notary.schedule('cli', { op: 'trigger', id: 'twice' }))
    },
  ),
]

const admission: readonly NotaryCase[] = [
  notaryCase('ADMITTED', 'the registered plan', async (harness) => {
    await request(harness)
    return admit(harness, ownPlan())
  }),
  notaryCase('ADMITTED', 'the plan of a firing', async (harness) => {
    const compiled = await scheduled(harness)
    return admit(harness, compiled.ok ? compiled.plan : '', firing)
  }),
  notaryCase('PLAN_MISMATCH', 'another plan than the registered one', async (harness) => {
    await request(harness)
    return admit(harness, planOf(twoWrites))
  }),
  notaryCase('PLAN_MISMATCH', 'another plan for a firing, which stays free', async (harness) => {
    await scheduled(harness)
    const got = await admit(harness, ownPlan(), firing)
    return harness.store.state.request(firing) === undefined ? got : 'used up'
  }),
  notaryCase('ALREADY_ADMITTED', 'another plan after the registered one', async (harness) => {
    await request(harness)
    await admit(harness, ownPlan())
    return admit(harness, planOf(twoWrites))
  }),
  notaryCase('REQUEST_CANCELLED', 'the plan of a cancelled request', async (harness) => {
    await request(harness)
    await harness.notary.cancel('cli', { requestId: 'r-1' })
    return admit(harness, ownPlan())
  }),
  notaryCase('UNKNOWN_REQUEST', 'a plan that nobody registered', (harness) =>
    admit(harness, ownPlan()),
  ),
]

const decisions: readonly NotaryCase[] = [
  notaryCase('UNKNOWN_REQUEST', 'a cancellation of what another person asked', (harness) =>
    ofAnother(harness, async ({ notary }) =>
      outcomeOf(await notary.cancel('cli', { requestId: 'r-1' })),
    ),
  ),
  notaryCase('UNKNOWN_REQUEST', 'a decision on what another person asked', (harness) =>
    ofAnother(harness, (again) => recover(again, { decision: 'give-up' })),
  ),
  notaryCase('UNKNOWN_REQUEST', 'a question about what there is not', async ({ notary }) =>
    outcomeOf(await notary.query('cli', { what: 'request', requestId: 'r-1' })),
  ),
  notaryCase('UNKNOWN_REQUEST', 'an event of a run that there is not', async ({ notary }) => {
    const event = { kind: 'security', subject: 'egress:desk.0', summary: { code: 'SEEN' } }
    const correlation = { requestId: 'r-1', step: 'first' }
    return outcomeOf(await notary.event('gateway', { ...event, correlation }))
  }),
  notaryCase('UNKNOWN_STEP', 'a retry of what the plan does not have', async (harness) => {
    await held(harness)
    return recover(harness, { decision: 'retry', step: 'lost' })
  }),
  notaryCase('UNKNOWN_STEP', 'an answer on what the plan does not have', async (harness) => {
    await held(harness)
    return recover(harness, { decision: 'happened', step: 'lost', kind: 'do' })
  }),
  ...['retry', 'give-up'].map((decision) =>
    notaryCase('REQUEST_CANCELLED', `a ${decision} after a cancellation`, async (harness) => {
      await held(harness)
      await harness.notary.cancel('cli', { requestId: 'r-1' })
      return recover(harness, { decision, ...(decision === 'retry' ? { step: 'first' } : {}) })
    }),
  ),
  notaryCase('LIMIT', 'a step that ran too often', async (harness) => {
    const run = await harness.run(holding)
    await harness.store.commit('fact', ({ state }) => state.putRerun('r-1', 'read', 0, 100))
    await run.break('read', list, failed)
    return recover(harness, { decision: 'retry', step: 'read' })
  }),
  notaryCase('LIMIT', 'more firings of the past than one may ask for', async (harness) => {
    await scheduled(harness)
    const [from, to] = [seven - 200 * day, seven - 1]
    const call = { op: 'backfill', id: 'twice', from, to }
    return outcomeOf(await harness.notary.schedule('cli', call))
  }),
]

export const requestCases = [...messages, ...registration, ...admission, ...decisions]
