// How much may happen in a day and in a month, `policy.budgets` in `bulkhead.yaml`: effects of a user, of
// each agent for a user, and what the amounts among their arguments come to, unit by unit. A day is the
// last 24 hours and a month the last 30 days, as for grants. Beyond a number of effects nothing happens;
// beyond an amount a person is asked, unless the household says that nobody may. Pure.

import { z } from 'zod'
import { currencyPattern } from './amounts.ts'
import type { Catalogue } from './manifest.ts'
import { nearest } from './nearest.ts'

export interface PeriodBounds {
  readonly perDay: number
  readonly perMonth: number
}

/** In minor units of a currency, or in whatever the action counts. */
export interface AmountBounds {
  readonly agentPerDay: number
  readonly agentPerMonth: number
  readonly userPerDay: number
  readonly userPerMonth: number
}

/** `data.settings.budgets` of the rules. */
export interface BudgetSettings {
  /** Effects of all agents for one user. */
  readonly user: PeriodBounds
  /** Effects of each agent for one user, where `agents` does not name it. */
  readonly agent: PeriodBounds
  readonly agents: Readonly<Record<string, PeriodBounds>>
  /** By currency, else by what its action counts it in (amounts.ts). A currency that is not here has no room. */
  readonly amounts: Readonly<Record<string, AmountBounds>>
  readonly beyond: 'ask' | 'deny'
}

export const defaultBudgets: BudgetSettings = {
  // A seventh of what the rates would let through in a day: for a busy household, not for a loop at large.
  user: { perDay: 200_000, perMonth: 2_000_000 },
  agent: { perDay: 100_000, perMonth: 1_000_000 },
  agents: {},
  amounts: {},
  beyond: 'ask',
}

const effects = z.number().int().min(0).max(100_000_000)
/** Below what an amount is counted as at most, so that there always is something beyond. */
const amount = z.number().int().min(0).max(999_999_999_999)
const agentName = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/)
const unitName = z
  .string()
  .regex(
    /^(?:[A-Z]{3}|[a-z][a-z0-9-]{0,39}\.[a-z][a-z0-9_]{0,39})$/,
    'is neither a currency nor an action',
  )

const period = z.strictObject({ perDay: effects.optional(), perMonth: effects.optional() })
/** Of the user; an agent's own share where it is less. */
const spending = z.strictObject({
  perDay: amount,
  perMonth: amount,
  agentPerDay: amount.optional(),
  agentPerMonth: amount.optional(),
})

export const budgetsSchema = z.strictObject({
  user: period.optional(),
  agent: period.optional(),
  agents: z.record(agentName, period).optional(),
  amounts: z.record(unitName, spending).optional(),
  beyond: z.enum(['ask', 'deny']).optional(),
})
export type BudgetConfiguration = z.infer<typeof budgetsSchema>

/** The settings below `policy.budgets` and what follows it. */
export function budgetKeysAt([key, , ...more]: readonly PropertyKey[]): readonly string[] {
  if (key === undefined) return ['user', 'agent', 'agents', 'amounts', 'beyond']
  if (key === 'amounts' && more.length === 0) return Object.keys(spending.shape)
  return ['perDay', 'perMonth']
}

/** What the rules read, from what a person wrote. */
export function toBudgets(written: BudgetConfiguration = {}): BudgetSettings {
  const { agents = {}, amounts = {}, beyond = defaultBudgets.beyond } = written
  const agent = { ...defaultBudgets.agent, ...given(written.agent) }
  return {
    user: { ...defaultBudgets.user, ...given(written.user) },
    agent,
    agents: mapped(agents, (one) => ({ ...agent, ...given(one) })),
    amounts: mapped(amounts, ({ perDay, perMonth, agentPerDay, agentPerMonth }) => ({
      agentPerDay: agentPerDay ?? perDay,
      agentPerMonth: agentPerMonth ?? perMonth,
      userPerDay: perDay,
      userPerMonth: perMonth,
    })),
    beyond,
  }
}

function given({ perDay, perMonth }: z.infer<typeof period> = {}): Partial<PeriodBounds> {
  return {
    ...(perDay === undefined ? {} : { perDay }),
    ...(perMonth === undefined ? {} : { perMonth }),
  }
}

function mapped<A, B>(from: Readonly<Record<string, A>>, to: (one: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(from).map(([name, one]) => [name, to(one)]))
}

/** What would let more through than the defaults: of a currency any budget, because it has none. */
export function* looserBudgets({
  user,
  agent,
  agents = {},
  amounts = {},
}: BudgetConfiguration): Generator<readonly [readonly string[], string]> {
  const bounded = [
    { path: ['user'], written: user, most: defaultBudgets.user },
    { path: ['agent'], written: agent, most: defaultBudgets.agent },
    ...Object.entries(agents).map(([name, written]) => {
      return { path: ['agents', name], written, most: defaultBudgets.agent }
    }),
  ]
  for (const { path, written, most } of bounded) {
    for (const key of ['perDay', 'perMonth'] as const) {
      if ((written?.[key] ?? 0) > most[key]) {
        yield [[...path, key], `is above the default, ${most[key]}`]
      }
    }
  }
  for (const unit of Object.keys(amounts).filter((name) => currencyPattern.test(name))) {
    yield [['amounts', unit], 'lets amounts through that the default asks about']
  }
}

/** A name of no agent and no action: it would bound nothing. */
export function unknownInBudgets(
  { agents = {}, amounts = {} }: BudgetConfiguration,
  catalogue: Catalogue,
): readonly { readonly path: readonly string[]; readonly name: string; readonly hint: string }[] {
  const names = [...catalogue.keys()]
  const actions = [...catalogue.values()].flatMap((agent) =>
    Object.keys(agent.actions).map((action) => `${agent.name}.${action}`),
  )
  const units = [...catalogue.values()].flatMap((agent) =>
    Object.values(agent.actions).flatMap((action) => Object.values(action.units ?? {})),
  )
  const unknown = (key: string, written: object, known: readonly string[]) =>
    Object.keys(written)
      .filter((one) => !known.includes(one) && !(key === 'amounts' && currencyPattern.test(one)))
      .map((one) => ({
        path: ['policy', 'budgets', key, one],
        name: one,
        hint: nearest(one, known).fix ?? `there are ${known.slice(0, 20).join(', ')}`,
      }))
  return [
    ...unknown('agents', agents, names),
    ...unknown('amounts', amounts, [...new Set([...units, ...actions])]),
  ]
}

const bounds = z.strictObject({ perDay: effects, perMonth: effects })

/** As it is handed from program to program. */
export const budgetSettingsSchema: z.ZodType<BudgetSettings> = z.strictObject({
  user: bounds,
  agent: bounds,
  agents: z.record(agentName, bounds),
  amounts: z.record(
    unitName,
    z.strictObject({
      agentPerDay: amount,
      agentPerMonth: amount,
      userPerDay: amount,
      userPerMonth: amount,
    }),
  ),
  beyond: z.enum(['ask', 'deny']),
})
