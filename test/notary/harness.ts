// A notary on a real file with a clock that a test moves, a small catalogue, an honest worker and an
// agent that signs what it is told. Tests change one thing at a time and say what is refused.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { compileWithHandles } from '../../activities/read-handles.ts'
import { envelopeType, receiptType } from '../../agents/protocol.ts'
import { createCommitmentKey } from '../../notary/context.ts'
import type {
  AuditRow,
  AuthorizeCall,
  AuthorizeReply,
  SettleCall,
  SettleReply,
  Source,
} from '../../notary/contract.ts'
import { createNotary, type Notary } from '../../notary/notary.ts'
import { type AuditStore, openStore } from '../../notary/store.ts'
import type { HouseholdUser } from '../../notary/users.ts'
import { compileSource } from '../../plan/compile.ts'
import type { Catalogue } from '../../plan/manifest.ts'
import type { PlannerModel } from '../../plan/planner-models.ts'
import type { Decide } from '../../plan/policy.ts'
import type { KnownNames } from '../../plan/principals.ts'
import type { Slots } from '../../plan/replicas.ts'
import type { RequestLimits } from '../../plan/request-limits.ts'
import type { CompiledPlan, InputValues } from '../../plan/schema.ts'
import { createHeadSealer } from '../../security/audit/checkpoint.ts'
import { createMinter } from '../../security/mint/token.ts'
import { canonicalJson } from '../../security/verify/canonical-json.ts'
import { signDocument } from '../../security/verify/document.ts'
import { saltedHash, sha256 } from '../../security/verify/hash.ts'
import { generateKeyPairJwk, type PrivateJwk, toPublicJwk } from '../../security/verify/keys.ts'
import { decide, policy } from '../support/policy.ts'
import { catalogue } from './catalogue.ts'

export type Authorised = Extract<AuthorizeReply, { status: 'AUTHORISED' }>
export const issuer = 'notary:testtest'
export const nkey = 'UTESTREPLICA'

/** One person, without a key. */
export const household: readonly HouseholdUser[] = [
  { id: 'owner', accounts: ['cli', 'console'], approvers: [], approvesFor: [], sees: [] },
]

/** What the agent double says happened. */
export type Happened =
  | { readonly status: 'DONE'; readonly value: unknown }
  | { readonly status: 'FAILED'; readonly code: 'CONFLICT'; readonly retry: 'absent' | 'final' }
  | { readonly status: 'UNKNOWN' }

export interface Documents {
  readonly receipt: string
  readonly envelope: string
  /** Exact bytes of the result, as a source of later steps. */
  readonly content: string
  readonly resultHash: string
}

export interface Harness {
  readonly notary: Notary
  readonly store: AuditStore
  readonly clock: { time: number; now(): number }
  readonly keys: {
    readonly signing: PrivateJwk
    readonly audit: PrivateJwk
    readonly receipt: PrivateJwk
  }
  /** The plan that the notary compiled, admitted unless told otherwise. */
  run(source: string, options?: RunOptions): Promise<Run>
  boot(change?: Partial<Parameters<Notary['boot']>[1] & object>): Promise<void>
  /** Edits the file behind the notary's back, as its owner could. */
  tamper(sql: string): Promise<void>
  /** Closes the store and opens everything again on the same file. */
  restart(): Promise<Harness>
  rows(): readonly AuditRow[]
  close(): Promise<void>
}

export interface RunOptions {
  readonly requestId?: string
  readonly inputs?: InputValues
  readonly admitted?: boolean
  /** Of the entry point that asks; the owner's unless it is another. */
  readonly account?: string
  /** What the person allows it; absent: whatever policy and budgets let. */
  readonly limits?: RequestLimits
}

