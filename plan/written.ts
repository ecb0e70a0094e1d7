// The zod shapes of a written plan and of a recipe: strict, so that a misspelt or later feature is
// named and not ignored. Names are checked here, before anything uses one as a key.

import { z } from 'zod'
import { limits } from './limits.ts'
import { stepIdPattern } from './schema.ts'
import { suggestedScheduleSchema } from './suggested-schedule.ts'
import { isTimeZone } from './time-zone.ts'

/** What code that forgot `Object.hasOwn` would find on any object, whether the name is taken or not. */
const isHostile = (name: string): boolean => name in Object.prototype || name === 'prototype'

/** A name of ours: nothing of a prototype's, no path, no control character. */
function nameOf(pattern: RegExp, what: string) {
  return z.string().superRefine((value, context) => {
    if (pattern.test(value) && !isHostile(value)) return
    context.addIssue({
      code: 'custom',
      message: `${JSON.stringify(value.slice(0, 60))} is not ${what}`,
      params: { issue: 'INVALID_NAME' },
    })
  })
}

const stepId = nameOf(stepIdPattern, 'a step id (lower case letters, digits and -, up to 40)')
const agentName = nameOf(/^[a-z][a-z0-9-]{0,39}$/, "an agent's name")
const actionName = nameOf(/^[a-z][a-z0-9_]{0,39}$/, "an action's name")
const inputName = nameOf(/^[a-z][A-Za-z0-9]{0,39}$/, "an input's name")
const valuePattern = /^[A-Za-z_][A-Za-z0-9_]{0,39}$/
const valueName = nameOf(valuePattern, 'a name for a value')

/** Of a guard's or a text's values. */
export function isValueName(name: string): boolean {
  return valuePattern.test(name) && !isHostile(name)
}

/** Arguments are open here: the compiler checks them against the action's schema. */
const argument: z.ZodType = z.json()
const named = z.record(valueName, argument)
const undoArgument = z.union([
  z.strictObject({ $args: z.string() }),
  z.strictObject({ $result: z.string() }),
  z.strictObject({ $idem: z.literal(true) }),
  z.union([z.string(), z.number(), z.boolean(), z.null()]),
])

/** Shown to people, and so without characters that a terminal would obey. */
const shownText = (maxCharacters: number) =>
  z
    .string()
    .min(1)
    .max(maxCharacters)
    .refine((text) => !/(?![\n\t])\p{Cc}/u.test(text), 'it holds control characters')

const startTime = z.strictObject({
  local: z.string().refine(isLocalTime, 'is neither HH:MM nor YYYY-MM-DDTHH:MM'),
  zone: z.string().refine(isTimeZone, 'is not an IANA time zone').optional(),
})

const step = z.strictObject({
  id: stepId,
  agent: agentName,
  action: actionName,
  args: z.record(z.string().max(80), argument).optional(),
  needs: z.array(stepId).max(limits.writtenSteps).optional(),
  when: z.strictObject({ cel: z.string(), with: named.default({}) }).optional(),
  onError: z
    .enum(['abort', 'continue', 'hold'], { error: () => 'onError is abort, continue or hold' })
    .optional(),
  timeoutMs: z.int().min(1).max(limits.actionMs).optional(),
  attempts: z.int().min(1).max(limits.attempts).optional(),
  undo: z
    .strictObject({ action: actionName, args: z.record(valueName, undoArgument).default({}) })
    .optional(),
  join: z.enum(['all', 'any'], { error: () => 'join is all or any' }).optional(),
  // The most items are the compiler's to bound, with the code of a limit.
  forEach: z.strictObject({ in: argument, as: valueName, max: z.int().min(1) }).optional(),
  at: startTime.optional(),
})

const inputDeclaration = z
  .strictObject({
    type: z.enum(['string', 'integer', 'boolean', 'date']),
    default: z.union([z.string().max(1_000), z.number(), z.boolean(), z.null()]).optional(),
  })
  .refine(
    ({ type, default: value }) => value === undefined || value === null || fitsInput(type, value),
    'the default is not of the declared type',
  )
const inputs = z.record(inputName, inputDeclaration)

/** `date` is YYYY-MM-DD, or `today`, which the agent resolves with its own clock and zone. */
export function fitsInput(type: string, value: unknown): boolean {
  if (type === 'boolean') return typeof value === 'boolean'
  if (type === 'integer') return Number.isSafeInteger(value)
  if (typeof value !== 'string' || value.length > 1_000) return false
  if (!value.isWellFormed()) return false
  return type !== 'date' || value === 'today' || isDate(value)
}

function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false
  const time = Date.parse(`${text}T00:00:00Z`)
  // The 31st of a short month is read as a day of the next one.
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text)
}

function isLocalTime(text: string): boolean {
  const [, day, time] = /^(?:(\d{4}-\d{2}-\d{2})T)?(\d{2}:\d{2}(?::\d{2})?)$/.exec(text) ?? []
  if (time === undefined || (day !== undefined && !isDate(day))) return false
  const [hour = 24, minute = 60, second = 0] = time.split(':').map(Number)
  return hour < 24 && minute < 60 && second < 60
}

const planShape = {
  version: z.literal(1, { error: () => 'version: 1 is wanted' }),
  goal: shownText(500),
  steps: z
    .array(step)
    .min(1, 'a plan has at least one step')
    .max(limits.writtenSteps, `a plan has at most ${limits.writtenSteps} steps`),
  answer: z.strictObject({
    from: z.array(stepId).max(limits.writtenSteps),
    template: z.string().max(limits.textBytes).optional(),
  }),
}

export const writtenPlanSchema = z.strictObject({ ...planShape, inputs: inputs.optional() })

/** What a planner proposes: there is nobody who would give it inputs. */
export const proposalSchema = z.strictObject(planShape)

export const recipeSchema = z.strictObject({
  name: nameOf(/^[a-z][a-z0-9-]{0,59}$/, "a recipe's name"),
  title: shownText(200),
  phrases: z.array(shownText(200)).max(50),
  inputs: inputs.default({}),
  schedule: suggestedScheduleSchema.optional(),
  plan: z.strictObject(planShape),
})
