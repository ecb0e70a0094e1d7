// What a household sets of the policy, `policy:` in `bulkhead.yaml`, and what the rules read of it
// (`data.settings`). A setting may tighten the defaults; one that loosens them is refused unless the
// file says that it is meant to. Pure.

import { z } from 'zod'
import type { Catalogue } from './manifest.ts'
import { nearest } from './nearest.ts'
import {
  type BudgetSettings,
  budgetKeysAt,
  budgetSettingsSchema,
  budgetsSchema,
  defaultBudgets,
  looserBudgets,
  toBudgets,
  unknownInBudgets,
} from './policy-budgets.ts'
import { type Touch, touches } from './touches.ts'

/** Minutes of the local day; `to` is the first one after the quiet, which may run past midnight. */
export interface QuietHours {
  readonly from: number
  readonly to: number
}

/** `data.settings` of the rules. Objects and not lists: a rule looks its case up and never searches. */
export interface PolicySettings {
  readonly version: 1
  readonly quiet: QuietHours | false
  readonly rates: { readonly agentPerHour: number; readonly userPerHour: number }
  readonly budgets: BudgetSettings
  /** By `agent.action` or by what is touched. */
  readonly ask: Readonly<Record<string, true>>
  readonly deny: Readonly<Record<string, true>>
  readonly unasked: Readonly<Partial<Record<Touch, true>>>
}

export const defaultSettings: PolicySettings = {
  version: 1,
  quiet: { from: 22 * 60, to: 7 * 60 },
  // Far above what a household does, and below what a loop that ran wild does in an hour.
  rates: { agentPerHour: 30_000, userPerHour: 60_000 },
  budgets: defaultBudgets,
  ask: {},
  deny: {},
  unasked: {},
}

const time = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'is not a time of day')
const rate = z.number().int().min(1).max(10_000_000)
const name = z.string().regex(/^(?:[a-z]+|[a-z][a-z0-9-]{0,39}\.[a-z][a-z0-9_]{0,39})$/, {
  message: 'is neither an action nor something that actions touch',
})
/** More names than a person would write; each is one look-up whatever their number. */
const names = z.array(name).max(2_000)

export const policySchema = z
  .strictObject({
    quiet: z.union([z.literal('off'), z.strictObject({ from: time, to: time })]).optional(),
    rates: z
      .strictObject({ agentPerHour: rate.optional(), userPerHour: rate.optional() })
      .optional(),
    budgets: budgetsSchema.optional(),
    ask: names.optional(),
    deny: names.optional(),
    unasked: z.array(z.enum(touches)).optional(),
    /** Folder with rules of the household's own. */
    bundle: z.string().min(1).max(4_096).optional(),
    loosen: z.literal(true).optional(),
  })
  .superRefine((policy, context) => {
    for (const [path, message] of faultsOf(policy)) {
      context.addIssue({ code: 'custom', path: [...path], message })
    }
  })
export type PolicyConfiguration = z.infer<typeof policySchema>

/** The settings below a path in `policy:`, which is empty for those of `policy:` itself. */
export function policyKeysAt([key, ...more]: readonly PropertyKey[]): readonly string[] {
  if (key === 'budgets') return budgetKeysAt(more)
  if (key === 'quiet') return ['from', 'to']
  if (key === 'rates') return ['agentPerHour', 'userPerHour']
  return ['quiet', 'rates', 'budgets', 'ask', 'deny', 'unasked', 'bundle', 'loosen']
}

export function policyHint(key: PropertyKey | undefined): string {
  switch (key) {
    case 'quiet':
      return 'quiet: { from: "22:00", to: "07:00" }; later, shorter or off needs loosen: true'
    case 'rates':
      return 'rates: { agentPerHour: 1000, userPerHour: 2000 }; above the default needs loosen: true'
    case 'budgets':
      return 'budgets: { user: { perDay: 1000 }, amounts: { EUR: { perDay: 5000, perMonth: 20000 } } }; more than the default needs loosen: true'
    case 'ask':
    case 'deny':
      return `names such as calendar.delete_event, or of ${touches.join(', ')}`
    case 'unasked':
      return 'unasked: [mail], together with loosen: true'
    case 'bundle':
      return 'bundle: path/to/folder with *.rego'
    case 'loosen':
      return 'loosen: true, or leave it out'
    default:
      return 'policy: { quiet: { from: "21:00", to: "08:00" }, ask: [mail] }'
  }
}

