// What the policy is asked when an effect would happen now: whose it is, the hour where they live, and
// how much has happened lately; that the notary counts that itself; and what rows keep of it.

import { afterEach, describe, expect, it } from 'vitest'
import { localMinute } from '../../plan/local-minute.ts'
import type { StepQuestion } from '../../plan/policy.ts'
import { openPolicy } from '../support/policy.ts'
import { createHarness, type Harness } from './harness.ts'
import { append, list, twoWrites } from './plans.ts'

const hour = 3_600_000
let harness: Harness
afterEach(() => harness.close())

const lastBody = (kind: string) =>
  JSON.parse(harness.rows().findLast((row) => row.kind === kind)?.body ?? '{}')

async function listening() {
  const asked: StepQuestion[] = []
  const { decide } = await openPolicy()
  harness = await createHarness({
    decide: (question) => {
      if (question.moment === 'effect') asked.push(question)
      return decide(question)
    },
  })
  return asked
}

describe('an effect that would happen now', () => {
  it('is asked about with whose it is, the hour there and what happened lately', async () => {
    const asked = await listening()
    const run = await harness.run(twoWrites)
    await run.perform('first', append('a'), {})
    await run.token('second', append('b'))
    // A further attempt at an effect is not a further effect.
    await run.token('second', append('b'))
    const minute = localMinute(harness.clock.time, 'Europe/Vienna')
    const facts = { moment: 'effect', kind: 'do', user: 'user:owner', priority: 'MEDIUM', minute }
    expect(asked).toMatchObject([
      { ...facts, usage: { agent: 0, user: 0 } },
      { ...facts, usage: { agent: 1, user: 1 } },
      { ...facts, usage: { agent: 1, user: 1 } },
    ])
    harness.clock.time += hour / 2
    await (await harness.run(twoWrites, { requestId: 'r-2' })).token('first', append('a'))
    expect(asked.at(-1)?.usage).toEqual({ agent: 2, user: 2 })
    harness.clock.time += 2 * hour
    await (await harness.run(twoWrites, { requestId: 'r-3' })).token('first', append('a'))
    expect(asked.at(-1)?.usage).toEqual({ agent: 0, user: 0 })
  })

  it('is not counted when it only looks', async () => {
    const asked = await listening()
    await (await harness.run(twoWrites)).token('read', list)
    expect(asked).toMatchObject([{ effect: 'read' }])
    expect(asked[0]).not.toHaveProperty('usage')
    await (await harness.run(twoWrites, { requestId: 'r-2' })).token('first', append('a'))
    expect(asked[1]?.usage).toEqual({ agent: 0, user: 0 })
  })

  it('leaves in the audit what was asked and answered, and no argument', async () => {
    const { digest } = await openPolicy()
    harness = await createHarness()
    const run = await harness.run(twoWrites.replace('text: a,', 'text: quite a secret,'))
    await run.token('first', append('quite a secret'))
    expect(lastBody('intent')).toMatchObject({
      policy: digest,
      verdict: 'allow',
      rules: ['write.undoable'],
      question: { action: 'append', effect: 'write', usage: { agent: 0, user: 0 } },
    })
    expect(JSON.stringify(lastBody('intent'))).not.toContain('secret')
  })
})

describe('rates', () => {
  const rates = { agentPerHour: 1, userPerHour: 1_000 }

  it('end at what the household has set, and begin anew an hour later, also after a restart', async () => {
    const { decide } = await openPolicy({ rates })
    harness = await createHarness({ decide })
    await (await harness.run(twoWrites)).token('first', append('a'))
    harness = await harness.restart()
    const second = await harness.run(twoWrites, { requestId: 'r-2' })
    expect(await second.authorize('first', append('a'))).toMatchObject({
      status: 'DENIED',
      code: 'POLICY',
      rules: ['rate.agent'],
      missing: expect.stringContaining('in this hour'),
    })
    expect(lastBody('decision')).toMatchObject({
      rules: ['rate.agent'],
      question: { usage: { agent: 1, user: 1 } },
    })
    harness.clock.time += hour + 5 * 60_000
    const third = await harness.run(twoWrites, { requestId: 'r-3' })
    expect(await third.authorize('first', append('a'))).toMatchObject({ status: 'AUTHORISED' })
  })
})

describe('quiet hours', () => {
  const loud = async () => {
    const { decide } = await openPolicy()
    return createHarness({ decide: (one) => decide({ ...one, touches: ['noise'] }) })
  }

  it('refuse what makes noise while it is night where the person lives', async () => {
    harness = await loud()
    // 2027-01-15, 09:00 in Vienna.
    const run = await harness.run(twoWrites)
    expect(await run.authorize('first', append('a'))).toMatchObject({ status: 'AUTHORISED' })
    harness.clock.time += 13 * hour
    const night = await harness.run(twoWrites, { requestId: 'r-2' })
    expect(await night.authorize('first', append('a'))).toMatchObject({ rules: ['quiet.hours'] })
  })
})

describe('the minute of a day', () => {
  it('is that of the clock there, through changes of the clocks', () => {
    const at = (iso: string, zone: string) => localMinute(Date.parse(iso), zone)
    expect(at('2026-11-21T23:59:59Z', 'UTC')).toBe(1_439)
    expect(at('2026-11-22T00:00:00Z', 'UTC')).toBe(0)
    expect(at('2026-03-29T00:59:00Z', 'Europe/Vienna')).toBe(119)
    expect(at('2026-03-29T01:00:00Z', 'Europe/Vienna')).toBe(180)
    expect(at('2026-11-21T12:00:00Z', 'Asia/Kathmandu')).toBe(17 * 60 + 45)
  })
})
