// Following an effect that is out: attaching finds its outcome and starts nothing, a cancellation
// stops what heeds it, and a probe is not told what is about to be untrue.

import { describe, expect, it } from 'vitest'
import type { RuntimePoint } from '../../agents/carry-out.ts'
import { tellEvery } from '../../agents/follow.ts'
import { envelopeSchema, envelopeType, type Reply } from '../../agents/protocol.ts'
import { limits } from '../../plan/limits.ts'
import { verifyDocument } from '../../security/verify/document.ts'
import { sha256 } from '../../security/verify/hash.ts'
import type { CommandInput } from '../support/agent-commands.ts'
import { createHeld } from '../support/held.ts'
import { useRuntime } from '../support/runtime-bench.ts'

const replyWithinMs = 50
const bench = useRuntime({ replyWithinMs })
const ring = (args: object = {}): CommandInput => ({
  action: 'ring',
  args: { ms: 200, ends: 'done', dryRun: false, ...args },
})
const count = { action: 'count', args: { text: 'dentist' } } satisfies CommandInput
const follow = async (op: 'attach' | 'cancel', command: CommandInput): Promise<Reply> => {
  const { token, salt } = await bench.authority.command({
    ...command,
    claims: { op, ...command.claims },
  })
  return await bench.runtime.handle({ op, token, salt })
}
function receiptOf(reply: Reply): unknown {
  const text = 'receipt' in reply ? (reply.receipt.split('.')[1] ?? '') : ''
  return JSON.parse(Buffer.from(text, 'base64url').toString())
}
/** Attaches until the agent says something else than that it is at work. */
async function followed(command: CommandInput): Promise<Reply> {
  for (;;) {
    const reply = await follow('attach', command)
    if (reply.status !== 'IN_PROGRESS') return reply
  }
}
/** This command, and no other, is not over before `use` is. */
async function whileAtWork(command: CommandInput, use: () => Promise<void>): Promise<void> {
  const held = createHeld()
  let holds = true
  const onPoint = (point: RuntimePoint) => {
    if (!holds || point !== 'after-reserve') return
    holds = false
    return held.until
  }
  await bench.restart({ replyWithinMs, onPoint })
  const running = bench.runtime.run(command)
  try {
    await use()
  } finally {
    held.release()
  }
  await running
}

