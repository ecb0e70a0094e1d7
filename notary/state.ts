// The notary's state tables: what it decides from. Reads may happen at any time; writes only inside
// a job of the store, so that they commit with the audit row that says so. Rows in, rows out: no rule
// lives here. Audit rows are never read to decide.

import { createApprovalState } from './approval-state.ts'
import { createBudgetState } from './budget-state.ts'
import type { PublicJwk } from './contract.ts'
import type { NotaryDatabase } from './database.ts'
import { createLoopState, wholeLoop } from './loop-state.ts'
import { createProposalState } from './proposal-state.ts'
import { createQuarantineState } from './quarantine-state.ts'
import { createRequestLimitState } from './request-limit-state.ts'
import { createStandingState } from './standing-state.ts'
import { createToldState } from './told-state.ts'
import { createUsageState } from './usage-state.ts'

/** `probe`: a read that finds out whether a `do` of unknown outcome happened. */
export type EffectKind = 'do' | 'undo' | 'probe'
/** What a token allows at the agent. Only `run` can start an effect. */
export type TokenOperation = 'run' | 'attach' | 'cancel'
export type EffectOutcome = 'settled' | 'failed' | 'unknown' | 'skipped' | 'denied'

export interface RequestRecord {
  readonly id: string
  readonly kind: string
  readonly name: string
  readonly user: string
  readonly priority: string
  /** Digest of what was registered, so that the same id with other content is noticed. */
  readonly content: string
  /** The only plan that may be admitted; of words without an accepted proposal, one without steps. */
  readonly digest: string
  readonly created_at: number
  readonly admitted_at: number | null
  readonly cancelled_at: number | null
  /** The step whose failure turned the run around. */
  readonly aborted_by: string | null
  /** SHA-256 of the registered bytes; null of a request from before approvals. */
  readonly recipe: string | null
  /** What the person said, where they brought no plan: then somebody else proposed it. */
  readonly words: string | null
}

/** Names one effect; `rerun` is 0 until a person decides that the step shall run again. */
export interface EffectAddress {
  readonly request: string
  readonly kind: EffectKind
  readonly step: string
  readonly iteration: number
  readonly rerun: number
}

export interface EffectRecord extends EffectAddress {
  readonly idem: string
  /** Fixed by the first authorisation, but for pool.ts; null when none was ever given. */
  readonly agent: string | null
  readonly n: number | null
  readonly args_hash: string | null
  readonly salt: string | null
  /** JSON of `{ step: result hash }` that the arguments were resolved from. */
  readonly sources: string
  /** Authorisations given, each with a token. */
  readonly attempts: number
  /** Expiry of the latest token, milliseconds since the epoch; 0 without one. */
  readonly tokens_until: number
  readonly outcome: EffectOutcome | null
  readonly code: string | null
  /** What the receipt of a failure says of trying again. */
  readonly retry: string | null
  readonly result_hash: string | null
  /** SHA-256 of the receipt that settled it. */
  readonly receipt: string | null
  readonly settled_at: number | null
  /** Who said whether an unknown effect had happened: a principal, or `probe`. */
  readonly resolved: string | null
}

/** 0: not; 1: it is so; 2: and it says that the effect has not happened. */
export type Answered = 0 | 1 | 2

export interface TokenRecord {
  readonly jti: string
  readonly idem: string
  readonly boot_epoch: string
  /** Milliseconds since the epoch. */
  readonly expires_at: number
  /** Whether an envelope over this jti was seen, so that its agent has used the token up, and of what. */
  readonly answered: Answered
  readonly op: TokenOperation
}

export interface ReplicaRecord {
  readonly agent: string
  readonly n: number
  readonly boot_epoch: string
  readonly running: number
}

export interface EpochRecord {
  readonly agent: string
  readonly n: number
  readonly boot_epoch: string
  readonly nkey: string
  readonly receiptKey: PublicJwk
}

export type State = ReturnType<typeof createState>