export interface Run {
  readonly requestId: string
  readonly plan: CompiledPlan
  readonly digest: string
  call(step: string, args: unknown, change?: Partial<AuthorizeCall>): AuthorizeCall
  authorize(step: string, args: unknown, change?: Partial<AuthorizeCall>): Promise<AuthorizeReply>
  /** @throws Error when it is not authorised */
  token(step: string, args: unknown, change?: Partial<AuthorizeCall>): Promise<Authorised>
  settle(step: string, documents: Documents, change?: object): Promise<SettleReply>
  skip(step: string, sources?: readonly Source[]): Promise<SettleReply>
  fail(step: string, change?: object): Promise<SettleReply>
  /** Authorises, executes and settles as an honest worker would; returns the result as a source. */
  perform(step: string, args: unknown, value: unknown, sources?: readonly Source[]): Promise<Source>
  /** Authorises, executes and settles a failure. */
  break(step: string, args: unknown, happened: Happened): Promise<SettleReply>
}

export interface HarnessOptions {
  readonly catalogue?: Catalogue
  readonly decide?: Decide
  readonly names?: KnownNames
  readonly planner?: readonly PlannerModel[]
  readonly users?: readonly HouseholdUser[]
  readonly slots?: Slots
  readonly folder?: string
  readonly reserveBytes?: number
  /** Where real servers take part, whose clock no test can set. */
  readonly clock?: Harness['clock']
}

export async function createHarness(options: HarnessOptions = {}): Promise<Harness> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'bulkhead-notary-'))
  const pairs = await Promise.all([1, 2, 3].map(() => generateKeyPairJwk()))
  const [signing, audit, receipt] = pairs.map((pair) => pair.privateJwk)
  if (signing === undefined || audit === undefined || receipt === undefined) throw new Error('keys')
  const own = { time: 1_800_000_000_000, now: () => own.time }
  const clock = options.clock ?? own
  const harness = await assemble({ ...options, folder, clock, keys: { signing, audit, receipt } })
  if ((options.catalogue ?? catalogue).has('desk')) await harness.boot()
  return harness
}

interface Parts extends HarnessOptions {
  readonly folder: string
  readonly clock: Harness['clock']
  readonly keys: Harness['keys']
}

