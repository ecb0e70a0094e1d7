// Events of the gateway: the run that each belongs to, and a bound for each agent that it speaks for.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createHarness, type Harness } from './harness.ts'
import { twoWrites } from './plans.ts'

let harness: Harness
let requestId: string

beforeEach(async () => {
  harness = await createHarness()
  ;({ requestId } = await harness.run(twoWrites))
})
afterEach(() => harness.close())

const summary = { code: 'OK', status: 200 }
const ofRun = () => ({ requestId, step: 'read' })
const send = (account: string, subject: string, correlation?: object) =>
  harness.notary.event(account, {
    kind: 'message',
    subject,
    summary,
    ...(correlation === undefined ? {} : { correlation }),
  })

describe('an event of the gateway', () => {
  it('is a row of the run whose token it read, under the step', async () => {
    expect(await send('gateway', 'egress:desk.0', ofRun())).toEqual({ status: 'RECORDED' })
    const row = harness.rows().at(-1)
    expect(row).toMatchObject({
      kind: 'message',
      actor: 'gateway',
      subject: 'egress:desk.0',
      correlation: requestId,
    })
    expect(JSON.parse(row?.body ?? '')).toEqual({ ...summary, step: 'read' })
    const found = await harness.notary.query('cli', {
      what: 'rows',
      from: 1,
      limit: 500,
      requestId,
    })
    if (found.status !== 'ROWS') throw new Error(found.status)
    expect(found.rows.map(({ actor }) => actor)).toContain('gateway')
  })

  it('of a run that nobody registered is refused', async () => {
    const other = { requestId: 'req-nobody', step: 'read' }
    const size = harness.store.size()
    expect(await send('gateway', 'egress:desk.0', other)).toMatchObject({ code: 'UNKNOWN_REQUEST' })
    expect(harness.store.size()).toBe(size)
  })

  it('before any token was read belongs to no run', async () => {
    expect(await send('gateway', 'egress:desk.0')).toEqual({ status: 'RECORDED' })
    expect(harness.rows().at(-1)?.correlation).toBe('')
  })

  it('counts against its agent alone, so that a flood silences nobody else', async () => {
    const flood = async (subject: string) => {
      const replies = []
      for (let n = 0; n < 30; n += 1) replies.push(await send('gateway', subject, ofRun()))
      return replies.filter(({ status }) => status === 'RECORDED').length
    }
    expect(await flood('egress:desk.0')).toBe(20)
    expect(await send('gateway', 'egress:pool.0', ofRun())).toEqual({ status: 'RECORDED' })
    expect(await send('gateway', 'gateway')).toEqual({ status: 'RECORDED' })
    harness.clock.time += 60_000
    await harness.notary.tick()
    expect(harness.rows().at(-1)).toMatchObject({ subject: 'gateway:desk.0' })
  })

  it('of replicas that no manifest has counts against one bound', async () => {
    const replies = []
    for (let n = 0; n < 30; n += 1) replies.push(await send('gateway', `egress:made-up-${n}.${n}`))
    for (let n = 50; n < 80; n += 1) replies.push(await send('gateway', `egress:desk.${n}`))
    expect(replies.filter(({ status }) => status === 'RECORDED')).toHaveLength(20)
  })
})

describe('a run', () => {
  it('cannot be named by the supervisor', async () => {
    expect(await send('supervisor', 'egress:desk.0', ofRun())).toMatchObject({ code: 'MALFORMED' })
    expect(await send('supervisor', 'started')).toEqual({ status: 'RECORDED' })
  })

  it('cannot be named by an agent', async () => {
    const event = { kind: 'message', subject: 'x', summary: {} }
    const named = { ...event, correlation: ofRun() }
    const size = harness.store.size()
    expect(await harness.notary.agentEvent('desk.0', named)).toMatchObject({ code: 'MALFORMED' })
    expect(harness.store.size()).toBe(size)
    expect(await harness.notary.agentEvent('desk.0', event)).toEqual({ status: 'RECORDED' })
  })
})