export function createState(db: NotaryDatabase) {
  const effects = effectTable(db)
  const loops = createLoopState(db, effects)
  return {
    ...requestTable(db),
    ...effects,
    ...loops,
    /** Inserts, or updates what may change: never arguments, salt, replica or sources. */
    putEffect: (record: EffectRecord) => {
      loops.countOutcome(record)
      effects.putEffect(record)
    },
    putRerun: (request: string, step: string, iteration: number, to: number) => {
      if (iteration !== wholeLoop) loops.discountIteration(request, step, iteration)
      effects.putRerun(request, step, iteration, to)
    },
    ...replicaTable(db),
    ...createProposalState(db),
    ...createToldState(db),
    ...createQuarantineState(db),
    ...createStandingState(db),
    ...createUsageState(db),
    ...createBudgetState(db),
    ...createApprovalState(db),
    ...createRequestLimitState(db),
  }
}

function requestTable(db: NotaryDatabase) {
  const columns =
    'id, kind, name, user, priority, content, digest, created_at, admitted_at, cancelled_at, aborted_by, recipe, words'
  const byId = db.prepare<[string], RequestRecord>(`SELECT ${columns} FROM request WHERE id = ?`)
  const plan = db.prepare<[string], string>('SELECT plan FROM request WHERE id = ?').pluck()
  const latest = db.prepare<[string, number], RequestRecord>(
    `SELECT ${columns} FROM request WHERE user IN (SELECT value FROM json_each(?))
     ORDER BY created_at DESC, id LIMIT ?`,
  )
  const insert = db.prepare<RequestRecord & { readonly plan: string }>(
    `INSERT INTO request (${columns}, plan) VALUES (:id, :kind, :name, :user, :priority, :content,
     :digest, :created_at, :admitted_at, :cancelled_at, :aborted_by, :recipe, :words, :plan)`,
  )
  const admit = db.prepare<[number, string]>('UPDATE request SET admitted_at = ? WHERE id = ?')
  const cancel = db.prepare<[number, string]>('UPDATE request SET cancelled_at = ? WHERE id = ?')
  const abort = db.prepare<[string, string]>(
    'UPDATE request SET aborted_by = ? WHERE id = ? AND aborted_by IS NULL',
  )
  return {
    request: (id: string) => byId.get(id),
    /** RFC 8785 text of the compiled plan. */
    planText: (id: string) => plan.get(id),
    latestRequests: (limit: number, users: readonly string[]) =>
      latest.iterate(JSON.stringify(users), limit),
    insertRequest: (record: RequestRecord, planText: string) => {
      insert.run({ ...record, plan: planText })
    },
    admitRequest: (id: string, at: number) => {
      admit.run(at, id)
    },
    cancelRequest: (id: string, at: number) => {
      cancel.run(at, id)
    },
    /** The first step to turn a run around is remembered. */
    abortRequest: (id: string, step: string) => {
      abort.run(step, id)
    },
  }
}

