// What the audit says the policy answered, read back: every decision of the notary's own rows, nothing of
// rows that say something else, and what another policy would have said.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  differenceOf,
  factWords,
  type RecordedDecision,
  readDecision,
  verdictWords,
} from '../../cli/recorded-decisions.ts'
import { createHarness, type Harness } from '../notary/harness.ts'
import { append, twoWrites } from '../notary/plans.ts'
import { openPolicy, policy } from '../support/policy.ts'

const none = { agentPerHour: 1, userPerHour: 1 } as const
let harness: Harness
let decisions: readonly RecordedDecision[]
beforeEach(async () => {
  const { decide } = await openPolicy({ rates: none })
  harness = await createHarness({ decide })
  const run = await harness.run(twoWrites)
  await run.perform('first', append('a'), {})
  await run.authorize('second', append('b'))
  decisions = harness.rows().flatMap((row) => readDecision(row) ?? [])
})
afterEach(() => harness.close())

describe('recorded decisions', () => {
  it('are those of the notary’s rows, with what was asked', () => {
    expect(decisions).toMatchObject([
      { run: 'r-1', step: 'first', verdict: 'allow', rules: ['write.undoable'] },
      { step: 'second', verdict: 'deny', rules: ['rate.agent', 'rate.user'] },
    ])
    expect(decisions[1]?.question.usage).toEqual({ agent: 1, user: 1 })
    expect(decisions[1]?.missing).toContain('in this hour')
  })

  it('are not read from rows that say something else', () => {
    const row = harness.rows().find(({ kind }) => kind === 'intent')
    if (row === undefined) throw new Error('no intent')
    const changed = (change: object) => ({
      ...row,
      body: JSON.stringify({ ...JSON.parse(row.body), ...change }),
    })
    expect(readDecision(row)).toBeDefined()
    expect(readDecision({ ...row, body: '{' })).toBeUndefined()
    expect(readDecision({ ...row, kind: 'mint' })).toBeUndefined()
    expect(readDecision(changed({ verdict: 'deny' }))).toBeUndefined()
    expect(readDecision(changed({ question: { effect: 'write' } }))).toBeUndefined()
    const later = { ...JSON.parse(row.body).question, fromLater: 1 }
    expect(readDecision(changed({ question: later }))).toBeUndefined()
  })

  it('differ under a policy that says otherwise, and only then', async () => {
    const under = (decide: typeof policy.decide) =>
      decisions
        .flatMap((one) => differenceOf(one, decide) ?? [])
        .map(({ step, anew }) => [step, anew.verdict])
    expect(under((await openPolicy({ rates: none })).decide)).toEqual([])
    expect(under(policy.decide)).toEqual([['second', 'allow']])
    const { decide } = await openPolicy({ ask: { 'desk.append': true } })
    expect(under(decide)).toEqual([
      ['first', 'ask'],
      ['second', 'ask'],
    ])
  })

  it('can be read by a person', () => {
    const [first, second] = decisions
    if (first === undefined || second === undefined) throw new Error('no decisions')
    expect(verdictWords(first)).toBe('allowed by write.undoable')
    expect(verdictWords(second)).toBe(
      'denied by rate.agent, rate.user; missing: room for another effect of desk in this hour',
    )
    expect(factWords(second.question)).toBe(
      'desk.append, write; seen by owner; can be undone; for user:owner; MEDIUM; at 09:00; after 1 effects of the agent and 1 of the user in an hour; 1 and 1 in a day, 1 and 1 in a month',
    )
  })
})
