// A plan in words, for whoever is about to say yes to it: what each step does and with what, what leaves the
// house, and what is asked first. What an agent will say is not known yet: it is named by its step. Text
// that may be somebody else's is a quotation.

import { effectWords } from '../plan/card-words.ts'
import type { CompileResult } from '../plan/compile.ts'
import { isObject, toPointer } from '../plan/pointer.ts'
import { quote } from '../plan/quotation.ts'
import type { CompiledPlan, CompiledStep } from '../plan/schema.ts'
import { withInputs } from '../planner/rules/compose.ts'

/** Of a value: enough to know it again. */
const maxCharacters = 120
/** Of a step. */
const maxValues = 12

export function planWords({
  plan,
  report,
}: Pick<Extract<CompileResult, { ok: true }>, 'plan' | 'report'>): readonly string[] {
  return [
    plan.goal,
    '',
    ...plan.steps.flatMap((step, index) => stepLines(step, index + 1, plan)),
    '',
    ...(report.leaves.length === 0
      ? ['nothing leaves the house']
      : report.leaves.map(
          ({ step, audience }) => `leaves the house: what ${step} asks, to ${audience}`,
        )),
    ...(report.approvals.length === 0
      ? ['nobody is asked on the way']
      : [`you are asked before: ${report.approvals.join(', ')}`]),
  ]
}

function stepLines(step: CompiledStep, position: number, plan: CompiledPlan): readonly string[] {
  const { id, agent, action, effect, needs, undo, when, forEach } = step
  const after = needs.length === 0 ? '' : `, after ${needs.join(', ')}`
  const guard = when === null ? '' : `, only if ${quote(when.cel, maxCharacters)}`
  const often = forEach === undefined ? '' : `, up to ${forEach.max} times`
  const words = effectWords({ effect, reversible: undo !== null })
  const values = leavesOf(withInputs(step.args, plan.inputs))
  const hidden = values.length - maxValues
  return [
    `${position}. ${id}  ${agent}.${action}  ${words}${after}${guard}${often}`,
    ...values.slice(0, maxValues).map(([name, value]) => `     ${name}: ${value}`),
    ...(hidden > 0 ? [`     and ${hidden} more values`] : []),
  ]
}

function leavesOf(value: unknown, path: readonly string[] = []): readonly [string, string][] {
  const isForm = isObject(value) && Object.keys(value).some((key) => key.startsWith('$'))
  const isBranch = Array.isArray(value) || (isObject(value) && !isForm)
  if (!isBranch || Object.keys(value as object).length === 0) {
    return path.length === 0 ? [] : [[toPointer(path).slice(1), valueWords(value)]]
  }
  return Object.entries(value as object).flatMap(([key, below]) => leavesOf(below, [...path, key]))
}

function valueWords(value: unknown): string {
  if (typeof value === 'string') return quote(value, maxCharacters)
  if (!isObject(value)) return JSON.stringify(value)
  if (typeof value['$from'] === 'string') return `what ${stepOf(value['$from'])} finds`
  if (typeof value['$handle'] === 'string')
    return `what ${quote(value['$handle'], maxCharacters)} found`
  if (typeof value['$text'] !== 'string') return quote(JSON.stringify(value), maxCharacters)
  const from = Object.values(isObject(value['with']) ? value['with'] : {}).flatMap((one) =>
    isObject(one) && typeof one['$from'] === 'string' ? [stepOf(one['$from'])] : [],
  )
  return from.length === 0 ? 'a text' : `a text of what ${[...new Set(from)].join(', ')} find`
}

const stepOf = (reference: string) => reference.split('#')[0] ?? reference
