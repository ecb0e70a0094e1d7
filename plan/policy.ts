// May this step happen at all? The question, the answer, and how a policy that OPA compiled is asked.
// The rules are security/policy/*.rego and nowhere else; this file puts a question, proves what comes
// back, and reads everything that is no proper answer as a denial. Pure: who loads the policy hands in
// the function that evaluates it.

import { z } from 'zod'
import type { Amount } from './amounts.ts'
import type { ActionManifest, Audience, Effect } from './manifest.ts'
import type { Priority } from './schema.ts'
import type { Touch } from './touches.ts'

/** As the rules know audiences. */
export type RuledAudience = Exclude<Audience, { readonly hostOf: string }>

export interface StepQuestion {
  readonly agent: string
  readonly action: string
  readonly effect: Effect
  readonly audience: RuledAudience
  /** Ids of the agent's declared hosts that the action may ask; absent: it may ask none. */
  readonly egress?: readonly string[]
  /** What the action's effect is about, as its manifest says. */
  readonly touches?: readonly Touch[]
  /** The action declares, or the step names, how its effect is taken back. */
  readonly hasUndo: boolean
  /** `undo`: the step takes back an effect of an admitted plan. */
  readonly kind: 'do' | 'undo'
  /**
   * `plan`: a plan is judged, and nothing happens yet. `effect`: it would happen now; then what is
   * absent of the rest counts against it wherever a rule asks for it.
   */
  readonly moment: 'plan' | 'effect'
  /** Id of the user whose request it is. */
  readonly user?: string
  readonly priority?: Priority
  /** Minute of the local day, from 0. */
  readonly minute?: number
  /** Effects of the last hour: of this agent for this user, and of all agents for this user. */
  readonly usage?: { readonly agent: number; readonly user: number }
  /** Effects of the last day and month, without this one. */
  readonly budget?: Spent
  /** What this effect would spend, by unit, and what was spent of each before. */
  readonly amounts?: readonly AmountFact[]
}

/** In the last 24 hours and 30 days: of this agent for this user, and of all agents for this user. */
export type Spent = {
  readonly agentDay: number
  readonly agentMonth: number
  readonly userDay: number
  readonly userMonth: number
}

/** Without its numbers it counts as more than any budget; of a row of the audit they are not all true. */
export type AmountFact = Omit<Amount, 'amount'> & Partial<Spent> & { readonly amount?: number }

/** What a manifest says of an action, as far as the policy asks. */
export function questionOf(
  { effect, audience, egress = [], touches = [] }: ActionManifest,
  about: Pick<StepQuestion, 'agent' | 'action' | 'kind' | 'hasUndo'>,
): Omit<StepQuestion, 'moment'> {
  return { ...about, effect, audience: knownAudience(audience, egress), egress, touches }
}

/**
 * The rules ask whether a host that sees it is one that the action declares. Of a choice of hosts its
 * manifest has proven that of each, and which one it is the flow rules judge: any of them stands for all.
 */
function knownAudience(audience: Audience, [first = '']: readonly string[]): RuledAudience {
  return typeof audience === 'object' && 'hostOf' in audience ? { host: first } : audience
}

export type Decision =
  | { readonly verdict: 'allow'; readonly rules: readonly string[] }
  /** A person decides first; `rules` are those that ask. */
  | { readonly verdict: 'ask'; readonly rules: readonly string[] }
  | {
      readonly verdict: 'deny'
      /** Rules that deny it, or that were asked and did not allow it. */
      readonly rules: readonly string[]
      /** What would have to be there for it to be allowed. */
      readonly missing: string
    }

export type Decide = (question: StepQuestion) => Decision

export interface Policy {
  /** Names rules and settings, base64url SHA-256: what rows and tokens carry. */
  readonly digest: string
  readonly decide: Decide
}

/** A compiled policy: security/policy/engine.ts. */
export interface PolicyPort {
  readonly digest: string
  evaluate(question: object): unknown
}

const rules = z.array(z.string().min(1).max(200)).max(1_000)
const decisionSchema = z.discriminatedUnion('verdict', [
  z.strictObject({ verdict: z.literal('allow'), rules: rules.min(1) }),
  z.strictObject({ verdict: z.literal('ask'), rules: rules.min(1) }),
  z.strictObject({ verdict: z.literal('deny'), rules, missing: z.string().max(1_000) }),
])
/** What a household's own rules say: reasons to refuse, and reasons to ask. They allow nothing. */
const answerSchema = z.strictObject({ ask: rules, deny: rules })

/**
 * The policy of one deployment. The household's rules can refuse and can ask, and cannot loosen what the
 * default decides. Never throws: a policy that breaks down denies.
 */
export function toPolicy(standard: PolicyPort, household?: PolicyPort): Policy {
  if (household === undefined) {
    return { digest: standard.digest, decide: (question) => decideBy(standard, question) }
  }
  return {
    // Both are 43 characters, so that no two pairs read the same.
    digest: `${standard.digest}.${household.digest}`,
    decide: (question) => tighten(decideBy(standard, question), household, question),
  }
}

function decideBy(policy: PolicyPort, question: StepQuestion): Decision {
  const decision = decisionSchema.safeParse(ask(policy, question))
  return decision.success ? decision.data : brokenDown
}

/** An undo takes back what was allowed: a household's rule must not refuse it on the day it is needed. */
function tighten(decision: Decision, household: PolicyPort, question: StepQuestion): Decision {
  if (decision.verdict === 'deny' || question.kind === 'undo') return decision
  const answer = answerSchema.safeParse(ask(household, question))
  if (!answer.success) return brokenDown
  const { deny, ask: asking } = answer.data
  if (deny.length > 0) {
    const missing = "a policy of the household's that does not refuse it"
    return { verdict: 'deny', rules: deny.map(named), missing }
  }
  if (asking.length === 0) return decision
  const others = decision.verdict === 'ask' ? decision.rules : []
  return { verdict: 'ask', rules: [...others, ...asking.map(named)] }
}

const named = (rule: string): string => `household.${rule}`

const brokenDown: Decision = {
  verdict: 'deny',
  rules: ['policy.broken'],
  missing: 'a policy that answers',
}

function ask(policy: PolicyPort, question: StepQuestion): unknown {
  try {
    return policy.evaluate(question)
  } catch {
    return undefined
  }
}
