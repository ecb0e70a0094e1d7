// A person's approval in the hands of a worker, an agent or another person: used again, altered, moved to
// another plan, given by somebody else, unsigned, late or taken back. Each is refused by its code, and
// none leads to a token. What a worker can bring here is all that it could bring over the bus.

import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { digestOf } from '../../security/verify/hash.ts'
import {
  askingHarness,
  keys,
  onlyQuestion,
  say,
  show,
  statementOn,
  strangersKey,
} from '../notary/approvals.ts'
import { execute, type Harness, type Run } from '../notary/harness.ts'
import { erasing } from '../notary/plans.ts'
import { printTable } from '../support/case-table.ts'
import { admit as admitRun, erase, erasingPlan } from '../support/notary-approval-set-up.ts'

const other = erasing.replace('daily', 'weekly')

let harness: Harness
beforeEach(async () => {
  harness = await askingHarness()
})
afterEach(() => harness.close())

const rows: (readonly string[])[] = []
afterAll(() => printTable('approvals', ['attempt', 'comes to'], rows))

const ask = (requestId?: string, source?: string) => erasingPlan(harness, requestId, source)
const admit = (run: Run) => admitRun(harness, run)

const decide = async (id: string, statement: string) =>
  told(await harness.notary.approve('cli', { op: 'decide', id, statement }))

function told(reply: { readonly status: string; readonly code?: string | undefined }): string {
  return reply.code ?? reply.status
}

/** Nothing happened: the plan is not admitted, and there is no token. */
async function expectNothing(run: Run): Promise<void> {
  expect((await admit(run)).status).not.toBe('ADMITTED')
  expect((await run.authorize('erase', erase)).status).toBe('DENIED')
  expect(harness.rows().some(({ kind }) => kind === 'mint')).toBe(false)
}

describe('an approval', () => {
  it('used again: for another request, for a rerun, and decided twice', async () => {
    const first = await ask('r-1', erasing.replace('false } }', 'false }, onError: hold }'))
    const statement = await statementOn(harness, first.id)
    expect(await decide(first.id, statement)).toBe('DECIDED')
    await admit(first.run)
    const token = await first.run.token('erase', erase)
    const failed = { status: 'FAILED', code: 'CONFLICT', retry: 'final' } as const
    await first.run.settle('erase', await execute(token, failed, harness.keys.receipt))
    await harness.notary.recover('cli', { decision: 'retry', requestId: 'r-1', step: 'erase' })
    expect(told(await first.run.authorize('erase', erase))).toBe('APPROVAL')
    const second = await ask('r-2')
    expect(second.id).not.toBe('')
    const results = [
      ['for another request', await decide(second.id, statement), 'APPROVAL_MOVED'],
      [
        'decided twice',
        told(await say(harness, first.id, { change: { iat: 1 } })),
        'APPROVAL_USED',
      ],
    ] as const
    for (const [what, got, wanted] of results) {
      expect(got).toBe(wanted)
      rows.push([what, got])
    }
  })

  it('moved to another plan, or its digest put into another', async () => {
    const [first, second] = [await ask(), await ask('r-2', other)]
    const moved = await decide(second.id, await statementOn(harness, first.id))
    const { digest } = (await show(harness, second.id)).approval
    const altered = await statementOn(harness, first.id, { change: { card_s256: digest } })
    const results = [moved, await decide(second.id, altered), await decide(first.id, altered)]
    expect(results).toEqual(['APPROVAL_MOVED', 'APPROVAL_MOVED', 'APPROVAL_ALTERED'])
    rows.push(['moved to another plan', moved], ['over another card', results[2] ?? ''])
    await expectNothing(first.run)
    await expectNothing(second.run)
  })

  it('altered after it was signed, signed with no key, and not signed at all', async () => {
    const { run, id } = await ask()
    const [head = '', payload = '', signature = ''] = (
      await statementOn(harness, id, { decision: 'deny' })
    ).split('.')
    const said = JSON.parse(Buffer.from(payload, 'base64url').toString())
    const approve = Buffer.from(JSON.stringify({ ...said, decision: 'approve' })).toString(
      'base64url',
    )
    const header = JSON.parse(Buffer.from(head, 'base64url').toString())
    const none = Buffer.from(JSON.stringify({ ...header, alg: 'none' })).toString('base64url')
    const forged = [
      `${head}.${approve}.${signature}`,
      `${none}.${approve}.AA`,
      `${none}.${approve}.`,
      'approve',
    ]
    for (const statement of forged) {
      expect(await decide(id, statement)).toBe('APPROVAL_UNSIGNED')
    }
    rows.push(['altered, or without a signature', 'APPROVAL_UNSIGNED'])
    await expectNothing(run)
  })

  it('given by another user, in their own name or in the owner’s, or by nobody who is known', async () => {
    const { run, id } = await ask()
    const attempts = [
      { key: keys.cat, change: { iss: 'user:cat' } },
      { key: keys.cat },
      { key: keys.bob },
      { key: strangersKey },
      { key: strangersKey, change: { iss: 'user:stranger' } },
    ]
    for (const attempt of attempts) {
      expect(told(await say(harness, id, attempt))).toBe('NOT_APPROVER')
    }
    rows.push(['given by another user', 'NOT_APPROVER'])
    await expectNothing(run)
  })

  it('asked for over the worker’s, an agent’s or the ingress’s account decides nothing', async () => {
    const { run, id } = await ask()
    const statement = await statementOn(harness, id)
    for (const account of ['worker', 'supervisor', 'gateway', 'ingress', 'agent_desk_0']) {
      const reply = await harness.notary.approve(account, { op: 'decide', id, statement })
      expect(told(reply)).toBe('NOT_PERMITTED')
    }
    rows.push(['brought by the worker', 'NOT_PERMITTED'])
    await expectNothing(run)
  })

  it('given too late', async () => {
    const { run, id } = await ask()
    const statement = await statementOn(harness, id)
    harness.clock.time += 7 * 24 * 3_600_000
    const late = await decide(id, statement)
    expect(late).toBe('APPROVAL_EXPIRED')
    rows.push(['given too late', late])
    await expectNothing(run)
  })

  it('of one plan does not admit another under its name', async () => {
    const { id } = await ask()
    await say(harness, id)
    const { plan } = await harness.run(other, { requestId: 'r-2', admitted: false })
    const swapped = told(await harness.notary.admit('worker', { requestId: 'r-1', plan }))
    expect(swapped).toBe('PLAN_MISMATCH')
    rows.push(['for a changed plan', swapped])
  })

  it('T20 taken back before the token is minted: no token', async () => {
    const exp = Math.floor((harness.clock.time + 24 * 3_600_000) / 1_000)
    const first = await ask()
    await say(harness, first.id, { grant: { per: 'day', count: 5, exp } })
    const { run } = await ask('r-2')
    // Admitted under the grant, which is then taken back.
    expect(told(await admit(run))).toBe('ADMITTED')
    const known = await harness.notary.approve('cli', { op: 'grants' })
    const grant = known.status === 'GRANTS' ? known.grants[0]?.id : undefined
    await harness.notary.approve('cli', { op: 'revoke', grant })
    const after = await run.authorize('erase', erase)
    expect(told(after)).toBe('APPROVAL')
    expect(harness.rows().some(({ kind }) => kind === 'mint')).toBe(false)
    rows.push(['a grant taken back', told(after)])
  })

  it('shows nothing that it does not digest, and digests nothing that it does not show', async () => {
    await ask()
    const { card, approval } = await show(harness, await onlyQuestion(harness))
    expect(digestOf(JSON.parse(card))).toBe(approval.digest)
  })
})
