// How an attempt ends without an outcome. Activities throw AttemptFailure; this file alone turns it
// into Temporal's ApplicationFailure, from one exhaustive table, so that the workflow can branch on
// `type` and a message can never carry content: messages are written here and nowhere else.

import { ApplicationFailure } from '@temporalio/common'
import { BusError } from '../security/bus.ts'
import {
  type AttemptFailureType,
  finalFailureTypes,
  freeFailureTypes,
} from '../workflows/contract.ts'
import { ArtifactError } from './artifacts.ts'

/** Thrown by activities to ask for another attempt, or to give up for good. */
export class AttemptFailure extends Error {
  override readonly name = 'AttemptFailure'
  readonly type: AttemptFailureType
  /** When another attempt is worth while, where that is known. */
  readonly retryMs: number | undefined
  constructor(type: AttemptFailureType, options?: ErrorOptions & { readonly retryMs?: number }) {
    super(table[type].message, options)
    this.type = type
    this.retryMs = options?.retryMs
  }

  /** Nothing was asked or sent, and it does not count. */
  get isFree(): boolean {
    return freeFailureTypes.some((free) => free === this.type)
  }
}

interface Row {
  readonly message: string
  /** Waits this long instead of the policy's back-off, where an earlier attempt is pointless. */
  readonly nextAttemptMs?: number
}

const table: Readonly<Record<AttemptFailureType, Row>> = {
  NOT_DELIVERED: { message: 'the command was not delivered' },
  NO_REPLY: { message: 'the command was sent and not answered in time' },
  // The agent is at work on this very effect; asking in a tight loop only costs tokens.
  IN_PROGRESS: { message: 'the agent is still at work on it', nextAttemptMs: 5_000 },
  STALE_TOKEN: { message: 'the agent refused the token as used or out of date' },
  REFUSED: { message: 'the agent refused the command' },
  EFFECT_ABSENT: { message: 'the action failed before it had an effect' },
  REPLY_INVALID: { message: 'the reply or its receipt is not genuine' },
  AGENT_UNAVAILABLE: { message: 'the agent could not be started' },
  NOTARY_UNAVAILABLE: { message: 'the notary does not answer or cannot record' },
  // A disk does not empty itself within a second.
  STORAGE_FULL: { message: 'no space left for artifacts', nextAttemptMs: 30_000 },
  ARTIFACT_MISSING: { message: 'a stored artifact is missing' },
  ARTIFACT_CORRUPT: { message: 'a stored artifact cannot be opened' },
  PLAN_MISMATCH: { message: 'the stored plan is not the one this step belongs to' },
  NOT_PERMITTED: { message: 'the bus does not permit this call' },
  // It waited for a place as long as it may.
  AGENT_BUSY: { message: 'the agent has no place for it now', nextAttemptMs: 1_000 },
  CIRCUIT_OPEN: { message: 'the agent does not answer, and is left alone for a while' },
  UNFINISHED: { message: 'left by the fast lane, for a regular activity to go on' },
}

/** The agent, or the way to it, did not do its part: another look may find otherwise. */
export function concernsAgent({ type }: AttemptFailure): boolean {
  switch (type) {
    case 'NOT_DELIVERED':
    case 'NO_REPLY':
    case 'IN_PROGRESS':
    case 'STALE_TOKEN':
    case 'REFUSED':
    // Not yet certain: another token can still begin it.
    case 'EFFECT_ABSENT':
    case 'REPLY_INVALID':
    case 'AGENT_UNAVAILABLE':
      return true
    case 'NOTARY_UNAVAILABLE':
    case 'STORAGE_FULL':
    case 'ARTIFACT_MISSING':
    case 'ARTIFACT_CORRUPT':
    case 'PLAN_MISMATCH':
    case 'NOT_PERMITTED':
    case 'UNFINISHED':
    case 'AGENT_BUSY':
    case 'CIRCUIT_OPEN':
      return false
  }
}

/** Maps what an activity threw. Anything unforeseen is a bug: retried, named, without its text. */
export function toApplicationFailure(error: unknown): ApplicationFailure {
  const type = typeOf(error)
  if (type === undefined) {
    return ApplicationFailure.create({ type: 'INTERNAL', message: 'an activity failed by a bug' })
  }
  const { message, nextAttemptMs: usual } = table[type]
  const nextAttemptMs = (error instanceof AttemptFailure ? error.retryMs : undefined) ?? usual
  return ApplicationFailure.create({
    type,
    message,
    nonRetryable: finalFailureTypes.some((final) => final === type),
    ...(nextAttemptMs === undefined ? {} : { nextRetryDelay: nextAttemptMs }),
  })
}

function typeOf(error: unknown): AttemptFailureType | undefined {
  if (error instanceof AttemptFailure) return error.type
  if (error instanceof ArtifactError) {
    switch (error.code) {
      case 'STORAGE_FULL':
        return 'STORAGE_FULL'
      case 'MISSING':
        return 'ARTIFACT_MISSING'
      case 'BAD_REFERENCE':
      case 'CORRUPT':
        return 'ARTIFACT_CORRUPT'
    }
  }
  return undefined
}

/** The type of a failure that says that something stored is gone for good; undefined for any other. */
export function lossOf(error: unknown): 'ARTIFACT_MISSING' | 'ARTIFACT_CORRUPT' | undefined {
  const type = typeOf(error)
  return type === 'ARTIFACT_MISSING' || type === 'ARTIFACT_CORRUPT' ? type : undefined
}

/** Transport errors of a call to the notary: it is asked again, whatever went wrong on the way. */
export function toNotaryFailure(error: unknown): unknown {
  if (!(error instanceof BusError)) return error
  return error.code === 'PERMISSION'
    ? new AttemptFailure('NOT_PERMITTED', { cause: error })
    : new AttemptFailure('NOTARY_UNAVAILABLE', { cause: error })
}

/** Transport errors of a command: undelivered is safe, a silence is unknown until the ledger says. */
export function toCommandFailure(error: unknown): unknown {
  if (!(error instanceof BusError)) return error
  switch (error.code) {
    case 'NOT_DELIVERED':
      return new AttemptFailure('NOT_DELIVERED', { cause: error })
    case 'TIMEOUT':
    case 'CLOSED':
      return new AttemptFailure('NO_REPLY', { cause: error })
    case 'MALFORMED':
      return new AttemptFailure('REPLY_INVALID', { cause: error })
    case 'PERMISSION':
      return new AttemptFailure('NOT_PERMITTED', { cause: error })
  }
}
