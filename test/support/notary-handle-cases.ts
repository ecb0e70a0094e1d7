// Earlier results and who may build on them: a case for each refusal, and for what a worker may bring.

import type { Issue } from '../../plan/issues.ts'
import type { Harness } from '../notary/harness.ts'
import { append, items, list } from '../notary/plans.ts'
import {
  afterTampering,
  type NotaryCase,
  notaryCase,
  outcomeOf,
  type Reply,
} from './notary-case.ts'

export const people: NonNullable<NotaryCase['users']> = [
  { id: 'owner', accounts: ['cli'], approvers: [], approvesFor: [], sees: [] },
  { id: 'anna', accounts: ['cli-anna'], approvers: [], approvesFor: ['owner'], sees: ['owner'] },
]

export const finding = `
version: 1
goal: look
steps:
  - { id: gather, agent: desk, action: list, args: { day: today } }
  - id: none
    agent: desk
    action: list
    args: { day: today }
    when: { cel: 'size(items) > 9', with: { items: { $from: 'gather#/items' } } }
answer: { from: [gather] }
`
export const following = (handle = 'r-1/gather/0') => `
version: 1
goal: write down what was found
steps:
  - id: keep
    agent: desk
    action: append
    args: { note: daily, text: { $handle: '${handle}', pointer: /first }, dryRun: false }
answer: { from: [keep] }
`

/** The owner's run `r-1`, in which `gather` has found something. */
export async function found(harness: Harness) {
  const run = await harness.run(finding)
  return run.perform('gather', list, items(['one', 'two']))
}

/** Sees and approves for the owner, which is not the same as having what is theirs. */
export const inHousehold = (
  name: string,
  attempt: NotaryCase['attempt'],
  wanted = 'UNKNOWN_HANDLE',
) => ({
  ...notaryCase(wanted, name, attempt),
  users: people,
})

/** The code of the first issue, or what was answered. */
export const told = (
  reply: Reply & { readonly issues?: readonly Pick<Issue, 'message'>[] | undefined },
) => {
  const [issue] = reply.issues ?? []
  return issue !== undefined && 'code' in issue ? String(issue.code) : outcomeOf(reply)
}

export const registration = (source: string) => ({
  ...{ requestId: 'r-2', kind: 'plan', name: 'follow-up', source, inputs: {}, priority: 'MEDIUM' },
})

const register = (harness: Harness, account: string, handle?: string) =>
  harness.notary.request(account, registration(following(handle))).then(told)

/** The owner's follow-up, whose earlier result is another by the time that it is asked for. */
const later = (name: string, admitted: boolean, sql: string) =>
  inHousehold(name, async (harness) => {
    const source = await found(harness)
    const run = await harness.run(following(), { requestId: 'r-2', admitted })
    const named = { ...source, step: 'r-1/gather/0' }
    return afterTampering(harness, sql, async (again) =>
      outcomeOf(
        admitted
          ? await again.notary.authorize(
              'worker',
              run.call('keep', append('one'), { sources: [named] }),
            )
          : await again.notary.admit('worker', { requestId: 'r-2', plan: run.plan }),
      ),
    )
  })

const toAnna = "UPDATE request SET user = 'user:anna' WHERE id = 'r-1'"
const other = `UPDATE effect SET result_hash = '${'A'.repeat(43)}' WHERE request = 'r-1' AND step = 'gather'`

export const handleCases: readonly NotaryCase[] = [
  inHousehold(
    'what the same person found before',
    async (harness) => {
      const source = await found(harness)
      const run = await harness.run(following(), { requestId: 'r-2' })
      const named = { ...source, step: 'r-1/gather/0' }
      return outcomeOf(await run.authorize('keep', append('one'), { sources: [named] }))
    },
    'AUTHORISED',
  ),
  inHousehold("another's result, by somebody who may see it", async (harness) => {
    await found(harness)
    return register(harness, 'cli-anna')
  }),
  inHousehold('the same by a worker that asks for it', async (harness) => {
    await found(harness)
    await harness.run(finding, { requestId: 'r-2', account: 'cli-anna' })
    const call = { requestId: 'r-2', handles: ['r-1/gather/0'] }
    const reply = await harness.notary.admit('worker', call)
    return reply.status === 'HANDLES' && Object.keys(reply.handles).length === 0
      ? 'UNKNOWN_HANDLE'
      : reply.status
  }),
  inHousehold('a result that nobody has', async (harness) => {
    await found(harness)
    return register(harness, 'cli', 'r-3/gather/0')
  }),
  inHousehold('a step that is not in the plan', async (harness) => {
    await found(harness)
    return register(harness, 'cli', 'r-1/other/0')
  }),
  inHousehold('a step that is still to settle', async (harness) => {
    await (await harness.run(finding)).token('gather', list)
    return register(harness, 'cli')
  }),
  inHousehold('a step that was skipped', async (harness) => {
    const source = await found(harness)
    await harness.notary.settle('worker', {
      ...{ type: 'skip', requestId: 'r-1', kind: 'do', step: 'none', iteration: 0 },
      planDigest: harness.store.state.request('r-1')?.digest,
      sources: [source],
    })
    return register(harness, 'cli', 'r-1/none/0')
  }),
  later('a result that is no more theirs when the plan is admitted', false, toAnna),
  later('another result by then', false, other),
  later('a result that is no more theirs when the step is due', true, toAnna),
  later('another result by the time that the step is due', true, other),
]
