// A case for each way in which the approval of a schedule could be taken for one of what its firing does:
// then the question is asked.

import { askingFor, say } from '../notary/approvals.ts'
import { execute, type Harness } from '../notary/harness.ts'
import { erasing } from '../notary/plans.ts'
import { asked, erase, fire, planOf, schedule } from './notary-approval-set-up.ts'
import type { NotaryCase, Reply } from './notary-case.ts'

/** What is unbooked, an agent says. */
const booking = `
version: 1
goal: book for a while
steps:
  - { id: book, agent: desk, action: book, args: { room: blue, dryRun: false } }
  - id: unbook
    agent: desk
    action: unbook
    args: { booking: { $from: 'book#/booking' }, dryRun: false }
answer: { from: [book] }
`
/** And so whether it is. */
const perhaps = booking.replace(
  'action: unbook\n',
  "action: unbook\n    when: { cel: 'b != \"\"', with: { b: { $from: 'book#/booking' } } }\n",
)

/** Approves the schedule as far as it is asked about, and does what a firing of it does. */
async function unbookInFiring(home: Harness, source: string): Promise<Reply> {
  const id = await schedule(home, { source })
  if (id !== '') await say(home, id)
  const { reply, call } = await fire(home, planOf(source, askingFor('unbook')))
  if (reply.status !== 'ADMITTED') return reply
  const run = { ...call, op: 'run', sources: [] } as const
  const args = { room: 'blue', dryRun: false }
  const token = await home.notary.authorize('worker', { ...run, step: 'book', args })
  if (token.status !== 'AUTHORISED') return token
  const happened = { status: 'DONE', value: { booking: 'b-1' } } as const
  const documents = await execute(token, happened, home.keys.receipt)
  const { receipt, envelope, resultHash: hash, content } = documents
  const settled = { type: 'receipt', receipt, envelope, invalidResult: false }
  await home.notary.settle('worker', { ...settled, ...call, step: 'book' })
  return home.notary.authorize('worker', {
    ...{ ...run, step: 'unbook', args: { booking: 'b-1', dryRun: false } },
    sources: [{ step: 'book', iteration: 0, hash, content }],
  })
}

export const standingCoverCases: readonly NotaryCase[] = [
  asked(
    'APPROVAL',
    'a step of a firing whose target an agent names',
    (home) => unbookInFiring(home, booking),
    ['unbook'],
  ),
  asked(
    'APPROVAL',
    'a step that was on the card of its schedule for another reason',
    (home) => unbookInFiring(home, perhaps),
    ['unbook'],
  ),
  asked('APPROVAL', 'a firing of what the schedule was before', async (home) => {
    await say(home, await schedule(home))
    const { call } = await fire(home)
    await home.notary.schedule('cli', { op: 'remove', id: 'tidy' })
    await say(home, await schedule(home, { source: erasing.replace('daily', 'weekly') }))
    const run = { ...call, op: 'run', sources: [], step: 'erase', args: erase }
    return home.notary.authorize('worker', run)
  }),
]
