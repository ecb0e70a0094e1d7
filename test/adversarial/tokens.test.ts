// T01 to T22: tokens that are forged, altered, stolen or used again, sent to a real sandboxed agent
// over the real bus. Signatures are by keys that an attacker could hold; claims that only the notary
// could sign are signed with its key, as a notary that errs would. That a refused command had no effect
// is read from the agent's ledger and its folder, not from its reply.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fromSeed } from '@nats-io/nkeys'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { catalogue } from '../../agents/catalogue.ts'
import { type Reply, replySchema } from '../../agents/protocol.ts'
import type { AuthorizeReply } from '../../notary/contract.ts'
import { compileSource } from '../../plan/compile.ts'
import { decide } from '../../plan/policy.ts'
import { capabilityCodes } from '../../security/capability-codes.ts'
import { createMessage } from '../../security/message.ts'
import { hashArgs, sha256 } from '../../security/verify/hash.ts'
import { importPrivateJwk, privateJwkSchema } from '../../security/verify/keys.ts'
import { createCaseTable } from '../support/case-table.ts'
import { runCli } from '../support/cli.ts'
import { readHistories } from '../support/decoded-histories.ts'
import { startDeployment, type TestDeployment } from '../support/deployment.ts'
import {
  claimsOf,
  kidOf,
  signed,
  type TokenBench,
  tokenCases,
  untilEarlyInSecond,
} from '../support/hostile-tokens.ts'
import { rotateIntoOverlap } from '../support/key-rotations.ts'
import { connectParty, type RawParty } from '../support/raw-party.ts'
import {
  countInData,
  filesBelow,
  killAgent,
  ledgerEffects,
  loseLedger,
  restoreLedger,
  securityCodes,
} from '../support/traces.ts'
import { createWorkerDouble, type WorkerDouble } from '../support/worker-double.ts'

const source = `
version: 1
goal: Read and write a note
steps:
  - { id: list, agent: notes, action: list, args: { recentDays: 30, limit: 20 }, attempts: 5 }
  - { id: renewed, agent: notes, action: list, args: { recentDays: 30, limit: 20 } }
  - { id: other, agent: calendar, action: list, args: { day: today } }
  - { id: keep, agent: notes, action: append, args: { note: attack, text: kept-once }, attempts: 5 }
  - { id: again, agent: notes, action: append, args: { note: attack, text: kept-again }, attempts: 5 }
answer: { from: [list] }
`
type Granted = Extract<AuthorizeReply, { status: 'AUTHORISED' }>

const table = createCaseTable('tokens, at a sandboxed agent')
let deployment: TestDeployment
let double: WorkerDouble
let raw: RawParty
let digest: string
let requestId: string
let bench: TokenBench

const args = { recentDays: 30, limit: 20 }
const argsOf: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  list: args,
  renewed: args,
  other: { day: 'today' },
  keep: { note: 'attack', text: 'kept-once' },
  again: { note: 'attack', text: 'kept-again' },
}
const folder = () => join(deployment.state, 'agents', 'notes.0')
const json = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'))

beforeAll(async () => {
  deployment = await startDeployment({ home: 'sample' })
  double = await createWorkerDouble(deployment.state)
  raw = await connectParty(join(deployment.state, 'worker', 'bus'))
  const compiled = compileSource({ kind: 'plan', source, inputs: {}, catalogue, decide })
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.issues))
  digest = compiled.digest
  const { requestId: id } = await double.register(source)
  requestId = id
  expect(await double.admit(requestId, compiled.plan)).toMatchObject({ status: 'ADMITTED' })
  bench = await makeBench()
}, 240_000)

afterAll(async () => {
  table.print()
  await raw.close()
  await double.close()
  await deployment.stop()
})

async function grant(step: string): Promise<Granted> {
  const question = { requestId, planDigest: digest, step, args: argsOf[step] ?? {} }
  const granted = await double.authorize(question)
  if (granted.status !== 'AUTHORISED') throw new Error(JSON.stringify(granted))
  return granted
}

/** From a genuine token, with what the agent holds and what the notary holds. */
async function makeBench(step = 'list'): Promise<TokenBench> {
  const granted = await grant(step)
  const foreign = await grant('other')
  const notary = privateJwkSchema.parse(json(join(deployment.state, 'notary', 'signing.jwk.json')))
  const own = privateJwkSchema.parse(json(join(folder(), 'secrets', 'receipt.jwk.json')))
  const seed = readFileSync(join(folder(), 'secrets', 'bus', 'nkey.seed'))
  return {
    claims: claimsOf(granted.token),
    kid: (await importPrivateJwk(notary)).kid,
    notary,
    own: { key: own, kid: (await importPrivateJwk(own)).kid },
    nkey: (input) => fromSeed(seed).sign(input),
    foreign: foreign.token,
    args: argsOf[step] ?? {},
    salt: granted.salt,
  }
}

