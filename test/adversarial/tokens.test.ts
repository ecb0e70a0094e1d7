// T01 to T22: tokens that are forged, altered, stolen or used again, sent to a real sandboxed agent
// over the real bus. Signatures are by keys that an attacker could hold; claims that only the notary
// could sign are signed with its key, as a notary that errs would. That a refused command had no effect
// is read from the agent's ledger and its folder, not from its reply.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Reply, replySchema } from '../../agents/protocol.ts'
import { capabilityCodes } from '../../security/capability-codes.ts'
import { createMessage } from '../../security/message.ts'
import { hashArgs, sha256 } from '../../security/verify/hash.ts'
import { createCaseTable } from '../support/case-table.ts'
import { runCli } from '../support/cli.ts'
import { readHistories } from '../support/decoded-histories.ts'
import {
  claimsOf,
  kidOf,
  signed,
  tokenCases,
  untilEarlyInSecond,
} from '../support/hostile-tokens.ts'
import { rotateIntoOverlap } from '../support/key-rotations.ts'
import { argsOf, startTokenDeployment, type TokenDeployment } from '../support/token-deployment.ts'
import {
  filesBelow,
  killAgent,
  loseLedger,
  restoreLedger,
  securityCodes,
} from '../support/traces.ts'

const table = createCaseTable('tokens, at a sandboxed agent')
let at: TokenDeployment

beforeAll(async () => {
  at = await startTokenDeployment()
}, 240_000)

afterAll(async () => {
  table.print()
  await at.stop()
})

const resultOf = (reply: Reply): string => (reply.status === 'REFUSED' ? reply.code : reply.status)

describe('a token at an agent that it is or is not for', () => {
  it('T00 works when nothing is changed', async () => {
    expect(resultOf(await at.send(signed(await at.refreshed())))).toBe('DONE')
  })

  it.each(tokenCases)('$id is $code: $name', async ({ id, name, code, make }) => {
    const before = at.effects()
    const now = await at.refreshed()
    await untilEarlyInSecond()
    const { token, args: sent, salt } = make(now)
    expect(resultOf(await at.send(token, sent, salt))).toBe(code)
    expect(at.effects()).toBe(code === 'DONE' ? before + 1 : before)
    table.add(id, name, code === 'DONE' ? '(nobody: allowed)' : 'agent', code)
  })
})

describe('arguments as bytes', () => {
  const rawArgs = (text: string, token: string) =>
    JSON.stringify(
      createMessage(
        { sender: 'worker', receiver: 'notes', type: 'TASK_REQUEST', correlationId: 'raw' },
        { op: 'run', token, args: '@', salt: at.bench.salt },
        Date.now(),
      ),
    ).replace('"@"', text)

  it.each([
    ['DONE', 'another form of the same number', '{"limit":2e1,"recentDays":30.0}'],
    ['MALFORMED', 'a duplicate key', '{"recentDays":30,"limit":20,"limit":20}'],
    ['MALFORMED', '__proto__ as a key', '{"recentDays":30,"limit":20,"__proto__":{}}'],
    ['MALFORMED', 'a rounded integer', '{"recentDays":30,"limit":9007199254740993}'],
    ['MALFORMED', 'a lone surrogate', '{"recentDays":30,"limit":"\\ud800"}'],
  ])('T09 is %s: %s', async (code, name, text) => {
    const before = at.effects()
    const reply = await at.raw.ask(
      'agent.notes.0.exec',
      rawArgs(text, signed(await at.refreshed())),
    )
    expect(resultOf(replySchema.parse(reply))).toBe(code)
    expect(at.effects()).toBe(code === 'DONE' ? before + 1 : before)
    table.add('T09', name, code === 'DONE' ? '(nobody: allowed)' : 'agent', code)
  })

  it('T09 is EXPIRED_MESSAGE: a genuine command that was held back', async () => {
    const head = { sender: 'worker', receiver: 'notes', type: 'TASK_REQUEST' } as const
    const command = {
      op: 'run',
      token: signed(await at.refreshed()),
      args: argsOf.list,
      salt: at.bench.salt,
    }
    const old = createMessage({ ...head, correlationId: '', ttl: 1_000 }, command, Date.now() - 5e3)
    const reply = await at.raw.ask('agent.notes.0.exec', JSON.stringify(old))
    expect(reply).toEqual({ status: 'REFUSED', code: 'EXPIRED_MESSAGE' })
    table.add('T09', 'a command held back by the broker', 'agent', 'EXPIRED_MESSAGE')
  })
})

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
/** Characters that decode to the same bits where the last four of them are not used. */
const spellings = (last: string): readonly string[] => {
  const first = alphabet.indexOf(last) & ~15
  return [...alphabet.slice(first, first + 16)]
}

