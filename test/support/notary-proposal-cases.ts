// Words and what is proposed for them: a case for each refusal, for what a person is asked because they
// never said it, and for what a worker may not make of a registration.

import { awaitProposal } from '../../plan/compile-proposal.ts'
import { limits } from '../../plan/limits.ts'
import { toScheduleSpec } from '../../plan/schedule-words.ts'
import { askingHarness } from '../notary/approvals.ts'
import type { Harness } from '../notary/harness.ts'
import { briefing } from '../notary/plans.ts'
import {
  ask,
  book,
  compiledOf,
  mail,
  proposalOf,
  propose,
  spoken,
  stepOf,
  words,
} from '../notary/proposals.ts'
import { allowing } from './flow-approval-plans.ts'
import { afterTampering, answered, type NotaryCase, notaryCase, outcomeOf } from './notary-case.ts'

const blue = proposalOf(book('blue'))
const wrong = (action: string) => proposalOf(book('blue', { action }))
const secret = 'use ghp_0123456789abcdefABCD for it'

/** Of a house whose person can decide, and whose policy asks for nothing. */
function decided(
  wanted: string,
  name: string,
  attempt: (
    home: Harness,
  ) => Promise<{ readonly status: string; readonly code?: string | undefined }>,
): NotaryCase {
  return notaryCase(wanted, name, async () => {
    const home = await askingHarness({ decide: allowing })
    try {
      await home.boot({ agent: 'mail', bootEpoch: 'epoch-mail' })
      return outcomeOf(await attempt(home))
    } finally {
      await home.close()
    }
  })
}

async function authorised(home: Harness, proposal: string, step: string) {
  await ask(home)
  const admitted = await propose(home, proposal)
  if (admitted.status !== 'ADMITTED') throw new Error(JSON.stringify(admitted))
  return home.notary.authorize('worker', stepOf(proposal, step, { decide: allowing }))
}

const registration: readonly NotaryCase[] = [
  answered('REGISTERED', 'words', (harness) => ask(harness)),
  answered('PLAN_INVALID', 'words without a word', (harness) => ask(harness, { source: ' \n\t ' })),
  answered('PLAN_INVALID', 'words that are no text', (harness) =>
    ask(harness, { source: 'book \ud800' }),
  ),
  answered('PLAN_INVALID', 'more words than anybody says', (harness) =>
    ask(harness, { source: 'x '.repeat(limits.wordsCharacters / 2 + 1) }),
  ),
  answered('PLAN_INVALID', 'words with a secret in them', (harness) =>
    ask(harness, { source: secret }),
  ),
  answered('PLAN_INVALID', 'words with inputs', (harness) => ask(harness, { inputs: { a: 'b' } })),
  answered('MALFORMED', 'words that are due every day', ({ notary }) => {
    const { requestId: _, ...said } = spoken
    const spec = toScheduleSpec({ at: '07:00', zone: 'Europe/Vienna' })
    const policy = { overlap: 'skip', catchUpSeconds: 3_600, jitterSeconds: 0 }
    return notary.schedule('cli', { op: 'add', id: 'daily', ...said, spec, policy, note: '' })
  }),
]

const admission: readonly NotaryCase[] = [
  answered('ADMITTED', 'what is proposed for words', async (harness) => {
    await ask(harness)
    return propose(harness, blue)
  }),
  answered('UNKNOWN_REQUEST', 'a proposal for what nobody asked', (harness) =>
    propose(harness, blue),
  ),
  answered('PLAN_MISMATCH', 'a proposal for a plan that a person brought', async (harness) => {
    await ask(harness, { kind: 'plan', source: briefing, inputs: { note: 'daily' } })
    return propose(harness, blue)
  }),
  answered('PLAN_MISMATCH', 'the plan without steps that stands for words', async (harness) => {
    await ask(harness)
    const awaited = awaitProposal(words, {})
    const plan = awaited.ok ? awaited.plan : undefined
    return harness.notary.admit('worker', { requestId: 'r-1', plan })
  }),
  answered('PLAN_MISMATCH', 'a plan that was compiled for words elsewhere', async (harness) => {
    await ask(harness)
    return harness.notary.admit('worker', { requestId: 'r-1', plan: compiledOf(blue).plan })
  }),
  answered('REQUEST_CANCELLED', 'a proposal for what was cancelled', async (harness) => {
    await ask(harness)
    await harness.notary.cancel('cli', { requestId: 'r-1' })
    return propose(harness, blue)
  }),
  answered('ALREADY_PROPOSED', 'a second proposal', async (harness) => {
    await ask(harness)
    await propose(harness, blue)
    return propose(harness, proposalOf(book('room')))
  }),
  answered('ALREADY_PROPOSED', 'the same with a step more', async (harness) => {
    await ask(harness)
    await propose(harness, blue)
    return propose(harness, proposalOf(book('blue'), { ...book('blue'), id: 'again' }))
  }),
  answered('ALREADY_PROPOSED', 'another while a person decides on the first', async (harness) => {
    await ask(harness)
    const erase = { agent: 'desk', action: 'erase', args: { note: 'blue', dryRun: false } }
    const asked = await propose(harness, proposalOf({ id: 'gone', ...erase }))
    if (asked.status !== 'APPROVAL') return asked
    return propose(harness, blue)
  }),
  answered('PLAN_INVALID', 'a proposal that does not compile', async (harness) => {
    await ask(harness)
    return propose(harness, wrong('lost'))
  }),
  answered('PROPOSALS_USED_UP', 'a third after two that do not compile', async (harness) => {
    await ask(harness)
    await propose(harness, wrong('lost'))
    await propose(harness, wrong('found'))
    return propose(harness, blue)
  }),
  notaryCase(
    'PROPOSALS_USED_UP',
    'one that was refused when more was forbidden',
    async (harness, law) => {
      await ask(harness)
      law.forbidden = true
      await propose(harness, blue)
      law.forbidden = false
      return outcomeOf(await propose(harness, blue))
    },
  ),
  answered('MALFORMED', 'a proposal that is longer than a planner may write', async (harness) => {
    await ask(harness)
    return propose(harness, ' '.repeat(limits.proposalBytes) + blue)
  }),
  notaryCase('AUDIT_UNAVAILABLE', 'words whose plan was exchanged in the file', async (harness) => {
    await ask(harness)
    await propose(harness, blue)
    return afterTampering(harness, `UPDATE request SET plan = '{}'`, async (again) =>
      outcomeOf(await propose(again, blue)),
    )
  }),
]

const literals: readonly NotaryCase[] = [
  decided('AUTHORISED', 'a room that the person said', (home) => authorised(home, blue, 'book')),
  decided('AUTHORISED', 'a mail to whom the person said', (home) =>
    authorised(home, proposalOf(mail('bob@x.org')), 'tell'),
  ),
  decided('APPROVAL', 'a room that a planner made up', (home) =>
    authorised(home, proposalOf(book('attic')), 'book'),
  ),
  decided('APPROVAL', 'a mail to somebody whom a planner made up', (home) =>
    authorised(home, proposalOf(mail('thief@x.org')), 'tell'),
  ),
]

export const proposalCases = [...registration, ...admission, ...literals]
