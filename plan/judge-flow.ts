// All flow rules over a whole plan: what the compiler reports, and what an admission asks again of a plan
// that was compiled before. Pure.

import { followPlan, type PlanFlow } from './flow.ts'
import {
  type Fix,
  type FlowContext,
  type FlowQuestion,
  type FlowViolation,
  judgeStep,
} from './flow-rules.ts'
import { secretsIn } from './flow-secrets.ts'
import type { Issue } from './issues.ts'
import type { Catalogue } from './manifest.ts'
import type { CompiledPlan } from './schema.ts'

export interface FlowJudgement {
  readonly flow: PlanFlow
  readonly violations: readonly FlowViolation[]
  /** Of steps that agents decide on: what a person is asked before each of them. */
  readonly questions: readonly (FlowQuestion & { readonly step: string })[]
  /** Steps that pass only because a person enabled this very plan. */
  readonly enabled: readonly string[]
}

/** A plan with more faults than this is not looked at any further. */
const maxViolations = 100

export function judgePlan(
  plan: CompiledPlan,
  catalogue: Catalogue,
  context: FlowContext,
): FlowJudgement {
  const flow = followPlan(plan, catalogue)
  const violations: FlowViolation[] = [...secretsOf(plan)]
  const questions: (FlowQuestion & { step: string })[] = []
  const enabled: string[] = []
  for (const step of flow.steps.values()) {
    if (violations.length >= maxViolations) break
    const judged = judgeStep(flow, step, context)
    violations.push(...judged.violations)
    questions.push(...judged.questions.map((one) => ({ ...one, step: step.step.id })))
    if (judged.enabled) enabled.push(step.step.id)
  }
  return { flow, violations, questions, enabled }
}

/** R11, in everything that a plan carries. */
function secretsOf({ goal, inputs, answer, steps }: CompiledPlan): readonly FlowViolation[] {
  const paths = [
    ...secretsIn({ goal, inputs, answer: answer.template ?? '' }, ''),
    ...steps.flatMap(({ args, when, forEach }, index) =>
      secretsIn({ args, when, forEach }, `/steps/${index}`),
    ),
  ]
  return paths.slice(0, maxViolations).map((path) => ({
    code: 'FLOW_R11',
    path,
    message: 'a secret has no place in a plan: plans are kept and shown',
    fix: { do: 'replace' },
  }))
}

export function toIssue({ code, path, message, source, fix }: FlowViolation): Issue {
  const cause = source === undefined ? {} : { source }
  return { code, path, message, ...cause, fix: fixText(fix, path) }
}

/** In words: what a person would change, and where. */
function fixText(fix: Fix, path: string): string {
  switch (fix.do) {
    case 'write':
      return 'write the value there yourself, or ask for it: { $input: <name> }'
    case 'leave-out':
      return `leave out ${path.split('/').at(-1)}`
    case 'replace':
      return 'put something else there; secrets are named by reference in bulkhead.yaml'
    case 'own': {
      const list = fix.addresses.map((one) => JSON.stringify(one)).join(', ')
      return `if it is your own, say so in bulkhead.yaml: people: { owner: [${list}] }`
    }
    case 'list':
      return `list it in bulkhead.yaml: people: { <name>: [${JSON.stringify(fix.value)}] }`
  }
}
