// A plan that a model proposed is shown to the person, whole, before anything of it begins. Where no model
// proposes, a planner of the house's own does, and words are asked about as any plan is (ask.ts). One
// question: it also answers what the policy asks about steps whose arguments the plan tells, and R9 for
// what the model made up, since both are in view. What agents decide is asked when it is known.

import type { CompiledPlan, CompiledStep, Json } from '../plan/schema.ts'
import { factsOfRequest } from './ask.ts'
import { type AskedStep, isWritten, showArgument, writtenOnly } from './cards.ts'
import type { NotaryContext } from './context.ts'
import { questionsAbout } from './flow.ts'
import { decideStep } from './policy.ts'
import { type Answer, answerTo, subjectKey } from './questions.ts'
import { resolveStep } from './resolve.ts'
import type { RequestRecord } from './state.ts'
import type { Writer } from './store.ts'

/** Why it is asked: no rule of the policy's. */
export const proposedRule = 'ask.proposed'

export function isShownFirst(
  { planner }: Pick<NotaryContext, 'planner'>,
  { words }: Pick<RequestRecord, 'words'>,
): boolean {
  return words !== null && planner.length > 0
}

export function askProposed(
  context: NotaryContext,
  writer: Writer,
  { request, plan }: { readonly request: RequestRecord; readonly plan: CompiledPlan },
): Answer {
  const subject = { is: 'plan', request: request.id } as const
  return answerTo(writer, subjectKey(subject, null), {
    ...factsOfRequest(context, request, plan),
    subject,
    asks: plan.steps.map((step) => toAsk(context, { request, plan, step })),
  })
}

function toAsk(
  context: NotaryContext,
  about: {
    readonly request: RequestRecord
    readonly plan: CompiledPlan
    readonly step: CompiledStep
  },
): AskedStep {
  const { step, plan } = about
  const asked = decideStep(context, step)
  const policy = asked !== undefined && 'asks' in asked ? asked.asks : []
  const isKnown = step.forEach === undefined && isWritten(step.args)
  // What cannot be resolved is refused when it is authorised.
  const args = isKnown ? resolveStep(step, writtenOnly(plan.inputs)) : undefined
  if (args === undefined) {
    const shown = showArgument(step.args, plan.inputs)
    return { step: step.id, rules: [proposedRule, ...policy], args: shown, actual: [] }
  }
  const made = questionsAbout(context, { ...about, actual: args })
    .map(({ code }) => code)
    .filter((code) => code === 'FLOW_R9')
  const rules = [...new Set([proposedRule, ...policy, ...made])]
  return { step: step.id, rules, args: args as Json, actual: [args] }
}
