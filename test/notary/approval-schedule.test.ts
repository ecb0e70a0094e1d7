// A schedule is approved as a whole, when it is added: what its firings do then, nobody is asked about
// again. Until then none begins, and none is used up.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Card } from '../../plan/card.ts'
import { compileSource } from '../../plan/compile.ts'
import { firingId } from '../../plan/firing.ts'
import { toScheduleSpec } from '../../plan/schedule-words.ts'
import { sha256 } from '../../security/verify/hash.ts'
import { decide } from '../support/policy.ts'
import { askingHarness, onlyQuestion, openQuestions, say, show } from './approvals.ts'
import { catalogue } from './catalogue.ts'
import { execute, type Harness } from './harness.ts'
import { eraseForReason, gatherStep, items, list } from './plans.ts'

const hour = 3_600_000

/** What is erased is written, why an agent says; the second is erased only if there is anything. */
const tidying = `
version: 1
goal: erase daily
steps:
${gatherStep}${eraseForReason('erase')}  - id: note
    agent: desk
    action: append
    when: { cel: 'size(items) > 0', with: { items: { $from: 'gather#/items' } } }
    args: { note: daily, text: erased, dryRun: false }
answer: { from: [gather] }
`
const reading = `
version: 1
goal: read
steps: [{ id: gather, agent: desk, action: list, args: { day: today } }]
answer: { from: [gather] }
`

let harness: Harness
beforeEach(async () => {
  harness = await askingHarness()
})
afterEach(() => harness.close())

const adding = (source: string) => ({
  ...{ op: 'add', id: 'tidy', kind: 'plan', name: 'tidy', source, inputs: {}, note: '' },
  priority: 'MEDIUM',
  spec: toScheduleSpec({ every: '1h', zone: 'UTC' }),
  policy: { overlap: 'skip', catchUpSeconds: 5 * 3_600, jitterSeconds: 0 },
})

async function add(source = tidying) {
  const added = await harness.notary.schedule('cli', adding(source))
  if (added.status !== 'REGISTERED') throw new Error(JSON.stringify(added))
  return added.schedule.approval
}

/** The firing that is due next, once it is. */
async function fire(at = Math.ceil((harness.clock.time + 1) / hour) * hour) {
  harness.clock.time = Math.max(at, harness.clock.time)
  const compiled = compileSource({ kind: 'plan', source: tidying, inputs: {}, catalogue, decide })
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.issues))
  const { plan, digest } = compiled
  const requestId = firingId({ schedule: 'tidy', at })
  const reply = await harness.notary.admit('worker', { requestId, plan })
  return { reply, requestId, digest, at }
}

/** Reads, and asks for the token to erase. */
async function eraseIn(
  { requestId, digest }: { requestId: string; digest: string },
  reason: string,
) {
  const call = { requestId, planDigest: digest, kind: 'do', op: 'run', iteration: 0, sources: [] }
  const gathered = await harness.notary.authorize('worker', { ...call, step: 'gather', args: list })
  if (gathered.status !== 'AUTHORISED') throw new Error(JSON.stringify(gathered))
  const happened = { status: 'DONE', value: items([reason]) } as const
  const documents = await execute(gathered, happened, harness.keys.receipt)
  const { receipt, envelope, resultHash: hash, content } = documents
  const address = { requestId, planDigest: digest, kind: 'do', step: 'gather', iteration: 0 }
  const settled = { type: 'receipt', ...address, receipt, envelope, invalidResult: false }
  await harness.notary.settle('worker', settled)
  return harness.notary.authorize('worker', {
    ...call,
    step: 'erase',
    args: { note: 'daily', reason, dryRun: false },
    sources: [{ step: 'gather', iteration: 0, hash, content }],
  })
}

