// A notary, a supervisor and agents in memory, behind the bus interface: enough to run the worker's
// side against real receipts and envelopes. It is honest by default; a test makes it lie by
// replacing one handler. It checks what it is sent only where a test looks at `seen`.

import type { z } from 'zod'
import { ActionFailure } from '../../agents/define-agent.ts'
import {
  envelopeType,
  type FailureCode,
  type Reply,
  type RetryAdvice,
  receiptSchema,
  receiptType,
} from '../../agents/protocol.ts'
import {
  type AuthorizeCall,
  type AuthorizeReply,
  authorizeCall,
  type SettleCall,
  type SettleReply,
  settleCall,
} from '../../notary/contract.ts'
import { togetherCall } from '../../notary/together-contract.ts'
import { type Bus, BusError } from '../../security/bus.ts'
import { canonicalJson } from '../../security/verify/canonical-json.ts'
import { signDocument } from '../../security/verify/document.ts'
import { digestOf, drawSalt, hashArgs, saltedHash, sha256 } from '../../security/verify/hash.ts'
import { generateKeyPairJwk } from '../../security/verify/keys.ts'

export interface Effect {
  readonly idem: string
  readonly salt: string
  argsHash: string
  attempts: number
  outcome?: 'settled' | 'failed' | 'unknown' | 'skipped' | 'denied'
  code?: string
  resultHash?: string
}

/** What an action does: its result, or a whole reply of another kind. */
export type Act = (call: {
  readonly agent: string
  readonly action: string
  readonly args: Readonly<Record<string, unknown>>
  readonly idem: string
}) => Promise<unknown>

export interface FakeWorld {
  readonly bus: Bus
  /** `authorize:read`, `exec:read`, `settle:read:receipt`, ... in the order they came. */
  readonly log: string[]
  /** Payloads as they came, by subject. */
  readonly seen: {
    readonly subject: string
    readonly payload: unknown
    readonly priority: string | undefined
  }[]
  readonly effects: Map<string, Effect>
  /** How often each action has really run. */
  readonly executions: Map<string, number>
  /** Replaced by a test to make a party behave otherwise; `undefined` falls through to the honest one. */
  override: {
    authorize?: (call: AuthorizeCall) => AuthorizeReply | undefined
    settle?: (call: SettleCall) => SettleReply | undefined
    reply?: (honest: Reply, step: string) => Promise<Reply> | Reply
    ensure?: () => unknown
    deliver?: (subject: string) => unknown
  }
  running: boolean
  /** Which rerun its notary answers for. */
  rerun: number
  readonly receiptKeys: Awaited<ReturnType<typeof generateKeyPairJwk>>
}

interface Token {
  readonly jti: string
  readonly effect: Effect
  readonly step: string
  readonly action: string
}

const notBegun = { code: 'NOT_BEGUN', retry: 'absent' } as const
const bootEpoch = 'epoch-01'
export const replica = 'notes.0'

