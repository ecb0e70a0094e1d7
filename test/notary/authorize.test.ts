// Which effects may happen: every question of notary.authorize, each with the answer that only its
// own check gives. The worker here holds the worker's real rights.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createMinter } from '../../security/mint/token.ts'
import { clearAccess } from '../../security/verify/clear.ts'
import { hashArgs } from '../../security/verify/hash.ts'
import { toPublicJwk } from '../../security/verify/keys.ts'
import { createTokenKeys, verifyToken } from '../../security/verify/token.ts'
import { decide } from '../support/policy.ts'
import { createHarness, type Harness, issuer, nkey } from './harness.ts'
import { append, briefing, erasing, gathered, items, list, pooled, twoWrites } from './plans.ts'

let harness: Harness

beforeEach(async () => {
  harness = await createHarness()
})
afterEach(() => harness.close())

describe('a token', () => {
  it('is what the agent it is for verifies and clears, and no other', async () => {
    const run = await harness.run(briefing, { inputs: { note: 'daily' } })
    const authorised = await run.token('gather', list)
    expect(authorised).toMatchObject({
      agent: 'desk.0',
      subject: 'agent.desk.0.exec',
      bootEpoch: 'epoch-0001',
      rerun: 0,
    })
    const { kid } = await createMinter(harness.keys.signing)
    const publicKey = { ...toPublicJwk(harness.keys.signing), kid, alg: 'EdDSA', use: 'sig' }
    const keys = await createTokenKeys({ keys: [publicKey] })
    const claims = await verifyToken(authorised.token, {
      keys,
      issuer,
      audience: 'agent:desk.0:epoch-0001',
      nkey,
      now: harness.clock.time,
    })
    expect(claims).toMatchObject({
      sub: 'user:owner',
      act: { sub: 'r-1' },
      jti: authorised.jti,
      idem: authorised.idem,
      plan: run.digest,
      step: 'gather',
    })
    const access = { op: 'run', agent: 'desk.0', action: 'list', salt: authorised.salt } as const
    clearAccess(claims, { ...access, args: list })
    expect(() => clearAccess(claims, { ...access, args: { day: 'other' } })).toThrow()
  })

  it('is drawn anew for each attempt, with the same effect, salt and arguments hash', async () => {
    const run = await harness.run(briefing, { inputs: { note: 'daily' } })
    const first = await run.token('gather', list)
    const second = await run.token('gather', list)
    expect(second.jti).not.toBe(first.jti)
    const { idem, salt, argsHash, agent } = first
    expect(second).toMatchObject({ idem, salt, argsHash, agent })
    expect(argsHash).toBe(hashArgs(salt, list))
  })

  it('is for the epoch that runs now, after a restart of the agent', async () => {
    const run = await harness.run(briefing, { inputs: { note: 'daily' } })
    await run.token('gather', list)
    await harness.boot({ bootEpoch: 'epoch-0002' })
    expect(await run.token('gather', list)).toMatchObject({ bootEpoch: 'epoch-0002' })
  })

  it('is signed only after its intent and its jti are on disk', async () => {
    const run = await harness.run(briefing, { inputs: { note: 'daily' } })
    const { jti, idem } = await run.token('gather', list)
    const rows = harness.rows().filter((row) => row.correlation === 'r-1')
    expect(rows.map((row) => row.kind)).toEqual(['plan', 'plan', 'intent', 'mint'])
    expect(rows[3]?.body).toContain(jti)
    expect(rows[2]?.body).toContain(idem)
  })
})

