// Which models a question goes to, in which order, and why not to the others. Who may see it is worked out
// as rule R2 works it out, from the same manifest, so that nothing is asked in vain; the notary judges each
// step by itself all the same, and its word is the last. Pure: the same question, configuration and budget
// give the same choice.
//
// There is no redacted form of a question. Leaving out names and numbers makes no text public, no rule would
// believe that it did, and a model of the house is there for what is private.

import type { Readers } from '../plan/labels.ts'
import { mayBeSeenBy } from '../plan/labels.ts'
import type { AgentManifest } from '../plan/manifest.ts'
import {
  addedTokens,
  costOf,
  isPassedOn,
  type ModelName,
  type Provider,
  priceOf,
  ratesOf,
} from '../plan/model-prices.ts'
import { audienceOf, nobody } from '../plan/principals.ts'
import type { Capability } from './question-bytes.ts'

/** A model that a person named, with what they allow it. */
export interface Candidate extends ModelName {
  /** The most that one call may cost, millionths of a US dollar; 0 for a model of the house. */
  readonly maxMicroUsd: number
  /** What it may write, thoughts included, in tokens. */
  readonly maxOutputTokens: number
  /** Of a model of the house, of which no table knows: what it gives. Unset: words. */
  readonly gives?: 'words' | 'vectors'
}

export interface RoutedQuestion {
  readonly capability: Capability
  /** At most: `questionBytesOf`. */
  readonly questionBytes: number
  /** Who may see all of it: the label of everything in it, joined. */
  readonly readers: Readers
}

export interface RouterContext {
  /** As they are listed: in this order they are asked, each when those before have failed. */
  readonly candidates: readonly Candidate[]
  /** What the day and the month still let through, millionths of a US dollar; undefined: no bound is set. */
  readonly left: number | undefined
  /** The manifest of the agent that asks: its egress says who sees what. */
  readonly agent: Pick<AgentManifest, 'egress'>
  /** Milliseconds since the epoch: prices end. */
  readonly now: number
}

/** To be asked: what the step says, to the letter. */
export interface Choice extends ModelName {
  /** What is reserved: the bound of this question, or what the person allows where that is less. */
  readonly maxMicroUsd: number
  readonly maxOutputTokens: number
}

export const leftOutReasons = [
  /** It does not write, or has no vectors. */
  'NO_CAPABILITY',
  /** Named as one of the house, and its server passes questions on. */
  'NOT_OF_THE_HOUSE',
  /** Something in the question is not for those who run it. */
  'NOT_FOR_PRIVATE',
  /** Nobody knows what it costs now, so nothing bounds it. */
  'NO_PRICE',
  /** It may write more than the model can. */
  'TOO_LONG',
  /** This question could come to more than the person allows one call. */
  'TOO_DEAR',
  /** More than what the day or the month still lets through. */
  'OVER_BUDGET',
] as const
export type LeftOutReason = (typeof leftOutReasons)[number]

/** Of each candidate one of two things, so that a person can read what became of it. */
export interface Route {
  readonly choices: readonly Choice[]
  readonly leftOut: readonly (ModelName & { readonly reason: LeftOutReason })[]
}

export function routeQuestion(question: RoutedQuestion, context: RouterContext): Route {
  const judged = context.candidates.map((candidate) => ({
    candidate,
    verdict: judge(candidate, question, context),
  }))
  const choices = judged.flatMap(({ verdict }) => (typeof verdict === 'string' ? [] : [verdict]))
  return {
    choices,
    leftOut: judged.flatMap(({ candidate: { provider, model }, verdict }) =>
      typeof verdict === 'string' ? [{ provider, model, reason: verdict }] : [],
    ),
  }
}

function judge(
  candidate: Candidate,
  { capability, questionBytes, readers }: RoutedQuestion,
  { left, agent, now }: RouterContext,
): Choice | LeftOutReason {
  const { provider, model, maxMicroUsd } = candidate
  if (isPassedOn(candidate)) return 'NOT_OF_THE_HOUSE'
  if (!isSeenByThoseWhoMay(provider, readers, agent)) return 'NOT_FOR_PRIVATE'
  const rates = ratesOf(candidate, now)
  if (rates === undefined) return 'NO_PRICE'
  if (!canDo(candidate, capability)) return 'NO_CAPABILITY'
  const maxOutputTokens = capability === 'embed' ? 0 : candidate.maxOutputTokens
  if (maxOutputTokens > (priceOf(candidate)?.maxOutputTokens ?? maxOutputTokens)) return 'TOO_LONG'
  const inputTokens = questionBytes + (capability === 'embed' ? 0 : addedTokens)
  const atMost = costOf({ inputTokens, outputTokens: maxOutputTokens }, rates)
  // Where the provider counts a question for nothing its agent asks it: only what it may write is certain.
  const certain = countsForNothing(provider)
    ? costOf({ inputTokens: 0, outputTokens: maxOutputTokens }, rates)
    : atMost
  if (certain > maxMicroUsd) return 'TOO_DEAR'
  const reserved = Math.min(atMost, maxMicroUsd)
  if (left !== undefined && reserved > left) return 'OVER_BUDGET'
  return { provider, model, maxMicroUsd: reserved, maxOutputTokens }
}

/** R2, with the audience that the agent's actions declare. */
function isSeenByThoseWhoMay(
  provider: Provider,
  readers: Readers,
  agent: Pick<AgentManifest, 'egress'>,
): boolean {
  const audience = audienceOf({ hostOf: '/provider' }, agent, {
    names: nobody,
    valuesOf: () => [provider],
  })
  return mayBeSeenBy({ integrity: 'UNTRUSTED', readers, agents: [], provenance: [] }, audience)
}

function canDo(candidate: Candidate, capability: Capability): boolean {
  const wanted = capability === 'embed' ? 'vectors' : 'words'
  return (priceOf(candidate)?.gives ?? candidate.gives ?? 'words') === wanted
}

/** agents/model/providers: the only one with such a question. */
const countsForNothing = (provider: Provider) => provider === 'anthropic'
