// Which step a label is to blame on: from the value that a rule refuses back along references, guards and
// loops to the first result that was bad by itself. What a person must look at, in one pointer. Pure.

import { itemOf, type PlanFlow, referenceIn, type StepFlow } from './flow.ts'
import { isHandle } from './handle.ts'
import { join, type Label, labelOfField } from './labels.ts'
import { isObject, toPointer } from './pointer.ts'
import { formOf } from './references.ts'
import type { Argument, CompiledStep } from './schema.ts'

export interface Cause {
  /** Pointer of the step in the plan; of an earlier result its handle. */
  readonly path: string
  /** `inbox#/messages/0/from`, as it was referred to, or as the guilty step was. */
  readonly value: string
}

/** Undefined when no step is to blame: a literal, or a reference to what is not there. */
export function causeOf(
  reads: readonly Argument[],
  step: CompiledStep,
  { flow, isBad }: { readonly flow: PlanFlow; readonly isBad: (label: Label) => boolean },
): Cause | undefined {
  const seen = new Set<string>()
  const open: { readonly argument: Argument; readonly step: CompiledStep }[] = []
  const look = (all: readonly Argument[], at: CompiledStep) => {
    const bad = all.flatMap(leavesIn).filter((leaf) => isBad(flow.labelOf(leaf, at)))
    // Depth first, in the order of the plan, without a stack of calls: a chain may be a thousand long.
    open.push(...bad.map((argument) => ({ argument, step: at })).toReversed())
  }
  look(reads, step)
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const reference = referenceOf(next.argument, next.step)
    if (reference === undefined) continue
    const value = `${reference.step}#${toPointer(reference.tokens)}`
    // Its own plan is over: what was given to it is looked into there.
    if (isHandle(reference.step)) return { path: reference.step, value }
    const producer = flow.steps.get(reference.step)
    if (producer === undefined) continue
    if (isBad(ownLabel(producer, reference.tokens))) {
      return { path: `/steps/${producer.index}`, value }
    }
    if (seen.has(reference.step)) continue
    seen.add(reference.step)
    const { pieces, conditions } = producer
    look(
      [
        ...pieces.map(({ argument }) => argument),
        ...conditions.flatMap(({ reads: others }) => others),
      ],
      producer.step,
    )
  }
  return undefined
}

/** Of a result by itself, whatever its step was given. */
function ownLabel({ step, action }: StepFlow, tokens: readonly string[]): Label {
  const field = step.forEach === undefined ? tokens : tokens.slice(1)
  const declared = labelOfField(action, field)
  const own = step.onError === 'continue' ? join(declared, labelOfField(action, [])) : declared
  return { ...own, agents: [step.agent] }
}

function referenceOf(argument: Argument, step: CompiledStep) {
  const item = itemOf(argument, step)
  if (item === undefined || item === 'stray') return referenceIn(argument)
  const list = referenceIn(item.list)
  return list === undefined
    ? undefined
    : { step: list.step, tokens: [...list.tokens, '*', ...item.tokens] }
}

/** The forms and literals that an argument is made of; of a text, what it is rendered with. */
export function leavesIn(argument: Argument): readonly Argument[] {
  if (Array.isArray(argument)) return argument.flatMap(leavesIn)
  if (!isObject(argument)) return [argument]
  const form = formOf(argument)
  if (form.form === 'text') return Object.values(form.with).flatMap(leavesIn)
  if (form.form !== 'none') return [argument]
  return Object.values(argument as Readonly<Record<string, Argument>>).flatMap(leavesIn)
}
