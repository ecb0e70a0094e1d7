// What a worker that was taken over may try where a model may be asked for a plan: other words, another
// model, another time, an answer that no model gave; and what a person is shown before a plan begins.

import type { Decide } from '../../plan/policy.ts'
import {
  accepted,
  answerWith,
  askCall,
  consult,
  idOf,
  answered as modelAnswered,
  openHouse,
} from '../notary/consultations.ts'
import { execute, type Happened, type Harness } from '../notary/harness.ts'
import { briefing } from '../notary/plans.ts'
import { ask, book, inbox, mail, proposalOf, propose, stepOf } from '../notary/proposals.ts'
import { allowing, message } from './flow-approval-plans.ts'
import { type NotaryCase, notaryCase, outcomeOf, type Reply } from './notary-case.ts'

const right = proposalOf(book('blue'))
const madeUp = proposalOf(book('attic'))
/** A mail to whom the person said, if a message says so. */
const decidedByMail = proposalOf(inbox, {
  ...mail('bob@x.org'),
  when: { cel: "i == 'yes'", with: { i: { $from: 'inbox#/first/id' } } },
})
const wrong = proposalOf(book('blue', { action: 'lost' }))

/** Of a house with two models, for words that were registered. */
function housed(
  wanted: string,
  name: string,
  attempt: (house: Harness) => Promise<Reply>,
  change: object = {},
): NotaryCase {
  return notaryCase(wanted, name, async () => {
    const house = await openHouse(change)
    try {
      await ask(house)
      return outcomeOf(await attempt(house))
    } finally {
      await house.close()
    }
  })
}

/** The second round, with what the worker says was answered in the first. */
const secondRound = (wanted: string, name: string, first: Happened, told?: string): NotaryCase =>
  housed(wanted, name, async (house) => {
    const result = await modelAnswered(house, first)
    return consult(house, idOf(2), { result: told ?? result })
  })

const forbidding: Decide = () => ({ verdict: 'deny', rules: ['a-rule'], missing: 'a grant' })
const declined: Happened = { status: 'FAILED', code: 'CONFLICT', retry: 'final' }

export const consultationCases: readonly NotaryCase[] = [
  housed('ADMITTED', 'a model that is asked for a plan', (house) => consult(house, idOf(1))),
  housed('ADMITTED', 'the same once more', async (house) => {
    await consult(house, idOf(1))
    house.clock.time += 3_600_000
    return consult(house, idOf(1), { at: house.clock.now() - 3_600_000 })
  }),
  housed('ADMITTED', 'another model after it', async (house) => {
    await consult(house, idOf(1))
    return consult(house, idOf(1, 1))
  }),
  secondRound('ADMITTED', 'a model that is told what was wrong', answerWith(wrong)),
  housed('UNKNOWN_REQUEST', 'for words that nobody said', (house) =>
    consult(house, idOf(1, 0, 'r-2')),
  ),
  housed('UNKNOWN_REQUEST', 'under an id that is none of them', (house) => consult(house, 'r-3')),
  housed('PLAN_MISMATCH', 'for a request with a plan of its own', async (house) => {
    await ask(house, { requestId: 'r-2', kind: 'plan', source: briefing, inputs: { note: 'a' } })
    return consult(house, idOf(1, 0, 'r-2'))
  }),
  housed('PLAN_MISMATCH', 'a model that is not set up', (house) => consult(house, idOf(1, 2))),
  housed('PLAN_MISMATCH', 'an hour before anything was said', (house) =>
    consult(house, idOf(1), { at: house.clock.now() - 3_600_000 }),
  ),
  housed('PLAN_MISMATCH', 'an hour from now', (house) =>
    consult(house, idOf(1), { at: house.clock.now() + 3_600_000 }),
  ),
  housed('UNKNOWN_REQUEST', 'with a plan that the worker brings', (house) =>
    house.notary.admit('worker', { requestId: idOf(1), plan: { version: 1 } }),
  ),
  housed('REQUEST_CANCELLED', 'for words that were taken back', async (house) => {
    await house.notary.cancel('cli', { requestId: 'r-1' })
    return consult(house, idOf(1))
  }),
  housed('REQUEST_CANCELLED', 'that was let in before they were taken back', async (house) => {
    await consult(house, idOf(1))
    await house.notary.cancel('cli', { requestId: 'r-1' })
    return house.notary.authorize('worker', askCall(house, idOf(1)))
  }),
  housed('ALREADY_PROPOSED', 'when there is a plan', async (house) => {
    await propose(house, right)
    return consult(house, idOf(1))
  }),
  secondRound('PLAN_MISMATCH', 'once more although nothing was wrong', answerWith(right)),
  secondRound(
    'SOURCE_MISMATCH',
    'with an answer that no model gave',
    answerWith(wrong),
    JSON.stringify({ kind: 'plan', proposal: wrong.replace('blue', 'what I have read') }),
  ),
  housed('SOURCE_MISMATCH', 'a second time without an answer', async (house) => {
    await modelAnswered(house, answerWith(wrong))
    return consult(house, idOf(2))
  }),
  secondRound('SOURCE_MISMATCH', 'a second time after a failure', declined),
  housed('PLAN_INVALID', 'which the policy forbids', (house) => consult(house, idOf(1)), {
    decide: forbidding,
  }),
  housed('NOT_PERMITTED', 'as a request that an entry point names so', (house) =>
    ask(house, { requestId: idOf(1) }),
  ),
  housed('AUTHORISED', 'and asked, as it was let in', async (house) => {
    await consult(house, idOf(1))
    return house.notary.authorize('worker', askCall(house, idOf(1)))
  }),
  housed('ARGS_MISMATCH', 'and asked in other words', async (house) => {
    await consult(house, idOf(1))
    const call = askCall(house, idOf(1), { args: { words: ['what I have read'] } })
    return house.notary.authorize('worker', call)
  }),
  housed('APPROVAL', 'a plan that is shown before it begins', (house) => propose(house, right)),
  housed('AUTHORISED', 'what a model made up and the person was shown', async (house) => {
    await accepted(house, madeUp)
    return house.notary.authorize('worker', stepOf(madeUp, 'book'))
  }),
  housed(
    'APPROVAL',
    'what an agent decides on, although the plan was shown',
    async (house) => {
      await house.boot({ agent: 'mail', bootEpoch: 'epoch-mail' })
      await accepted(house, decidedByMail)
      const context = { decide: allowing }
      const call = stepOf(decidedByMail, 'inbox', context)
      const authorised = await house.notary.authorize('worker', call)
      if (authorised.status !== 'AUTHORISED') return authorised
      const value = { first: message('yes'), messages: [], count: 0 }
      const done = await execute(authorised, { status: 'DONE', value }, house.keys.receipt)
      const { args: _, sources: __, op: ___, ...address } = call
      const { receipt, envelope, resultHash: hash, content } = done
      const settled = { type: 'receipt', ...address, receipt, envelope, invalidResult: false }
      await house.notary.settle('worker', settled)
      const sources = [{ step: 'inbox', iteration: 0, hash, content }]
      return house.notary.authorize('worker', {
        ...stepOf(decidedByMail, 'tell', context),
        sources,
      })
    },
    { decide: allowing },
  ),
]
