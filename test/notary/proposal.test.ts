// Words that a person registers, and what a worker brings for them that no one trusts: what is kept, what is
// admitted and asked, over crashes too.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readCard } from '../../plan/read-card.ts'
import { allowing } from '../support/flow-approval-plans.ts'
import { from } from '../support/flow-case.ts'
import { askingHarness, onlyQuestion, openQuestions, say, show } from './approvals.ts'
import { execute, type Harness } from './harness.ts'
import {
  ask,
  book,
  compiledOf,
  inbox,
  mail,
  proposalOf,
  propose,
  stepOf,
  words,
} from './proposals.ts'

let harness: Harness
beforeEach(async () => {
  harness = await askingHarness({ decide: allowing })
  await harness.boot({ agent: 'mail', bootEpoch: 'epoch-mail' })
})
afterEach(() => harness.close())

const blue = proposalOf(book('blue'))
const context = { decide: allowing }
const authorize = (proposal: string, step: string, change: object = {}) =>
  harness.notary.authorize('worker', { ...stepOf(proposal, step, context), ...change })
/** Everything that the audit says, as one text. */
const audit = () => JSON.stringify(harness.rows())

describe('words', () => {
  it('are registered without a plan, and one request when they are sent again', async () => {
    const first = await ask(harness)
    expect(first).toMatchObject({ status: 'REGISTERED', user: 'user:owner' })
    harness = await harness.restart()
    const size = harness.store.size()
    expect(await ask(harness)).toEqual(first)
    expect(harness.store.size()).toBe(size)
    expect(await ask(harness, { source: `${words} now` })).toMatchObject({
      code: 'REQUEST_CONFLICT',
    })
  })

  it('stand in no row of the audit, nor does anything that is proposed', async () => {
    await ask(harness)
    await propose(harness, proposalOf(book('blue'), mail('thief@x.org')))
    await propose(harness, proposalOf(mail('other@x.org')))
    expect(audit()).toContain('proposed')
    expect(audit()).not.toMatch(/blue|bob|thief|other@/)
  })

  it('are told as a request without steps until there is a plan', async () => {
    const steps = async () => {
      const reply = await harness.notary.query('cli', { what: 'request', requestId: 'r-1' })
      return reply.status === 'REQUESTS' ? reply.requests[0]?.steps.map(({ id }) => id) : undefined
    }
    await ask(harness)
    expect(await steps()).toEqual([])
    await propose(harness, blue)
    expect(await steps()).toEqual(['book'])
  })

  it('give no token before there is a plan', async () => {
    await ask(harness)
    expect(await authorize(blue, 'book')).toMatchObject({ status: 'DENIED', code: 'NOT_ADMITTED' })
  })
})

describe('a proposal', () => {
  it('is admitted as the plan that the notary compiles of it, as often as it comes', async () => {
    await ask(harness)
    const { digest } = compiledOf(blue, context)
    const admitted = { status: 'ADMITTED', digest, user: 'user:owner' }
    expect(await propose(harness, blue)).toEqual(admitted)
    harness = await harness.restart()
    const size = harness.store.size()
    expect(await propose(harness, blue)).toEqual(admitted)
    expect(harness.store.size()).toBe(size)
  })

  it('is refused with what is wrong, and one more is looked at', async () => {
    await ask(harness)
    const wrong = proposalOf(book('blue', { action: 'lost' }))
    const refused = {
      code: 'PLAN_INVALID',
      issues: [expect.objectContaining({ code: 'UNKNOWN_ACTION', path: '/steps/0/action' })],
    }
    // The same one again, because its answer was lost, is not another.
    for (let time = 0; time < 3; time += 1) {
      expect(await propose(harness, wrong)).toMatchObject(refused)
    }
    expect(await propose(harness, blue)).toMatchObject({ status: 'ADMITTED' })
  })

  it('is the only one from when it is accepted, and not from when it is admitted', async () => {
    const gone = {
      id: 'gone',
      agent: 'desk',
      action: 'erase',
      args: { note: 'blue', dryRun: false },
    }
    await harness.close()
    harness = await askingHarness()
    await ask(harness)
    const asking = proposalOf(gone)
    expect(await propose(harness, asking)).toMatchObject({ status: 'APPROVAL' })
    expect(await propose(harness, blue)).toMatchObject({ code: 'ALREADY_PROPOSED' })
    await say(harness, await onlyQuestion(harness))
    expect(await propose(harness, asking)).toMatchObject({ status: 'ADMITTED' })
    expect(await propose(harness, blue)).toMatchObject({ code: 'ALREADY_PROPOSED' })
  })

  it('is not looked at again once a person has denied what it wants', async () => {
    await harness.close()
    harness = await askingHarness()
    await ask(harness)
    const gone = {
      id: 'gone',
      agent: 'desk',
      action: 'erase',
      args: { note: 'blue', dryRun: false },
    }
    await propose(harness, proposalOf(gone))
    await say(harness, await onlyQuestion(harness), { decision: 'deny' })
    expect(await propose(harness, proposalOf(gone))).toMatchObject({ code: 'APPROVAL_DENIED' })
    expect(await propose(harness, blue)).toMatchObject({ code: 'ALREADY_PROPOSED' })
  })

  it('for one request is none for another with the same words', async () => {
    await ask(harness)
    await ask(harness, { requestId: 'r-2' })
    await propose(harness, blue)
    const other = stepOf(blue, 'book', context)
    const asked = { ...other, requestId: 'r-2' }
    expect(await harness.notary.authorize('worker', asked)).toMatchObject({ code: 'NOT_ADMITTED' })
    expect(await authorize(blue, 'book')).toMatchObject({ status: 'AUTHORISED' })
  })
})