describe('attaching', () => {
  it('waits for a long action that is at work, says how far it is, and gets its outcome', async () => {
    const begun = await bench.runtime.run(ring())
    expect(begun).toMatchObject({ status: 'IN_PROGRESS', progress: { total: 10 } })
    const reply = await followed(ring())
    expect(reply).toMatchObject({ status: 'DONE', result: '{"count":1}' })
    expect(bench.home.effects()).toHaveLength(1)
  })

  it('is answered before the time for a reply is over where there is something new to say', async () => {
    await bench.restart({ replyWithinMs: 60_000, leastTellMs: 20 })
    const command = ring({ ms: 1_000 })
    const told = []
    let reply = await bench.runtime.run(command)
    for (; reply.status === 'IN_PROGRESS'; reply = await follow('attach', command)) {
      told.push(reply.progress?.done)
    }
    expect(reply).toMatchObject({ status: 'DONE' })
    expect(told.length).toBeGreaterThan(2)
    expect(new Set(told).size, 'nothing is said twice').toBe(told.length)
    const silent = {
      action: 'slowRead',
      args: { ms: 200 },
      idem: sha256('silent'),
    } satisfies CommandInput
    expect(await bench.runtime.run(silent)).toMatchObject({ status: 'DONE' })
  })

  it('is possible to the end of the longest action, whatever that says of itself', () => {
    const asked = limits.actionMs / tellEvery(limits.actionMs)
    expect(asked).toBeLessThanOrEqual(limits.followingTokens / 2)
    expect(tellEvery(1_000)).toBe(5_000)
  })

  it('signs its envelope over the token that asked, with the receipt that is kept', async () => {
    const first = await bench.runtime.run(count)
    const { token, salt } = await bench.authority.command({ ...count, claims: { op: 'attach' } })
    const reply = await bench.runtime.handle({ op: 'attach', token, salt })
    if (!('receipt' in first) || !('receipt' in reply)) throw new Error('no receipt')
    expect(reply.receipt).toBe(first.receipt)
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
    const envelope = envelopeSchema.parse(
      await verifyDocument(reply.envelope, envelopeType, bench.runtime.receiptPublicJwk),
    )
    expect(envelope.jti).toBe(claims.jti)
  })

  it.each(['attach', 'cancel'] as const)('by %s starts nothing that never began', async (op) => {
    const reply = await follow(op, count)
    expect(reply).toMatchObject({ status: 'ABSENT' })
    expect(receiptOf(reply)).toMatchObject({ status: 'FAILED', code: 'NOT_BEGUN', retry: 'absent' })
    expect(bench.home.effects()).toHaveLength(0)
  })

  it('starts nothing again that certainly failed', async () => {
    const command = {
      action: 'fail',
      args: { code: 'UNAVAILABLE', retry: 'absent' },
    } satisfies CommandInput
    await bench.runtime.run(command)
    expect(await follow('attach', command)).toMatchObject({ status: 'FAILED', retry: 'absent' })
    expect(await bench.runtime.handle({ op: 'health' })).toMatchObject({ metrics: { executed: 1 } })
  })

  it('after a crash finds an unknown outcome, also of what might run again', async () => {
    const put = { action: 'put', args: { text: 'x' } } satisfies CommandInput
    const { claims } = await tokenOf(put)
    bench.runtime.ledgerHandle.reserve({
      ...claims,
      repeatable: true,
      alive: false,
      now: Date.now(),
    })
    bench.runtime.ledgerHandle.markExecuting(claims.idem, Date.now())
    await bench.restart()
    expect(await follow('attach', put)).toMatchObject({ status: 'UNKNOWN' })
    expect(bench.home.effects()).toHaveLength(0)
  })

  it('is refused twice with one token, for other arguments, and under a token to run', async () => {
    await bench.runtime.run(count)
    const { token, salt } = await bench.authority.command({ ...count, claims: { op: 'attach' } })
    expect(await bench.runtime.handle({ op: 'attach', token, salt })).toMatchObject({
      status: 'DONE',
    })
    expect(await bench.runtime.handle({ op: 'attach', token, salt })).toMatchObject({
      code: 'REPLAY',
    })
    const other = { ...count, args: { text: 'other' } }
    expect(await follow('attach', other)).toMatchObject({ code: 'IDEM_CONFLICT' })
    const mine = await bench.authority.command(count)
    expect(
      await bench.runtime.handle({ op: 'attach', token: mine.token, salt: mine.salt }),
    ).toMatchObject({ code: 'WRONG_OPERATION' })
  })

  it.each(['attach', 'cancel'] as const)('a token to %s runs nothing', async (op) => {
    const command = await bench.authority.command({ ...count, claims: { op } })
    expect(await bench.runtime.handle(command)).toMatchObject({ code: 'WRONG_OPERATION' })
    const other = op === 'attach' ? 'cancel' : 'attach'
    const { token, salt } = await bench.authority.command({ ...count, claims: { op } })
    expect(await bench.runtime.handle({ op: other, token, salt })).toMatchObject({
      code: 'WRONG_OPERATION',
    })
    expect(bench.home.effects()).toHaveLength(0)
  })
})

