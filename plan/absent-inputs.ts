// What a plan says without the inputs that were not given and whose default is null: an argument that is
// such an input is left out, so that the action's own default holds; in a text, a guard or a list it is
// null. Done to the plan as written, before anything else looks at it: whoever compiles the same bytes with
// the same inputs gets the same plan, and one without such inputs keeps its digest. Pure.

import { isObject } from './pointer.ts'
import { formOf } from './references.ts'
import type { Argument, InputDeclaration, InputValues, WrittenPlan } from './schema.ts'

/** The names of inputs that were not given and need not be. */
export function absentInputs(
  declared: Readonly<Record<string, InputDeclaration>>,
  given: InputValues,
): ReadonlySet<string> {
  return new Set(
    Object.entries(declared).flatMap(([name, { default: otherwise }]) =>
      otherwise === null && !Object.hasOwn(given, name) ? [name] : [],
    ),
  )
}

/** The same plan without arguments that are one of these inputs; the plan itself where there are none. */
export function leaveOut(plan: WrittenPlan, absent: ReadonlySet<string>): WrittenPlan {
  if (absent.size === 0) return plan
  const steps = plan.steps.map((step) => ({
    ...step,
    ...(step.args === undefined ? {} : { args: withoutAbsent(step.args, absent) }),
    ...(step.when === undefined
      ? {}
      : { when: { ...step.when, with: nullAbsent(step.when.with, absent) } }),
    ...(step.forEach === undefined
      ? {}
      : { forEach: { ...step.forEach, in: replaced(step.forEach.in, absent) } }),
  }))
  return { ...plan, steps }
}

type Arguments = Readonly<Record<string, Argument>>

function withoutAbsent(args: Arguments, absent: ReadonlySet<string>): Arguments {
  return Object.fromEntries(
    Object.entries(args).flatMap(([name, value]) =>
      isAbsent(value, absent) ? [] : [[name, replaced(value, absent)] as const],
    ),
  )
}

/** Names that a template or an expression uses have to be there. */
function nullAbsent(named: Arguments, absent: ReadonlySet<string>): Arguments {
  return Object.fromEntries(
    Object.entries(named).map(([name, value]) => [name, replaced(value, absent)]),
  )
}

function isAbsent(value: Argument, absent: ReadonlySet<string>): boolean {
  if (!isObject(value)) return false
  const form = formOf(value)
  return form.form === 'input' && absent.has(form.name)
}

function replaced(value: Argument, absent: ReadonlySet<string>): Argument {
  if (isList(value)) return value.map((item) => replaced(item, absent))
  if (!isObject(value)) return value
  const form = formOf(value)
  switch (form.form) {
    case 'input':
      return absent.has(form.name) ? null : value
    case 'text':
      return { $text: form.template, with: nullAbsent(form.with, absent) }
    case 'none':
      return withoutAbsent(value as Arguments, absent)
    case 'from':
    case 'handle':
    case 'item':
    case 'unknown':
      return value
  }
}

function isList(value: Argument): value is readonly Argument[] {
  return Array.isArray(value)
}