describe('what a person never said', () => {
  it('is asked about before it is done, on a card that shows it', async () => {
    await ask(harness)
    const thief = proposalOf(mail('thief@x.org', 'whatever'))
    expect(await propose(harness, thief)).toMatchObject({ status: 'ADMITTED' })
    expect(await authorize(thief, 'tell')).toMatchObject({ status: 'APPROVAL' })
    const { approval, card: shown } = await show(harness, await onlyQuestion(harness))
    const card = readCard(shown)
    expect(card.plan.goal).toBe(words)
    expect(card.asks).toEqual([
      {
        step: 'tell',
        rules: ['FLOW_R9'],
        args: { to: ['thief@x.org'], subject: 'booked', body: 'whatever' },
        audience: ['addr:thief@x.org'],
        decides: [{ pointer: '/to/0', from: 'proposed' }],
      },
    ])
    await say(harness, approval.id)
    expect(await authorize(thief, 'tell')).toMatchObject({ status: 'AUTHORISED' })
  })

  it('is not asked about where they said it, which the card tells too', async () => {
    await ask(harness)
    const both = proposalOf(book('attic'), mail('bob@x.org'))
    await propose(harness, both)
    expect(await authorize(both, 'tell')).toMatchObject({ status: 'AUTHORISED' })
    expect(await authorize(both, 'book')).toMatchObject({ status: 'APPROVAL' })
    expect(await openQuestions(harness)).toHaveLength(1)
  })

  it('is not done when they deny it', async () => {
    await ask(harness)
    const thief = proposalOf(mail('thief@x.org'))
    await propose(harness, thief)
    await authorize(thief, 'tell')
    await say(harness, await onlyQuestion(harness), { decision: 'deny' })
    expect(await authorize(thief, 'tell')).toMatchObject({ code: 'APPROVAL_DENIED' })
  })

  it('is asked about again in another request: nobody says always to it', async () => {
    for (const requestId of ['r-1', 'r-2']) {
      await ask(harness, { requestId })
      const thief = proposalOf(mail('thief@x.org'))
      await propose(harness, thief, requestId)
      const reply = await authorize(thief, 'tell', { requestId })
      expect(reply).toMatchObject({ status: 'APPROVAL' })
      const id = await onlyQuestion(harness)
      const exp = Math.floor(harness.clock.time / 1_000) + 9_999
      const always = { grant: { per: 'day', count: 9, exp } } as const
      expect(await say(harness, id, always)).toMatchObject({ code: 'MALFORMED' })
      // Nor is it compared with what was approved for other words.
      expect(readCard((await show(harness, id)).card).changes).toBeNull()
      await say(harness, id)
      expect(await authorize(thief, 'tell', { requestId })).toMatchObject({ status: 'AUTHORISED' })
    }
  })
})

