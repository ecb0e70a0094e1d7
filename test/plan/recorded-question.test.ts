// What a row keeps of a question about amounts: nothing that a person spent, and enough for rules to say
// the same again, and never less than they would have said.

import { describe, expect, it } from 'vitest'
import type { AmountFact, StepQuestion } from '../../plan/policy.ts'
import { defaultBudgets } from '../../plan/policy-budgets.ts'
import { questionSchema, toRecorded } from '../../plan/recorded-question.ts'
import { openPolicy } from '../support/policy.ts'
import { now, ordinary } from '../support/policy-case.ts'

const eur = { agentPerDay: 5_000, agentPerMonth: 5_000, userPerDay: 5_000, userPerMonth: 5_000 }
const budgetsOf = (beyond: 'ask' | 'deny') => ({ ...defaultBudgets, amounts: { EUR: eur }, beyond })
const before = { agentDay: 1_234, agentMonth: 1_234, userDay: 1_234, userMonth: 1_234 }
const paying = (amount: number): StepQuestion => {
  const paid: AmountFact = { unit: 'EUR', currency: true, amount, ...before }
  return { ...ordinary, ...now, amounts: [paid] }
}

async function recorded(question: StepQuestion, settings: Parameters<typeof openPolicy>[0]) {
  const { decide } = await openPolicy(settings)
  const decision = decide(question)
  const row = JSON.stringify(toRecorded(question, decision))
  for (const number of ['1234', '2345', '6789']) expect(row).not.toContain(number)
  const kept = questionSchema.parse(JSON.parse(row))
  expect(decide(kept)).toEqual(decision)
  return { decision, kept }
}

describe('a recorded question about an amount', () => {
  it.each([
    ['within its budget', 2_345, 'ask', 'allow'],
    ['beyond what may be spent unasked', 6_789, 'ask', 'ask'],
    ['beyond what may be spent', 6_789, 'deny', 'deny'],
  ] as const)('is answered alike, %s', async (_, amount, beyond, verdict) => {
    const { decision, kept } = await recorded(paying(amount), { budgets: budgetsOf(beyond) })
    expect(decision.verdict).toBe(verdict)
    expect(kept.amounts).toMatchObject([{ unit: 'EUR', currency: true }])
  })

  it.each([2_345, 6_789])(
    'of %d, denied for another reason, is not taken for one that nobody need be asked about',
    async (amount) => {
      const budgets = budgetsOf('ask')
      const action = `${ordinary.agent}.${ordinary.action}`
      const { decision, kept } = await recorded(paying(amount), {
        budgets,
        deny: { [action]: true },
      })
      expect(decision.rules).toEqual([`household.deny.${action}`])
      const { decide } = await openPolicy({ budgets })
      expect(decide(kept)).toMatchObject({ verdict: 'ask', rules: ['ask.amount'] })
    },
  )
})