type Written = z.input<typeof policySchema>

/** What would loosen, where the file does not say that it is meant to; and what cannot be meant. */
function* faultsOf(policy: Written): Generator<readonly [readonly string[], string]> {
  const { quiet, rates = {}, budgets = {}, unasked = [], loosen = false } = policy
  if (quiet !== undefined && quiet !== 'off' && quiet.from === quiet.to) {
    yield [['quiet'], 'begins when it ends; write off for none']
  }
  if (loosen) return
  if (quiet !== undefined && !covers(toQuiet(quiet), defaultSettings.quiet)) {
    yield [['quiet'], 'is less than the default, 22:00 to 07:00']
  }
  for (const key of ['agentPerHour', 'userPerHour'] as const) {
    const most = defaultSettings.rates[key]
    if ((rates[key] ?? 0) > most) yield [['rates', key], `is above the default, ${most}`]
  }
  for (const [path, message] of looserBudgets(budgets)) yield [['budgets', ...path], message]
  if (unasked.length > 0) yield [['unasked'], 'leaves out questions that the default asks']
}

function toQuiet(quiet: NonNullable<Written['quiet']>): QuietHours | false {
  if (quiet === 'off') return false
  return { from: toMinute(quiet.from), to: toMinute(quiet.to) }
}

function toMinute(text: string): number {
  return Number(text.slice(0, 2)) * 60 + Number(text.slice(3))
}

function isQuiet(quiet: QuietHours | false, minute: number): boolean {
  if (quiet === false) return false
  const { from, to } = quiet
  return from <= to ? minute >= from && minute < to : minute >= from || minute < to
}

function covers(one: QuietHours | false, other: QuietHours | false): boolean {
  const day = Array.from({ length: 24 * 60 }, (_, minute) => minute)
  return day.every((minute) => isQuiet(one, minute) || !isQuiet(other, minute))
}

/** What the rules read, from what a person wrote. */
export function toSettings(policy: PolicyConfiguration = {}): PolicySettings {
  const { quiet, rates = {}, ask = [], deny = [], unasked = [] } = policy
  const { agentPerHour = defaultSettings.rates.agentPerHour } = rates
  const { userPerHour = defaultSettings.rates.userPerHour } = rates
  return {
    version: 1,
    quiet: quiet === undefined ? defaultSettings.quiet : toQuiet(quiet),
    rates: { agentPerHour, userPerHour },
    budgets: toBudgets(policy.budgets),
    ask: toSet(ask),
    deny: toSet(deny),
    unasked: toSet(unasked),
  }
}

function toSet(listed: readonly string[]): Readonly<Record<string, true>> {
  return Object.fromEntries(listed.map((one) => [one, true as const]))
}

/** As it is handed from program to program. */
export const settingsSchema: z.ZodType<PolicySettings> = z.strictObject({
  version: z.literal(1),
  quiet: z.union([
    z.literal(false),
    z.strictObject({
      from: z.int().min(0).max(1_439),
      to: z.int().min(0).max(1_439),
    }),
  ]),
  rates: z.strictObject({ agentPerHour: rate, userPerHour: rate }),
  budgets: budgetSettingsSchema,
  ask: z.record(name, z.literal(true)),
  deny: z.record(name, z.literal(true)),
  unasked: z.partialRecord(z.enum(touches), z.literal(true)),
})

/** A name under `ask`, `deny` or `budgets` that means nothing in this catalogue: it would never be in force. */
export function unknownNames(
  { ask = [], deny = [], budgets = {} }: PolicyConfiguration,
  catalogue: Catalogue,
): readonly { readonly path: readonly string[]; readonly name: string; readonly hint: string }[] {
  const actions = [...catalogue.values()].flatMap((agent) =>
    Object.keys(agent.actions).map((action) => `${agent.name}.${action}`),
  )
  const known = [...touches, ...actions]
  const unknown = (key: string, listed: readonly string[]) =>
    listed
      .filter((one) => !known.includes(one))
      .map((one) => ({
        path: ['policy', key],
        name: one,
        hint: nearest(one, known).fix ?? policyHint(key),
      }))
  const inBudgets = unknownInBudgets(budgets, catalogue)
  return [...unknown('ask', ask), ...unknown('deny', deny), ...inBudgets]
}
