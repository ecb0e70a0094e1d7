// Makes the card that a person decides on, from the plan as it was compiled and the arguments as they
// will be sent. Nothing that an agent or a model says of itself becomes part of it, except as a value of
// an argument. Pure: what is asked about and since when, others say.

import type { Card, CardAsk, CardCondition, CardStep, CardSubject } from '../plan/card.ts'
import type { Piece, PlanFlow, StepFlow } from '../plan/flow.ts'
import { leavesIn } from '../plan/flow-cause.ts'
import { type Authorship, isUnlisted } from '../plan/flow-rules.ts'
import { audienceIn, rolesOf } from '../plan/flow-sinks.ts'
import { isObject, toPointer } from '../plan/pointer.ts'
import { byCodeUnits, type KnownNames, owner } from '../plan/principals.ts'
import { formOf, type ResolveContext, resolveArgument } from '../plan/references.ts'
import type { Argument, CompiledStep, InputValues, Json } from '../plan/schema.ts'
import { TextError } from '../plan/text.ts'
import { canonicalJson } from '../security/verify/canonical-json.ts'

/** What is asked about one step. */
export interface AskedStep {
  readonly step: string
  readonly rules: readonly string[]
  readonly args: Json
  /** The arguments where they are known whole: of a list one for each item. */
  readonly actual: readonly unknown[]
  /** Where a flow rule asks. */
  readonly conditions?: readonly CardCondition[]
}

export interface CardFacts {
  readonly deployment: string
  readonly user: string
  readonly subject: CardSubject
  readonly plan: { readonly digest: string; readonly recipe: string; readonly name: string }
  readonly flow: PlanFlow
  readonly names: KnownNames
  readonly authorship: Authorship
  readonly asks: readonly AskedStep[]
  /** The version that was approved last. */
  readonly last: Card | undefined
  readonly createdAt: number
  readonly expiresAt: number
}

export function makeCard(facts: CardFacts): Card {
  const { deployment, user, subject, flow, last, createdAt, expiresAt } = facts
  const { goal, steps } = flow.plan
  const plan = { ...facts.plan, goal, steps: steps.map(toCardStep) }
  const asks = facts.asks.map((asked) => toAsk(asked, facts))
  const changes = last === undefined ? null : changesSince(last, { plan, asks })
  const head = { version: 1, deployment, user, subject } as const
  return { ...head, plan, asks, changes, createdAt, expiresAt }
}

function toCardStep({ id, agent, action, effect, undo, needs, when, forEach }: CompiledStep) {
  const repeats = forEach === undefined ? null : forEach.max
  const reversible = effect === 'read' || undo !== null
  const what = { id, action: `${agent}.${action}`, effect, reversible }
  return { ...what, needs, when: when === null ? null : when.cel, repeats }
}

function toAsk(
  { step: id, rules, args, actual, conditions }: AskedStep,
  { flow, names, user, authorship }: CardFacts,
): CardAsk {
  const step = flow.steps.get(id)
  // Of an action that no manifest declares nothing is known, and it is never authorised.
  if (step === undefined) return { step: id, rules, args, audience: 'PUBLIC', decides: [] }
  const told = {
    decides: decidesIn({ flow, step, context: { names, ...authorship } }),
    ...(conditions === undefined ? {} : { conditions }),
  }
  const audiences = actual.length === 0 ? [{}] : actual.map((one) => ({ actual: one }))
  const readers = new Set<string>()
  for (const known of audiences) {
    const audience = audienceIn(flow, step, { names, ...known })
    if (audience === 'PUBLIC') {
      return { step: id, rules, args, audience, ...told }
    }
    // Manifests call whoever asks the owner.
    for (const one of audience) readers.add(one === owner ? user : one)
  }
  const audience = [...readers].sort(byCodeUnits)
  return { step: id, rules, args, audience, ...told }
}

/** Enough to see where a value comes from; the plan tells the rest. */
export const maxOrigins = 8

