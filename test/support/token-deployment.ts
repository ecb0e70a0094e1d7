// A deployment whose notes agent is sent tokens over the real bus: genuine ones for the steps of an
// admitted plan, and what is made of them with the keys that an attacker could hold.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fromSeed } from '@nats-io/nkeys'
import { catalogue } from '../../agents/catalogue.ts'
import type { Reply } from '../../agents/protocol.ts'
import type { AuthorizeReply } from '../../notary/contract.ts'
import { compileSource } from '../../plan/compile.ts'
import { importPrivateJwk, privateJwkSchema } from '../../security/verify/keys.ts'
import { startDeployment, type TestDeployment } from './deployment.ts'
import { claimsOf, type TokenBench } from './hostile-tokens.ts'
import { decide } from './policy.ts'
import { connectParty, type RawParty } from './raw-party.ts'
import { countInData, ledgerEffects } from './traces.ts'
import { createWorkerDouble } from './worker-double.ts'

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
const listed = { recentDays: 30, limit: 20 }
/** Arguments of each step. */
export const argsOf = {
  list: listed,
  renewed: listed,
  other: { day: 'today' },
  keep: { note: 'attack', text: 'kept-once' },
  again: { note: 'attack', text: 'kept-again' },
} as const
export type Step = keyof typeof argsOf

export type Granted = Extract<AuthorizeReply, { status: 'AUTHORISED' }>

export interface TokenDeployment {
  readonly deployment: TestDeployment
  /** The worker's account, with a bare client. */
  readonly raw: RawParty
  /** What the tests sign from; replaced when the agent or a key is another one. */
  bench: TokenBench
  /** A genuine token. */
  grant(step: Step): Promise<Granted>
  /** From a genuine token, with what the agent holds and what the notary holds. */
  makeBench(): Promise<TokenBench>
  /** The bench with claims of now. */
  refreshed(): Promise<TokenBench>
  send(token: string, sent?: object, salt?: string): Promise<Reply>
  /** What the agent's own disk says: one row an effect. */
  effects(idem?: string): number
  countInNotes(text: string): number
  stop(): Promise<void>
}

/** An older token of the other agent may die of age before it is refused for its audience. */
const foreignSeconds = 20

export async function startTokenDeployment(): Promise<TokenDeployment> {
  const deployment = await startDeployment({ home: 'sample' })
  const { state } = deployment
  const double = await createWorkerDouble(state)
  const raw = await connectParty(join(state, 'worker', 'bus'))
  const compiled = compileSource({ kind: 'plan', source, inputs: {}, catalogue, decide })
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.issues))
  const { requestId } = await double.register(source)
  const admitted = await double.admit(requestId, compiled.plan)
  if (admitted.status !== 'ADMITTED') throw new Error(JSON.stringify(admitted))

  const grant = async (step: Step): Promise<Granted> => {
    const question = { requestId, planDigest: compiled.digest, step, args: argsOf[step] }
    const granted = await double.authorize(question)
    if (granted.status !== 'AUTHORISED') throw new Error(JSON.stringify(granted))
    return granted
  }
  const makeBench = async (): Promise<TokenBench> => {
    const { token, salt } = await grant('list')
    const foreign = await grant('other')
    return {
      ...(await readKeys(state)),
      claims: claimsOf(token),
      foreign: foreign.token,
      args: listed,
      salt,
    }
  }
  const self: TokenDeployment = {
    deployment,
    raw,
    bench: await makeBench(),
    grant,
    makeBench,
    async refreshed() {
      const now = Math.floor(Date.now() / 1_000)
      const claims = { ...self.bench.claims, iat: now, nbf: now, exp: now + 30 }
      if (now - claimsOf(self.bench.foreign).iat > foreignSeconds) {
        self.bench = { ...self.bench, foreign: (await grant('other')).token }
      }
      return { ...self.bench, claims }
    },
    send: (token, args = listed, salt = self.bench.salt) =>
      double.exec('agent.notes.0.exec', { op: 'run', token, args, salt }),
    effects: (idem) =>
      ledgerEffects(state, 'notes.0').filter((one) => idem === undefined || one === idem).length,
    countInNotes: (text) => countInData(state, 'notes', text),
    async stop() {
      await raw.close()
      await double.close()
      await deployment.stop()
    },
  }
  return self
}

async function readKeys(
  state: string,
): Promise<Pick<TokenBench, 'kid' | 'notary' | 'own' | 'nkey'>> {
  const secrets = join(state, 'agents', 'notes.0', 'secrets')
  const readKey = (file: string) => privateJwkSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  const notary = readKey(join(state, 'notary', 'signing.jwk.json'))
  const own = readKey(join(secrets, 'receipt.jwk.json'))
  const seed = readFileSync(join(secrets, 'bus', 'nkey.seed'))
  return {
    kid: (await importPrivateJwk(notary)).kid,
    notary,
    own: { key: own, kid: (await importPrivateJwk(own)).kid },
    nkey: (input) => fromSeed(seed).sign(input),
  }
}
