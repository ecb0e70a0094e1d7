// S: the worker replaced by a double with the worker's real credentials, on the real bus, against the
// real notary: of a schedule it gets what is due, once, and nothing that it makes up.

import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { catalogue } from '../../agents/catalogue.ts'
import { type ScheduleReply, scheduleReply } from '../../notary/standing-contract.ts'
import { compileSource } from '../../plan/compile.ts'
import { firingId } from '../../plan/firing.ts'
import { toScheduleSpec } from '../../plan/schedule-words.ts'
import { type Bus, BusError, connectBus } from '../../security/bus.ts'
import { startDeployment, stubParty, type TestDeployment } from '../support/deployment.ts'
import { decide } from '../support/policy.ts'
import { createWorkerDouble, type WorkerDouble } from '../support/worker-double.ts'

const source = `
version: 1
goal: Count the notes
steps: [{ id: list, agent: notes, action: list, args: { recentDays: 30 } }]
answer: { from: [list] }
`
const compiled = compileSource({ kind: 'plan', source, inputs: {}, catalogue, decide })
const other = compileSource({
  ...{ kind: 'plan', inputs: {}, catalogue, decide },
  source: source.replace('30', '31'),
})
if (!compiled.ok || !other.ok) throw new Error('the plans do not compile')
const { plan, digest } = compiled

let deployment: TestDeployment
let double: WorkerDouble
let owner: Bus
let worker: Bus

beforeAll(async () => {
  deployment = await startDeployment({ home: 'sample', workerEntry: stubParty })
  const credentials = (who: string) => join(deployment.state, who, 'bus')
  double = await createWorkerDouble(deployment.state)
  owner = await connectBus({ credentials: credentials('cli'), reconnect: false })
  worker = await connectBus({ credentials: credentials('worker'), reconnect: false })
}, 240_000)

afterAll(async () => {
  await owner?.close()
  await worker?.close()
  await double?.close()
  await deployment?.stop()
})

const head = { receiver: 'notary', type: 'TASK_REQUEST', correlationId: 'double' } as const
const ask = (bus: Bus, call: object): Promise<ScheduleReply> =>
  bus.call('notary.schedule', head, call, { reply: scheduleReply, timeoutMs: 5_000 })

async function enable(id: string, seconds: number, more: object = {}): Promise<void> {
  const reply = await ask(owner, {
    ...{ op: 'add', id, kind: 'plan', name: id, source, inputs: {}, priority: 'MEDIUM', note: '' },
    spec: toScheduleSpec({ every: `${seconds}s`, zone: 'UTC' }),
    policy: { overlap: 'skip', catchUpSeconds: 600, jitterSeconds: 0, ...more },
  })
  expect(reply).toMatchObject({ status: 'REGISTERED' })
}

/** Waits until the schedule has been due once more. */
async function nextDue(seconds: number): Promise<number> {
  const every = seconds * 1_000
  const at = (Math.floor(Date.now() / every) + 1) * every
  while (Date.now() <= at) await new Promise((resolve) => setTimeout(resolve, 50))
  return at
}

describe('a worker with its real credentials', () => {
  it('is admitted for a time that is due, with its tokens, and for no other plan then', async () => {
    await enable('due', 2)
    const requestId = firingId({ schedule: 'due', at: await nextDue(2) })
    expect(await double.admit(requestId, other.plan)).toMatchObject({ code: 'PLAN_MISMATCH' })
    expect(await double.minted(requestId)).toBe(0)
    expect(await double.admit(requestId, plan)).toMatchObject({ status: 'ADMITTED', digest })
    expect(await double.admit(requestId, other.plan)).toMatchObject({ code: 'ALREADY_ADMITTED' })
    await double.perform({
      ...{ requestId, planDigest: digest, step: 'list', args: { recentDays: 30 } },
    })
    expect(await double.minted(requestId)).toBe(1)
  })

  it('makes up no schedule, no time, and nothing of the future or of before', async () => {
    const day = 86_400
    await enable('made-up', day)
    const midnight = Math.floor(Date.now() / (day * 1_000)) * day * 1_000
    const refused: readonly [number, string, string][] = [
      [midnight, 'nobody-enabled', 'UNKNOWN_SCHEDULE'],
      [midnight + 1_000, 'made-up', 'NOT_NOMINAL'],
      [midnight, 'made-up', 'NOT_DUE'],
      [midnight + day * 1_000, 'made-up', 'NOT_DUE'],
    ]
    for (const [at, schedule, code] of refused) {
      const requestId = firingId({ schedule, at })
      expect(await double.admit(requestId, plan)).toMatchObject({ status: 'REFUSED', code })
      const question = { requestId, planDigest: digest, step: 'list', args: { recentDays: 30 } }
      expect(await double.authorize(question)).toMatchObject({ status: 'DENIED' })
      expect(await double.minted(requestId)).toBe(0)
    }
  })

  it('gets nothing of a paused schedule, nor of one that is removed', async () => {
    await enable('stopped', 2)
    await ask(owner, { op: 'pause', id: 'stopped', note: '' })
    const at = await nextDue(2)
    const admit = () => double.admit(firingId({ schedule: 'stopped', at }), plan)
    expect(await admit()).toMatchObject({ code: 'SCHEDULE_PAUSED' })
    await ask(owner, { op: 'resume', id: 'stopped', note: '' })
    expect(await admit()).toMatchObject({ code: 'NOT_DUE' })
    await ask(owner, { op: 'remove', id: 'stopped' })
    expect(await admit()).toMatchObject({ code: 'UNKNOWN_SCHEDULE' })
  })

  it('cannot reach the call that enables one', async () => {
    const call = ask(worker, { op: 'trigger', id: 'due' })
    await expect(call).rejects.toBeInstanceOf(BusError)
  })
})
