// Tokens that follow an effect, and the probe that is asked when nobody knows: what each is good for,
// who may have one, and that none of them can pass for a command.

import { decodeJwt } from 'jose'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createHarness, execute, type Harness, type Run } from './harness.ts'
import { append, holding, ringing, twoWrites } from './plans.ts'

let harness: Harness
beforeEach(async () => {
  harness = await createHarness()
  await harness.boot({ agent: 'bell' })
})
afterEach(() => harness.close())

const waitForTokens = () => {
  harness.clock.time += 32_001
}
const mints = () => harness.rows().filter(({ kind }) => kind === 'mint').length

describe('a token to follow', () => {
  let run: Run
  beforeEach(async () => {
    run = await harness.run(twoWrites)
  })
  const follow = (op: 'attach' | 'cancel', step = 'first', change: object = {}) =>
    run.authorize(step, {}, { op, ...change })

  it('is given for an effect that is out, as often as it takes, and uses no attempt up', async () => {
    const first = await run.token('first', append('a'))
    for (let time = 0; time < 7; time += 1) {
      const reply = await follow('attach')
      if (reply.status !== 'AUTHORISED') throw new Error(JSON.stringify(reply))
      expect(reply).toMatchObject({ idem: first.idem, argsHash: first.argsHash })
      expect(decodeJwt(reply.token)).toMatchObject({ op: 'attach', idem: first.idem })
    }
    expect(await run.token('first', append('a'))).toMatchObject({ idem: first.idem })
  })

  it('does not count as one that can still start the effect', async () => {
    await run.token('first', append('a'))
    waitForTokens()
    await follow('attach')
    await harness.notary.cancel('cli', { requestId: 'r-1' })
    const { idem } = await run.token('first', append('a'), { op: 'attach' })
    const retract = { note: 'daily', entry: idem, dryRun: false }
    expect(await run.authorize('first', retract, { kind: 'undo' })).toMatchObject({
      status: 'AUTHORISED',
    })
  })

  it('settles the effect with the receipt that it brought', async () => {
    await run.token('first', append('a'))
    const attached = await run.token('first', {}, { op: 'attach' })
    const done = { status: 'DONE', value: { entry: 'e' } } as const
    const documents = await execute(attached, done, harness.keys.receipt)
    expect(await run.settle('first', documents)).toMatchObject({ outcome: 'settled' })
  })

  it('is refused for what was never authorised, whoever else was', async () => {
    const other = await harness.run(twoWrites, { requestId: 'r-2' })
    await other.token('first', append('a'))
    const before = mints()
    expect(await follow('attach')).toMatchObject({ code: 'NEVER_AUTHORISED' })
    expect(await follow('attach', 'first', { planDigest: 'A'.repeat(43) })).toMatchObject({
      code: 'NOT_ADMITTED',
    })
    expect(await follow('attach', 'first', { rerun: 1 })).toMatchObject({ code: 'NOT_DECIDED' })
    expect(mints()).toBe(before)
  })

  it('to cancel is given only once a person has cancelled the run', async () => {
    await run.token('first', append('a'))
    expect(await follow('cancel')).toMatchObject({ code: 'NOT_CANCELLED' })
    await harness.notary.cancel('cli', { requestId: 'r-1' })
    const reply = await follow('cancel')
    expect(reply).toMatchObject({ status: 'AUTHORISED' })
    if (reply.status === 'AUTHORISED') {
      expect(decodeJwt(reply.token)).toMatchObject({ op: 'cancel' })
    }
  })

  it('to cancel is never given for an undo', async () => {
    const { idem } = await run.token('first', append('a'))
    await harness.notary.cancel('cli', { requestId: 'r-1' })
    waitForTokens()
    const undo = { kind: 'undo' } as const
    await run.token('first', { note: 'daily', entry: idem, dryRun: false }, undo)
    expect(await follow('cancel', 'first', undo)).toMatchObject({ code: 'NOT_CANCELLED' })
    expect(await follow('attach', 'first', undo)).toMatchObject({ status: 'AUTHORISED' })
  })

  it('is not given for ever', async () => {
    await run.token('first', append('a'))
    for (let time = 0; time < 400; time += 1) await follow('attach')
    expect(await follow('attach')).toMatchObject({ code: 'ATTEMPTS_USED_UP' })
  })

  it('is of no use where a result was named: the held run waits all the same', async () => {
    const held = await harness.run(holding, { requestId: 'r-3' })
    await held.token('first', append('a'))
    expect(await held.authorize('first', {}, { op: 'attach' })).toMatchObject({
      status: 'AUTHORISED',
    })
    expect(await held.authorize('last', append('z'))).toMatchObject({ code: 'NEEDS_UNSETTLED' })
  })
})