function effectTable(db: NotaryDatabase) {
  const at = 'request = :request AND kind = :kind AND step = :step AND iteration = :iteration'
  const one = db.prepare<EffectAddress, EffectRecord>(
    `SELECT * FROM effect WHERE ${at} AND rerun = :rerun`,
  )
  const all = db.prepare<[string], EffectRecord>('SELECT * FROM effect WHERE request = ?')
  const put = db.prepare<EffectRecord>(
    `INSERT INTO effect (idem, request, kind, step, iteration, rerun, agent, n, args_hash, salt,
       sources, attempts, tokens_until, outcome, code, retry, result_hash, receipt, settled_at,
       resolved)
     VALUES (:idem, :request, :kind, :step, :iteration, :rerun, :agent, :n, :args_hash, :salt,
       :sources, :attempts, :tokens_until, :outcome, :code, :retry, :result_hash, :receipt,
       :settled_at, :resolved)
     ON CONFLICT (idem) DO UPDATE SET attempts = excluded.attempts,
       tokens_until = excluded.tokens_until, outcome = excluded.outcome, code = excluded.code,
       retry = excluded.retry, result_hash = excluded.result_hash, receipt = excluded.receipt,
       settled_at = excluded.settled_at, resolved = excluded.resolved`,
  )
  const move = db.prepare<[number, string]>('UPDATE effect SET n = ? WHERE idem = ?')
  const insertToken = db.prepare<TokenRecord>(
    `INSERT INTO token (jti, idem, boot_epoch, expires_at, answered, op)
     VALUES (:jti, :idem, :boot_epoch, :expires_at, :answered, :op)`,
  )
  const token = db.prepare<[string], TokenRecord>('SELECT * FROM token WHERE jti = ?')
  const answer = db.prepare<[Answered, string]>('UPDATE token SET answered = ? WHERE jti = ?')
  const runTokens = db.prepare<[string], TokenRecord>(
    "SELECT * FROM token WHERE idem = ? AND op = 'run'",
  )
  const following = db
    .prepare<[string], number>(`SELECT count(*) FROM token WHERE idem = ? AND op != 'run'`)
    .pluck()
  const rerun = db
    .prepare<[string, string, number], number | null>(
      `SELECT max(rerun) FROM rerun
       WHERE request = ? AND step = ? AND iteration IN (?, ${wholeLoop})`,
    )
    .pluck()
  const putRerun = db.prepare<[string, string, number, number]>(
    `INSERT INTO rerun (request, step, iteration, rerun) VALUES (?, ?, ?, ?)
     ON CONFLICT (request, step, iteration) DO UPDATE SET rerun = excluded.rerun`,
  )
  return {
    effect: (address: EffectAddress) => one.get(address),
    effectsOf: (request: string) => all.all(request),
    putEffect: (record: EffectRecord) => {
      put.run(record)
    },
    /** Only of an effect that can happen nowhere else: see pool.ts. */
    moveEffect: (idem: string, n: number) => {
      move.run(n, idem)
    },
    token: (jti: string) => token.get(jti),
    insertToken: (record: TokenRecord) => {
      insertToken.run(record)
    },
    answerToken: (jti: string, answered: Answered) => {
      answer.run(answered, jti)
    },
    /** Tokens that can start it, or could: as many as it has had attempts. */
    runTokens: (idem: string): readonly TokenRecord[] => runTokens.all(idem),
    /** Tokens given to follow an effect, ever. */
    followingTokens: (idem: string) => following.get(idem) ?? 0,
    /** How often a person has decided that this step, or this iteration of it, shall run again. */
    rerunOf: (request: string, step: string, iteration: number) =>
      rerun.get(request, step, iteration) ?? 0,
    putRerun: (request: string, step: string, iteration: number, to: number) => {
      putRerun.run(request, step, iteration, to)
    },
  }
}

function replicaTable(db: NotaryDatabase) {
  const current = db.prepare<[string, number], ReplicaRecord>(
    'SELECT * FROM replica WHERE agent = ? AND n = ?',
  )
  const put = db.prepare<ReplicaRecord>(
    `INSERT INTO replica (agent, n, boot_epoch, running) VALUES (:agent, :n, :boot_epoch, :running)
     ON CONFLICT (agent, n) DO UPDATE SET boot_epoch = excluded.boot_epoch,
       running = excluded.running`,
  )
  type Stored = Omit<EpochRecord, 'receiptKey'> & { readonly receipt_key: string }
  const epoch = db.prepare<[string, number, string], Stored>(
    `SELECT agent, n, boot_epoch, nkey, receipt_key FROM epoch
     WHERE agent = ? AND n = ? AND boot_epoch = ?`,
  )
  const insertEpoch = db.prepare<Stored & { readonly at: number }>(
    `INSERT INTO epoch (agent, n, boot_epoch, nkey, receipt_key, at)
     VALUES (:agent, :n, :boot_epoch, :nkey, :receipt_key, :at)`,
  )
  return {
    replica: (agent: string, n: number) => current.get(agent, n),
    putReplica: (record: ReplicaRecord) => {
      put.run(record)
    },
    epoch: (agent: string, n: number, bootEpoch: string): EpochRecord | undefined => {
      const row = epoch.get(agent, n, bootEpoch)
      if (row === undefined) return undefined
      const { receipt_key: x, ...rest } = row
      return { ...rest, receiptKey: { kty: 'OKP', crv: 'Ed25519', x } }
    },
    insertEpoch: ({ receiptKey, ...rest }: EpochRecord, at: number) => {
      insertEpoch.run({ ...rest, receipt_key: receiptKey.x, at })
    },
  }
}
