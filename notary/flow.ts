// Asks the flow rules again: of the whole plan when it is admitted, and of one step with its actual
// arguments before a token. The compiler asked them at registration; a plan may have been registered under
// other rules, another manifest or other lists of people, and what was asked once need not hold today.

import { followPlan, type PlanFlow, type StepFlow } from '../plan/flow.ts'
import {
  type Authorship,
  type Fix,
  type FlowQuestion,
  type FlowViolation,
  judgeStep,
} from '../plan/flow-rules.ts'
import { judgePlan } from '../plan/judge-flow.ts'
import { nobody } from '../plan/principals.ts'
import type { CompiledPlan, CompiledStep } from '../plan/schema.ts'
import type { NotaryContext, Refusal } from './context.ts'
import type { Located } from './locate.ts'
import type { RequestRecord } from './state.ts'
import { namesOf } from './users.ts'

type FlowPorts = Pick<NotaryContext, 'catalogue' | 'names'>

/** A registration carries the bytes that a person asked for, or their words: then the plan is another's. */
export function authorshipOf({ words }: Pick<RequestRecord, 'words'>): Authorship {
  return words === null ? { author: 'person' } : { author: 'proposal', words }
}

/** Why a registered plan may not be admitted, or undefined. */
export function refuseFlow(
  context: FlowPorts & Pick<NotaryContext, 'plans'>,
  request: RequestRecord,
): Refusal | undefined {
  const { plan } = context.plans.planOf(request)
  const names = namesOf(context, request.user) ?? nobody
  const { violations } = judgePlan(plan, context.catalogue, { names, ...authorshipOf(request) })
  return refusalOf(violations)
}

/** Who asked, and whether for a plan or in words. */
export type Asker = Pick<RequestRecord, 'user' | 'words'>

/** A step that no rule refuses, and what they ask a person about it. */
export interface Followed {
  readonly followed: StepFlow
  readonly questions: readonly FlowQuestion[]
}

/**
 * What the flow rules say of a step. Its undo takes back what was allowed, and is not asked about.
 *
 * @param actual the step's arguments, where they are known
 */
export function decideFlow(
  context: FlowPorts,
  {
    request,
    registered,
    step,
    address,
  }: Pick<Located, 'request' | 'registered' | 'step' | 'address'>,
  actual?: unknown,
): Followed | { readonly refusal: Refusal } {
  const { plan } = registered
  const followed = flowOf(plan, context).steps.get(step.id)
  if (followed === undefined) {
    return { refusal: { code: 'FLOW', message: 'nothing is known of the step' } }
  }
  if (address.kind !== 'do') return { followed, questions: [] }
  const about = { request, plan, step }
  const { violations, questions } = judged(context, followed, { ...about, actual })
  const refusal = refusalOf(violations)
  return refusal === undefined ? { followed, questions } : { refusal }
}

/** True when a flow rule asks about the step: a person is shown what decides, and that is not known yet. */
export function isAskedWhenItRuns(context: FlowPorts, asked: AskedOfStep): boolean {
  return questionsAbout(context, asked).length > 0
}

export interface AskedOfStep {
  readonly request: Asker
  readonly plan: CompiledPlan
  readonly step: CompiledStep
  readonly actual?: unknown
}

/** What the flow rules ask a person about the step. */
export function questionsAbout(context: FlowPorts, asked: AskedOfStep): readonly FlowQuestion[] {
  const followed = flowOf(asked.plan, context).steps.get(asked.step.id)
  return followed === undefined ? [] : judged(context, followed, asked).questions
}

function judged(
  context: FlowPorts,
  followed: StepFlow,
  asked: { readonly request: Asker; readonly plan: CompiledPlan; readonly actual?: unknown },
) {
  const { request, plan, actual } = asked
  const names = namesOf(context, request.user) ?? nobody
  const known = actual === undefined ? {} : { actual }
  return judgeStep(flowOf(plan, context), followed, {
    names,
    ...authorshipOf(request),
    ...known,
  })
}

/** Labelling a plan of a thousand steps for each of them would be quadratic. */
const flows = new WeakMap<CompiledPlan, PlanFlow>()

export function flowOf(plan: CompiledPlan, { catalogue }: FlowPorts): PlanFlow {
  const known = flows.get(plan)
  if (known !== undefined) return known
  const made = followPlan(plan, catalogue)
  flows.set(plan, made)
  return made
}

function refusalOf(violations: readonly FlowViolation[]): Refusal | undefined {
  const [first] = violations
  if (first === undefined) return undefined
  const rules = [...new Set(violations.map(({ code }) => code))]
  const { path, source, fix } = first
  const at = source === undefined ? path : `${path}, because of ${source}`
  return { code: 'FLOW', message: `the flow rules refuse ${at}`, rules, missing: missing[fix.do] }
}

/** Without the value: a refusal is recorded. */
const missing: Readonly<Record<Fix['do'], string>> = {
  write: 'a value that the user writes or gives as an input',
  'leave-out': 'a plan that does without it',
  replace: 'a plan without the secret',
  own: "the address among the user's own, under people: in bulkhead.yaml",
  list: 'the value under people: or places: in bulkhead.yaml',
}
