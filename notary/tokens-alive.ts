// Whether a token that is out can still begin its effect. What must not happen any more (an undone
// step, one that a probe is asked about, one that runs again) waits until none can. A token ends with
// its life, with its use, or with the process that it was made for: see endsWithItsProcess.

import { limits } from '../plan/limits.ts'
import type { Catalogue } from '../plan/manifest.ts'
import type { EffectRecord, State, TokenRecord } from './state.ts'

export interface Present {
  readonly state: State
  /** Milliseconds since the epoch. */
  readonly now: number
  readonly catalogue: Catalogue
}

type Sent = Pick<EffectRecord, 'idem' | 'agent' | 'n'>

/** A token of the effect is out that no envelope has used up, and that its agent may still accept. */
export function canStillBegin(effect: Sent, present: Present): boolean {
  const { state, now } = present
  const isOver = (token: TokenRecord) =>
    token.expires_at + limits.tokenSkewMs < now ||
    (endsWithItsProcess(effect, present) && isOfEndedProcess(token, effect, state))
  return state.runTokens(effect.idem).some((token) => token.answered === 0 && !isOver(token))
}

/**
 * Another token may have begun the effect after the agent signed an envelope over `jti` to say that it
 * has not happened. Not so when that token is used up and its envelope says the same, when it was over
 * before `jti` was minted, or when its process had ended before the one that signed began: the ledger
 * that was looked at is the one that it would have begun in.
 */
export function mayHaveBegunSince(effect: Sent, jti: string, { state }: Present): boolean {
  const asked = state.token(jti)
  if (asked === undefined) return true
  const mintedAt = asked.expires_at - limits.tokenLifeMs
  const isNow = !isOfEndedProcess(asked, effect, state)
  const isAccountedFor = (token: TokenRecord) => {
    if (token.jti === jti || token.answered === 2) return true
    if (token.answered === 1 || !isOfReplica(token, effect, state)) return false
    const wasOver = token.expires_at + limits.tokenSkewMs < mintedAt
    return wasOver || (isNow && isOfEndedProcess(token, effect, state))
  }
  return !state.runTokens(effect.idem).every(isAccountedFor)
}

/**
 * A token is good for one start of one replica, and the supervisor registers the next start of it
 * only when the process before is known to be gone: what that one has not done, it never will. Not so
 * where an agent may ask the network, because a request that the gateway has passed on outlives it.
 */
function endsWithItsProcess({ agent }: Sent, { catalogue }: Present): boolean {
  return agent !== null && (catalogue.get(agent)?.egress ?? []).length === 0
}

/**
 * A later start of the same replica was registered. A stop alone says nothing: it is registered before
 * the process is told to go, so that nothing more is minted for it.
 */
function isOfEndedProcess(token: TokenRecord, effect: Sent, state: State): boolean {
  const { agent, n } = effect
  if (agent === null || n === null || !isOfReplica(token, effect, state)) return false
  return state.replica(agent, n)?.boot_epoch !== token.boot_epoch
}

function isOfReplica({ boot_epoch }: TokenRecord, { agent, n }: Sent, state: State): boolean {
  return agent !== null && n !== null && state.epoch(agent, n, boot_epoch) !== undefined
}
