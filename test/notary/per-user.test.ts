// Agents of one's own: a step goes to a replica of whoever asked the run, whatever the worker does, and to
// none of anybody else's.

import { afterEach, describe, expect, it } from 'vitest'
import { limits } from '../../plan/limits.ts'
import { createCatalogue } from '../../plan/manifest.ts'
import type { Slots } from '../../plan/replicas.ts'
import { catalogue as shared } from './catalogue.ts'
import { createHarness, execute, type Harness, type Run } from './harness.ts'
import { append, list, twoWrites } from './plans.ts'

const catalogue = createCatalogue(
  [...shared.values()].map((manifest) =>
    manifest.name === 'desk' ? { ...manifest, perUser: true, replicas: 2 } : manifest,
  ),
)
const person = (id: string, account = `cli-${id}`) => {
  return { id, accounts: [account], approvers: [], approvesFor: [], sees: [] }
}
const users = [person('owner', 'cli'), person('anna'), person('ben'), person('zoe')]
/** Zoe was enrolled after the start. */
const slots: Slots = { owner: 0, anna: 2, ben: 1 }
const annas = [2 * limits.replicas, 2 * limits.replicas + 1]
const bens = [limits.replicas, limits.replicas + 1]

let harness: Harness
afterEach(() => harness.close())

const start = async (running: readonly number[]) => {
  harness = await createHarness({ catalogue, users, slots })
  for (const n of running) await harness.boot({ agent: 'desk', n, bootEpoch: `epoch-000${n % 10}` })
}
const boot = (n: number) => harness.boot({ agent: 'desk', n, bootEpoch: `epoch-000${n % 10}` })
const runOf = (id: string, requestId = `r-${id}`): Promise<Run> =>
  harness.run(twoWrites, { requestId, account: id === 'owner' ? 'cli' : `cli-${id}` })

describe('an agent of one’s own', () => {
  it('serves each person with replicas of their own', async () => {
    await start([0, ...annas, ...bens])
    const served = async (id: string) => (await (await runOf(id)).token('read', list)).agent
    expect(['desk.0', 'desk.1']).toContain(await served('owner'))
    expect(annas.map((n) => `desk.${n}`)).toContain(await served('anna'))
    expect(bens.map((n) => `desk.${n}`)).toContain(await served('ben'))
  })

  it('is never another person’s, although only theirs runs, is idle or is asked for by name', async () => {
    await start([0, ...annas])
    const run = await runOf('ben')
    for (const [step, args] of [
      ['read', list],
      ['first', append('a')],
    ] as const) {
      // Started for the worker, at every attempt, is a replica of Ben's, and no token names another.
      const reply = await run.authorize(step, args)
      expect(reply).toMatchObject({ status: 'NOT_RUNNING', agent: 'desk' })
      expect(bens).toContain('n' in reply ? reply.n : undefined)
    }
    const named = { ...run.call('read', list), n: annas[0], user: 'user:anna', agent: 'desk.16' }
    expect(await harness.notary.authorize('worker', named)).not.toMatchObject({
      status: 'AUTHORISED',
    })
  })

  it('stays each person’s for what follows a step, and when it is undone', async () => {
    await start([...annas, ...bens])
    const run = await runOf('ben')
    const first = await run.token('first', append('a'))
    expect(bens.map((n) => `desk.${n}`)).toContain(first.agent)
    const attached = await run.token('first', {}, { op: 'attach' })
    expect(attached.agent).toBe(first.agent)
    const failed = { status: 'FAILED', code: 'CONFLICT', retry: 'final' } as const
    await run.settle('first', await execute(first, failed, harness.keys.receipt))
    const undo = { note: 'daily', entry: first.idem, dryRun: false }
    expect((await run.token('first', undo, { kind: 'undo' })).agent).toBe(first.agent)
  })

  it('has no replica for who was enrolled since the start, and takes nobody else’s', async () => {
    await start([0, ...annas, ...bens])
    expect(await (await runOf('zoe')).authorize('read', list)).toMatchObject({
      status: 'DENIED',
      code: 'NOT_PERMITTED',
      message: expect.stringContaining('next start'),
    })
  })

  it('is let go where an effect stands at a replica that has become another person’s', async () => {
    await start([0, ...annas, ...bens])
    const run = await runOf('ben')
    const token = await run.token('first', append('a'))
    await harness.tamper(`UPDATE effect SET n = ${annas[0]} WHERE idem = '${token.idem}'`)
    harness = await harness.restart()
    const again = run.call('first', append('a'))
    expect(await harness.notary.authorize('worker', again)).toMatchObject({
      status: 'DENIED',
      code: 'NOT_PERMITTED',
    })
  })

  it('has the numbers of people who are here, and no others', async () => {
    await start([])
    await expect(boot(annas[1] ?? 0)).resolves.toBeUndefined()
    for (const n of [2, limits.replicas + 2, 3 * limits.replicas]) {
      await expect(boot(n), `${n}`).rejects.toThrow('MALFORMED')
    }
  })
})

describe('an agent of the household', () => {
  it('is everybody’s, as it was', async () => {
    harness = await createHarness({ users, slots })
    expect((await (await runOf('zoe')).token('read', list)).agent).toBe('desk.0')
  })
})
