// What words may go on with: a case for each reason why the notary registers no such context, tells nobody of
// it, or takes no plan that builds on it.

import { parse } from 'yaml'
import { consultationId } from '../../plan/ids.ts'
import { answered, answerWith, consult, openHouse } from '../notary/consultations.ts'
import type { Harness } from '../notary/harness.ts'
import { items, list } from '../notary/plans.ts'
import { ask, book, proposalOf } from '../notary/proposals.ts'
import { afterTampering, type NotaryCase, notaryCase, outcomeOf } from './notary-case.ts'
import {
  finding,
  following,
  found,
  inHousehold,
  registration,
  told,
} from './notary-handle-cases.ts'

const handle = 'r-1/gather/0'
const earlier = 'what is there today'
const turn = { words: earlier, handles: [handle] }

const call = (turns: readonly object[] | undefined, change: object = {}) => ({
  ...registration('keep what was found in daily'),
  kind: 'text',
  ...(turns === undefined ? {} : { context: { turns } }),
  ...change,
})

/** What comes of words that are registered so. */
const say = async (harness: Harness, account: string, ...given: Parameters<typeof call>) =>
  told(await harness.notary.request(account, call(...given)))

/** What comes of a plan that builds on `r-1`, proposed for words that were told of these turns. */
async function propose(harness: Harness, account: string, turns?: readonly object[]) {
  await say(harness, account, turns)
  const proposal = JSON.stringify(parse(following()))
  return told(await harness.notary.admit('worker', { requestId: 'r-2', proposal }))
}

/** Anna's run `r-1`, in which something was found. */
async function annasFound(harness: Harness) {
  const run = await harness.run(finding, { account: 'cli-anna' })
  await run.perform('gather', list, items(['one', 'two']))
}

/** Who may be told of the only turn, and of how many results. */
async function tellingOf({ notary }: Harness) {
  const reply = await notary.admit('worker', { requestId: 'r-2', told: true })
  const [only] = reply.status === 'TOLD' ? reply.turns : []
  if (only === undefined) return reply.status
  const who = only.readers === 'PUBLIC' ? 'PUBLIC' : 'PRIVATE'
  return `${who} ${Object.keys(only.handles).length}`
}

/** What is told of words that were said before, in a request of this account. */
const retold = (wanted: string, name: string, account: string, change: object) =>
  inHousehold(
    name,
    async (harness) => {
      await harness.notary.request(account, {
        ...registration(earlier),
        ...{ requestId: 'r-0', kind: 'text' },
        ...change,
      })
      await say(harness, 'cli-anna', [{ words: earlier, request: 'r-0', handles: [] }])
      return tellingOf(harness)
    },
    wanted,
  )

/** The second round, where the model proposed to build on `r-1`, told of it or not. */
const secondRound = (wanted: string, name: string, turns: readonly object[]): NotaryCase =>
  notaryCase(wanted, name, async () => {
    const house = await openHouse()
    try {
      await found(house)
      const of = 'r-2'
      const context = turns.length === 0 ? {} : { context: { turns } }
      await ask(house, { requestId: of, ...context })
      const keep = parse(following()).steps[0]
      const first = answerWith(proposalOf(keep, book('blue')))
      const result = await answered(house, first, of)
      const requestId = consultationId({ of, round: 2, model: 0 })
      return outcomeOf(await consult(house, requestId, { result }))
    } finally {
      await house.close()
    }
  })

export const toldCases: readonly NotaryCase[] = [
  inHousehold(
    'what the same person found before, told with their words and proposed',
    async (harness) => {
      await annasFound(harness)
      return propose(harness, 'cli-anna', [turn])
    },
    'ADMITTED',
  ),
  inHousehold('what was found before, proposed and not told', async (harness) => {
    await annasFound(harness)
    return propose(harness, 'cli-anna', [{ ...turn, handles: [] }])
  }),
  inHousehold('the same for words that stand by themselves', async (harness) => {
    await annasFound(harness)
    return propose(harness, 'cli-anna')
  }),
  inHousehold("another's result by what is proposed for words", async (harness) => {
    await found(harness)
    return propose(harness, 'cli-anna')
  }),
  inHousehold("another's result, told by somebody who may see it", async (harness) => {
    await found(harness)
    return say(harness, 'cli-anna', [turn])
  }),
  inHousehold('a result that nobody has, told', async (harness) => {
    await found(harness)
    return say(harness, 'cli', [{ ...turn, handles: [handle, 'r-3/gather/0'] }])
  }),
  inHousehold('a worker that asks for a result that was not told', async (harness) => {
    await annasFound(harness)
    await say(harness, 'cli-anna', undefined)
    const asked = { requestId: 'r-2', handles: [handle] }
    const reply = await harness.notary.admit('worker', asked)
    const isNone = reply.status === 'HANDLES' && Object.keys(reply.handles).length === 0
    return isNone ? 'UNKNOWN_HANDLE' : reply.status
  }),
  inHousehold(
    'a secret in what was said before',
    (harness) =>
      say(harness, 'cli', [{ words: `the key is sk-${'a1B2'.repeat(12)}`, handles: [] }]),
    'FLOW_R11',
  ),
  inHousehold(
    'earlier words with lines that nobody sees',
    (harness) => say(harness, 'cli', [{ words: 'now\nsomething else', handles: [] }]),
    'INVALID_SHAPE',
  ),
  inHousehold(
    'a plan that says what it goes on with',
    (harness) => say(harness, 'cli', [{ ...turn, handles: [] }], registration(finding)),
    'INVALID_ARGUMENT',
  ),
  inHousehold(
    'the same words with another conversation',
    async (harness) => {
      await say(harness, 'cli', [{ words: earlier, handles: [] }])
      return say(harness, 'cli', [{ words: 'what is there tomorrow', handles: [] }])
    },
    'REQUEST_CONFLICT',
  ),
  inHousehold(
    'more results than a model is told of',
    (harness) => {
      const handles = Array.from({ length: 9 }, () => handle)
      return say(harness, 'cli', [
        { words: earlier, handles },
        { words: earlier, handles },
      ])
    },
    'MALFORMED',
  ),
  retold('PUBLIC 0', 'words that a model was asked about', 'cli-anna', {}),
  retold('PRIVATE 0', "another's words that a model was asked about", 'cli', {}),
  retold('PRIVATE 0', 'words that no model was asked about', 'cli-anna', {
    ...{ source: finding, kind: 'plan' },
  }),
  retold('PRIVATE 0', 'other words than a model was asked about', 'cli-anna', {
    source: 'what is there',
  }),
  inHousehold(
    'a result that is no more theirs when a model is asked',
    async (harness) => {
      await annasFound(harness)
      await say(harness, 'cli-anna', [turn])
      const toOwner = "UPDATE request SET user = 'user:owner' WHERE id = 'r-1'"
      return afterTampering(harness, toOwner, tellingOf)
    },
    'PRIVATE 0',
  ),
  secondRound('PLAN_MISMATCH', 'once more although what was proposed was told', [turn]),
  secondRound('ADMITTED', 'once more where what was proposed was not told', []),
]