describe('a token that is used again', () => {
  it('T12 runs once, then is a replay, also in another spelling', async () => {
    const token = signed(await at.refreshed())
    const before = at.effects()
    expect(resultOf(await at.send(token))).toBe('DONE')
    expect(resultOf(await at.send(token))).toBe('REPLAY')
    // The last character of a 64-byte signature carries four bits that mean nothing.
    const spelled = token.replace(/.$/, (last) => spellings(last).find((c) => c !== last) ?? last)
    expect(spelled).not.toBe(token)
    expect(['REPLAY', 'TOKEN_SIGNATURE']).toContain(resultOf(await at.send(spelled)))
    expect(at.effects()).toBe(before + 1)
    table.add('T12', 'the same jti one after the other', 'agent ledger', 'REPLAY')
  })

  it('T13 runs once of a hundred at the same time', async () => {
    const { token, salt, idem } = await at.grant('keep')
    const replies = await Promise.all(
      Array.from({ length: 100 }, () => at.send(token, argsOf.keep, salt)),
    )
    const results = replies.map(resultOf)
    expect(results.filter((result) => result === 'DONE')).toHaveLength(1)
    expect(results.filter((result) => result === 'REPLAY')).toHaveLength(99)
    expect(at.effects(idem)).toBe(1)
    expect(at.countInNotes('kept-once')).toBe(1)
    table.add('T13', 'the same jti 100 times at once: one effect', 'agent ledger', '99 x REPLAY')
  })

  it('T16 gives the stored result to a new jti of the same effect', async () => {
    const first = await at.grant('again')
    const done = await at.send(first.token, argsOf.again, first.salt)
    const second = await at.grant('again')
    expect(second.idem).toBe(first.idem)
    expect(claimsOf(second.token).jti).not.toBe(claimsOf(first.token).jti)
    const stored = await at.send(second.token, argsOf.again, second.salt)
    if (done.status !== 'DONE' || stored.status !== 'DONE') throw new Error('not done')
    expect([stored.result, stored.receipt]).toEqual([done.result, done.receipt])
    expect(stored.envelope).not.toBe(done.envelope)
    expect([at.effects(first.idem), at.countInNotes('kept-again')]).toEqual([1, 1])
    table.add('T16', 'new jti, same idem', '(stored result)', 'DONE, one effect')
  })

  it('T17 is a conflict when the arguments of the same effect are others', async () => {
    const idem = sha256('a conflict')
    expect(resultOf(await at.send(signed(await at.refreshed(), { idem })))).toBe('DONE')
    const other = { recentDays: 31, limit: 20 }
    const now = await at.refreshed()
    const [detail] = now.claims.authorization_details
    const changed = { ...detail, args_s256: hashArgs(at.bench.salt, other) }
    const token = signed(now, { idem, authorization_details: [changed] })
    // Of the hundred refusals before, the notary kept as many as it keeps in a second.
    await delay(1_500)
    expect(resultOf(await at.send(token, other))).toBe('IDEM_CONFLICT')
    await expect
      .poll(() => securityCodes(at.deployment.state, 'agent:notes.0'))
      .toContain('IDEM_CONFLICT')
    table.add('T17', 'same idem, other arguments; recorded', 'agent ledger', 'IDEM_CONFLICT')
  })
})

describe('a token while the signing key is replaced', () => {
  it('T19 by the old key is good during the overlap and dead after it, by the new one good', async () => {
    const old = await at.refreshed()
    const rotation = await rotateIntoOverlap(at.deployment, [{ agent: 'notes', n: 0 }])
    const young = await at.makeBench()
    expect(young.kid).not.toBe(old.kid)
    const before = at.effects()
    // The notary signs with the new one only.
    expect(kidOf((await at.grant('renewed')).token)).toBe(young.kid)
    expect(resultOf(await at.send(signed(old), argsOf.list, old.salt))).toBe('DONE')
    expect(resultOf(await at.send(signed(young), argsOf.list, young.salt))).toBe('DONE')
    expect(at.effects()).toBe(before + 2)
    table.add('T19', 'both keys during the overlap', '(both accepted)', 'DONE')
    await rotation.end()
    at.bench = young
    // Signed now, by whoever kept a copy of the old key: everything else about it is right.
    const late = { ...(await at.refreshed()), kid: old.kid, notary: old.notary }
    expect(resultOf(await at.send(signed(late)))).toBe('TOKEN_KEY_UNKNOWN')
    expect(resultOf(await at.send(signed(await at.refreshed())))).toBe('DONE')
    expect(at.effects()).toBe(before + 3)
    table.add('T19', 'a saved copy of the old key after the overlap', 'agent', 'TOKEN_KEY_UNKNOWN')
  })
})

