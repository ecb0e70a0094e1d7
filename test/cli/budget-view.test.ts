// What a person reads of their budgets.

import { expect, it } from 'vitest'
import { budgetCells, toBudgetLines } from '../../cli/budget-view.ts'
import { defaultBudgets } from '../../plan/policy-budgets.ts'

const eur = { agentPerDay: 20, agentPerMonth: 30, userPerDay: 50, userPerMonth: 60 }
const budgets = {
  ...defaultBudgets,
  user: { perDay: 7, perMonth: 8 },
  agents: { till: { perDay: 2, perMonth: 3 } },
  amounts: { EUR: eur },
}
const words = (spent: Parameters<typeof toBudgetLines>[0]) =>
  toBudgetLines(spent, budgets).map((line) => budgetCells(line).join(' | '))

it('is every bound that there is, before anything was used', () => {
  expect(words([])).toEqual([
    'effects | all agents | 0 of 7 in a day | 0 of 8 in a month',
    'EUR | all agents | 0 of 50 in a day | 0 of 60 in a month',
  ])
})

it('is what each agent used, beside its own bound or that of each', () => {
  const { perDay, perMonth } = budgets.agent
  expect(
    words([
      { unit: '', agent: 'notes', day: 1, month: 4, open: 0 },
      { unit: '', agent: 'till', day: 1, month: 1, open: 0 },
      { unit: 'EUR', agent: 'till', day: 5, month: 6, open: 2 },
      { unit: 'till.stamp', agent: 'till', day: 9, month: 9, open: 0 },
    ]),
  ).toEqual([
    'effects | all agents | 2 of 7 in a day | 5 of 8 in a month',
    `effects | notes | 1 of ${perDay} in a day | 4 of ${perMonth} in a month`,
    'effects | till | 1 of 2 in a day | 1 of 3 in a month',
    'EUR | all agents | 5 of 50 in a day (2 reserved) | 6 of 60 in a month',
    'EUR | till | 5 of 20 in a day (2 reserved) | 6 of 30 in a month',
    'till.stamp | all agents | 9 in a day | 9 in a month',
    'till.stamp | till | 9 in a day | 9 in a month',
  ])
})
