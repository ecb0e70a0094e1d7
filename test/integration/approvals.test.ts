// What a person is asked before it is done, on a whole deployment: the wait outlives every process, the
// command's signature lets exactly this happen, once, and nothing else does.

import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openApprovals } from '../../cli/inline-questions.ts'
import type { ApprovalSummary } from '../../notary/approval-contract.ts'
import { signStatement } from '../../security/approval/sign.ts'
import { sha256 } from '../../security/verify/hash.ts'
import type { RunState } from '../../workflows/contract.ts'
import { runCli } from '../support/cli.ts'
import { type LongDeployment, startLongDeployment } from '../support/long-deployment.ts'
import { whenRun } from '../support/run-states.ts'

let house: LongDeployment
beforeAll(async () => {
  house = await startLongDeployment()
}, 240_000)
afterAll(() => house.stop())

const cli = (...args: readonly string[]) => runCli([...args, '--state', house.state])
const erase = '{ id: wipe, agent: test, action: erase, args: {} }'
const isAsking = ({ status }: RunState) => status === 'waiting-approval'
const whenAsking = (requestId: string) =>
  house.connection.use(({ runs }) => whenRun({ client: runs }, requestId, isAsking))

/** Begins a run, and waits until it waits for a person. */
async function asked(requestId: string, steps: readonly string[] = [erase]): Promise<string> {
  await house.begin(requestId, steps)
  const [one, ...others] = openApprovals(await whenAsking(requestId))
  if (one === undefined || others.length > 0) throw new Error('not asked exactly once')
  return one.id
}

async function exported(id: string): Promise<{ card: string; approval: ApprovalSummary }> {
  return JSON.parse((await cli('approvals', 'show', id, '--json')).stdout)
}

describe('an effect that cannot be undone', () => {
  it('waits for a person, over a crash of everything, and happens once when they approve', async () => {
    const id = await asked('once')
    const shown = await cli('runs', 'show', 'once')
    expect(shown.code).toBe(4)
    expect(shown.stdout).toContain(`npx bulkhead approve ${id}`)
    await house.killAll()
    expect(openApprovals(await whenAsking('once')).map((one) => one.id)).toEqual([id])
    const approved = await cli('approve', id.slice(0, 6))
    expect(approved.code, approved.stderr).toBe(0)
    expect(approved.stderr).toContain('! wipe  test.erase  irreversible, CANNOT be undone')
    expect(await house.result('once')).toMatchObject({ status: 'completed' })
    expect(house.times('once', 'wipe')).toBe(1)
    expect((await exported(id)).approval.state).toBe('used')
  })

  it('does not happen when they deny', async () => {
    const id = await asked('denied')
    expect((await cli('deny', id)).code).toBe(0)
    expect(await house.result('denied')).toMatchObject({
      status: 'denied',
      code: 'APPROVAL_DENIED',
    })
    expect(house.times('denied', 'wipe')).toBe(0)
    expect((await cli('runs', 'show', 'denied')).code).toBe(3)
    expect((await cli('approve', id)).code).toBe(3)
  })

  it('is asked about with what is really sent, while the others go on', async () => {
    const id = await asked('said', [
      '{ id: hear, agent: test, action: echo, args: { text: "\\e[2Jlook here" } }',
      '{ id: say, agent: test, action: post, args: { text: { $from: "hear#/text" } } }',
      '{ id: beside, agent: test, action: count, args: { text: x } }',
    ])
    const steps = (await house.show('said')).steps.map(({ outcome }) => outcome)
    expect(steps).toEqual(['settled', 'waiting', 'settled'])
    const { stdout } = await cli('approvals', 'show', id)
    expect(stdout).toContain('text: "\\u{1b}[2Jlook here"')
    expect((await cli('approve', id)).code).toBe(0)
    expect(await house.result('said')).toMatchObject({ status: 'completed' })
    expect(house.times('said', 'say')).toBe(1)
  })

  it('is asked about with the list that an agent gave, before any of it happens', async () => {
    const id = await asked('listed', [
      '{ id: words, agent: test, action: split, args: { text: one two three } }',
      '{ id: each, agent: test, action: erase, args: {}, forEach: { in: { $from: "words#/words" }, as: word, max: 5 } }',
      '{ id: after, agent: test, action: count, args: { text: x }, needs: [each] }',
    ])
    const { approval, card } = await exported(id)
    expect(approval.title).toContain('test.erase, 3 times')
    expect(JSON.parse(card).asks).toMatchObject([
      {
        rules: ['ask.irreversible', 'FLOW_R6'],
        args: [{}, {}, {}],
        conditions: [{ by: 'forEach', from: ['words#/words'] }],
      },
    ])
    expect(house.times('listed', 'each')).toBe(0)
    const { stdout } = await cli('approvals', 'show', id)
    expect(stdout).toContain('how often it happens, and with what, is decided by "words#/words"')
    const always = ['--always', '--per', 'day', '--count', '5', '--until', '2d']
    expect((await cli('approve', id, ...always)).stderr).toContain('MALFORMED')
    expect((await cli('approve', id)).code).toBe(0)
    const { status, steps } = await house.result('listed')
    expect(status).toBe('completed')
    expect(steps.map(({ outcome }) => outcome)).toEqual(['settled', 'settled', 'settled'])
    expect(steps[1]?.loop?.outcomes).toEqual({ settled: 3 })
    expect(house.times('listed', 'after')).toBe(1)
  })

  it('is asked about no more while a grant holds, and again when it is revoked', async () => {
    const id = await asked('granted-1')
    const always = ['--always', '--per', 'day', '--count', '5', '--until', '2d']
    expect((await cli('approve', id, ...always)).code).toBe(0)
    await house.result('granted-1')
    await house.begin('granted-2', [erase])
    expect(await house.result('granted-2')).toMatchObject({ status: 'completed' })
    expect(house.times('granted-2', 'wipe')).toBe(1)
    const { stdout } = await cli('grants', '--json')
    const [grant] = JSON.parse(stdout)
    expect(grant).toMatchObject({ step: 'wipe', per: 'day', count: 5, usedEver: 1 })
    expect((await cli('grants', 'revoke', grant.id)).code).toBe(0)
    await cli('deny', await asked('granted-3'))
    expect(await house.result('granted-3')).toMatchObject({ status: 'denied' })
  })
})

