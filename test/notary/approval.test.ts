// What a person is asked before an effect that a rule asks about, and that no token exists without their
// answer: for a plan, for a step with its actual arguments, and for what follows it.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Source } from '../../notary/contract.ts'
import type { Card } from '../../plan/card.ts'
import type { Decide } from '../../plan/policy.ts'
import { verifyKeptApproval } from '../../security/approval/verify.ts'
import { sha256 } from '../../security/verify/hash.ts'
import { decide } from '../support/policy.ts'
import { askingHarness, onlyQuestion, openQuestions, say, show } from './approvals.ts'
import { execute, type Harness, type Run } from './harness.ts'
import { append, eraseForReason, erasing, gatherStep, items, list } from './plans.ts'

const erase = { note: 'daily', dryRun: false }

/** Why it is erased, an agent says; that it is, and what, the user. */
const reasoned = `
version: 1
goal: erase what was found
steps:
${gatherStep}${eraseForReason('erase', '    onError: hold\n    attempts: 2\n')}  - { id: more, agent: desk, action: erase, args: { note: weekly, dryRun: false }, needs: [erase] }
answer: { from: [gather] }
`

const writing = `
version: 1
goal: write, then fail
steps:
  - { id: write, agent: desk, action: append, args: { note: daily, text: a, dryRun: false } }
  - id: fail
    agent: desk
    action: book
    args: { room: blue, dryRun: false }
    needs: [write]
answer: { from: [write] }
`

let harness: Harness
beforeEach(async () => {
  harness = await askingHarness()
})
afterEach(() => harness.close())

const admit = ({ requestId, plan }: Pick<Run, 'requestId' | 'plan'>) =>
  harness.notary.admit('worker', { requestId, plan })

const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())

describe('a plan whose steps the plan tells whole', () => {
  it('is asked about once, before it begins, and then runs', async () => {
    const run = await harness.run(erasing, { admitted: false })
    const first = await admit(run)
    expect(first).toEqual({
      status: 'APPROVAL',
      id: expect.any(String),
      expiresAt: expect.any(Number),
    })
    expect(await admit(run)).toEqual(first)
    const id = await onlyQuestion(harness)
    expect(await say(harness, id)).toMatchObject({
      status: 'DECIDED',
      approval: { state: 'approved' },
    })
    expect(await admit(run)).toMatchObject({ status: 'ADMITTED' })
    const token = await run.token('erase', erase)
    const { decision } = await show(harness, id)
    expect(claimsOf(token.token)).toMatchObject({ appr: sha256(decision?.statement ?? '') })
    expect(await openQuestions(harness)).toEqual([])
    expect((await show(harness, id)).approval.state).toBe('used')
  })

  it('shows what will happen: the whole plan, the arguments, who sees it, and where they come from', async () => {
    const run = await harness.run(erasing, { admitted: false })
    await admit(run)
    const { card: text, approval } = await show(harness, await onlyQuestion(harness))
    expect(sha256(text)).toBe(approval.digest)
    const card: Card = JSON.parse(text)
    expect(card).toMatchObject({
      deployment: 'notary:testtest',
      user: 'user:owner',
      subject: { is: 'plan', request: 'r-1' },
      plan: {
        digest: run.digest,
        recipe: sha256(erasing),
        goal: 'erase',
        steps: [{ id: 'erase', action: 'desk.erase', effect: 'irreversible', reversible: false }],
      },
      asks: [
        {
          step: 'erase',
          rules: ['ask.irreversible'],
          args: erase,
          audience: ['user:owner'],
          decides: [
            { pointer: '/dryRun', from: 'written' },
            { pointer: '/note', from: 'written' },
          ],
        },
      ],
      changes: null,
    })
    expect(approval.title).toBe('test: desk.erase')
  })

  it('says what differs from what was approved last', async () => {
    const first = await harness.run(erasing, { admitted: false })
    await admit(first)
    await say(harness, await onlyQuestion(harness))
    const changed = erasing.replace('note: daily', 'note: weekly')
    const second = await harness.run(changed, { requestId: 'r-2', admitted: false })
    await admit(second)
    const { card } = await show(harness, await onlyQuestion(harness))
    expect(JSON.parse(card).changes).toEqual(['step erase has other arguments'])
  })

  it('is denied by a person, for good', async () => {
    const run = await harness.run(erasing, { admitted: false })
    await admit(run)
    await say(harness, await onlyQuestion(harness), { decision: 'deny' })
    expect(await admit(run)).toMatchObject({ code: 'APPROVAL_DENIED' })
    expect(await run.authorize('erase', erase)).toMatchObject({ code: 'NOT_ADMITTED' })
  })

  it('is denied by nobody answering within seven days', async () => {
    const run = await harness.run(erasing, { admitted: false })
    await admit(run)
    const id = await onlyQuestion(harness)
    harness.clock.time += 7 * 24 * 3_600_000
    expect(await say(harness, id)).toMatchObject({ code: 'APPROVAL_EXPIRED' })
    expect(await admit(run)).toMatchObject({ code: 'APPROVAL_EXPIRED' })
    expect(await openQuestions(harness)).toEqual([])
  })

  it('is asked about again for another request, and waits through a restart', async () => {
    const run = await harness.run(erasing, { admitted: false })
    await admit(run)
    await say(harness, await onlyQuestion(harness))
    await admit(run)
    const again = await harness.run(erasing, { requestId: 'r-2', admitted: false })
    const open = await admit(again)
    harness = await harness.restart()
    expect(await admit(again)).toEqual(open)
    await say(harness, await onlyQuestion(harness))
    expect(await admit(again)).toMatchObject({ status: 'ADMITTED' })
  })

  it('that was cancelled meanwhile is not approved any more', async () => {
    const run = await harness.run(erasing, { admitted: false })
    await admit(run)
    const id = await onlyQuestion(harness)
    await harness.notary.cancel('cli', { requestId: 'r-1' })
    expect(await openQuestions(harness)).toEqual([])
    expect(await say(harness, id)).toMatchObject({ code: 'APPROVAL_EXPIRED' })
  })
})