describe('a request that is not ready is refused', () => {
  it('when nobody registered it', async () => {
    const run = await harness.run(briefing, { inputs: { note: 'daily' } })
    const reply = await run.authorize('gather', list, { requestId: 'r-2' })
    expect(reply).toMatchObject({ status: 'DENIED', code: 'UNKNOWN_REQUEST' })
  })

  it('when its plan was not admitted', async () => {
    const run = await harness.run(briefing, { inputs: { note: 'daily' }, admitted: false })
    expect(await run.authorize('gather', list)).toMatchObject({ code: 'NOT_ADMITTED' })
  })

  it('when another plan is named', async () => {
    const run = await harness.run(briefing, { inputs: { note: 'daily' } })
    const reply = await run.authorize('gather', list, { planDigest: 'A'.repeat(43) })
    expect(reply).toMatchObject({ code: 'NOT_ADMITTED' })
  })

  it('when the plan has no such step or iteration', async () => {
    const run = await harness.run(briefing, { inputs: { note: 'daily' } })
    expect(await run.authorize('constructor', list)).toMatchObject({ code: 'UNKNOWN_STEP' })
    const reply = await run.authorize('gather', list, { iteration: 1 })
    expect(reply).toMatchObject({ code: 'UNKNOWN_STEP' })
  })

  it('when the person has cancelled it', async () => {
    const { run, source } = await gathered(harness)
    await harness.notary.cancel('cli', { requestId: 'r-1' })
    const reply = await run.authorize('write', append('one two '), { sources: [source] })
    expect(reply).toMatchObject({ code: 'REQUEST_CANCELLED' })
  })

  it('when a step that others need has not settled', async () => {
    const run = await harness.run(briefing, { inputs: { note: 'daily' } })
    expect(await run.authorize('write', append(''))).toMatchObject({ code: 'NEEDS_UNSETTLED' })
    await run.token('gather', list)
    expect(await run.authorize('write', append(''))).toMatchObject({ code: 'NEEDS_UNSETTLED' })
  })

  it('when a need that it takes nothing from has not settled', async () => {
    const run = await harness.run(twoWrites)
    await run.token('first', append('a'))
    expect(await run.authorize('after', append('d'))).toMatchObject({ code: 'NEEDS_UNSETTLED' })
  })

  it('when the plan that is stored for it is not the registered one any more', async () => {
    const run = await harness.run(twoWrites)
    await harness.tamper(`UPDATE request SET plan = replace(plan, '"daily"', '"other"')`)
    harness = await harness.restart()
    const args = { note: 'other', text: 'a', dryRun: false }
    const reply = await harness.notary.authorize('worker', run.call('first', args))
    expect(reply).toMatchObject({ status: 'DENIED', code: 'AUDIT_UNAVAILABLE' })
  })
})

describe('policy', () => {
  it('is asked again for every token, and its refusal ends the step and the run', async () => {
    const law: { forbidden: boolean } = { forbidden: false }
    await harness.close()
    harness = await createHarness({
      decide: (question) =>
        law.forbidden && question.kind === 'do'
          ? { verdict: 'deny', rules: ['test-rule'], missing: 'a grant' }
          : decide(question),
    })
    const run = await harness.run(twoWrites)
    await run.token('first', append('a'))
    law.forbidden = true
    expect(await run.authorize('second', append('b'))).toEqual({
      status: 'DENIED',
      code: 'POLICY',
      rules: ['test-rule'],
      missing: 'a grant',
      message: expect.any(String),
    })
    law.forbidden = false
    expect(await run.authorize('second', append('b'))).toMatchObject({ outcome: 'denied' })
    // The run turns around, so that what happened before can be undone.
    expect(await run.authorize('third', append('c'))).toMatchObject({ code: 'RUN_ABORTING' })
  })
})