describe('a list that a planner made up', () => {
  const each = (list: unknown) => ({ forEach: { in: list, as: 'one', max: 3 } })
  const toEach = (...list: readonly string[]) =>
    proposalOf({
      ...{ id: 'tell', agent: 'mail', action: 'send', ...each(list) },
      args: { to: [{ $item: '', as: 'one' }], subject: 'booked', body: 'b' },
    })
  const loop = (proposal: string) => {
    const { requestId, planDigest } = stepOf(proposal, 'tell', context)
    const about = { requestId, planDigest, kind: 'do', step: 'tell', iteration: 0 }
    return harness.notary.settle('worker', { type: 'loop', ...about, sources: [] })
  }
  const one = (proposal: string, iteration: number, to: string) =>
    authorize(proposal, 'tell', {
      ...{ iteration, args: { to: [to], subject: 'booked', body: 'b' } },
    })

  it('is shown once and whole, and then each of it is sent, and nothing else', async () => {
    await ask(harness)
    const both = toEach('bob@x.org', 'thief@x.org')
    expect(await propose(harness, both)).toMatchObject({ status: 'ADMITTED' })
    expect(await loop(both)).toMatchObject({ status: 'APPROVAL' })
    const { approval, card } = await show(harness, await onlyQuestion(harness))
    const [shown] = readCard(card).asks
    expect(shown).toMatchObject({ rules: ['FLOW_R9'] })
    expect(JSON.stringify(shown?.args)).toContain('thief@x.org')
    await say(harness, approval.id)
    expect(await loop(both)).toMatchObject({ status: 'LOOP', count: 2 })
    expect(await one(both, 0, 'bob@x.org')).toMatchObject({ status: 'AUTHORISED' })
    expect(await one(both, 1, 'thief@x.org')).toMatchObject({ status: 'AUTHORISED' })
    expect(await one(both, 0, 'thief@x.org')).toMatchObject({ code: 'ARGS_MISMATCH' })
    expect(await openQuestions(harness)).toEqual([])
  })

  it('is not asked about where the person said all of it', async () => {
    await ask(harness)
    const said = toEach('bob@x.org')
    await propose(harness, said)
    expect(await loop(said)).toMatchObject({ status: 'LOOP', count: 1 })
    expect(await one(said, 0, 'bob@x.org')).toMatchObject({ status: 'AUTHORISED' })
  })
})

describe('what no approval helps', () => {
  it('is what is private, to somebody who may not see it, said or not', async () => {
    for (const [index, to] of ['bob@x.org', 'thief@x.org'].entries()) {
      const requestId = `r-${index}`
      await ask(harness, { requestId })
      const leak = proposalOf(inbox, mail(to, from('inbox#/first/text')))
      const refused = {
        code: 'PLAN_INVALID',
        issues: [expect.objectContaining({ code: 'FLOW_R2' })],
      }
      expect(await propose(harness, leak, requestId)).toMatchObject(refused)
    }
    expect(await openQuestions(harness)).toEqual([])
  })

  it('is an address that a stranger wrote', async () => {
    await ask(harness)
    const told = {
      ...mail('bob@x.org'),
      args: { to: [from('inbox#/first/from')], subject: 's', body: 'b' },
    }
    expect(await propose(harness, proposalOf(inbox, told))).toMatchObject({
      issues: [expect.objectContaining({ code: 'FLOW_R1' })],
    })
  })
})

describe('over a crash', () => {
  it('what was accepted and not answered is accepted, and its effect is the same one', async () => {
    await ask(harness)
    await propose(harness, blue)
    harness = await harness.restart()
    await propose(harness, blue)
    const granted = await authorize(blue, 'book')
    if (granted.status !== 'AUTHORISED') throw new Error(JSON.stringify(granted))
    harness = await harness.restart()
    const again = await authorize(blue, 'book')
    expect(again).toMatchObject({ status: 'AUTHORISED', idem: granted.idem })
    const done = { status: 'DONE', value: { booking: 'b-1' } } as const
    const { receipt, envelope } = await execute(granted, done, harness.keys.receipt)
    const { requestId, planDigest } = stepOf(blue, 'book', context)
    const settled = await harness.notary.settle('worker', {
      ...{ requestId, planDigest, kind: 'do', step: 'book', iteration: 0 },
      ...{ type: 'receipt', receipt, envelope, invalidResult: false },
    })
    expect(settled).toMatchObject({ status: 'SETTLED', outcome: 'settled' })
  })
})
