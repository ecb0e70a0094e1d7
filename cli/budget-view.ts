// A person's budgets as lines: what was used, and of what. Pure.

import type { BudgetSettings, PeriodBounds } from '../plan/policy-budgets.ts'

/** As the notary tells it; the empty unit: effects. */
export interface SpentView {
  readonly unit: string
  readonly agent: string
  readonly day: number
  readonly month: number
  /** Of `day`: reserved for what has not ended. */
  readonly open: number
}

export interface BudgetLine {
  /** `effects`, `EUR` in minor units, or `agent.action`. */
  readonly unit: string
  /** Null: all agents together. */
  readonly agent: string | null
  readonly day: number
  readonly month: number
  /** Of `day`: reserved for what has not ended, and lowered then to what it came to. */
  readonly open: number
  /** Null: nobody has set a bound. A currency without one is asked about from its first cent. */
  readonly perDay: number | null
  readonly perMonth: number | null
}

/** All agents first, then each; effects, then what else was spent or has a bound. */
export function toBudgetLines(
  spent: readonly SpentView[],
  budgets: BudgetSettings,
): readonly BudgetLine[] {
  const units = [
    '',
    ...new Set([...Object.keys(budgets.amounts), ...spent.map(({ unit }) => unit)]),
  ]
  return [...new Set(units)].flatMap((unit): BudgetLine[] => {
    const of = spent.filter((one) => one.unit === unit)
    const agents = of.map(({ agent, day, month, open }) => {
      return { unit: nameOf(unit), agent, day, month, open, ...boundsOf(unit, agent, budgets) }
    })
    const sum = (key: 'day' | 'month' | 'open') => of.reduce((total, one) => total + one[key], 0)
    const sums = { day: sum('day'), month: sum('month'), open: sum('open') }
    return [
      { unit: nameOf(unit), agent: null, ...sums, ...boundsOf(unit, null, budgets) },
      ...agents,
    ]
  })
}

const nameOf = (unit: string) => (unit === '' ? 'effects' : unit)

type Bounds = Pick<BudgetLine, 'perDay' | 'perMonth'>

function boundsOf(unit: string, agent: string | null, budgets: BudgetSettings): Bounds {
  if (unit === '') return agent === null ? budgets.user : ofAgent(agent, budgets)
  const bounds = Object.hasOwn(budgets.amounts, unit) ? budgets.amounts[unit] : undefined
  if (bounds === undefined) return { perDay: null, perMonth: null }
  return agent === null
    ? { perDay: bounds.userPerDay, perMonth: bounds.userPerMonth }
    : { perDay: bounds.agentPerDay, perMonth: bounds.agentPerMonth }
}

function ofAgent(agent: string, { agents, agent: each }: BudgetSettings): PeriodBounds {
  return Object.hasOwn(agents, agent) ? (agents[agent] ?? each) : each
}

/** Columns of a table. */
export function budgetCells(line: BudgetLine): readonly string[] {
  const of = (used: number, bound: number | null) =>
    bound === null ? `${used}` : `${used} of ${bound}`
  const { unit, agent, day, month, open, perDay, perMonth } = line
  return [
    unit,
    agent ?? 'all agents',
    `${of(day, perDay)} in a day${open > 0 ? ` (${open} reserved)` : ''}`,
    `${of(month, perMonth)} in a month`,
  ]
}