describe('a kept approval', () => {
  it('is checked without the notary, and leaves rows without a value', async () => {
    const run = await harness.run(erasing, { admitted: false })
    await admit(run)
    const id = await onlyQuestion(harness)
    await say(harness, id)
    const { card, decision } = await show(harness, id)
    if (decision === null) throw new Error('no decision')
    const key = { kty: 'OKP', crv: 'Ed25519', x: decision.key } as const
    const kept = await verifyKeptApproval({ card, statement: decision.statement, key })
    expect(kept.statement).toMatchObject({ iss: 'user:owner', decision: 'approve', apr: id })
    const rows = harness.rows().filter(({ kind }) => kind === 'approval')
    expect(rows.map(({ body }) => JSON.parse(body).event)).toEqual(['asked', 'approved'])
    expect(rows.every(({ correlation }) => correlation === 'r-1')).toBe(true)
    expect(JSON.parse(rows[1]?.body ?? '')).toMatchObject({
      ...{ user: 'user:owner', by: 'user:owner', card: sha256(card) },
      ...{ signed: sha256(decision.statement), kid: kept.kid },
    })
    expect(JSON.stringify(rows)).not.toContain('daily')
  })
})

describe('a step whose arguments only a result tells', () => {
  const args = (reason: string) => ({ note: 'daily', reason, dryRun: false })
  let run: Run
  let source: Source

  beforeEach(async () => {
    run = await harness.run(reasoned, { admitted: false })
    // What the plan tells whole is asked about before.
    await admit(run)
    await say(harness, await onlyQuestion(harness))
    await admit(run)
    source = await run.perform('gather', list, items(['old', 'older']))
  })

  const authorize = (change: object = {}) =>
    run.authorize('erase', args('old'), { sources: [source], ...change })

  it('is asked about when they are known, with them', async () => {
    const open = await authorize()
    expect(open).toMatchObject({ status: 'APPROVAL' })
    expect(await authorize()).toEqual(open)
    const card: Card = JSON.parse((await show(harness, await onlyQuestion(harness))).card)
    expect(card.subject).toEqual({
      ...{ is: 'step', request: 'r-1', step: 'erase', iteration: 0, rerun: 0 },
    })
    expect(card.asks).toMatchObject([{ step: 'erase', args: args('old') }])
    await say(harness, await onlyQuestion(harness))
    expect(await authorize()).toMatchObject({ status: 'AUTHORISED' })
  })

  it('is covered for every attempt of the one effect, and its followers name the statement too', async () => {
    await authorize()
    const id = await onlyQuestion(harness)
    await say(harness, id)
    const signed = sha256((await show(harness, id)).decision?.statement ?? '')
    const first = await run.token('erase', args('old'), { sources: [source] })
    const second = await run.token('erase', args('old'), { sources: [source] })
    const attached = await run.token('erase', {}, { op: 'attach' })
    for (const { token } of [first, second, attached]) {
      expect(claimsOf(token)).toMatchObject({ appr: signed })
    }
    const rows = harness.rows().filter(({ kind }) => kind === 'approval' || kind === 'intent')
    expect(rows.map(({ body }) => JSON.parse(body).event ?? 'intent')).toEqual([
      ...['asked', 'approved', 'used', 'intent', 'asked', 'approved', 'intent', 'used'],
    ])
    expect(JSON.parse(rows.at(-2)?.body ?? '')).toMatchObject({ approval: id, by: signed })
    expect(JSON.stringify(rows)).not.toContain('older')
  })

  it('is settled as denied when a person denies it', async () => {
    await authorize()
    await say(harness, await onlyQuestion(harness), { decision: 'deny' })
    expect(await authorize()).toMatchObject({ status: 'DENIED', code: 'APPROVAL_DENIED' })
    expect(await authorize()).toMatchObject({ status: 'SETTLED', outcome: 'denied' })
  })

  it('is settled as denied when nobody answers', async () => {
    await authorize()
    harness.clock.time += 7 * 24 * 3_600_000
    expect(await authorize()).toMatchObject({ status: 'DENIED', code: 'APPROVAL_EXPIRED' })
    expect(await authorize()).toMatchObject({ status: 'SETTLED', code: 'APPROVAL_EXPIRED' })
  })

  it('is asked about again when a person has it run again', async () => {
    await authorize()
    await say(harness, await onlyQuestion(harness))
    const token = await run.token('erase', args('old'), { sources: [source] })
    const failed = { status: 'FAILED', code: 'CONFLICT', retry: 'final' } as const
    await run.settle('erase', await execute(token, failed, harness.keys.receipt))
    const decision = { decision: 'retry', requestId: 'r-1', step: 'erase' }
    expect(await harness.notary.recover('cli', decision)).toMatchObject({ status: 'DECIDED' })
    expect(await authorize()).toMatchObject({ status: 'APPROVAL' })
    const card: Card = JSON.parse((await show(harness, await onlyQuestion(harness))).card)
    expect(card.subject).toMatchObject({ is: 'step', rerun: 1 })
  })

  it('is asked about by itself when the rule came after the plan was approved', async () => {
    await authorize()
    await say(harness, await onlyQuestion(harness))
    await run.perform('erase', args('old'), { gone: true }, [source])
    await harness.tamper(`UPDATE approval SET state = 'denied' WHERE kind = 'plan'`)
    harness = await harness.restart()
    const again = await harness.notary.authorize(
      'worker',
      run.call('more', { note: 'weekly', dryRun: false }),
    )
    expect(again).toMatchObject({ status: 'APPROVAL' })
  })
})

