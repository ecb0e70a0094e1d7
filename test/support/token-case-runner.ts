// Every token case against the agent runtime, and what each came to. The guard test builds this file
// again and again, each time without one check of the sources. Needs no server and no sandbox.

import { createUser, fromSeed } from '@nats-io/nkeys'
import type { RuntimeDependencies } from '../../agents/runtime.ts'
import { createMessage, isExpired } from '../../security/message.ts'
import { capabilityClaimsSchema } from '../../security/verify/claims.ts'
import { drawSalt, sha256 } from '../../security/verify/hash.ts'
import {
  generateKeyPairJwk,
  importPrivateJwk,
  privateJwkSchema,
} from '../../security/verify/keys.ts'
import {
  type Authority,
  createAuthority,
  startRuntime,
  type TestRuntime,
} from './agent-commands.ts'
import { createHome } from './agent-home.ts'
import type { CaseResult } from './guard-table.ts'
import { signed, type TokenBench, tokenCases, untilEarlyInSecond } from './hostile-tokens.ts'

const args = { text: 'x', times: 2 }

async function makeBench(authority: Authority): Promise<TokenBench> {
  const { token, salt } = await authority.command({ action: 'echo', args })
  const foreign = await authority.command({
    action: 'echo',
    args,
    claims: { aud: 'agent:other.1:epoch-one-0001' },
  })
  const text = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()
  const notary = privateJwkSchema.parse(authority.privateJwk)
  const { privateJwk: own } = await generateKeyPairJwk()
  const user = fromSeed(createUser().getSeed())
  return {
    claims: capabilityClaimsSchema.parse(JSON.parse(text)),
    kid: (await importPrivateJwk(notary)).kid,
    notary,
    own: { key: own, kid: (await importPrivateJwk(own)).kid },
    nkey: (input) => user.sign(input),
    foreign: foreign.token,
    args,
    salt,
  }
}

async function resultOf(work: () => Promise<unknown>): Promise<string> {
  try {
    const reply = await work()
    if (typeof reply !== 'object' || reply === null || !('status' in reply)) return String(reply)
    return String('code' in reply ? reply.code : reply.status)
  } catch (error) {
    return error instanceof Error ? `threw ${error.name}` : 'threw'
  }
}

/** In order, because some need what was before; a check that refuses gives its code. */
export async function runCases(wanted?: string): Promise<readonly CaseResult[]> {
  const home = createHome()
  const authority = await createAuthority()
  const runtime = await startRuntime(home, authority)
  const results: CaseResult[] = []
  const bench = await makeBench(authority)
  const use = (on: TestRuntime, token: string, sent: object = args, salt = bench.salt) =>
    on.handle({ op: 'run', token, args: sent, salt })

  await untilEarlyInSecond()
  for (const { id, name, code, make } of tokenCases) {
    const attempt = make(bench)
    const got = await resultOf(() => use(runtime, attempt.token, attempt.args, attempt.salt))
    results.push({ name: `${id} ${name}`, wanted: code, got })
  }

  const again = signed(bench)
  await use(runtime, again)
  results.push({
    name: 'T12 the same jti one after the other',
    wanted: 'REPLAY',
    got: await resultOf(() => use(runtime, again)),
  })
  const once = { idem: sha256('conflict'), args: { text: 'one', times: 1 } } as const
  await runtime.run({ action: 'echo', ...once, claims: { jti: drawSalt() } })
  results.push({
    name: 'T17 same idem, other arguments',
    wanted: 'IDEM_CONFLICT',
    got: await resultOf(() => runtime.run({ action: 'echo', ...once, args })),
  })
  const lost: Partial<RuntimeDependencies> = { ledger: undefined }
  const otherHome = createHome()
  const without = await startRuntime(otherHome, authority, lost)
  results.push({
    name: 'T14 a genuine token after the ledger was lost',
    wanted: 'LEDGER_UNAVAILABLE',
    got: await resultOf(() => use(without, signed(bench))),
  })
  const head = {
    sender: 'worker',
    receiver: 'test',
    type: 'TASK_REQUEST',
    correlationId: '',
  } as const
  const old = createMessage({ ...head, ttl: 1_000 }, {}, Date.now() - 5_000)
  results.push({
    name: 'T09 a command held back by the broker',
    wanted: 'EXPIRED_MESSAGE',
    got: isExpired(old, Date.now()) ? 'EXPIRED_MESSAGE' : 'DONE',
  })

  home.remove()
  otherHome.remove()
  return results.filter((one) => wanted === undefined || one.wanted === wanted)
}