describe('a probe', () => {
  const args = { at: 'noon', dryRun: false }
  const kind = { kind: 'probe' } as const
  let run: Run
  let idem: string
  let heard: { readonly entry: string; readonly at: string }
  beforeEach(async () => {
    run = await harness.run(ringing)
  })
  /** Rings, and nobody hears what became of it. */
  async function lose(): Promise<void> {
    const token = await run.token('ring', args)
    idem = token.idem
    heard = { entry: idem, at: 'noon' }
    const documents = await execute(token, { status: 'UNKNOWN' }, harness.keys.receipt)
    expect(await run.settle('ring', documents)).toEqual({ status: 'PROBE', idem })
  }
  const settleAgain = async () => {
    const attached = await run.token('ring', {}, { op: 'attach' })
    return run.settle('ring', await execute(attached, { status: 'UNKNOWN' }, harness.keys.receipt))
  }
  async function answer(happened: string, result?: string) {
    const token = await run.token('ring', heard, kind)
    expect(token.idem).not.toBe(idem)
    const done = { status: 'DONE', value: { happened } } as const
    const documents = await execute(token, done, harness.keys.receipt)
    return run.settle('ring', documents, { ...kind, result: result ?? documents.content })
  }

  it.each([
    ['yes', { outcome: 'settled', code: 'HAPPENED' }],
    ['no', { outcome: 'failed', code: 'DID_NOT_HAPPEN' }],
    ['unsure', { outcome: 'unknown' }],
    ['what?', { outcome: 'unknown' }],
  ])('that answers %s makes it so', async (happened, outcome) => {
    await lose()
    expect(await answer(happened)).toMatchObject({ outcome: 'settled' })
    expect(await settleAgain()).toMatchObject(outcome)
    expect(await run.authorize('ring', args)).toMatchObject({ status: 'SETTLED', ...outcome })
  })

  it('that was asked lets no further command out: what it finds stays true', async () => {
    await lose()
    await run.token('ring', heard, kind)
    expect(await run.authorize('ring', args)).toMatchObject({ code: 'UNRESOLVED' })
  })

  it('is a read of its own: its token says so, and cannot ring', async () => {
    await lose()
    const token = await run.token('ring', heard, kind)
    expect(decodeJwt(token.token)).toMatchObject({
      idem: token.idem,
      authorization_details: [{ action: 'heard', kind: 'probe', effect: 'read' }],
    })
    expect(await run.authorize('ring', args, kind)).toMatchObject({ code: 'ARGS_MISMATCH' })
  })

  it('does not turn the run around before it has answered', async () => {
    await lose()
    const undo = { kind: 'undo' } as const
    const hush = { entry: idem, dryRun: false }
    expect(await run.authorize('ring', hush, undo)).toMatchObject({ code: 'NOT_ABORTING' })
    await answer('no')
    await settleAgain()
    expect(await run.authorize('ring', hush, undo)).toMatchObject({ status: 'AUTHORISED' })
  })

  it('is refused while the step can still happen, and once its outcome is recorded', async () => {
    const token = await run.token('ring', args)
    const question = { entry: token.idem, at: 'noon' }
    expect(await run.authorize('ring', question, kind)).toMatchObject({ code: 'TOKENS_ALIVE' })
    const done = { status: 'DONE', value: { rung: true } } as const
    await run.settle('ring', await execute(token, done, harness.keys.receipt))
    expect(await run.authorize('ring', question, kind)).toMatchObject({ code: 'NOT_UNKNOWN' })
  })

  it('is refused for a step that was never authorised, or whose action has none', async () => {
    const question = { entry: 'A'.repeat(43), at: 'noon' }
    expect(await run.authorize('ring', question, kind)).toMatchObject({ code: 'NEVER_AUTHORISED' })
    const writes = await harness.run(twoWrites, { requestId: 'r-2' })
    expect(await writes.authorize('first', {}, kind)).toMatchObject({ code: 'UNKNOWN_STEP' })
  })

  it('whose result is not the one that its receipt hashes answers nothing', async () => {
    await lose()
    expect(await answer('no', '{"happened":"yes"}')).toMatchObject({ code: 'RECEIPT_INVALID' })
    expect(await settleAgain()).toMatchObject({ status: 'PROBE' })
  })

  it('that nobody could ask leaves the question to a person', async () => {
    const token = await run.token('ring', args)
    waitForTokens()
    for (let attempt = 0; attempt < 5; attempt += 1) await run.fail('ring')
    expect(await run.fail('ring')).toEqual({ status: 'PROBE', idem: token.idem })
    expect(await run.fail('ring', kind)).toMatchObject({ outcome: 'failed' })
    expect(await run.fail('ring')).toMatchObject({ outcome: 'unknown' })
  })

  it('leaves two rows: what was not known, and what was found', async () => {
    await lose()
    await answer('yes')
    await settleAgain()
    const about = harness.rows().filter(({ body }) => body.includes(idem))
    const [unknown, resolved] = about.slice(-2)
    expect(unknown).toMatchObject({ kind: 'outcome' })
    expect(unknown?.body).toContain('"outcome":"unknown"')
    expect(resolved).toMatchObject({ kind: 'decision', actor: 'notary' })
    expect(resolved?.body).toContain('"decision":"resolved"')
  })
})