const send = (token: string, sent: object = args, salt = bench.salt): Promise<Reply> =>
  double.exec('agent.notes.0.exec', { op: 'run', token, args: sent, salt })

const resultOf = (reply: Reply): string => (reply.status === 'REFUSED' ? reply.code : reply.status)

/** What the agent's own disk says: one row an effect. */
const effects = (idem?: string): number =>
  ledgerEffects(deployment.state, 'notes.0').filter((one) => idem === undefined || one === idem)
    .length
const countInNotes = (text: string): number => countInData(deployment.state, 'notes', text)

async function refreshed(): Promise<TokenBench> {
  const now = Math.floor(Date.now() / 1_000)
  const claims = { ...bench.claims, iat: now, nbf: now, exp: now + 30 }
  // The foreign token would die of age before it is refused for its audience.
  return { ...bench, claims, foreign: (await grantOther()) ?? bench.foreign }
}

let foreignAt = 0
async function grantOther(): Promise<string | undefined> {
  if (Date.now() - foreignAt < 20_000) return undefined
  foreignAt = Date.now()
  return (await grant('other')).token
}

describe('a token at an agent that it is or is not for', () => {
  it('T00 works when nothing is changed', async () => {
    expect(resultOf(await send(signed(await refreshed())))).toBe('DONE')
  })

  it.each(tokenCases)('$id is $code: $name', async ({ id, name, code, make }) => {
    const before = effects()
    const now = await refreshed()
    await untilEarlyInSecond()
    const { token, args: sent, salt } = make(now)
    expect(resultOf(await send(token, sent, salt))).toBe(code)
    expect(effects()).toBe(code === 'DONE' ? before + 1 : before)
    table.add(id, name, code === 'DONE' ? '(nobody: allowed)' : 'agent', code)
  })
})

describe('arguments as bytes', () => {
  const rawArgs = (text: string, token: string) =>
    JSON.stringify(
      createMessage(
        { sender: 'worker', receiver: 'notes', type: 'TASK_REQUEST', correlationId: 'raw' },
        { op: 'run', token, args: '@', salt: bench.salt },
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
    const before = effects()
    const reply = await raw.ask('agent.notes.0.exec', rawArgs(text, signed(await refreshed())))
    expect(resultOf(replySchema.parse(reply))).toBe(code)
    expect(effects()).toBe(code === 'DONE' ? before + 1 : before)
    table.add('T09', name, code === 'DONE' ? '(nobody: allowed)' : 'agent', code)
  })

  it('T09 is EXPIRED_MESSAGE: a genuine command that was held back', async () => {
    const head = { sender: 'worker', receiver: 'notes', type: 'TASK_REQUEST' } as const
    const command = { op: 'run', token: signed(await refreshed()), args, salt: bench.salt }
    const old = createMessage({ ...head, correlationId: '', ttl: 1_000 }, command, Date.now() - 5e3)
    const reply = await raw.ask('agent.notes.0.exec', JSON.stringify(old))
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
    const token = signed(await refreshed())
    const before = effects()
    expect(resultOf(await send(token))).toBe('DONE')
    expect(resultOf(await send(token))).toBe('REPLAY')
    // The last character of a 64-byte signature carries four bits that mean nothing.
    const spelled = token.replace(/.$/, (last) => spellings(last).find((c) => c !== last) ?? last)
    expect(spelled).not.toBe(token)
    expect(['REPLAY', 'TOKEN_SIGNATURE']).toContain(resultOf(await send(spelled)))
    expect(effects()).toBe(before + 1)
    table.add('T12', 'the same jti one after the other', 'agent ledger', 'REPLAY')
  })

  it('T13 runs once of a hundred at the same time', async () => {
    const { token, salt, idem } = await grant('keep')
    const replies = await Promise.all(
      Array.from({ length: 100 }, () => send(token, argsOf['keep'], salt)),
    )
    const results = replies.map(resultOf)
    expect(results.filter((result) => result === 'DONE')).toHaveLength(1)
    expect(results.filter((result) => result === 'REPLAY')).toHaveLength(99)
    expect(effects(idem)).toBe(1)
    expect(countInNotes('kept-once')).toBe(1)
    table.add('T13', 'the same jti 100 times at once: one effect', 'agent ledger', '99 x REPLAY')
  })

  it('T16 gives the stored result to a new jti of the same effect', async () => {
    const first = await grant('again')
    const done = await send(first.token, argsOf['again'], first.salt)
    const second = await grant('again')
    expect(second.idem).toBe(first.idem)
    expect(claimsOf(second.token).jti).not.toBe(claimsOf(first.token).jti)
    const stored = await send(second.token, argsOf['again'], second.salt)
    if (done.status !== 'DONE' || stored.status !== 'DONE') throw new Error('not done')
    expect([stored.result, stored.receipt]).toEqual([done.result, done.receipt])
    expect(stored.envelope).not.toBe(done.envelope)
    expect([effects(first.idem), countInNotes('kept-again')]).toEqual([1, 1])
    table.add('T16', 'new jti, same idem', '(stored result)', 'DONE, one effect')
  })

  it('T17 is a conflict when the arguments of the same effect are others', async () => {
    const idem = sha256('a conflict')
    expect(resultOf(await send(signed(await refreshed(), { idem })))).toBe('DONE')
    const other = { recentDays: 31, limit: 20 }
    const now = await refreshed()
    const [detail] = now.claims.authorization_details
    const changed = { ...detail, args_s256: hashArgs(bench.salt, other) }
    const token = signed(now, { idem, authorization_details: [changed] })
    // Of the hundred refusals before, the notary kept as many as it keeps in a second.
    await delay(1_500)
    expect(resultOf(await send(token, other))).toBe('IDEM_CONFLICT')
    await expect
      .poll(() => securityCodes(deployment.state, 'agent:notes.0'))
      .toContain('IDEM_CONFLICT')
    table.add('T17', 'same idem, other arguments; recorded', 'agent ledger', 'IDEM_CONFLICT')
  })
})