describe('a token after its agent was killed', () => {
  it('T14 is dead, its jti stays used, its effect stays done', async () => {
    const unused = signed(await at.refreshed())
    const used = await at.grant('again')
    expect(resultOf(await at.send(used.token, argsOf.again, used.salt))).toBe('DONE')
    const epoch = claimsOf(used.token).aud
    await killAgent(at.deployment, 'notes')
    const after = await at.grant('again')
    expect(claimsOf(after.token).aud).not.toBe(epoch)
    expect(resultOf(await at.send(unused))).toBe('TOKEN_AUDIENCE')
    table.add('T14', 'an unused token after a restart', 'agent', 'TOKEN_AUDIENCE')
    // Even a notary that would sign the old jti for the new epoch.
    const { jti } = claimsOf(used.token)
    at.bench = await at.makeBench()
    expect(resultOf(await at.send(signed(at.bench, { jti })))).toBe('REPLAY')
    table.add('T14', 'a used jti after a restart', 'agent ledger', 'REPLAY')
    expect(resultOf(await at.send(after.token, argsOf.again, after.salt))).toBe('DONE')
    expect(at.countInNotes('kept-again')).toBe(1)
    table.add('T14', 'the effect after a restart', '(stored result)', 'DONE, one effect')
  })

  it('T14 is refused where the ledger has been lost', async () => {
    await killAgent(at.deployment, 'notes')
    loseLedger(at.deployment.state, 'notes.0')
    at.bench = await at.makeBench()
    const token = signed(at.bench)
    expect(resultOf(await at.send(token))).toBe('LEDGER_UNAVAILABLE')
    table.add('T14', 'a genuine token after the ledger was lost', 'agent', 'LEDGER_UNAVAILABLE')
  })
})

/** A run with a step that fails, so that failures are in its history. */
const failing = `
version: 1
goal: Read what is not there
steps:
  - { id: list, agent: notes, action: list, args: { recentDays: 30 } }
  - { id: keep, agent: notes, action: append, args: { note: attack, text: kept-by-a-run } }
  - { id: gone, agent: notes, action: read, args: { note: not-there }, needs: [keep] }
answer: { from: [list] }
`

describe('what a deployment keeps', () => {
  it('T22 holds no token: not in logs, histories, audit, ledgers or artifacts', async () => {
    const { state } = at.deployment
    // The agent of the case before has no ledger any more.
    await killAgent(at.deployment, 'notes')
    restoreLedger(state, 'notes.0')
    const file = join(state, 'failing.yaml')
    writeFileSync(file, failing)
    const run = await runCli(['run', file, '--state', state, '--json'])
    expect(run.code, run.stderr).not.toBe(0)
    expect(run.stdout + run.stderr).not.toMatch(tokenText)
    const { token } = await at.grant('list')
    expect(token).toMatch(tokenText)
    const histories = await readHistories(at.deployment)
    expect(histories.workflows).toBeGreaterThan(0)
    expect(histories.text).toContain('"outcome":"failed"')
    expect(histories.text).not.toMatch(tokenText)
    expect(
      filesBelow(state).filter((name) => tokenText.test(readFileSync(name, 'latin1'))),
    ).toEqual([])
    table.add(
      'T22',
      'a token in histories, logs, audit, ledgers, artifacts',
      '(none kept)',
      '0 hits',
    )
  })
})

describe('the codes of refusal', () => {
  it('each refused something above', () => {
    expect(capabilityCodes.filter((code) => !table.codes.has(code))).toEqual([])
  })
})

/** How every token of ours begins: the same header members in the same order. */
const tokenText = new RegExp(
  Buffer.from('{"alg":"EdDSA","typ":"cap+jwt"').toString('base64url').slice(0, 38),
)
