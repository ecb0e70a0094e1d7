// What the default policy must answer about days and months: budgets of effects, and of amounts.

import type { AmountFact } from '../../plan/policy.ts'
import type { PolicySettings } from '../../plan/policy-settings.ts'
import { now, type PolicyCase, row } from './policy-case.ts'

const budgets: PolicySettings['budgets'] = {
  user: { perDay: 7, perMonth: 9 },
  agent: { perDay: 5, perMonth: 8 },
  agents: { car: { perDay: 2, perMonth: 4 } },
  amounts: {
    EUR: { agentPerDay: 10, agentPerMonth: 20, userPerDay: 15, userPerMonth: 25 },
    'desk.put': { agentPerDay: 3, agentPerMonth: 3, userPerDay: 3, userPerMonth: 3 },
  },
  beyond: 'ask',
}
const bounded = { settings: { budgets } } as const
const strict = { settings: { budgets: { ...budgets, beyond: 'deny' } } } as const
const last = { agentDay: 4, agentMonth: 7, userDay: 6, userMonth: 8 } as const
const spent = (over: Partial<typeof last> | object) => ({ ...now, budget: { ...last, ...over } })
const { budget: _budget, ...unbudgeted } = now

const muchInAMonth = [
  row('allow', ['write.undoable'], 'the last effect of a budget', spent({}), bounded),
  row('deny', ['budget.agent'], 'one more of an agent in a day', spent({ agentDay: 5 }), bounded),
  row(
    'deny',
    ['budget.agent'],
    'one more of an agent in a month',
    spent({ agentMonth: 8 }),
    bounded,
  ),
  row('deny', ['budget.user'], 'one more of a user in a day', spent({ userDay: 7 }), bounded),
  row('deny', ['budget.user'], 'one more of a user in a month', spent({ userMonth: 9 }), bounded),
  row(
    'deny',
    ['budget.agent'],
    'one more of an agent with a budget of its own',
    { ...spent({ agentDay: 2, agentMonth: 0 }), agent: 'car' },
    bounded,
  ),
  row(
    'allow',
    ['write.undoable'],
    'the last one of its own budget',
    { ...spent({ agentDay: 1, agentMonth: 3 }), agent: 'car' },
    bounded,
  ),
  row('deny', ['budget.agent', 'budget.user'], 'what no budget was asked about', unbudgeted),
  ...(['agentDay', 'agentMonth'] as const).map((key) =>
    row('deny', ['budget.agent'], `an agent's effects without ${key}`, spent({ [key]: null })),
  ),
  ...(['userDay', 'userMonth'] as const).map((key) =>
    row('deny', ['budget.user'], `a user's effects without ${key}`, spent({ [key]: null })),
  ),
  row(
    'allow',
    ['read.owner'],
    'a read beyond every budget',
    { ...spent({ agentDay: 99, userMonth: 99 }), effect: 'read' },
    bounded,
  ),
  row(
    'allow',
    ['undo.write'],
    'an undo beyond every budget',
    { ...spent({ agentDay: 99, userMonth: 99 }), kind: 'undo' },
    bounded,
  ),
]

const paid: AmountFact = {
  ...{ unit: 'EUR', currency: true, amount: 4 },
  ...{ agentDay: 6, agentMonth: 16, userDay: 11, userMonth: 21 },
}
const paying = (...amounts: readonly object[]) => ({ ...now, amounts })
const { amounts: _amounts, ...unpriced } = now
const sums = ['amount', 'agentDay', 'agentMonth', 'userDay', 'userMonth'] as const

const muchMoney = [
  row('allow', ['write.undoable'], 'the last cent of a budget', paying(paid), bounded),
  ...sums.map((key) =>
    row(
      'ask',
      ['ask.amount'],
      `one cent more by ${key}`,
      paying(paid, { ...paid, [key]: (paid[key] ?? 0) + 1 }),
      bounded,
    ),
  ),
  ...sums.map((key) =>
    row(
      'ask',
      ['ask.amount'],
      `an amount without ${key}`,
      paying({ ...paid, [key]: null }),
      bounded,
    ),
  ),
  row(
    'deny',
    ['budget.amount'],
    'one cent more where nobody is to be asked',
    paying({ ...paid, amount: 5 }),
    strict,
  ),
  row('allow', ['write.undoable'], 'the last cent there', paying(paid), strict),
  row(
    'ask',
    ['ask.amount'],
    'a currency that has no budget',
    paying({ ...paid, unit: 'CHF' }),
    bounded,
  ),
  row('ask', ['ask.amount'], 'an effect whose amounts nobody knows', unpriced),
  row(
    'ask',
    ['ask.amount'],
    'an amount of which nobody says whether it is money',
    paying({ unit: 'desk.set', amount: 1 }),
    bounded,
  ),
  row(
    'allow',
    ['write.undoable'],
    'what is no money and has no budget',
    paying({ unit: 'desk.set', currency: false, amount: 1_000 }),
    bounded,
  ),
  row(
    'ask',
    ['ask.amount'],
    'what is no money, beyond its budget',
    paying({ ...paid, unit: 'desk.put', currency: false }),
    bounded,
  ),
  row(
    'allow',
    ['write.undoable'],
    'a plan that will spend',
    { ...paying({ ...paid, amount: 99 }), moment: 'plan' },
    bounded,
  ),
  row(
    'allow',
    ['undo.write'],
    'what takes it back',
    { ...paying({ ...paid, amount: 99 }), kind: 'undo' },
    bounded,
  ),
]

export const budgetCases: readonly PolicyCase[] = [...muchInAMonth, ...muchMoney]
