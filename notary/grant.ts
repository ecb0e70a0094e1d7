// Grants one authorisation: records it inside the transaction and signs it afterwards. Invariant: no
// token exists whose `jti` is not on disk. A token is never stored, so a lost reply costs an attempt.

import { limits } from '../plan/limits.ts'
import { drawSalt, hashArgs, sha256 } from '../security/verify/hash.ts'
import { countSpending } from './budget.ts'
import type { NotaryContext } from './context.ts'
import type { AuthorizeReply } from './contract.ts'
import type { Cover } from './cover.ts'
import type { Located } from './locate.ts'
import { isCounted, type Judged } from './policy.ts'
import type { Sources } from './provenance.ts'
import { noteApproval, useUp } from './questions.ts'
import type { ResolvedArgs } from './resolve.ts'
import type { EffectRecord, EpochRecord, TokenOperation } from './state.ts'
import type { Writer } from './store.ts'

/** All that was decided. */
export interface Grantable {
  readonly located: Located
  readonly epoch: EpochRecord
  readonly args: ResolvedArgs
  readonly sources: Sources
  /** What the policy said, and of what. */
  readonly judged: Judged
  /** The person's decision that a rule asked for. */
  readonly cover: Cover | undefined
}

/** An effect that is out, and what its follower may do. */
export interface Following {
  readonly op: Exclude<TokenOperation, 'run'>
  readonly located: Located
  readonly effect: EffectRecord
  readonly epoch: EpochRecord
  readonly argsHash: string
  readonly salt: string
  readonly policy: string
}

/** What was recorded and may be signed once it is on disk. */
export interface Granted {
  readonly op: TokenOperation
  readonly located: Located
  readonly effect: EffectRecord
  readonly epoch: EpochRecord
  readonly argsHash: string
  readonly salt: string
  readonly policy: string
  /** SHA-256 of the statement by which a person approved it; undefined where nobody was asked. */
  readonly approval: string | undefined
  readonly jti: string
  /** Seconds since the epoch. */
  readonly issuedAt: number
  readonly expiresAt: number
}

/** An effect of which nothing is fixed yet. */
export const openEffect = {
  agent: null,
  n: null,
  args_hash: null,
  salt: null,
  sources: '{}',
  attempts: 0,
  tokens_until: 0,
  outcome: null,
  code: null,
  retry: null,
  result_hash: null,
  receipt: null,
  settled_at: null,
  resolved: null,
} as const

/** Fixes what the first authorisation fixes, draws a `jti`, and records both. Inside a job. */
export function grant(writer: Writer, grantable: Grantable): Granted {
  const { located, epoch, args, sources, judged, cover } = grantable
  const { policy, verdict, rules } = judged
  const { step, actionName, address, idem, request } = located
  const salt = located.effect?.salt ?? drawSalt()
  const argsHash = located.effect?.args_hash ?? hashArgs(salt, args)
  const issuedAt = Math.floor(writer.now / 1_000)
  const expiresAt = issuedAt + limits.tokenLifeMs / 1_000
  const jti = drawSalt()
  const effect: EffectRecord = {
    ...openEffect,
    ...address,
    idem,
    agent: step.agent,
    n: epoch.n,
    args_hash: argsHash,
    salt,
    sources: JSON.stringify(sources.hashes),
    attempts: (located.effect?.attempts ?? 0) + 1,
    tokens_until: expiresAt * 1_000,
  }
  writer.state.putEffect(effect)
  if (located.effect !== undefined)
    noteMove(writer, located, { from: located.effect.n, to: epoch.n })
  writer.state.insertToken({
    jti,
    idem,
    boot_epoch: epoch.boot_epoch,
    expires_at: expiresAt * 1_000,
    answered: 0,
    op: 'run',
  })
  const replica = `${epoch.agent}.${epoch.n}`
  const about = { actor: request.user, subject: step.id, correlation: request.id }
  if (located.effect === undefined) {
    const action = `${step.agent}.${actionName}`
    const { kind } = address
    const hashes = { argsHash, sources: sources.hashes }
    const body = { idem, kind, action, agent: replica, ...iterationOf(located), ...hashes }
    const judgedBody = { policy, verdict, rules, question: { ...judged.question } }
    const approval = cover === undefined ? {} : { approval: cover.approval.id, by: cover.statement }
    writer.append({ ...about, kind: 'intent', body: { ...body, ...judgedBody, ...approval } })
    if (isCounted(located)) {
      writer.state.countEffect(request.user, step.agent, writer.now)
      countSpending(writer, located, args)
    }
  }
  if (cover !== undefined) useCover(writer, idem, cover)
  const { attempts: attempt } = effect
  const body = { idem, jti, attempt, agent: replica, bootEpoch: epoch.boot_epoch, expiresAt }
  writer.append({ ...about, kind: 'mint', body })
  const approval = cover?.statement
  const signed = { argsHash, salt, policy, approval, jti, issuedAt, expiresAt }
  return { op: 'run', located, effect, epoch, ...signed }
}

