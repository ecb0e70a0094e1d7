// What was asked, which plan may run for it, and who may say so.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { notaryCalls } from '../../notary/permissions.ts'
import { compileSource } from '../../plan/compile.ts'
import { decide } from '../support/policy.ts'
import { catalogue } from './catalogue.ts'
import { createHarness, type Harness } from './harness.ts'
import { append, briefing, list, twoWrites } from './plans.ts'

let harness: Harness

beforeEach(async () => {
  harness = await createHarness()
})
afterEach(() => harness.close())

const asked = {
  requestId: 'r-1',
  kind: 'plan',
  name: 'briefing',
  source: briefing,
  inputs: { note: 'daily' },
  priority: 'MEDIUM',
}

const request = (change: object = {}, account = 'cli') =>
  harness.notary.request(account, { ...asked, ...change })

function planOf(source: string, inputs = {}) {
  const compiled = compileSource({ kind: 'plan', source, inputs, catalogue, decide })
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.issues))
  return compiled
}

const admit = (plan: unknown, requestId = 'r-1') =>
  harness.notary.admit('worker', { requestId, plan })

describe('a request', () => {
  it('is registered with the digest of the plan that the notary compiled', async () => {
    const { digest } = planOf(briefing, { note: 'daily' })
    expect(await request()).toEqual({ status: 'REGISTERED', digest, user: 'user:owner' })
  })

  it('is one request when it is sent again, after a restart too', async () => {
    const first = await request()
    harness = await harness.restart()
    const size = harness.store.size()
    expect(await request()).toEqual(first)
    expect(harness.store.size()).toBe(size)
  })

  it.each([
    ['inputs', { inputs: { note: 'other' } }],
    ['bytes', { source: `${briefing}\n# changed` }],
    ['priority', { priority: 'HIGH' }],
  ])('is a conflict when the same id comes with other %s', async (_, change) => {
    await request()
    expect(await request(change)).toMatchObject({ status: 'REFUSED', code: 'REQUEST_CONFLICT' })
  })

  it('is refused with the issues of its plan', async () => {
    const reply = await request({ source: briefing.replace('action: list', 'action: lost') })
    expect(reply).toMatchObject({
      status: 'REFUSED',
      code: 'PLAN_INVALID',
      issues: [expect.objectContaining({ code: 'UNKNOWN_ACTION', path: '/steps/0/action' })],
    })
    expect(await admit({})).toMatchObject({ code: 'UNKNOWN_REQUEST' })
  })

  it('for what moves money is refused by policy', async () => {
    const source = twoWrites
      .replace('action: book', 'action: spend')
      .replace('room: blue', 'note: n')
    expect(await request({ source, inputs: {} })).toMatchObject({
      code: 'PLAN_INVALID',
      issues: [expect.objectContaining({ code: 'POLICY' })],
    })
  })
})

describe('a plan', () => {
  it('is admitted when it is the registered one, as often as it comes', async () => {
    await request()
    const { plan, digest } = planOf(briefing, { note: 'daily' })
    expect(await admit(plan)).toEqual({ status: 'ADMITTED', digest, user: 'user:owner' })
    const size = harness.store.size()
    expect(await admit(structuredClone(plan))).toMatchObject({ status: 'ADMITTED' })
    expect(harness.store.size()).toBe(size)
  })

  it('is refused when it is another well-typed one, before and after', async () => {
    await request()
    const other = planOf(twoWrites).plan
    const { plan } = planOf(briefing, { note: 'daily' })
    expect(await admit(other)).toMatchObject({ status: 'REFUSED', code: 'PLAN_MISMATCH' })
    await admit(plan)
    expect(await admit(other)).toMatchObject({ status: 'REFUSED', code: 'ALREADY_ADMITTED' })
    expect(await admit(planOf(briefing, { note: 'other' }).plan)).toMatchObject({
      code: 'ALREADY_ADMITTED',
    })
  })

  it('is refused for a request that nobody registered, or that was cancelled', async () => {
    const { plan } = planOf(briefing, { note: 'daily' })
    expect(await admit(plan)).toMatchObject({ code: 'UNKNOWN_REQUEST' })
    await request()
    await harness.notary.cancel('cli', { requestId: 'r-1' })
    expect(await admit(plan)).toMatchObject({ code: 'REQUEST_CANCELLED' })
  })

  it('leaves a row for each refusal', async () => {
    await request()
    await admit(planOf(twoWrites).plan)
    expect(harness.rows().at(-1)).toMatchObject({ kind: 'decision', actor: 'worker' })
    expect(harness.rows().at(-1)?.body).toContain('PLAN_MISMATCH')
  })
})

