// Long actions in a whole deployment: followed, cancelled, left by their worker or agent, reset in
// Temporal, and killed with everything else. The outside world is a file of the test agent, in which
// every effect leaves one line each time that it happens.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LongDeployment, startLongDeployment } from '../support/long-deployment.ts'

let long: LongDeployment
beforeAll(async () => {
  long = await startLongDeployment()
})
afterAll(() => long.stop())

type Ends = 'done' | 'linger'
/** A step that can be asked about afterwards, and undone. */
const ring = (ms: number, ends: Ends = 'done') =>
  `{ id: act, agent: test, action: ring, args: { ms: ${ms}, ends: ${ends} } }`
/** A step that nobody can ask about. */
const toll = (id: string, ms: number, more = '') =>
  `{ id: ${id}, agent: test, action: toll, args: { ms: ${ms} }${more} }`
const quick = (id: string, more = '') =>
  `{ id: ${id}, agent: test, action: count, args: { text: x }${more} }`
const read = (id: string, more = '') =>
  `{ id: ${id}, agent: test, action: echo, args: { text: x }${more} }`

const stepOf = <T extends { readonly id: string }>(
  run: { readonly steps: readonly T[] },
  id = 'act',
) => run.steps.find((step) => step.id === id)

describe('an action that takes longer than a reply may', () => {
  it('is followed to its end in one attempt, and says how far it is', async () => {
    await long.begin('long-1', [ring(26_000)])
    const atWork = await long.shown('long-1', (run) => stepOf(run)?.progress !== undefined)
    expect(stepOf(atWork)).toMatchObject({ outcome: 'running', progress: { total: 10 } })
    expect(stepOf(atWork)?.progress?.done).toBeGreaterThan(0)
    expect(long.times('long-1', 'act')).toBe(0)
    const result = await long.result('long-1')
    expect(result).toMatchObject({ status: 'completed' })
    expect(stepOf(result)).toMatchObject({ outcome: 'settled', attempts: 1 })
    expect(long.times('long-1', 'act')).toBe(1)
  })

  it('is told when its run is cancelled, and stops before it acts', async () => {
    await long.begin('long-2', [ring(20_000)])
    await long.whenIn('long-2', 'act', 'EXECUTING')
    expect((await long.command('cancel', 'long-2')).code).toBe(0)
    const result = await long.result('long-2')
    expect(result).toMatchObject({ status: 'cancelled' })
    // Its own word, signed by the agent: it would have acted, had it not heard.
    expect(stepOf(result)).toMatchObject({ outcome: 'failed', code: 'CANCELLED' })
    expect(long.effect('long-2', 'act')).toMatchObject({ ledger: 'FAILED', notary: 'failed' })
    expect(long.times('long-2', 'act')).toBe(0)
  })

  it('goes on when its worker is killed, and the next one attaches to it', async () => {
    await long.begin('long-3', [ring(20_000)])
    await long.whenIn('long-3', 'act', 'EXECUTING')
    await long.kill('worker')
    const result = await long.result('long-3')
    expect(result).toMatchObject({ status: 'completed' })
    expect(stepOf(result)).toMatchObject({ outcome: 'settled', attempts: 2 })
    expect(long.times('long-3', 'act')).toBe(1)
  })
})

describe('an action whose agent is killed while it is at work', () => {
  it.each([
    { requestId: 'probe-yes', ends: 'linger', times: 1 },
    { requestId: 'probe-no', ends: 'done', times: 0 },
  ] as const)('is asked about by its probe: $requestId', async ({ requestId, ends, times }) => {
    await long.begin(requestId, [ring(8_000, ends), quick('other')])
    await long.whenIn(requestId, 'act', 'EXECUTING')
    await expect.poll(() => long.times(requestId, 'act'), { timeout: 7_000 }).toBe(times)
    await long.kill('agent test.0')
    const result = await long.result(requestId)
    const happened = { status: 'completed', outcome: 'settled', code: 'HAPPENED' }
    const didNot = { status: 'failed', outcome: 'failed', code: 'DID_NOT_HAPPEN' }
    const { status, ...step } = times === 1 ? happened : didNot
    expect(result).toMatchObject({ status })
    expect(stepOf(result)).toMatchObject(step)
    expect(long.times(requestId, 'act')).toBe(times)
  })

  it.each([
    { answer: '--happened', status: 'failed', outcome: 'settled', after: 'NO_RESULT' },
    { answer: '--did-not', status: 'failed', outcome: 'failed', after: undefined },
  ])('waits for a person where there is no probe: $answer', async (seen) => {
    const requestId = `person${seen.answer}`
    const text = '{ $text: "{{n}}", with: { n: { $from: "act#/count" } } }'
    await long.begin(requestId, [
      toll('act', 8_000, ', onError: hold'),
      `{ id: after, agent: test, action: count, args: { text: ${text} } }`,
    ])
    await long.whenIn(requestId, 'act', 'EXECUTING')
    await long.kill('agent test.0')
    const held = await long.shown(requestId, ({ status }) => status === 'held')
    expect(stepOf(held)).toMatchObject({ outcome: 'unknown' })
    const next = held.next?.map((advice) => advice.next).join('\n')
    expect(next).toContain(`runs resolve ${requestId} act --happened   or   --did-not`)
    expect((await long.command('resolve', requestId, 'act', seen.answer)).code).toBe(0)
    if (seen.outcome === 'failed') {
      await long.shown(requestId, (run) => stepOf(run)?.outcome === 'failed')
      expect((await long.command('give-up', requestId)).code).toBe(0)
    }
    const result = await long.result(requestId)
    expect(result).toMatchObject({ status: seen.status })
    expect(stepOf(result)).toMatchObject({ outcome: seen.outcome })
    expect(stepOf(result, 'after')?.code).toBe(seen.after)
    expect(long.times(requestId, 'act')).toBe(0)
  })
})