describe('a cancellation', () => {
  it('stops a handler that heeds it, before its effect', async () => {
    const long = ring({ ms: 20_000 })
    await bench.runtime.run(long)
    await follow('cancel', long)
    const failure = { status: 'FAILED', code: 'CANCELLED', retry: 'absent' }
    expect(await followed(long)).toMatchObject(failure)
    expect(bench.home.effects()).toHaveLength(0)
  })

  it('leaves what heeds nothing to its own end', async () => {
    const slow = {
      action: 'slow',
      args: { ms: 200, heedsAbort: false },
    } satisfies CommandInput
    await bench.runtime.run(slow)
    await follow('cancel', slow)
    expect(await followed(slow)).toMatchObject({ status: 'DONE' })
    expect(bench.home.effects()).toHaveLength(1)
  })

  it('of a write that breaks off is an unknown outcome, never a failure', async () => {
    const slow = { action: 'slow', args: { ms: 900, heedsAbort: true } } satisfies CommandInput
    await bench.runtime.run(slow)
    await follow('cancel', slow)
    expect(await followed(slow)).toMatchObject({ status: 'UNKNOWN' })
  })

  it('reaches one effect and not its neighbour', async () => {
    const [one, two] = [ring({ ms: 20_000 }), { ...ring(), idem: sha256('two') }]
    await Promise.all([bench.runtime.run(one), bench.runtime.run(two)])
    await follow('cancel', one)
    expect(await followed(two)).toMatchObject({ status: 'DONE' })
    expect(await followed(one)).toMatchObject({ code: 'CANCELLED' })
    expect(bench.home.effects()).toHaveLength(1)
  })
})

describe('a probe', () => {
  let asked = 0
  const probe = async () => {
    asked += 1
    const args = { entry: sha256('one') }
    const idem = sha256(`probe ${asked}`)
    const command = { action: 'rung', args, idem } satisfies CommandInput
    const { detail } = await tokenOf(command)
    const claims = { authorization_details: [{ ...detail, kind: 'probe' }] as const }
    return await bench.runtime.run({ ...command, claims })
  }
  /** A probe that itself takes longer than a reply may is asked again. */
  const happened = (answer: 'yes' | 'no') =>
    expect
      .poll(probe, { timeout: 20_000 })
      .toMatchObject({ status: 'DONE', result: `{"happened":"${answer}"}` })

  it('says whether it happened, once nobody is at work on it', async () => {
    await happened('no')
    const broken = ring({ ms: 10, ends: 'throw' })
    await bench.runtime.run(broken)
    expect(await followed(broken)).toMatchObject({ status: 'UNKNOWN' })
    await happened('yes')
  })

  it('waits while the effect may still be at work', async () => {
    await whileAtWork(ring(), async () => {
      expect(await probe()).toMatchObject({ status: 'IN_PROGRESS' })
    })
    await followed(ring())
    await happened('yes')
  })
})

describe('an undo', () => {
  const undo = async (of: string, idem: string) => {
    const args = { entry: sha256(of) }
    const command = { action: 'uncount', args, idem: sha256(idem) } satisfies CommandInput
    const { detail } = await tokenOf(command)
    const claims = { authorization_details: [{ ...detail, kind: 'undo' }] as const }
    return await bench.runtime.run({ ...command, claims })
  }

  it('waits while the handler that it takes back is at work, however long that is', async () => {
    await whileAtWork(ring(), async () => {
      expect(await undo('one', 'undo 1')).toMatchObject({ status: 'IN_PROGRESS' })
    })
    await followed(ring())
    await bench.runtime.idle(10_000)
    expect(await undo('one', 'undo 2')).toMatchObject({ status: 'DONE' })
    expect(bench.home.effects()).toHaveLength(0)
  })

  it('of another effect does not wait for it', async () => {
    await whileAtWork(ring(), async () => {
      expect(await undo('another', 'undo 3')).toMatchObject({ status: 'DONE' })
    })
    await followed(ring())
  })
})

/** What a token for this command says. */
async function tokenOf(command: CommandInput) {
  const { token } = await bench.authority.command(command)
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
  const [detail] = claims.authorization_details
  const { jti, idem, exp } = claims
  return {
    detail,
    claims: {
      ...{ jti, idem, refusedFrom: (exp + 2) * 1_000 },
      ...{ argsHash: detail.args_s256, action: detail.action },
    },
  }
}