describe('a token while the signing key is replaced', () => {
  it('T19 by the old key is good during the overlap and dead after it, by the new one good', async () => {
    const old = await refreshed()
    const rotation = await rotateIntoOverlap(deployment, [{ agent: 'notes', n: 0 }])
    const young = await makeBench()
    expect(young.kid).not.toBe(old.kid)
    const before = effects()
    // The notary signs with the new one only.
    expect(kidOf((await grant('renewed')).token)).toBe(young.kid)
    expect(resultOf(await send(signed(old), args, old.salt))).toBe('DONE')
    expect(resultOf(await send(signed(young), args, young.salt))).toBe('DONE')
    expect(effects()).toBe(before + 2)
    table.add('T19', 'both keys during the overlap', '(both accepted)', 'DONE')
    await rotation.end()
    bench = young
    // Signed now, by whoever kept a copy of the old key: everything else about it is right.
    const late = { ...(await refreshed()), kid: old.kid, notary: old.notary }
    expect(resultOf(await send(signed(late)))).toBe('TOKEN_KEY_UNKNOWN')
    expect(resultOf(await send(signed(await refreshed())))).toBe('DONE')
    expect(effects()).toBe(before + 3)
    table.add('T19', 'a saved copy of the old key after the overlap', 'agent', 'TOKEN_KEY_UNKNOWN')
  })
})

describe('a token after its agent was killed', () => {
  it('T14 is dead, its jti stays used, its effect stays done', async () => {
    const unused = signed(await refreshed())
    const used = await grant('again')
    expect(resultOf(await send(used.token, argsOf['again'], used.salt))).toBe('DONE')
    const epoch = claimsOf(used.token).aud
    await killAgent(deployment, 'notes')
    const after = await grant('again')
    expect(claimsOf(after.token).aud).not.toBe(epoch)
    expect(resultOf(await send(unused))).toBe('TOKEN_AUDIENCE')
    table.add('T14', 'an unused token after a restart', 'agent', 'TOKEN_AUDIENCE')
    // Even a notary that would sign the old jti for the new epoch.
    const { jti } = claimsOf(used.token)
    bench = await makeBench()
    expect(resultOf(await send(signed(bench, { jti })))).toBe('REPLAY')
    table.add('T14', 'a used jti after a restart', 'agent ledger', 'REPLAY')
    expect(resultOf(await send(after.token, argsOf['again'], after.salt))).toBe('DONE')
    expect(countInNotes('kept-again')).toBe(1)
    table.add('T14', 'the effect after a restart', '(stored result)', 'DONE, one effect')
  })

  it('T14 is refused where the ledger has been lost', async () => {
    await killAgent(deployment, 'notes')
    loseLedger(deployment.state, 'notes.0')
    bench = await makeBench()
    const token = signed(bench)
    expect(resultOf(await send(token))).toBe('LEDGER_UNAVAILABLE')
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
    const { state } = deployment
    // The agent of the case before has no ledger any more.
    await killAgent(deployment, 'notes')
    restoreLedger(state, 'notes.0')
    const file = join(state, 'failing.yaml')
    writeFileSync(file, failing)
    const run = await runCli(['run', file, '--state', state, '--json'])
    expect(run.code, run.stderr).not.toBe(0)
    expect(run.stdout + run.stderr).not.toMatch(tokenText)
    const { token } = await grant('list')
    expect(token).toMatch(tokenText)
    const histories = await readHistories(deployment)
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