describe('what follows an effect', () => {
  /** Writes that are asked about, and so are the undos of them. */
  const undoToo: Decide = (question) =>
    question.action === 'append' || question.action === 'retract'
      ? { verdict: 'ask', rules: ['ask.of-a-test'] }
      : decide(question)

  const undone = async (rules: Decide) => {
    await harness.close()
    let inForce: Decide = rules
    harness = await askingHarness({ decide: (question) => inForce(question) })
    const run = await harness.run(writing, { admitted: false })
    await admit(run)
    for (const { id } of await openQuestions(harness)) await say(harness, id)
    await admit(run)
    const happened = { status: 'FAILED', code: 'CONFLICT', retry: 'final' } as const
    await run.perform('write', append('a'), { entry: 'e-1' })
    await run.break('fail', { room: 'blue', dryRun: false }, happened)
    inForce = undoToo
    const { idem } = harness.store.state.effect(addressOf('write')) ?? {}
    return run.authorize('write', { note: 'daily', entry: idem, dryRun: false }, { kind: 'undo' })
  }
  const addressOf = (step: string) =>
    ({ request: 'r-1', kind: 'do', step, iteration: 0, rerun: 0 }) as const

  it('is covered by the approval of what it takes back, though a rule asks', async () => {
    expect(await undone(undoToo)).toMatchObject({ status: 'AUTHORISED' })
  })

  it('is refused where a rule asks about it and nobody approved what it takes back', async () => {
    expect(await undone(decide)).toMatchObject({ status: 'DENIED', code: 'POLICY' })
  })
})