describe('a cancellation', () => {
  it('is for a request that exists, and is answered alike again', async () => {
    const cancel = () => harness.notary.cancel('cli', { requestId: 'r-1' })
    expect(await cancel()).toMatchObject({ code: 'UNKNOWN_REQUEST' })
    await request()
    expect(await cancel()).toEqual({ status: 'CANCELLED' })
    const size = harness.store.size()
    expect(await cancel()).toEqual({ status: 'CANCELLED' })
    expect(harness.store.size()).toBe(size)
  })
})

describe('who calls', () => {
  const permitted: Readonly<Record<(typeof notaryCalls)[number], readonly string[]>> = {
    request: ['cli', 'console', 'ingress'],
    cancel: ['cli', 'console'],
    recover: ['cli', 'console'],
    schedule: ['cli', 'console'],
    approve: ['cli', 'console', 'ingress'],
    admit: ['worker'],
    authorize: ['worker'],
    settle: ['worker'],
    boot: ['supervisor'],
    event: ['supervisor', 'gateway'],
    quarantine: ['supervisor'],
    query: ['cli', 'console'],
    head: ['worker', 'cli', 'console'],
  }
  const accounts = ['cli', 'console', 'ingress', 'worker', 'supervisor', 'gateway', 'notary']

  it.each(notaryCalls)('is asked before %s is even read', async (call) => {
    for (const account of [...accounts, 'agent_desk_0', 'constructor', '']) {
      const reply = await harness.notary[call](account, { no: 'such call' })
      const allowed = permitted[call].includes(account)
      expect(reply).toMatchObject({ code: allowed ? 'MALFORMED' : 'NOT_PERMITTED' })
    }
  })

  it('decides for whom: an entry point that stands for nobody registers nothing', async () => {
    expect(await request({}, 'ingress')).toMatchObject({ code: 'NOT_PERMITTED' })
  })
})

describe('reading', () => {
  it('tells what each step of a request has come to', async () => {
    const run = await harness.run(briefing, { inputs: { note: 'daily' } })
    await run.token('gather', list)
    await run.authorize('write', append(''))
    const reply = await harness.notary.query('cli', { what: 'request', requestId: 'r-1' })
    expect(reply).toMatchObject({
      status: 'REQUESTS',
      requests: [{ requestId: 'r-1', user: 'user:owner', cancelled: false }],
    })
    const steps = reply.status === 'REQUESTS' ? reply.requests[0]?.steps : []
    expect(steps?.slice(0, 2)).toEqual([
      {
        id: 'gather',
        agent: 'desk',
        action: 'list',
        effect: 'read',
        outcome: 'running',
        attempts: 1,
      },
      {
        id: 'write',
        agent: 'desk',
        action: 'append',
        effect: 'write',
        outcome: 'pending',
        attempts: 0,
      },
    ])
    const all = await harness.notary.query('cli', { what: 'requests', limit: 10 })
    expect(all).toEqual(reply)
    expect(await harness.notary.query('cli', { what: 'request', requestId: 'r-2' })).toMatchObject({
      code: 'UNKNOWN_REQUEST',
    })
  })

  it('gives rows in order, by request and by kind', async () => {
    await harness.run(briefing, { inputs: { note: 'daily' } })
    await harness.run(twoWrites, { requestId: 'r-2' })
    const rows = async (filter: object) => {
      const call = { what: 'rows', from: 1, limit: 500, ...filter }
      const reply = await harness.notary.query('cli', call)
      return reply.status === 'ROWS' ? reply.rows : []
    }
    expect((await rows({})).map((row) => row.seq)).toEqual([1, 2, 3, 4, 5])
    expect((await rows({ requestId: 'r-2' })).map((row) => row.seq)).toEqual([4, 5])
    expect((await rows({ kind: 'life-cycle' })).map((row) => row.seq)).toEqual([1])
    expect((await rows({ requestId: 'r-1', kind: 'mint' })).length).toBe(0)
    expect((await rows({ from: 3, limit: 2 })).map((row) => row.seq)).toEqual([3, 4])
  })

  it('gives pages that fit the bus, and always gets further', async () => {
    await harness.store.commit('fact', (writer) => {
      const text = 'x'.repeat(490)
      const body = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`m${n}`, text]))
      const entry = { actor: 'test', subject: 'big', correlation: '', trace: '', body }
      for (let n = 0; n < 300; n += 1) writer.append({ kind: 'message', ...entry })
    })
    let from = 1
    while (from <= harness.store.size()) {
      const reply = await harness.notary.query('cli', { what: 'rows', from, limit: 500 })
      expect(Buffer.byteLength(JSON.stringify(reply))).toBeLessThan(1.5 * 1024 * 1024)
      const last = reply.status === 'ROWS' ? reply.rows.at(-1) : undefined
      expect(last?.seq).toBeGreaterThanOrEqual(from)
      from = (last?.seq ?? Number.POSITIVE_INFINITY) + 1
    }
    expect(from).toBe(302)
  })
})