function decidesIn(asked: Parameters<typeof isUnlisted>[0]): CardAsk['decides'] {
  const written = (piece: Piece) => (isUnlisted(asked, piece) ? 'proposed' : 'written')
  return asked.step.pieces
    .filter(({ tokens }) => isDeciding(asked.step, tokens))
    .map((piece) => {
      const { provenance } = piece.label
      const from =
        provenance.length === 0 ? written(piece) : provenance.slice(0, maxOrigins).join(', ')
      return { pointer: toPointer(piece.tokens), from }
    })
}

/** Whether what stands there says what is done, to what and to whom: all but what is only content. */
export function isDeciding(step: StepFlow, tokens: readonly string[]): boolean {
  return [...rolesOf(step, tokens)].some((role) => role !== 'content')
}

/** True when the plan alone tells the value: it is written, or made of what is. */
export function isWritten(argument: Argument): boolean {
  return leavesIn(argument).every((leaf) => !isObject(leaf) || formOf(leaf).form === 'input')
}

/** An argument as far as the plan tells it; forms stay where only a result does. */
export function showArgument(argument: Argument, inputs: InputValues): Json {
  if (isWritten(argument)) {
    try {
      return resolveArgument(argument, writtenOnly(inputs)) as Json
    } catch (cause) {
      // Too long to be sent: what it is made of is shown instead.
      if (!(cause instanceof TextError)) throw cause
    }
  }
  if (Array.isArray(argument)) return argument.map((item) => showArgument(item, inputs))
  if (!isObject(argument) || formOf(argument).form !== 'none') return argument as Json
  const members = Object.entries(argument as Readonly<Record<string, Argument>>)
  return Object.fromEntries(members.map(([name, value]) => [name, showArgument(value, inputs)]))
}

export function writtenOnly(inputs: InputValues): ResolveContext {
  return { inputs, resultOf: () => null }
}

/** What a person would want to be told who approved `last`, in the order of the plan. */
function changesSince(last: Card, now: Pick<Card, 'plan' | 'asks'>): readonly string[] {
  const before = new Map(last.plan.steps.map((step) => [step.id, step]))
  const known = new Map(last.asks.map((ask) => [ask.step, ask]))
  const changes = now.plan.steps.flatMap((step) => {
    const old = before.get(step.id)
    before.delete(step.id)
    if (old === undefined) return [`step ${step.id} is new: ${step.action}`]
    return differences(old, step).map((what) => `step ${step.id} has another ${what}`)
  })
  for (const id of before.keys()) changes.push(`step ${id} is gone`)
  for (const ask of now.asks) {
    const old = known.get(ask.step)
    if (old === undefined) continue
    if (differs(old.args, ask.args)) changes.push(`step ${ask.step} has other arguments`)
    if (differs(old.audience, ask.audience)) changes.push(`step ${ask.step} is seen by others`)
  }
  if (last.plan.goal !== now.plan.goal) changes.push('the goal is another')
  const isOther = last.plan.recipe !== now.plan.recipe
  return changes.length === 0 && isOther ? ['the text of the plan is another'] : changes
}

function differences(old: CardStep, now: CardStep): readonly string[] {
  const names = {
    action: 'action',
    effect: 'effect',
    reversible: 'undo',
    needs: 'place in the plan',
    when: 'condition',
    repeats: 'number of items',
  } as const
  return (Object.keys(names) as (keyof typeof names)[])
    .filter((name) => differs(old[name], now[name]))
    .map((name) => names[name])
}

function differs(one: unknown, other: unknown): boolean {
  return canonicalJson(one) !== canonicalJson(other)
}

const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu
const maxTitle = 160

/** One line: what would be done. */
export function titleOf({ plan, subject, asks }: Pick<Card, 'plan' | 'subject' | 'asks'>): string {
  const actions = new Map(plan.steps.map(({ id, action }) => [id, action]))
  const done = [...new Set(asks.map(({ step }) => actions.get(step) ?? step))].join(', ')
  const [first] = asks
  const items = subject.is === 'list' && Array.isArray(first?.args) ? first.args.length : undefined
  const often = items === undefined ? '' : `, ${items} times`
  const when = subject.is === 'schedule' ? ' at certain times' : ''
  const text = `${plan.name}${when}: ${done}${often}`.replaceAll(unprintable, ' ')
  return text.length > maxTitle ? `${text.slice(0, maxTitle - 1)}…` : text
}
