// What the policy was asked about an effect, as the audit keeps it, and read back: to say why something
// was allowed, and to ask another policy the same. What a person spends is theirs and not the audit's:
// of amounts a row keeps the unit, and whether they were within its budget, where that is known. Pure.

import { z } from 'zod'
import type { AmountFact, Decision, StepQuestion } from './policy.ts'
import { prioritySchema } from './schema.ts'
import { touches } from './touches.ts'

const text = z.string().max(500)
const count = z.number().min(0)

const nothing = { agentDay: 0, agentMonth: 0, userDay: 0, userMonth: 0 } as const
/** The rules that an amount beyond its budget falls under. */
const beyond: readonly string[] = ['ask.amount', 'budget.amount']

/**
 * The question as a row keeps it: the same rules say the same to it. A denial names only what denies, so
 * one for another reason says nothing of amounts: none are kept, and rules that do not deny it ask.
 */
export function toRecorded(
  question: StepQuestion,
  { verdict, rules }: Pick<Decision, 'verdict' | 'rules'>,
): StepQuestion {
  const { amounts = [], ...others } = question
  if (amounts.length === 0) return question
  const isBeyond = rules.some((rule) => beyond.includes(rule))
  if (verdict === 'deny' && !isBeyond) return others
  const numbers = isBeyond ? {} : { amount: 0, ...nothing }
  const kept = amounts.map(({ unit, currency }): AmountFact => ({ unit, currency, ...numbers }))
  return { ...question, amounts: kept }
}

const spent = { agentDay: count, agentMonth: count, userDay: count, userMonth: count }
const amountFact = z.strictObject({
  unit: text,
  currency: z.boolean(),
  amount: count.exactOptional(),
  agentDay: count.exactOptional(),
  agentMonth: count.exactOptional(),
  userDay: count.exactOptional(),
  userMonth: count.exactOptional(),
})

const recordedSchema = z.strictObject({
  agent: text,
  action: text,
  effect: z.enum(['read', 'write', 'egress', 'irreversible']),
  audience: z.union([
    z.enum(['owner', 'PUBLIC']),
    z.strictObject({ arg: text }),
    z.strictObject({ host: text }),
  ]),
  egress: z.array(text).exactOptional(),
  touches: z.array(z.enum(touches)).exactOptional(),
  hasUndo: z.boolean(),
  kind: z.enum(['do', 'undo']),
  moment: z.enum(['plan', 'effect']),
  user: text.exactOptional(),
  priority: prioritySchema.exactOptional(),
  minute: z.number().exactOptional(),
  usage: z.strictObject({ agent: count, user: count }).exactOptional(),
  budget: z.strictObject(spent).exactOptional(),
  amounts: z.array(amountFact).exactOptional(),
})

/** What another version asked reads as nothing, and is never guessed. */
export const questionSchema: z.ZodType<StepQuestion> = recordedSchema.transform((question) =>
  // Counted in a release that had no budgets: within any that there were.
  question.usage === undefined || question.budget !== undefined
    ? question
    : { ...question, budget: nothing, amounts: [] },
)
