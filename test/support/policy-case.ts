// One question to the default policy and what it must say: how the tables of cases are written.

import type { Decision, StepQuestion } from '../../plan/policy.ts'
import { defaultSettings, type PolicySettings } from '../../plan/policy-settings.ts'

export interface PolicyCase {
  readonly name: string
  readonly question: StepQuestion
  readonly settings: PolicySettings
  readonly verdict: Decision['verdict']
  /** What the decision names. */
  readonly rules: readonly string[]
}

interface Change {
  readonly settings?: Partial<PolicySettings>
}

/** An undoable write for the owner, judged as part of a plan. */
export const ordinary: StepQuestion = {
  agent: 'desk',
  action: 'put',
  effect: 'write',
  audience: 'owner',
  egress: [],
  touches: [],
  hasUndo: true,
  kind: 'do',
  moment: 'plan',
}
/** The same when it would happen, at noon, before anything else did. */
export const now = {
  moment: 'effect',
  user: 'owner',
  priority: 'MEDIUM',
  minute: 12 * 60,
  usage: { agent: 0, user: 0 },
  budget: { agentDay: 0, agentMonth: 0, userDay: 0, userMonth: 0 },
  amounts: [],
} as const

/** `over`: what is other than in `ordinary`; `settings`: than in the defaults. */
export function row(
  verdict: Decision['verdict'],
  rules: readonly string[],
  name: string,
  over: Partial<StepQuestion> | object,
  { settings = {} }: Change = {},
): PolicyCase {
  const question = { ...ordinary, ...over }
  return { name, question, settings: { ...defaultSettings, ...settings }, verdict, rules }
}