/** Once for each effect: a step's approval is used up, a grant counted. */
function useCover(writer: Writer, idem: string, { approval, grant, statement }: Cover): void {
  const { state, now } = writer
  if (state.approvalUse(idem) !== undefined) return
  state.insertApprovalUse({ idem, approval: approval.id, grant_id: grant, statement, at: now })
  if (grant !== null) noteApproval(writer, approval, { event: 'grant-used', grant, idem })
  else if (approval.kind === 'step') useUp(writer, approval)
}

/** Who reads the audit sees why the tokens of one effect name two replicas. */
function noteMove(
  writer: Writer,
  { idem, step, request }: Located,
  { from, to }: { readonly from: number | null; readonly to: number },
): void {
  if (from === null || from === to) return
  writer.state.moveEffect(idem, to)
  const body = { call: 'authorize', decision: 'moved', idem, from, to }
  const about = { subject: step.id, correlation: request.id }
  writer.append({ kind: 'decision', actor: 'notary', ...about, body })
}

/** For a row of the audit: which iteration of a loop it is about. */
export function iterationOf({
  step,
  address,
}: Pick<Located, 'step' | 'address'>): Pick<Located['address'], 'iteration'> | undefined {
  return step.forEach === undefined ? undefined : { iteration: address.iteration }
}

/** Draws a `jti` that starts nothing and changes nothing of the effect. Inside a job. */
export function grantFollowing(writer: Writer, following: Following): Granted {
  const { op, located, effect, epoch } = following
  const issuedAt = Math.floor(writer.now / 1_000)
  const expiresAt = issuedAt + limits.tokenLifeMs / 1_000
  const jti = drawSalt()
  const { idem, attempts: attempt } = effect
  const token = { jti, idem, boot_epoch: epoch.boot_epoch, expires_at: expiresAt * 1_000 }
  writer.state.insertToken({ ...token, answered: 0, op })
  const { request, step } = located
  writer.append({
    kind: 'mint',
    actor: request.user,
    subject: step.id,
    correlation: request.id,
    body: {
      ...{ op, idem, jti, attempt, expiresAt },
      ...{ agent: `${epoch.agent}.${epoch.n}`, bootEpoch: epoch.boot_epoch },
    },
  })
  const approval = writer.state.approvalUse(idem)?.statement
  return { ...following, approval, jti, issuedAt, expiresAt }
}

/** Signs what is on disk: call it after the commit, and nowhere else. */
export async function mint(context: NotaryContext, granted: Granted): Promise<AuthorizeReply> {
  const { op, located, effect, epoch, argsHash, salt, jti, issuedAt, expiresAt } = granted
  const { request, step, action, actionName, address, idem } = located
  const agent = `${epoch.agent}.${epoch.n}`
  const detail = {
    type: 'agent_action' as const,
    agent,
    action: actionName,
    kind: address.kind,
    effect: action.effect,
    args_s256: argsHash,
    salt,
    limits: {
      resultBytes: action.maxResultBytes,
      timeoutMs: Math.min(step.timeoutMs, action.timeoutMs),
    },
  }
  const token = await context.minter.mint({
    iss: context.issuer,
    aud: `agent:${agent}:${epoch.boot_epoch}`,
    sub: request.user,
    act: { sub: request.id },
    jti,
    idem,
    op,
    iat: issuedAt,
    nbf: issuedAt,
    exp: expiresAt,
    authorization_details: [detail],
    cnf: { nk_s256: sha256(epoch.nkey) },
    ...(granted.approval === undefined ? {} : { appr: granted.approval }),
    plan: request.digest,
    step: step.id,
    pol: granted.policy,
    // Labels come with the flow rules; until then every result is its owner's alone.
    lbl: 'none',
  })
  return {
    status: 'AUTHORISED',
    token,
    subject: `agent.${agent}.exec`,
    agent,
    bootEpoch: epoch.boot_epoch,
    idem,
    rerun: effect.rerun,
    argsHash,
    salt,
    jti,
    receiptKey: epoch.receiptKey,
    expiresAt: expiresAt * 1_000,
  }
}
