// "Always", and being asked seldom: grants that are narrow, counted and taken back, many questions that
// are decided as one, and how often somebody was asked.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { verifyKeptApproval } from '../../security/approval/verify.ts'
import { canonicalJson } from '../../security/verify/canonical-json.ts'
import { sha256 } from '../../security/verify/hash.ts'
import { erase } from '../support/notary-approval-set-up.ts'
import {
  askingHarness,
  keys,
  onlyQuestion,
  openQuestions,
  say,
  show,
  statementOn,
} from './approvals.ts'
import type { Harness, Run } from './harness.ts'
import { erasing } from './plans.ts'

const day = 24 * 3_600_000

let harness: Harness
beforeEach(async () => {
  harness = await askingHarness()
})
afterEach(() => harness.close())

let requests = 0
async function ask(source = erasing): Promise<{ run: Run; status: string }> {
  requests += 1
  const run = await harness.run(source, { requestId: `r-${requests}`, admitted: false })
  return { run, status: await admit(run) }
}
const admit = async ({ requestId, plan }: Run) =>
  (await harness.notary.admit('worker', { requestId, plan })).status

const daily = (count: number) => {
  const exp = Math.floor((harness.clock.time + 30 * day) / 1_000)
  return { per: 'day', count, exp } as const
}

async function grants() {
  const reply = await harness.notary.approve('cli', { op: 'grants' })
  if (reply.status !== 'GRANTS') throw new Error(JSON.stringify(reply))
  return reply.grants
}

describe('a grant', () => {
  beforeEach(async () => {
    const { run } = await ask()
    await say(harness, await onlyQuestion(harness), { grant: daily(2) })
    await admit(run)
    await run.token('erase', erase)
  })

  it('lets the very same thing happen without a question, so often in a period', async () => {
    for (const _ of [1, 2]) {
      const { run, status } = await ask()
      expect(status).toBe('ADMITTED')
      await run.token('erase', erase)
    }
    expect((await ask()).status).toBe('APPROVAL')
    harness.clock.time += day
    expect((await ask()).status).toBe('ADMITTED')
  })

  it('is told of, with how often it was used', async () => {
    const { run } = await ask()
    await run.token('erase', erase)
    const [grant] = await grants()
    expect(grant).toMatchObject({
      ...{ user: 'user:owner', name: 'test', step: 'erase', action: 'desk.erase' },
      ...{ per: 'day', count: 2, used: 1, usedEver: 1, lastUsedAt: harness.clock.time },
    })
  })

  it('is counted once for an effect, whatever attempts it takes', async () => {
    const twice = erasing.replace('dryRun: false } }', 'dryRun: false }, attempts: 3 }')
    const { run } = await ask(twice)
    await say(harness, await onlyQuestion(harness), { grant: daily(5) })
    await admit(run)
    const again = await ask(twice)
    for (const _ of [1, 2, 3]) await again.run.token('erase', erase)
    expect((await grants()).map(({ usedEver }) => usedEver).toSorted()).toEqual([0, 1])
  })

  it('that is used up between admission and the effect asks about the step', async () => {
    const runs = [await ask(), await ask(), await ask()]
    expect(runs.map(({ status }) => status)).toEqual(['ADMITTED', 'ADMITTED', 'ADMITTED'])
    const replies = []
    for (const { run } of runs) replies.push((await run.authorize('erase', erase)).status)
    expect(replies).toEqual(['AUTHORISED', 'AUTHORISED', 'APPROVAL'])
  })

  it('ends when it is taken back, and is not told of any more', async () => {
    const [grant] = await grants()
    const reply = await harness.notary.approve('cli', { op: 'revoke', grant: grant?.id })
    expect(reply).toMatchObject({ status: 'REVOKED' })
    expect((await ask()).status).toBe('APPROVAL')
    expect(await grants()).toEqual([])
  })

  it('leaves a row for each of its uses, and for its end', async () => {
    const { run } = await ask()
    await run.token('erase', erase)
    const [grant] = await grants()
    await harness.notary.approve('cli', { op: 'revoke', grant: grant?.id })
    const events = harness
      .rows()
      .filter(({ kind }) => kind === 'approval')
      .map(({ body }) => JSON.parse(body))
      .filter((body) => body.grant === grant?.id)
    expect(events.map(({ event }) => event)).toEqual(['granted', 'grant-used', 'revoked'])
  })
})