/** `actionOf` says which action a step, or its undo, is: a fake notary knows no plan. */
export async function createFakeWorld(
  act: Act,
  actionOf: (call: AuthorizeCall) => { readonly agent: string; readonly action: string },
): Promise<FakeWorld> {
  const receiptKeys = await generateKeyPairJwk()
  const tokens = new Map<string, Token>()
  const ledger = new Map<string, { readonly result: string; readonly receipt: string }>()
  const sign = (type: string, payload: unknown) =>
    signDocument(type, payload, receiptKeys.privateJwk)

  const authorize = (call: AuthorizeCall): AuthorizeReply => {
    world.log.push(`${call.op === 'run' ? 'authorize' : call.op}:${nameOf(call)}`)
    const lie = world.override.authorize?.(call)
    if (lie !== undefined) return lie
    const key = nameOf(call)
    const effect = world.effects.get(key) ?? newEffect(call, world.rerun)
    const { outcome, code, idem, resultHash, salt } = effect
    if (outcome !== undefined) {
      return {
        status: 'SETTLED',
        outcome,
        idem,
        rerun: world.rerun,
        ...(code === undefined ? {} : { code }),
        ...(resultHash === undefined ? {} : { resultHash }),
      }
    }
    const { agent, action } = actionOf(call)
    if (call.op !== 'run' && !world.effects.has(key)) {
      return { status: 'DENIED', code: 'NEVER_AUTHORISED', rules: [], message: '' }
    }
    if (!world.running) return { status: 'NOT_RUNNING', agent, n: 0 }
    world.effects.set(key, effect)
    if (call.op === 'run') effect.attempts += 1
    const jti = drawSalt()
    tokens.set(`token.${jti}`, { jti, effect, step: key, action })
    return {
      status: 'AUTHORISED',
      token: `token.${jti}`,
      subject: `agent.${agent}.0.exec`,
      agent: `${agent}.0`,
      bootEpoch,
      idem,
      rerun: world.rerun,
      argsHash: effect.argsHash,
      salt,
      jti,
      receiptKey: receiptKeys.publicJwk,
      expiresAt: Date.now() + 30_000,
    }
  }

  const exec = async (agent: string, payload: unknown): Promise<Reply> => {
    const { op, token, args } = payload as Record<'op' | 'token', string> & {
      args: Record<string, unknown>
    }
    const claims = tokens.get(token)
    if (claims === undefined) return { status: 'REFUSED', code: 'TOKEN_SIGNATURE' }
    tokens.delete(token)
    const { effect, step, action, jti } = claims
    world.log.push(`exec:${step}`)
    const kept = ledger.get(effect.idem)
    if (kept === undefined && op !== 'run') {
      const { receipt, envelope } = await failureOf(claims, agent, notBegun)
      const absent: Reply = { status: 'ABSENT', receipt, envelope }
      return (await world.override.reply?.(absent, step)) ?? absent
    }
    const done =
      kept ??
      (await execute({ agent, effect, action, args, step }).catch(async (error: unknown) => {
        if (!(error instanceof ActionFailure)) throw error
        const { code, retry, retryAfterMs } = error
        const failed = await failureOf(claims, agent, { code, retry })
        return retryAfterMs === undefined ? failed : { ...failed, retryAfterMs }
      }))
    if ('status' in done) return done
    const honest: Reply = {
      status: 'DONE',
      ...done,
      envelope: await envelopeOf(done.receipt, effect, jti),
    }
    return (await world.override.reply?.(honest, step)) ?? honest
  }

  const failureOf = async (
    { effect, jti }: Token,
    agent: string,
    failure: { readonly code: FailureCode; readonly retry: RetryAdvice },
  ) => {
    const receipt = await sign(receiptType, {
      ...{ idem: effect.idem, argsHash: effect.argsHash, salt: effect.salt },
      ...{ status: 'FAILED', ...failure, agent: `${agent}.0`, bootEpoch },
      resultHash: saltedHash(effect.salt, canonicalJson(failure)),
    })
    const envelope = await envelopeOf(receipt, effect, jti)
    return { status: 'FAILED', ...failure, receipt, envelope } as const
  }

  const execute = async (run: {
    readonly agent: string
    readonly effect: Effect
    readonly action: string
    readonly args: Readonly<Record<string, unknown>>
    readonly step: string
  }): Promise<{ readonly result: string; readonly receipt: string } | Reply> => {
    const { agent, effect, action, args, step } = run
    world.executions.set(step, (world.executions.get(step) ?? 0) + 1)
    const outcome = await act({ agent, action, args, idem: effect.idem })
    const result = canonicalJson(outcome)
    const { idem, argsHash, salt } = effect
    const receipt = await sign(receiptType, {
      idem,
      argsHash,
      resultHash: saltedHash(salt, result),
      status: 'DONE',
      agent: `${agent}.0`,
      bootEpoch,
      salt,
    })
    ledger.set(idem, { result, receipt })
    return { result, receipt }
  }

  const envelopeOf = (receipt: string, { idem }: Effect, jti: string) =>
    sign(envelopeType, { jti, idem, receiptHash: sha256(receipt), bootEpoch, at: Date.now() })

  const settle = (call: SettleCall): SettleReply => {
    world.log.push(`settle:${nameOf(call)}:${call.type}`)
    const lie = world.override.settle?.(call)
    if (lie !== undefined) return lie
    const effect = world.effects.get(nameOf(call)) ?? newEffect(call, world.rerun)
    world.effects.set(nameOf(call), effect)
    if (effect.outcome === undefined) Object.assign(effect, outcomeOf(call))
    const { outcome, code } = effect
    return {
      status: 'SETTLED',
      outcome: outcome === undefined || outcome === 'denied' ? 'failed' : outcome,
      ...(code === undefined ? {} : { code }),
    }
  }

  const route: Route = async ({ subject, priority }, payload) => {
    world.seen.push({ subject, payload, priority })
    await world.override.deliver?.(subject)
    const agent = subject.match(/^agent\.([a-z-]+)\.0\.exec$/)?.[1]
    if (agent !== undefined) return await exec(agent, payload)
    switch (subject) {
      case 'notary.authorize':
        return authorize(authorizeCall.parse(payload))
      case 'notary.settle':
        return settle(settleCall.parse(payload))
      case 'notary.admit': {
        const { plan } = payload as { plan: unknown }
        return { status: 'ADMITTED', digest: digestOf(plan), user: 'user:owner' }
      }
      case 'supervisor.ensure':
        world.log.push('ensure')
        if (world.override.ensure !== undefined) return world.override.ensure()
        world.running = true
        return { status: 'RUNNING', bootEpoch }
      default:
        throw new BusError('NOT_DELIVERED', `nobody serves ${subject}`)
    }
  }

  const world: FakeWorld = {
    bus: busOver(route),
    log: [],
    seen: [],
    effects: new Map(),
    executions: new Map(),
    override: {},
    running: true,
    rerun: 0,
    receiptKeys,
  }
  return world
}