async function assemble(parts: Parts): Promise<Harness> {
  const { folder, clock, keys } = parts
  const used = parts.catalogue ?? catalogue
  const rules = parts.decide ?? decide
  const seal = await createHeadSealer(keys.audit)
  const store = openStore({ folder, clock, seal, reserveBytes: parts.reserveBytes ?? 4_096 })
  const notary = createNotary({
    store,
    catalogue: used,
    policy: parts.decide === undefined ? policy : { digest: 'of-a-test', decide: rules },
    names: parts.names,
    planner: parts.planner,
    minter: await createMinter(keys.signing),
    clock,
    issuer,
    users: parts.users ?? household,
    slots: parts.slots,
    zone: 'Europe/Vienna',
    commitmentKey: createCommitmentKey(Buffer.from(keys.audit.d, 'base64url')),
  })
  return {
    notary,
    store,
    clock,
    keys,
    run: (source, options) =>
      startRun({ notary, used, rules, names: parts.names, keys }, source, options),
    boot: async (change = {}) => {
      const call = {
        agent: 'desk',
        n: 0,
        bootEpoch: 'epoch-0001',
        running: true,
        nkey,
        receiptKey: toPublicJwk(keys.receipt),
        ...change,
      }
      const reply = await notary.boot('supervisor', call)
      if (reply.status !== 'RECORDED') throw new Error(`boot: ${reply.code}`)
    },
    tamper: async (sql) => {
      await store.close()
      const db = new Database(join(folder, 'audit.db'))
      db.exec(sql)
      db.close()
    },
    restart: async () => {
      await store.close()
      return assemble(parts)
    },
    rows: () => [...store.rows({ from: 1, limit: 10_000 })],
    close: async () => {
      await store.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function startRun(
  {
    notary,
    used,
    rules,
    names,
    keys,
  }: {
    notary: Notary
    used: Catalogue
    rules: Decide
    names: KnownNames | undefined
    keys: Harness['keys']
  },
  source: string,
  { requestId = 'r-1', inputs = {}, admitted = true, account = 'cli', limits }: RunOptions = {},
): Promise<Run> {
  const registration = {
    ...{ requestId, kind: 'plan', name: 'test', source, inputs, priority: 'MEDIUM' },
    ...(limits === undefined ? {} : { limits }),
  }
  const registered = await notary.request(account, registration)
  if (registered.status !== 'REGISTERED') throw new Error(JSON.stringify(registered))
  const compiled = await compileWithHandles(
    (handles) =>
      compileSource({
        kind: 'plan',
        source,
        inputs,
        catalogue: used,
        decide: rules,
        names,
        handles,
      }),
    requestId,
    { admit: (asked) => notary.admit('worker', asked) },
  )
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.issues))
  const { plan, digest } = compiled
  if (admitted) await notary.admit('worker', { requestId, plan })
  const call: Run['call'] = (step, args, change = {}) => ({
    requestId,
    planDigest: digest,
    kind: 'do',
    op: 'run',
    step,
    iteration: 0,
    args: args as Record<string, unknown>,
    sources: [],
    ...change,
  })
  const authorize: Run['authorize'] = (step, args, change) =>
    notary.authorize('worker', call(step, args, change))
  const token: Run['token'] = async (step, args, change) => {
    const reply = await authorize(step, args, change)
    if (reply.status !== 'AUTHORISED') throw new Error(`${step}: ${JSON.stringify(reply)}`)
    return reply
  }
  const address = (step: string) => ({
    requestId,
    planDigest: digest,
    kind: 'do',
    step,
    iteration: 0,
  })
  const settle: Run['settle'] = (step, { receipt, envelope }, change = {}) => {
    const documents = { type: 'receipt', receipt, envelope, invalidResult: false }
    return notary.settle('worker', { ...address(step), ...documents, ...change })
  }
  return {
    requestId,
    plan,
    digest,
    call,
    authorize,
    token,
    settle,
    skip: (step, sources = []) =>
      notary.settle('worker', { type: 'skip', ...address(step), sources } satisfies SkipCall),
    fail: (step, change = {}) =>
      notary.settle('worker', { type: 'failure', ...address(step), code: 'NO_REPLY', ...change }),
    perform: async (step, args, value, sources = []) => {
      const authorised = await token(step, args, { sources: [...sources] })
      const documents = await execute(authorised, { status: 'DONE', value }, keys.receipt)
      const settled = await settle(step, documents)
      if (settled.status !== 'SETTLED') throw new Error(JSON.stringify(settled))
      return { step, iteration: 0, hash: documents.resultHash, content: documents.content }
    },
    break: async (step, args, happened) => {
      const authorised = await token(step, args)
      return settle(step, await execute(authorised, happened, keys.receipt))
    },
  }
}

type SkipCall = Omit<Extract<SettleCall, { type: 'skip' }>, 'sources' | 'kind'> & {
  readonly sources: readonly Source[]
  readonly kind: string
}

/** Receipt and envelope as the agent's runtime signs them; `change` forges single fields. */
export async function execute(
  authorised: Authorised,
  happened: Happened,
  key: PrivateJwk,
  change: { readonly receipt?: object; readonly envelope?: object; readonly kept?: string } = {},
): Promise<Documents> {
  const { idem, argsHash, salt, agent, bootEpoch, jti } = authorised
  const content = hashedText(happened)
  const resultHash = saltedHash(salt, content)
  const { status } = happened
  const failure = status === 'FAILED' ? { code: happened.code, retry: happened.retry } : {}
  const receipt =
    change.kept ??
    (await signDocument(
      receiptType,
      { idem, argsHash, resultHash, status, agent, bootEpoch, salt, ...failure, ...change.receipt },
      key,
    ))
  const envelope = await signDocument(
    envelopeType,
    { jti, idem, receiptHash: sha256(receipt), bootEpoch, at: 0, ...change.envelope },
    key,
  )
  return { receipt, envelope, content, resultHash }
}

function hashedText(happened: Happened): string {
  switch (happened.status) {
    case 'DONE':
      return typeof happened.value === 'string' ? happened.value : canonicalJson(happened.value)
    case 'FAILED':
      return canonicalJson({ code: happened.code, retry: happened.retry })
    case 'UNKNOWN':
      return ''
  }
}
