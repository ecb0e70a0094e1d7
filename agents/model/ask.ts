// One question to one provider, within what it may cost: the price is known, the worst that the call can
// come to is at most what the step was allowed, and only then is anything sent. What the answer says is
// for those who asked; here it is only JSON or words.

import { addedTokens, costOf, isPassedOn, type Rates, ratesOf } from '../../plan/model-prices.ts'
import { type ActionContext, ActionFailure } from '../define-agent.ts'
import { malformed } from './failures.ts'
import { createTransport } from './gateway-fetch.ts'
import { createAnthropic } from './providers/anthropic.ts'
import { createOpenAi } from './providers/openai.ts'
import type { ModelPort, Provider, Question, TokenUsage } from './providers/port.ts'

/** Below the manifest's `requestMs` of the gateway, so that one clock decides. */
const waitMs = 100_000

export interface Call {
  readonly provider: Provider
  readonly model: string
  readonly maxMicroUsd: number
}

export interface Told {
  readonly model: string
  readonly usage: {
    /** null: the server does not tell it. */
    readonly inputTokens: number | null
    readonly outputTokens: number | null
    readonly costMicroUsd: number
  }
}

export function portOf(context: ActionContext, provider: Provider): ModelPort {
  const transport = createTransport(context, provider, waitMs)
  // Its own clock ends later than the gateway's.
  const timeoutMs = waitMs + 5_000
  return provider === 'anthropic'
    ? createAnthropic(transport, timeoutMs)
    : createOpenAi(provider, transport, timeoutMs)
}

/** @throws ActionFailure, before anything is sent where the call could come to more than it may */
export async function askInWords(
  context: ActionContext,
  call: Call,
  question: Omit<Question, 'model'>,
): Promise<Told & { readonly text: string }> {
  const { model, provider } = call
  const port = portOf(context, provider)
  const rates = knownRates(call, context.now())
  await assertWithin(call, rates, { ...question, model }, port)
  const answer = await port.generate({ ...question, model }, (soFar) =>
    context.progress?.(soFar, undefined, 'characters'),
  )
  return { text: answer.text, ...told(answer, call, rates) }
}

/** The answer parsed, and no more: its shape is the caller's to check. */
export async function askInJson(
  context: ActionContext,
  call: Call,
  question: Omit<Question, 'model'> & { readonly schema: NonNullable<Question['schema']> },
): Promise<Told & { readonly value: unknown }> {
  const { text, ...rest } = await askInWords(context, call, question)
  try {
    return { value: JSON.parse(text), ...rest }
  } catch {
    throw malformed()
  }
}

/** What nobody counted came to what was reserved for it, as far as anybody knows. */
export function told(
  { model, usage }: { readonly model: string; readonly usage: TokenUsage | undefined },
  { maxMicroUsd }: Call,
  rates: Rates,
): Told {
  if (usage === undefined) {
    return { model, usage: { inputTokens: null, outputTokens: null, costMicroUsd: maxMicroUsd } }
  }
  return { model, usage: { ...usage, costMicroUsd: costOf(usage, rates) } }
}

/** @throws ActionFailure INVALID_INPUT for a model of a provider whose price nobody knows, or has ended */
export function knownRates(call: Call, now: number): Rates {
  if (isPassedOn(call)) {
    throw new ActionFailure('INVALID_INPUT', 'final', 'this model is not of the house')
  }
  const rates = ratesOf(call, now)
  if (rates !== undefined) return rates
  throw new ActionFailure('INVALID_INPUT', 'final', 'the model has no known price')
}

/** @throws ActionFailure LIMIT_EXCEEDED */
async function assertWithin(
  call: Call,
  rates: Rates,
  question: Question,
  port: ModelPort,
): Promise<void> {
  const { maxOutputTokens } = question
  const atMost = worstCase(question, rates)
  if (atMost <= call.maxMicroUsd) return
  // The bound is far above what it is: where counting costs nothing, the provider's count decides.
  const inputTokens = atMost > 0 ? await port.count(question) : undefined
  const counted =
    inputTokens === undefined
      ? atMost
      : costOf({ inputTokens, outputTokens: maxOutputTokens }, rates)
  if (counted > call.maxMicroUsd) throw tooDear()
}

export const tooDear = () =>
  new ActionFailure('LIMIT_EXCEEDED', 'final', 'it could cost more than it may')

/** Millionths of a US dollar that a question can come to at most. */
export function worstCase(
  { system, user, schema, maxOutputTokens }: Omit<Question, 'model'>,
  rates: Rates,
): number {
  const text = JSON.stringify([system, user, schema ?? null])
  const inputTokens = Buffer.byteLength(text) + addedTokens
  return costOf({ inputTokens, outputTokens: maxOutputTokens }, rates)
}