describe('a schedule', () => {
  it('is asked about when it is added, with what every firing does', async () => {
    const approval = await add()
    expect(approval).toEqual({ id: await onlyQuestion(harness), state: 'open' })
    const { card: text, approval: shown } = await show(harness, approval?.id ?? '')
    const card: Card = JSON.parse(text)
    expect(card.subject).toEqual({ is: 'schedule', schedule: 'tidy' })
    expect(card.plan.recipe).toBe(sha256(tidying))
    expect(card.asks).toMatchObject([
      {
        step: 'erase',
        rules: ['ask.irreversible'],
        args: { note: 'daily', reason: { $from: 'gather#/first' }, dryRun: false },
      },
      { step: 'note', rules: ['FLOW_R3'] },
    ])
    expect(shown).toMatchObject({
      schedule: 'tidy',
      title: 'tidy at certain times: desk.erase, desk.append',
    })
  })

  it('is not asked about where nothing in it needs a decision', async () => {
    expect(await add(reading)).toBe(null)
    expect(await openQuestions(harness)).toEqual([])
  })

  it('is refused where nobody could read what it does', async () => {
    const step = (at: number) =>
      `  - { id: erase-${at}, agent: desk, action: erase, args: { note: ${'n'.repeat(60_000)}${at}, dryRun: false } }\n`
    const steps = Array.from({ length: 10 }, (_, at) => step(at)).join('')
    const source = `version: 1\ngoal: erase\nsteps:\n${steps}answer: { from: [erase-0] }\n`
    const reply = await harness.notary.schedule('cli', adding(source))
    expect(reply).toMatchObject({ status: 'REFUSED', code: 'LIMIT' })
    const known = await harness.notary.schedule('cli', { op: 'list' })
    expect(known).toEqual({ status: 'SCHEDULES', schedules: [] })
  })

  it('begins nothing before it is approved, and then what can still be caught up', async () => {
    await add()
    const early = await fire()
    expect(early.reply).toMatchObject({ status: 'REFUSED', code: 'APPROVAL_OPEN' })
    expect(harness.store.state.request(early.requestId)).toBe(undefined)
    harness.clock.time += hour / 2
    await say(harness, await onlyQuestion(harness))
    expect((await fire(early.at)).reply).toMatchObject({ status: 'ADMITTED' })
  })

  it('covers each firing, with any content, and names the statement in its tokens', async () => {
    const approval = await add()
    await say(harness, approval?.id ?? '')
    const { decision } = await show(harness, approval?.id ?? '')
    for (const reason of ['old', 'older']) {
      const fired = await fire()
      expect(fired.reply).toMatchObject({ status: 'ADMITTED' })
      const reply = await eraseIn(fired, reason)
      if (reply.status !== 'AUTHORISED') throw new Error(JSON.stringify(reply))
      const claims = Buffer.from(reply.token.split('.')[1] ?? '', 'base64url').toString()
      expect(JSON.parse(claims)).toMatchObject({ appr: sha256(decision?.statement ?? '') })
    }
    expect(await openQuestions(harness)).toEqual([])
  })

  it('that is denied fires nothing, also after a restart', async () => {
    const approval = await add()
    await say(harness, approval?.id ?? '', { decision: 'deny' })
    harness = await harness.restart()
    expect((await fire()).reply).toMatchObject({ code: 'APPROVAL_DENIED' })
  })

  it('that nobody answered for seven days fires nothing, until it is added again', async () => {
    await add()
    harness.clock.time += 7 * 24 * hour
    expect((await fire()).reply).toMatchObject({ code: 'APPROVAL_EXPIRED' })
    await harness.notary.schedule('cli', { op: 'remove', id: 'tidy' })
    const again = await add()
    expect(again?.state).toBe('open')
    await say(harness, again?.id ?? '')
    expect((await fire()).reply).toMatchObject({ status: 'ADMITTED' })
  })

  it('that is removed while a firing runs covers it no more', async () => {
    const approval = await add()
    await say(harness, approval?.id ?? '')
    const fired = await fire()
    await harness.notary.schedule('cli', { op: 'remove', id: 'tidy' })
    expect(await eraseIn(fired, 'old')).toMatchObject({ status: 'APPROVAL' })
  })

  it('with another content is another question', async () => {
    const approval = await add()
    await say(harness, approval?.id ?? '')
    await harness.notary.schedule('cli', { op: 'remove', id: 'tidy' })
    const other = tidying.replace('note: daily, reason', 'note: weekly, reason')
    const next = await add(other)
    expect(next).toMatchObject({ state: 'open' })
    const { card } = await show(harness, next?.id ?? '')
    expect(JSON.parse(card).changes).toEqual(['step erase has other arguments'])
  })

  it('that was added before anything was asked about is asked about at its first firing', async () => {
    await harness.close()
    harness = await askingHarness()
    await add()
    // As an earlier release would have left it.
    await harness.tamper('DELETE FROM approval')
    harness = await harness.restart()
    expect((await fire()).reply).toMatchObject({ code: 'APPROVAL_OPEN' })
    await say(harness, await onlyQuestion(harness))
    expect((await fire()).reply).toMatchObject({ status: 'ADMITTED' })
  })
})
