// What every call of the notary works with: its store, its keys as functions, and the few things it
// keeps in memory. Made once by notary.ts. Memory only saves work: losing all of it changes no
// decision.

import { createHmac, hkdfSync } from 'node:crypto'
import { limits } from '../plan/limits.ts'
import type { Catalogue } from '../plan/manifest.ts'
import type { PlannerModel } from '../plan/planner-models.ts'
import type { Decide, Policy } from '../plan/policy.ts'
import type { KnownNames } from '../plan/principals.ts'
import type { Slots } from '../plan/replicas.ts'
import type { Minter } from '../security/mint/token.ts'
import { canonicalJson } from '../security/verify/canonical-json.ts'
import type { NotaryCode } from './codes.ts'
import type { NotaryCall } from './permissions.ts'
import { createPlanCache, type PlanCache } from './plan-cache.ts'
import type { Judged } from './policy.ts'
import { createPoolLoad, type PoolLoad } from './pool-load.ts'
import { createStreaks, type Streaks } from './quarantine-policy.ts'
import { createRateLimiter, type RateLimiter } from './rate-limiter.ts'
import { createSourceCache, type SourceCache } from './source-cache.ts'
import type { AuditStore, Clock, Writer } from './store.ts'
import type { HouseholdUser } from './users.ts'

export interface NotaryPorts {
  readonly store: AuditStore
  readonly catalogue: Catalogue
  readonly policy: Policy
  /** The person's lists of people and places; without them nobody is known. */
  readonly names?: KnownNames | undefined
  /** Models that may be asked for a plan, for words; without them none is. */
  readonly planner?: readonly PlannerModel[] | undefined
  readonly minter: Minter
  readonly clock: Clock
  /** `notary:<deployment>` */
  readonly issuer: string
  /** Asked anew by each call: somebody may be added or removed while the notary runs. */
  readonly users: readonly HouseholdUser[]
  /** Whose replicas are which, of agents with `perUser`; without it such an agent serves nobody. */
  readonly slots?: Slots | undefined
  /** IANA name: where the times of day are that a plan gives without a zone. */
  readonly zone: string
  /** Secret for commitments to small values; see createCommitmentKey. */
  readonly commitmentKey: Uint8Array
  /** A crash test stops the process there; may never settle. */
  readonly onPoint?: (point: NotaryPoint, call: unknown) => Promise<void> | void
}

/** `after-record`: decision and rows are on disk, the token is not signed yet; `after-mint`: it is. */
export type NotaryPoint = `${'before' | 'after'}-${NotaryCall}` | 'after-record' | 'after-mint'

export interface NotaryContext extends Omit<NotaryPorts, 'commitmentKey'> {
  readonly planner: readonly PlannerModel[]
  /** By the policy in force when it is called. */
  readonly decide: Decide
  readonly plans: PlanCache
  readonly sources: SourceCache
  readonly refusals: RateLimiter
  readonly events: RateLimiter
  /** What pools are at work on: decides where an effect goes, and nothing else. */
  readonly load: PoolLoad
  /** Minutes in a row in which a source sent too many events. */
  readonly streaks: Streaks
  /** Keyed hash of a value, so that nobody can guess a small one from a dictionary. */
  commit(value: unknown): string
}

/** Results kept in memory, by hash. A run's results are asked for once and then fan out. */
const sourceCacheBytes = 32 * 1024 * 1024
/** Compiled plans kept in memory: parsing a plan of 1,000 steps for each of them is quadratic. */
const planCacheSize = 64

export function createContext(given: NotaryPorts): NotaryContext {
  const { commitmentKey, ...ports } = given
  const rows = { perSecond: limits.eventsPerSecond, bytesPerMinute: limits.eventBytesPerMinute }
  return {
    ...ports,
    get users() {
      return given.users
    },
    planner: ports.planner ?? [],
    decide: (question) => ports.policy.decide(question),
    plans: createPlanCache(ports.store.state, planCacheSize),
    sources: createSourceCache(sourceCacheBytes),
    refusals: createRateLimiter(rows),
    events: createRateLimiter(rows),
    load: createPoolLoad(),
    streaks: createStreaks(),
    commit: (value) =>
      createHmac('sha256', commitmentKey).update(canonicalJson(value)).digest('base64url'),
  }
}

/** Derives the secret from the first audit key's private half; commitment-key.ts keeps it. */
export function createCommitmentKey(privateBytes: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', privateBytes, '', 'bulkhead-audit-commitment', 32))
}

/** Why a call was refused. Messages name fields and ids, never a value. */
export interface Refusal {
  readonly code: NotaryCode
  readonly message: string
  readonly rules?: readonly string[]
  readonly missing?: string
  /** Where the policy refused: what it was asked. */
  readonly judged?: Judged
}

/** What a refusal was about. */
export interface RefusedCall {
  readonly call: string
  readonly account: string
  readonly subject: string
  readonly correlation: string
}

/**
 * Records a refusal. Bounded per account: an account that is refused in a loop must not be able to
 * fill the disk; what is beyond the bound is counted in one row a minute.
 */
export function recordRefusal(
  context: NotaryContext,
  writer: Writer,
  { call, account, subject, correlation, ...refusal }: RefusedCall & Refusal,
): void {
  if (!context.refusals.take(account, 0, writer.now)) return
  const { code, rules = [], missing, judged } = refusal
  writer.append({
    kind: 'decision',
    actor: account,
    subject,
    correlation,
    body: {
      ...{ call, decision: 'refused', code, rules },
      ...(missing === undefined ? {} : { missing }),
      ...(judged === undefined ? {} : { policy: judged.policy, question: { ...judged.question } }),
    },
  })
}
