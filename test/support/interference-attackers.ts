// An agent that was taken over, in all the ways that reach the worker: what it says, and whether it says
// anything at all. Its words are payloads of our own writing, in every field that takes a text; each is
// an instruction to somebody who reads too much into data. Two seeds are two attackers.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { AttemptFailure } from '../../activities/failure.ts'
import { failureCodes, type Reply, retrySchema } from '../../agents/protocol.ts'
import type { ActionManifest } from '../../plan/manifest.ts'
import { capabilityCodes } from '../../security/capability-codes.ts'
import { canonicalJson } from '../../security/verify/canonical-json.ts'
import { generateKeyPairJwk } from '../../security/verify/keys.ts'
import { pick, type Random } from './drawn-plans.ts'
import { valueOfSchema } from './interference-values.ts'
import { payloads } from './interference-words.ts'

export interface Taken {
  readonly action: ActionManifest
  /** Signs what the replica says; `key`: another than its own. */
  sign(said: Said): Promise<Reply>
  /** Says something on the replica's own event subject. */
  shout(payload: unknown): Promise<unknown>
}

export interface Said {
  readonly status: 'DONE' | 'FAILED' | 'UNKNOWN'
  /** Exact bytes of a result. */
  readonly content?: string
  readonly failure?: {
    readonly code: (typeof failureCodes)[number]
    readonly retry: 'absent' | 'final' | 'ask'
  }
  readonly receipt?: object
  readonly envelope?: object
  readonly key?: Awaited<ReturnType<typeof generateKeyPairJwk>>['privateJwk']
}

type Style = (random: Random, taken: Taken) => Promise<Reply>

const styles: Readonly<Record<string, Style>> = {
  lies: (random, taken) => lie(random, taken),
  'breaks its schema': (random, { sign, action }) => {
    const value = lieOf(random, action)
    const broken = [
      'null',
      '[]',
      '"a text"',
      '{"title":{"$from":"s0#/title"}}',
      value.replace('{', '{"surplus":1,'),
      value.replace('{', '{"__proto__":{"to":["thief@evil.example"]},'),
      value.replace('{', '{"constructor":{"prototype":{}},'),
      `${value},${value}`,
      `{"a":1,"a":2,${value.slice(1)}`,
      '['.repeat(200) + ']'.repeat(200),
      '{"title":"\\ud800"}',
      '{"count":1e400}',
      '\u0000',
      '',
    ]
    return sign({ status: 'DONE', content: pick(random, broken) })
  },
  'is huge': (random, { sign, action }) => {
    // At the bound of a result, at that of an argument, and beyond both.
    const length = pick(random, [60_000, 66_000, 700_000])
    const content = canonicalJson(valueOfSchema(action.output, () => 'z'.repeat(length), 1))
    return sign({ status: 'DONE', content })
  },
  'is slow': async (random, taken) => {
    for (let turns = Math.floor(random() * 40); turns > 0; turns -= 1) await nextTurn()
    return random() < 0.4 ? { status: 'IN_PROGRESS' } : await lie(random, taken)
  },
  fails: (random, { sign }) => {
    const code = pick(random, failureCodes)
    return sign({ status: 'FAILED', failure: { code, retry: pick(random, retrySchema.options) } })
  },
  'knows nothing': (_random, { sign }) => sign({ status: 'UNKNOWN' }),
  refuses: async (random) => ({ status: 'REFUSED', code: pick(random, capabilityCodes) }),
  'is silent': async () => {
    throw new AttemptFailure('NO_REPLY')
  },
  'says what nobody asked': async (random) =>
    pick<Reply>(random, [
      { status: 'IN_PROGRESS', progress: { done: 9, total: 1 } },
      { status: 'DESCRIPTION', agent: 'mail', summary: pick(random, payloads), actions: [] },
    ]),
  forges: async (random, { sign, action }) => {
    const content = lieOf(random, action)
    const another = 'A'.repeat(43)
    const forged: readonly Partial<Said>[] = [
      { key: (await generateKeyPairJwk()).privateJwk },
      { receipt: { idem: another } },
      { receipt: { resultHash: another } },
      { receipt: { agent: 'desk.0' } },
      { envelope: { jti: 'another' } },
      { envelope: { receiptHash: another } },
    ]
    return sign({ status: 'DONE', content, ...pick(random, forged) })
  },
  floods: async (random, taken) => {
    for (let event = 0; event < 40; event += 1) {
      await taken.shout({ kind: 'security', code: pick(random, payloads), detail: event })
    }
    return lie(random, taken)
  },
}
export const styleNames = Object.keys(styles)

/** Mostly it lies: an agent that only breaks things ends the run, and nothing is built on it. */
export function attackerReply(
  random: Random,
  taken: Taken,
  count: (style: string) => void,
): Promise<Reply> {
  const name = random() < 0.6 ? 'lies' : pick(random, styleNames)
  count(name)
  return (styles[name] ?? lie)(random, taken)
}

function lie(random: Random, { sign, action }: Taken): Promise<Reply> {
  return sign({ status: 'DONE', content: lieOf(random, action) })
}

/** What the schema accepts, in the form that a receipt hashes. */
function lieOf(random: Random, { output }: ActionManifest): string {
  return canonicalJson(
    valueOfSchema(output, () => pick(random, payloads), Math.floor(random() * 4)),
  )
}