describe('a run that is reset in Temporal', () => {
  it.each([
    { when: 'before', type: 'FirstWorkflowTask' },
    { when: 'during', type: 'FirstWorkflowTask' },
    { when: 'after', type: 'FirstWorkflowTask' },
    { when: 'after', type: 'LastWorkflowTask' },
    { when: 'ended', type: 'FirstWorkflowTask' },
  ])('does its effects once: $when its effect, to $type', async ({ when, type }) => {
    const requestId = `reset-${when}-${type.toLowerCase()}`
    await long.begin(requestId, [
      toll('first', 2_000),
      toll('act', 2_000, ', needs: [first]'),
      toll('last', 2_000, ', needs: [act]'),
    ])
    const at = { before: 'first', during: 'act', after: 'last' }[when]
    if (at === undefined) await long.result(requestId)
    else await long.whenIn(requestId, at, 'EXECUTING')
    await long.reset(requestId, type)
    const result = await long.result(requestId)
    expect(result, JSON.stringify(result)).toMatchObject({ status: 'completed' })
    for (const step of ['first', 'act', 'last']) {
      expect(long.effect(requestId, step)).toMatchObject({ ledger: 'DONE', notary: 'settled' })
      expect(long.times(requestId, step)).toBe(1)
    }
  })
})

describe('everything killed at once', () => {
  it('is taken up again: only what was executing and cannot be asked waits, by name', async () => {
    const chain = ['a', 'b', 'c', 'd', 'e'].map((id, at, ids) =>
      read(id, at === 0 ? ', needs: [wait]' : `, needs: [${ids[at - 1]}]`),
    )
    await long.begin('all-toll', [toll('act', 60_000, ', onError: hold'), quick('other')])
    await long.begin('all-ring', [ring(20_000, 'linger'), quick('other')])
    await long.begin('all-chain', [toll('wait', 1_000), ...chain])
    await long.whenIn('all-toll', 'act', 'EXECUTING')
    await long.whenIn('all-ring', 'act', 'EXECUTING')
    await long.whenIn('all-chain', 'wait', 'DONE')
    for (const requestId of ['all-toll', 'all-ring']) {
      await long.whenIn(requestId, 'other', 'DONE')
    }
    await long.killAll()
    const held = await long.shown('all-toll', ({ status }) => status === 'held')
    expect(stepOf(held)).toMatchObject({ outcome: 'unknown' })
    expect(held.next?.[0]?.next).toContain('runs resolve all-toll act --happened')
    expect(stepOf(held, 'other')?.outcome).toMatch(/settled$/)
    for (const requestId of ['all-ring', 'all-chain']) {
      expect(await long.result(requestId)).toMatchObject({ status: 'completed' })
    }
    expect(long.times('all-chain', 'wait')).toBe(1)
    for (const requestId of ['all-toll', 'all-ring']) {
      expect(long.times(requestId, 'other')).toBe(1)
    }
    expect(long.times('all-ring', 'act')).toBe(1)
    expect(long.times('all-toll', 'act')).toBe(0)
    expect((await long.command('resolve', 'all-toll', 'act', '--did-not')).code).toBe(0)
    expect((await long.command('give-up', 'all-toll')).code).toBe(0)
    expect(await long.result('all-toll')).toMatchObject({ status: 'failed' })
  })
})
