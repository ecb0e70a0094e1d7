// Agents for a run in memory: replicas with a ledger each, which do what a token says and sign what came of
// it. One of them may be somebody else's. What an honest one was asked to do is the record.

import { AttemptFailure } from '../../activities/failure.ts'
import type { AgentCalls } from '../../activities/notary-calls.ts'
import type { Reply } from '../../agents/protocol.ts'
import type { Catalogue } from '../../plan/manifest.ts'
import { canonicalJson } from '../../security/verify/canonical-json.ts'
import { hashArgs } from '../../security/verify/hash.ts'
import { execute, type Harness } from '../notary/harness.ts'
import type { Taken } from './interference-attackers.ts'
import type { Place } from './memory-run.ts'

/** Something that an honest agent was asked to do, once. */
export interface Done extends Place {
  readonly agent: string
  readonly action: string
  readonly args: Readonly<Record<string, unknown>>
}

export interface Staff {
  readonly catalogue: Catalogue
  /** What an honest agent answers. */
  honest(agent: string, action: string, args: Readonly<Record<string, unknown>>): unknown
  /** The agent that was taken over, and what it makes of a command. */
  readonly taken?: { readonly agent: string; reply(taken: Taken): Promise<Reply> }
}

interface Claims {
  readonly jti: string
  readonly idem: string
  readonly aud: string
  readonly authorization_details: readonly [
    { readonly action: string; readonly args_s256: string; readonly salt: string },
  ]
}

/** `done` takes the record. */
export function createAgents(
  { keys, notary }: Harness,
  staff: Staff,
  done: Done[],
): (place: Place) => AgentCalls {
  const ledger = new Map<string, string>()
  const carryOut = async (
    { step, iteration, kind }: Place,
    token: string,
    args?: Readonly<Record<string, unknown>>,
  ): Promise<Reply> => {
    const claims = claimsOf(token)
    const [, replica = '', bootEpoch = ''] = claims.aud.split(':')
    const agent = replica.replace(/\.0$/, '')
    const [{ action, args_s256: argsHash, salt }] = claims.authorization_details
    const about = { ...claims, argsHash, salt, agent: replica, bootEpoch } as never
    const declared = staff.catalogue.get(agent)?.actions[action]
    if (declared === undefined) throw new Error(`a token for ${agent}.${action}`)
    if (agent === staff.taken?.agent) {
      return staff.taken.reply({
        action: declared,
        shout: (payload) => notary.agentEvent(replica, payload),
        async sign({ status, content = '', failure, key: other, ...change }) {
          const [code, retry] = [failure?.code ?? 'INTERNAL', failure?.retry ?? 'final']
          const happened =
            status === 'FAILED' ? { status, code, retry } : { status, value: content }
          const signed = await execute(about, happened as never, other ?? keys.receipt, change)
          const { receipt, envelope } = signed
          if (status === 'DONE') return { status, result: content, receipt, envelope }
          return status === 'FAILED'
            ? { status, code, retry, receipt, envelope }
            : { status, receipt, envelope }
        },
      })
    }
    const known = ledger.get(claims.idem)
    if (known === undefined) {
      if (args === undefined) throw new AttemptFailure('NO_REPLY')
      if (hashArgs(salt, args) !== argsHash) throw new Error(`other arguments for ${action}`)
      done.push({ step, iteration, kind, agent, action, args })
      ledger.set(claims.idem, canonicalJson(staff.honest(agent, action, args) as never))
    }
    const content = ledger.get(claims.idem) ?? ''
    const happened = { status: 'DONE', value: JSON.parse(content) } as const
    const { receipt, envelope } = await execute(about, happened, keys.receipt)
    return { status: 'DONE', result: content, receipt, envelope }
  }
  return (place) => {
    const calls: AgentCalls = {
      at: () => calls,
      run: ({ token, args }) => carryOut(place, token, args),
      follow: ({ token }) => carryOut(place, token),
      ensure: async ({ agent }) => ({ status: 'RUNNING', bootEpoch: `epoch-${agent}-1` }),
    }
    return calls
  }
}

function claimsOf(token: string): Claims {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'))
}