describe('more questions than an hour holds', () => {
  beforeEach(async () => {
    for (let count = 0; count < 15; count += 1) await ask()
  })

  it('are decided together, by one signature over all that are still open', async () => {
    const open = await openQuestions(harness)
    const batched = open.filter(({ batch }) => batch !== null)
    expect([open.length, batched.length]).toEqual([15, 3])
    const id = batched[0]?.batch ?? ''
    expect(batched.every(({ batch }) => batch === id)).toBe(true)
    const { card, approval } = await show(harness, id)
    expect(card).toBe(canonicalJson(batched.map(({ digest }) => digest)))
    expect(approval).toMatchObject({ id, digest: sha256(card), title: '3 questions at once' })
    const statement = await statementOn(harness, id)
    const decide = () => harness.notary.approve('cli', { op: 'decide', id, statement })
    expect(await decide()).toMatchObject({ status: 'DECIDED' })
    expect(await decide()).toMatchObject({ status: 'DECIDED' })
    expect(await openQuestions(harness)).toHaveLength(12)
    const kept = await show(harness, batched[1]?.id ?? '')
    if (kept.decision === null) throw new Error('no decision')
    const key = { kty: 'OKP', crv: 'Ed25519', x: kept.decision.key } as const
    const { statement: said } = await verifyKeptApproval({ card: kept.card, ...kept.decision, key })
    expect(said.apr).toBe(id)
  })

  it('are not decided by a signature over fewer than there are by now', async () => {
    const id = (await openQuestions(harness)).findLast(({ batch }) => batch !== null)?.batch ?? ''
    const statement = await statementOn(harness, id)
    await ask()
    const reply = await harness.notary.approve('cli', { op: 'decide', id, statement })
    expect(reply).toMatchObject({ code: 'APPROVAL_ALTERED' })
  })

  it('cannot be granted together', async () => {
    const id = (await openQuestions(harness)).findLast(({ batch }) => batch !== null)?.batch ?? ''
    expect(await say(harness, id, { grant: daily(1) })).toMatchObject({ code: 'MALFORMED' })
  })

  it('are asked one by one again when the hour is over', async () => {
    harness.clock.time += 3_600_001
    await ask()
    expect((await openQuestions(harness)).at(-1)?.batch).toBe(null)
  })
})

describe('how often somebody is asked', () => {
  it('is told by weeks, with the grants that spared nobody a question', async () => {
    await ask()
    await say(harness, await onlyQuestion(harness), { grant: daily(1) })
    await ask(erasing.replace('daily', 'weekly'))
    await say(harness, await onlyQuestion(harness), { decision: 'deny' })
    harness.clock.time += 7 * day
    await ask(erasing.replace('daily', 'monthly'))
    const reply = await harness.notary.approve('cli', { op: 'count', weeks: 3 })
    expect(reply).toMatchObject({
      status: 'COUNT',
      weeks: [
        { asked: 0, approved: 0, denied: 0 },
        { asked: 2, approved: 1, denied: 1 },
        { asked: 1, approved: 0, denied: 0 },
      ],
      unused: [{ step: 'erase', usedEver: 0 }],
    })
  })
})

describe('who sees a question', () => {
  it('is whom it is put to, and who may decide for them', async () => {
    const { run } = await ask()
    const id = await onlyQuestion(harness)
    expect(await openQuestions(harness, 'cli-bob')).toHaveLength(1)
    expect(await openQuestions(harness, 'cli-cat')).toEqual([])
    const saying = { key: keys.bob, account: 'cli-bob', change: { iss: 'user:bob' } }
    expect(await say(harness, id, saying)).toMatchObject({ approval: { state: 'approved' } })
    expect(await admit(run)).toBe('ADMITTED')
  })
})
