// A case for each refusal about a person's decisions: who gave them, on what, and when.

import { signDocument } from '../../security/verify/document.ts'
import { keys, openQuestions, say, statementOn, strangersKey } from '../notary/approvals.ts'
import type { Harness } from '../notary/harness.ts'
import {
  admit,
  approved,
  asked,
  erase,
  erasingPlan,
  fire,
  schedule,
  week,
} from './notary-approval-set-up.ts'
import type { NotaryCase } from './notary-case.ts'

const decideWith = (home: Harness, id: string, statement: string, account = 'cli') =>
  home.notary.approve(account, { op: 'decide', id, statement })

const signatures: readonly NotaryCase[] = [
  asked(
    'APPROVAL_UNSIGNED',
    'a statement whose denial was turned into an approval',
    async (home) => {
      const { id } = await erasingPlan(home)
      const denial = await statementOn(home, id, { decision: 'deny' })
      const [head, payload = '', signature] = denial.split('.')
      const said = {
        ...JSON.parse(Buffer.from(payload, 'base64url').toString()),
        decision: 'approve',
      }
      const forged = Buffer.from(JSON.stringify(said)).toString('base64url')
      return decideWith(home, id, [head, forged, signature].join('.'))
    },
  ),
  asked('APPROVAL_UNSIGNED', 'the words of a statement signed as something else', async (home) => {
    const { id } = await erasingPlan(home)
    const [, payload = ''] = (await statementOn(home, id)).split('.')
    const said = JSON.parse(Buffer.from(payload, 'base64url').toString())
    return decideWith(home, id, await signDocument('receipt+jws', said, keys.owner))
  }),
  asked('NOT_APPROVER', 'a decision by a key that nobody enrolled', async (home) => {
    const { id } = await erasingPlan(home)
    return say(home, id, { key: strangersKey })
  }),
  asked('NOT_APPROVER', "a decision in the owner's name by somebody else's key", async (home) => {
    const { id } = await erasingPlan(home)
    return say(home, id, { key: keys.cat })
  }),
  asked('NOT_APPROVER', 'a decision by a person who may not decide for the owner', async (home) => {
    const { id } = await erasingPlan(home)
    return say(home, id, { key: keys.cat, change: { iss: 'user:cat' } })
  }),
  asked('UNKNOWN_APPROVAL', 'a decision on what nobody is asked', async (home) => {
    const { id } = await erasingPlan(home)
    return decideWith(home, 'a22222222', await statementOn(home, id))
  }),
  asked('UNKNOWN_APPROVAL', "a look at somebody else's question", async (home) => {
    const { id } = await erasingPlan(home)
    return home.notary.approve('cli-cat', { op: 'show', id })
  }),
  asked('APPROVAL_MOVED', 'a decision on another question', async (home) => {
    const first = await erasingPlan(home)
    const second = await erasingPlan(home, 'r-2')
    const { digest } = (await openQuestions(home)).find(({ id }) => id === second.id) ?? {}
    const change = digest === undefined ? {} : { card_s256: digest }
    return decideWith(home, second.id, await statementOn(home, first.id, { change }))
  }),
  asked('APPROVAL_MOVED', 'a decision made for another house', async (home) => {
    const { id } = await erasingPlan(home)
    return say(home, id, { change: { aud: 'notary:elsewhere' } })
  }),
  asked('APPROVAL_ALTERED', 'a decision on another card', async (home) => {
    const { id } = await erasingPlan(home)
    return say(home, id, { change: { card_s256: 'A'.repeat(43) } })
  }),
  asked('APPROVAL_USED', 'a second decision on what has been approved', async (home) => {
    const { id } = await approved(home)
    return say(home, id, { change: { iat: 1 } })
  }),
  asked('APPROVAL_DENIED', 'an approval of what has been denied', async (home) => {
    const { id } = await approved(home, { decision: 'deny' })
    return say(home, id)
  }),
]

const lapses: readonly NotaryCase[] = [
  asked('APPROVAL_DENIED', 'the plan that a person has denied', async (home) => {
    const { run } = await approved(home, { decision: 'deny' })
    return admit(home, run)
  }),
  asked('APPROVAL_EXPIRED', 'a decision after seven days', async (home) => {
    const { id } = await erasingPlan(home)
    home.clock.time += week
    return say(home, id)
  }),
  asked('APPROVAL_EXPIRED', 'a decision on a run that was cancelled', async (home) => {
    const { run, id } = await erasingPlan(home)
    await home.notary.cancel('cli', { requestId: run.requestId })
    return say(home, id)
  }),
  asked('APPROVAL_EXPIRED', 'a decision on a schedule that was removed', async (home) => {
    const id = await schedule(home)
    await home.notary.schedule('cli', { op: 'remove', id: 'tidy' })
    return say(home, id)
  }),
  asked('AUDIT_UNAVAILABLE', 'a card that was changed in the file', async (home) => {
    const { run } = await approved(home)
    await home.tamper("UPDATE approval SET card = replace(card, 'daily', 'other')")
    const again = await home.restart()
    try {
      return await again.notary.authorize('worker', run.call('erase', erase))
    } finally {
      await again.store.close()
    }
  }),
]

const schedules: readonly NotaryCase[] = [
  asked('APPROVAL_OPEN', 'a firing of a schedule that nobody approved', async (home) => {
    await schedule(home)
    return (await fire(home)).reply
  }),
  asked(
    'APPROVAL_OPEN',
    'a firing of a schedule that was removed and added again',
    async (home) => {
      await say(home, await schedule(home))
      await home.notary.schedule('cli', { op: 'remove', id: 'tidy' })
      await schedule(home)
      return (await fire(home)).reply
    },
  ),
]

export const approvalCases: readonly NotaryCase[] = [...signatures, ...lapses, ...schedules]