/** `read`, `each:3` for an iteration that is not the first, or `write~undo`. */
export function nameOf({
  step,
  iteration,
  kind,
}: Pick<SettleCall, 'step' | 'iteration' | 'kind'>): string {
  const name = iteration === 0 ? step : `${step}:${iteration}`
  return kind === 'undo' ? `${name}~undo` : name
}

function newEffect(call: AuthorizeCall | SettleCall, rerun: number): Effect {
  const salt = drawSalt()
  const args = 'args' in call ? call.args : {}
  const { requestId, planDigest, kind, step, iteration } = call
  const idem = digestOf([requestId, planDigest, kind, step, iteration, rerun])
  return { idem, salt, argsHash: hashArgs(salt, args), attempts: 0 }
}

function outcomeOf(call: SettleCall): Pick<Effect, 'outcome' | 'code' | 'resultHash'> {
  switch (call.type) {
    case 'skip':
      return { outcome: 'skipped' }
    case 'failure':
      return { outcome: 'failed', code: call.code }
    case 'receipt': {
      if (call.invalidResult) return { outcome: 'failed', code: 'INVALID_RESULT' }
      const claims = Buffer.from(call.receipt.split('.')[1] ?? '', 'base64url').toString()
      const { status, resultHash, code } = receiptSchema.parse(JSON.parse(claims))
      if (status === 'UNKNOWN') return { outcome: 'unknown' }
      if (status === 'FAILED') return { outcome: 'failed', ...(code === undefined ? {} : { code }) }
      return { outcome: 'settled', resultHash }
    }
    case 'loop':
    case 'gather':
      throw new Error('a test of loops answers for the notary itself')
  }
}

type Route = (
  to: { readonly subject: string; readonly priority: string | undefined },
  payload: unknown,
) => Promise<unknown>

function busOver(route: Route): Bus {
  return {
    account: 'worker',
    async call<T>(
      subject: string,
      { priority }: { readonly priority?: string },
      payload: unknown,
      { reply }: { readonly reply: z.ZodType<T> },
    ): Promise<T> {
      const asked = JSON.parse(JSON.stringify(payload))
      const answerTo = (call: unknown) => route({ subject, priority }, call)
      const several = togetherCall.safeParse(asked)
      const answer = several.success
        ? { replies: await Promise.all(several.data.calls.map(answerTo)) }
        : await answerTo(asked)
      const parsed = reply.safeParse(answer)
      if (!parsed.success) {
        throw new BusError('MALFORMED', `reply on ${subject} does not fit its schema`)
      }
      return parsed.data
    },
    publish: () => undefined,
    serve: () => undefined,
    flush: async () => undefined,
    closed: () => new Promise(() => undefined),
    close: async () => undefined,
  }
}