describe('a decision', () => {
  it('over a card that was altered on its way is refused, and nothing happens', async () => {
    const id = await asked('altered')
    const { card } = await exported(id)
    const altered = card.replace('"test.erase"', '"test.echo"')
    expect(altered).not.toBe(card)
    const key = JSON.parse(readFileSync(join(house.state, 'cli', 'approver.jwk.json'), 'utf8'))
    const statement = await signStatement(
      {
        ...{ iss: 'user:owner', aud: JSON.parse(card).deployment, apr: id },
        ...{ card_s256: sha256(altered), decision: 'approve' },
        iat: Math.floor(Date.now() / 1_000),
      },
      key,
    )
    const reply = await house.connection.use((session) =>
      session.approve({ op: 'decide', id, statement }),
    )
    expect(reply).toMatchObject({ status: 'REFUSED', code: 'APPROVAL_ALTERED' })
    await house.connection.use((session) => session.runs.approve('altered', { approvals: [id] }))
    await whenAsking('altered')
    expect(house.times('altered', 'wipe')).toBe(0)
    await cli('runs', 'cancel', 'altered')
    expect(await house.result('altered')).toMatchObject({ status: 'cancelled' })
    expect((await cli('approve', id)).code).not.toBe(0)
  })

  it('can be checked without the platform, and nothing of it be changed', async () => {
    const { stdout } = await cli('approvals', '--all', '--json')
    const used = (JSON.parse(stdout) as ApprovalSummary[]).find(({ state }) => state === 'used')
    const file = join(house.state, 'kept.json')
    const kept = (await cli('approvals', 'show', used?.id ?? '', '--json')).stdout
    writeFileSync(file, kept)
    const verified = await cli('approvals', 'verify', file, '--json')
    expect(verified.code, verified.stderr).toBe(0)
    expect(JSON.parse(verified.stdout)).toMatchObject({ ok: true, by: 'user:owner' })
    writeFileSync(file, kept.replace('wipe', 'wide'))
    const changed = await cli('approvals', 'verify', file, '--json')
    expect(changed.code).toBe(3)
    expect(JSON.parse(changed.stdout)).toEqual({ ok: false, code: 'CARD' })
  })

  it('is counted week by week', async () => {
    const { stdout } = await cli('approvals', 'count', '--json')
    const { weeks } = JSON.parse(stdout)
    const asked = weeks.reduce((sum: number, week: { asked: number }) => sum + week.asked, 0)
    expect(asked).toBeGreaterThanOrEqual(6)
  })
})

describe('a question that nobody answers', () => {
  it('counts as denied when its time is over', async () => {
    const id = await asked('late')
    // The notary, whose clock decides, and the worker, whose messages it would else find too old.
    const ahead = String(8 * 24 * 3_600_000)
    for (const party of ['notary', 'worker']) {
      writeFileSync(join(house.state, party, 'clock'), ahead)
      chmodSync(join(house.state, party, 'clock'), 0o644)
    }
    let over = false
    const ended = house.result('late').finally(() => {
      over = true
    })
    // Woken until the notary believes its clock: the run's own timer is the server's, which has not moved.
    while (!over) {
      await house.connection
        .use(({ runs }) => runs.approve('late', { approvals: [id] }))
        .catch(() => undefined)
      await delay(1_000)
    }
    expect(await ended).toMatchObject({ status: 'denied', code: 'APPROVAL_EXPIRED' })
    expect(house.times('late', 'wipe')).toBe(0)
  })
})
