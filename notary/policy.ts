// Asks the policy again: of a step of a plan before anything happens, and of one effect that would happen
// now, as things stand then. The rules are security/policy's; this file only puts the question. Whether a
// person has decided what a rule asks, ask.ts knows.

import { localMinute } from '../plan/local-minute.ts'
import type { ActionManifest } from '../plan/manifest.ts'
import { type Decision, questionOf, type StepQuestion } from '../plan/policy.ts'
import { toRecorded } from '../plan/recorded-question.ts'
import { type CompiledPlan, type CompiledStep, priorities } from '../plan/schema.ts'
import { actionOf } from './actions.ts'
import { budgetFacts } from './budget.ts'
import type { NotaryContext, Refusal } from './context.ts'
import type { Located } from './locate.ts'
import type { ResolvedArgs } from './resolve.ts'
import type { EffectKind } from './state.ts'
import type { Writer } from './store.ts'

/** One effect: what a step, its undo or its probe does. */
export interface AskedEffect {
  readonly step: CompiledStep
  readonly actionName: string
  readonly action: ActionManifest
  readonly address: { readonly kind: EffectKind }
}

/** What was asked and answered, as the audit keeps it: facts, and never an argument's value. */
export interface Judged {
  /** Digest of the policy. */
  readonly policy: string
  readonly verdict: Decision['verdict']
  readonly rules: readonly string[]
  readonly question: StepQuestion
}

/** `asks`: the rules that want a person's decision first; none: it is allowed. */
export type PolicyAnswer =
  | { readonly refusal: Refusal }
  | { readonly asks: readonly string[]; readonly judged: Judged }

type PolicyPorts = Pick<NotaryContext, 'decide' | 'policy'>

/** Of a step while its plan is judged: what depends on the hour is not known yet. */
export function decidePolicy(context: PolicyPorts, effect: AskedEffect): PolicyAnswer {
  return answer(context, effect, { ...aboutOf(effect), moment: 'plan' })
}

/** Of a step of a plan; undefined: no manifest declares its action. */
export function decideStep(
  context: PolicyPorts & Pick<NotaryContext, 'catalogue'>,
  step: CompiledStep,
): PolicyAnswer | undefined {
  const action = actionOf(context.catalogue, step.agent, step.action)
  if (action === undefined) return undefined
  return decidePolicy(context, { step, actionName: step.action, action, address: { kind: 'do' } })
}

/** Why a plan may not begin: the rules may have changed since it was registered. */
export function refuseByPolicy(
  context: Parameters<typeof decideStep>[0],
  { steps }: CompiledPlan,
): Refusal | undefined {
  for (const step of steps) {
    const answer = decideStep(context, step)
    if (answer !== undefined && 'refusal' in answer) return answer.refusal
  }
  return undefined
}

/** Of an effect that would happen now, with these arguments. */
export function decideEffect(
  context: PolicyPorts & Pick<NotaryContext, 'zone'>,
  writer: Pick<Writer, 'state' | 'now'>,
  { located, args }: { readonly located: Located; readonly args: ResolvedArgs },
): PolicyAnswer {
  const { state, now } = writer
  const { request, step, effect } = located
  const about = aboutOf(located)
  const priority = priorities.find((one) => one === request.priority)
  const question = {
    ...{ ...about, user: request.user, minute: localMinute(now, context.zone) },
    ...(priority === undefined ? {} : { priority }),
  }
  if (!isCounted(located)) return answer(context, located, { ...question, moment: 'effect' })
  const { agent, user } = state.usageOf(request.user, step.agent, now)
  // Its own first attempt is among them, and a further one is the same effect.
  const own = effect?.args_hash == null ? 0 : 1
  const usage = { agent: Math.max(0, agent - own), user: Math.max(0, user - own) }
  const facts = { usage, ...budgetFacts(writer, located, args) }
  return answer(context, located, { ...question, ...facts, moment: 'effect' })
}

/** Rates and budgets are of what changes something; what takes it back, and looks, is free. */
export function isCounted({ action, address }: Pick<AskedEffect, 'action' | 'address'>): boolean {
  return address.kind === 'do' && action.effect !== 'read'
}

function aboutOf({ step, actionName, action, address }: AskedEffect) {
  // A probe is asked of the policy as the read that it is.
  const kind: 'do' | 'undo' = address.kind === 'undo' ? 'undo' : 'do'
  const hasUndo = address.kind === 'do' && step.undo !== null
  return questionOf(action, { agent: step.agent, action: actionName, kind, hasUndo })
}

function answer(
  { decide, policy }: PolicyPorts,
  { action }: AskedEffect,
  question: StepQuestion,
): PolicyAnswer {
  const decision = decide(question)
  const { verdict, rules } = decision
  const judged = { policy: policy.digest, verdict, rules, question: toRecorded(question, decision) }
  const message = 'no rule allows this action'
  if (decision.verdict === 'deny') {
    return { refusal: { code: 'POLICY', message, rules, missing: decision.missing, judged } }
  }
  if (decision.verdict === 'ask') return { asks: rules, judged }
  // The minter would refuse to sign it: a token for what cannot be undone names an approval.
  const { effect } = action
  if (effect === 'irreversible') {
    const missing = 'an approval by a person'
    return { refusal: { code: 'POLICY', message, rules, missing, judged } }
  }
  return { asks: [], judged }
}
