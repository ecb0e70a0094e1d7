// Recipes put together: one whose answer is kept as a note, or two side by side. The result is a plan like
// any other, which the compiler and the notary judge; nothing here decides what is allowed. Pure.

import { absentInputs, leaveOut } from '../../plan/absent-inputs.ts'
import { answerName } from '../../plan/answer.ts'
import { isObject } from '../../plan/pointer.ts'
import type { InputValues, Recipe, WrittenPlan, WrittenStep } from '../../plan/schema.ts'

export interface Chosen {
  readonly recipe: Recipe
  readonly inputs: InputValues
  /** What the person typed for it. */
  readonly said: string
}

/** The recipe's plan with its inputs filled in. */
export function boundPlan({ recipe, inputs }: Chosen): WrittenPlan {
  const plan = leaveOut(
    { ...recipe.plan, inputs: recipe.inputs },
    absentInputs(recipe.inputs, inputs),
  )
  const values = Object.fromEntries(
    Object.entries(recipe.inputs).flatMap(([name, { default: otherwise }]) => {
      const value = Object.hasOwn(inputs, name) ? inputs[name] : otherwise
      return value === undefined || value === null ? [] : [[name, value] as const]
    }),
  )
  const { inputs: _, steps, ...rest } = plan
  return { ...rest, steps: steps.map((step) => withInputs(step, values) as WrittenStep) }
}

/** A part of a plan with the values of inputs in the place of their names. */
export function withInputs(part: unknown, inputs: InputValues): unknown {
  return mapped(part, (value) => {
    const name = value['$input']
    return typeof name === 'string' && Object.hasOwn(inputs, name) ? inputs[name] : value
  })
}

type Change = (value: Readonly<Record<string, unknown>>) => unknown

/** Every object of a value, the inner ones first, as `change` makes it. */
function mapped(value: unknown, change: Change): unknown {
  if (Array.isArray(value)) return value.map((item) => mapped(item, change))
  if (!isObject(value)) return value
  return change(
    Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, mapped(inner, change)])),
  )
}

/** Undefined: the recipe's answer has no text that could be kept. */
export function keptAsNote(chosen: Chosen, note: string): WrittenPlan | undefined {
  const plan = boundPlan(chosen)
  const { template } = plan.answer
  if (template === undefined) return undefined
  const id = freeId('keep-note', plan.steps)
  const sources = plan.answer.from.map((step) => [answerName(step), { $from: `${step}#` }] as const)
  const keep: WrittenStep = {
    id,
    agent: 'notes',
    action: 'append',
    args: {
      note,
      text: {
        $text: `## {{asked_for}}\n\n${template}`,
        with: { ...Object.fromEntries(sources), asked_for: chosen.said },
      },
    },
  }
  return {
    ...plan,
    goal: shortened(`${plan.goal}, and keep the answer in the note ${note}`),
    steps: [...plan.steps, keep],
    answer: {
      from: [...plan.answer.from, id],
      template: `${template.trimEnd()}\n\nKept in the note {{${answerName(id)}.note}}.\n`,
    },
  }
}

/** Both at once: neither needs the other. Undefined: an answer has no text that could be joined. */
export function sideBySide(one: Chosen, other: Chosen): WrittenPlan | undefined {
  const first = boundPlan(one)
  const second = withOtherIds(boundPlan(other), first.steps)
  if (first.answer.template === undefined || second.answer.template === undefined) return undefined
  return {
    version: 1,
    goal: shortened(`${first.goal}; ${second.goal}`),
    steps: [...first.steps, ...second.steps],
    answer: {
      from: [...first.answer.from, ...second.answer.from],
      template: `${first.answer.template.trimEnd()}\n\n${second.answer.template}`,
    },
  }
}

/** What a plan's goal may be. */
const shortened = (goal: string) => goal.slice(0, 500)

function freeId(wanted: string, steps: readonly WrittenStep[]): string {
  const taken = new Set(steps.map(({ id }) => id))
  for (let n = 2, id = wanted; ; n += 1) {
    if (!taken.has(id)) return id
    id = `${wanted}-${n}`
  }
}

/** The plan with other ids where `taken` has them already, in steps, references and templates alike. */
function withOtherIds(plan: WrittenPlan, taken: readonly WrittenStep[]): WrittenPlan {
  const all = [...taken, ...plan.steps]
  const clashes = plan.steps.filter(({ id }) => taken.some((step) => step.id === id))
  const names = new Map(clashes.map(({ id }) => [id, freeId(`${id.slice(0, 36)}-2`, all)]))
  const nameOf = (id: string) => names.get(id) ?? id
  const rename: Change = (value) => {
    const from = value['$from']
    if (typeof from !== 'string') return value
    const [id = '', ...pointer] = from.split('#')
    return { $from: [nameOf(id), ...pointer].join('#') }
  }
  const steps = plan.steps.map((step) => ({
    ...(mapped(step, rename) as WrittenStep),
    id: nameOf(step.id),
    ...(step.needs === undefined ? {} : { needs: step.needs.map(nameOf) }),
  }))
  const template = [...names].reduce(
    (text, [id, other]) => renamedInTemplate(text, answerName(id), answerName(other)),
    plan.answer.template ?? '',
  )
  return { ...plan, steps, answer: { from: plan.answer.from.map(nameOf), template } }
}

/**
 * A result is named by a section of its own or in front of a dot. The compiler then asks whether the names
 * are there: a template that means something else by one is refused, not misread.
 */
function renamedInTemplate(template: string, name: string, other: string): string {
  return template.replaceAll(
    /\{\{([#^/]?)\s*([A-Za-z_][\w-]*)((?:\.[\w-]+)*)\s*\}\}/g,
    (tag, mark: string, first: string, rest: string) =>
      first === name ? `{{${mark}${other}${rest}}}` : tag,
  )
}
