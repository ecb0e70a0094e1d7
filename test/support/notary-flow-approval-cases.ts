// A case for each way in which what agents decide could happen without a person having seen it: unasked, by
// an approval of something else, by one that was given before it was asked, or beforehand for every time.

import type { Source } from '../../notary/contract.ts'
import type { Decide } from '../../plan/policy.ts'
import { asking, askingHarness, onlyQuestion, say } from '../notary/approvals.ts'
import type { Harness } from '../notary/harness.ts'
import { expand } from '../notary/loops.ts'
import { items, list } from '../notary/plans.ts'
import { attackedHouse } from './attacker-manifests.ts'
import {
  allowing,
  answering,
  clearing,
  either,
  inbox,
  mailTo,
  ofPages,
  toBob,
  toMe,
} from './flow-approval-plans.ts'
import { admit, daily } from './notary-approval-set-up.ts'
import { type NotaryCase, notaryCase, outcomeOf, type Reply } from './notary-case.ts'

/** A case with people who can decide; `own`: the person's addresses, of which one may be taken away. */
function decided(
  wanted: string,
  name: string,
  attempt: (home: Harness, own: string[]) => Promise<Reply>,
  options: { readonly decide?: Decide; readonly catalogue?: typeof attackedHouse } = {},
): NotaryCase {
  return notaryCase(wanted, name, async () => {
    const own = ['me@home.example']
    const names = { people: { owner: own }, places: {} }
    const home = await askingHarness({ decide: allowing, names, ...options })
    try {
      await home.boot({ agent: 'mail', bootEpoch: 'epoch-mail' })
      if (options.catalogue !== undefined) await home.boot({ agent: 'web', bootEpoch: 'epoch-web' })
      return outcomeOf(await attempt(home, own))
    } finally {
      await home.close()
    }
  })
}

const page = (title: string) => ({ title, links: ['a', 'b'] })

async function told(home: Harness, source = answering, requestId = 'r-1') {
  const run = await home.run(source, { requestId })
  const mails = await run.perform('inbox', { folder: 'in' }, inbox('yes'))
  return { run, mails }
}

export const flowApprovalCases: readonly NotaryCase[] = [
  decided('APPROVAL', 'a mail that a message decides on', async (home) => {
    const { run, mails } = await told(home)
    return run.authorize('tell', toBob, { sources: [mails] })
  }),
  decided('APPROVAL', 'a list of things to act on', async (home) => {
    const run = await home.run(clearing)
    const source = await run.perform('gather', list, items(['one', 'two']))
    return expand(home, run, { step: 'clear', sources: [source] })
  }),
  decided(
    'APPROVAL',
    'a request approved for another reason',
    async (home) => {
      const run = await home.run(either)
      const one = await run.perform('one', { page: 'x' }, page('yes'))
      const two = await run.perform('two', { page: 'y' }, page('no'))
      const ask = (...sources: readonly Source[]) =>
        run.authorize('tell', { page: 'z' }, { sources: [...sources] })
      await ask(one)
      await say(home, await onlyQuestion(home))
      return ask(one, two)
    },
    { catalogue: attackedHouse },
  ),
  decided(
    'APPROVAL',
    'a mail approved while it was to oneself, when anything may decide on it',
    async (home, own) => {
      const run = await home.run(mailTo('me@home.example', "i == 'yes'"), { admitted: false })
      await admit(home, run)
      await say(home, await onlyQuestion(home))
      await admit(home, run)
      const mails = await run.perform('inbox', { folder: 'in' }, inbox('yes'))
      own.pop()
      return run.authorize('tell', toMe, { sources: [mails] })
    },
    { decide: asking(['send'], allowing) },
  ),
  decided(
    'APPROVAL',
    'an item of a list approved while it was to oneself',
    async (home, own) => {
      const run = await home.run(ofPages)
      const source = await run.perform('one', { page: 'x' }, page('yes'))
      const counted = () => expand(home, run, { step: 'tell', sources: [source] })
      await counted()
      await say(home, await onlyQuestion(home))
      await counted()
      own.pop()
      return run.authorize('tell', toMe, { sources: [source] })
    },
    { catalogue: attackedHouse },
  ),
  decided('MALFORMED', 'a grant of what agents decide on', async (home) => {
    const { run, mails } = await told(home)
    await run.authorize('tell', toBob, { sources: [mails] })
    return say(home, await onlyQuestion(home), { grant: daily(home) })
  }),
]