describe('what cannot be undone, even where a rule allows it', () => {
  const allowed = { verdict: 'allow', rules: ['anything'] } as const

  it('is not admitted', async () => {
    await harness.close()
    harness = await createHarness({ decide: () => allowed })
    const { requestId, plan } = await harness.run(erasing, { admitted: false })
    const reply = await harness.notary.admit('worker', { requestId, plan })
    expect(reply).toMatchObject({ status: 'REFUSED', code: 'POLICY' })
  })

  it('gets no token when the rule came after the admission', async () => {
    const law: { loose: boolean } = { loose: false }
    await harness.close()
    harness = await createHarness({
      decide: (question) => (law.loose ? allowed : decide(question)),
    })
    // Why, only a result tells, so that the plan is admitted without a question.
    const reasoned = erasing
      .replace(
        'steps:\n',
        'steps:\n  - { id: gather, agent: desk, action: list, args: { day: today } }\n',
      )
      .replace('note: daily,', "note: daily, reason: { $from: 'gather#/first' },")
    const run = await harness.run(reasoned)
    const source = await run.perform('gather', list, items(['because']))
    law.loose = true
    const args = { note: 'daily', reason: 'because', dryRun: false }
    const reply = await run.authorize('erase', args, { sources: [source] })
    expect(reply).toMatchObject({
      status: 'DENIED',
      code: 'POLICY',
      missing: 'an approval by a person',
    })
  })
})

describe('attempts', () => {
  it('are bounded by the plan', async () => {
    const run = await harness.run(twoWrites)
    await run.token('first', append('a'))
    await run.token('first', append('a'))
    expect(await run.authorize('first', append('a'))).toMatchObject({ code: 'ATTEMPTS_USED_UP' })
  })

  it('are not used up by an agent that does not run', async () => {
    const run = await harness.run(twoWrites)
    await harness.boot({ running: false })
    for (let n = 0; n < 4; n += 1) {
      expect(await run.authorize('first', append('a'))).toEqual({
        status: 'NOT_RUNNING',
        agent: 'desk',
        n: 0,
      })
    }
    await harness.boot({ bootEpoch: 'epoch-0002' })
    await run.token('first', append('a'))
    await run.token('first', append('a'))
  })

  it('stay with the replica of the first one', async () => {
    for (const n of [0, 1]) await harness.boot({ agent: 'pool', n, bootEpoch: `epoch-pool-${n}` })
    const run = await harness.run(pooled)
    const used = new Set<string>()
    for (const step of run.plan.steps.filter(({ action }) => action === 'look')) {
      const first = await run.token(step.id, { at: step.id })
      used.add(first.agent)
      expect((await run.token(step.id, { at: step.id })).agent).toBe(first.agent)
    }
    expect(used).toEqual(new Set(['pool.0', 'pool.1']))
  })
})

describe('a settled step', () => {
  it('is answered with its outcome, even when the run is turning around', async () => {
    const { run, source } = await gathered(harness)
    await harness.notary.cancel('cli', { requestId: 'r-1' })
    const reply = await run.authorize('gather', list)
    expect(reply).toMatchObject({ status: 'SETTLED', outcome: 'settled', resultHash: source.hash })
  })
})

describe('what is written', () => {
  it('carries no argument, result, input or token', async () => {
    const run = await harness.run(briefing, { inputs: { note: 'secret-note' } })
    const source = await run.perform('gather', list, items(['secret-title']))
    const args = { note: 'secret-note', text: 'secret-title ', dryRun: false }
    const { token } = await run.token('write', args, { sources: [source] })
    await run.authorize('gather', { day: 'secret-day' })
    const text = JSON.stringify(harness.rows())
    for (const secret of ['secret-note', 'secret-title', 'secret-day', 'today', token]) {
      expect(text).not.toContain(secret)
    }
  })

  it('includes every refusal, up to the bound of one account', async () => {
    const run = await harness.run(briefing, { inputs: { note: 'daily' } })
    for (let n = 0; n < 30; n += 1) await run.authorize('gather', { day: 'tomorrow' })
    const refusals = () => harness.rows().filter((row) => row.body.includes('ARGS_MISMATCH'))
    expect(refusals()).toHaveLength(20)
    harness.clock.time += 60_000
    await harness.notary.tick()
    const counted = harness.rows().at(-1)
    expect(counted).toMatchObject({ kind: 'security', subject: 'worker' })
    expect(JSON.parse(counted?.body ?? '')).toMatchObject({ code: 'RATE_LIMITED', count: 10 })
  })
})
