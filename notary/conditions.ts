// What agents decide about a step besides its arguments, where a flow rule asks (R3, R6): which rules ask,
// and what a person is shown of it. Guards are evaluated here, over results that receipts vouch for; what
// the worker says of them is never heard. Pure.

import type { CardCondition } from '../plan/card.ts'
import type { Condition, StepFlow } from '../plan/flow.ts'
import type { FlowQuestion } from '../plan/flow-rules.ts'
import { type ResolveContext, resolveRecord } from '../plan/references.ts'
import type { CompiledStep } from '../plan/schema.ts'
import { maxOrigins } from './cards.ts'

/** Why a person is asked, and about what besides the arguments. */
export interface Reasons {
  /** Ids of rules, of the policy's and of the flow's. */
  readonly rules: readonly string[]
  readonly conditions: readonly CardCondition[]
}

/** Of an approval of a flow rule: that value, that sink, once (R9). Nothing given beforehand is one. */
export function isOfFlow(rule: string): boolean {
  return rule.startsWith('FLOW_')
}

/** `sources`: what the guard was evaluated over; absent: of a whole loop, where each item is its own. */
export function reasonsOf(
  rules: readonly string[],
  {
    followed,
    questions,
  }: { readonly followed: StepFlow; readonly questions: readonly FlowQuestion[] },
  sources?: ResolveContext,
): Reasons {
  const asking = new Set(questions.map(({ by }) => by))
  const conditions = followed.conditions.filter(({ by }) => asking.has(by))
  return {
    rules: [...new Set([...rules, ...questions.map(({ code }) => code)])],
    conditions: conditions.map((one) => toCondition(one, followed.step, sources)),
  }
}

function toCondition(
  { by, label }: Condition,
  { when }: CompiledStep,
  sources: ResolveContext | undefined,
): CardCondition {
  const guard = by === 'when' ? when : null
  const values = guard === null || sources === undefined ? {} : resolveRecord(guard.with, sources)
  return { by, cel: guard?.cel ?? null, from: label.provenance.slice(0, maxOrigins), values }
}
