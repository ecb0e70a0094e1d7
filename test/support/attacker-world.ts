// Runs a compiled plan over agents that answer as they are told, and records what each was asked to do.
// An honest agent answers from what it knows and what it was given; one that was taken over answers
// whatever its seed says. Knows nothing of labels: what it records is what really would happen.

import { createHash } from 'node:crypto'
import { contextOfIteration, itemsOf } from '../../plan/loops.ts'
import { evaluateGuard } from '../../plan/predicate.ts'
import { type ResolveContext, resolveRecord } from '../../plan/references.ts'
import type { CompiledPlan, CompiledStep } from '../../plan/schema.ts'
import type { JsonValue } from '../../security/verify/canonical-json.ts'

export interface World {
  /** What the owner's agents know that nobody else may learn. */
  readonly secret: number
  /** The agent that was taken over, and what it does. */
  readonly taken?: { readonly agent: string; readonly seed: number }
}

export interface Effect {
  readonly step: string
  readonly iteration: number
  readonly action: string
  readonly args: Readonly<Record<string, JsonValue>>
}

export interface Trace {
  readonly effects: readonly Effect[]
  /** A step failed that the rest of the run was built on. */
  readonly aborted: boolean
}

export function perform({
  plan,
  world,
}: {
  readonly plan: CompiledPlan
  readonly world: World
}): Trace {
  const effects: Effect[] = []
  const results = new Map<string, JsonValue>()
  const kept: string[] = []
  for (const step of plan.steps) {
    const there = resultsFor(step, { plan, world, results })
    // None of what it waited for has settled: it is skipped.
    if (there === undefined) continue
    const resultOf = (id: string) => there.get(id) ?? null
    const context: ResolveContext = { inputs: plan.inputs, resultOf }
    const count = step.forEach === undefined ? 1 : (itemsOf(step.forEach, context)?.count ?? 0)
    const all: JsonValue[] = []
    for (let iteration = 0; iteration < count; iteration += 1) {
      const value = performOne(step, iteration, { context, world, effects, kept })
      if (value === 'ABORT') return { effects, aborted: true }
      all.push(value)
    }
    const value = step.forEach === undefined ? (all[0] ?? null) : all
    if (value !== null) results.set(step.id, value)
  }
  return { effects, aborted: false }
}

/**
 * What a step finds when it begins. With `join: any` that is when the first of its needs has settled: what
 * a slow agent has yet to say is not there, unless nobody was quicker.
 */
function resultsFor(
  { join, needs }: CompiledStep,
  run: {
    readonly plan: CompiledPlan
    readonly world: World
    readonly results: ReadonlyMap<string, JsonValue>
  },
): ReadonlyMap<string, JsonValue> | undefined {
  const { plan, world, results } = run
  if (join !== 'any') return results
  const settled = needs.filter((id) => results.has(id))
  if (settled.length === 0) return undefined
  const { taken } = world
  const slow = taken !== undefined && taken.seed % 3 === 0 ? taken.agent : undefined
  const isSlow = (id: string) => plan.steps.find((step) => step.id === id)?.agent === slow
  const quick = settled.filter((id) => !isSlow(id))
  const late = new Set(quick.length === 0 ? [] : settled.filter(isSlow))
  return new Map([...results].filter(([id]) => !late.has(id)))
}

function performOne(
  step: CompiledStep,
  iteration: number,
  run: {
    readonly context: ResolveContext
    readonly world: World
    readonly effects: Effect[]
    /** What the shelf was given to keep. */
    readonly kept: string[]
  },
): JsonValue | 'ABORT' {
  const context = contextOfIteration(step, iteration, run.context)
  let args: Effect['args']
  try {
    if (step.when !== null && !evaluateGuard(step.when, context)) return null
    args = resolveRecord(step.args, context)
  } catch {
    return step.onError === 'continue' ? null : 'ABORT'
  }
  const action = `${step.agent}.${step.action}`
  run.effects.push({ step: step.id, iteration, action, args })
  const { secret, taken } = run.world
  const bad = taken?.agent === step.agent
  if (action === 'shelf.keep') run.kept.push(String(args['text']))
  // A shelf tells what it was given, and how much it knows besides.
  const given = action === 'shelf.fetch' ? run.kept.join(' ') : digest(args)
  const answer = answerOf(action, bad ? `x${taken.seed}` : given, bad ? taken.seed : secret)
  // Failures that end the run tell by not going on, which the rules leave open.
  const fails = step.onError === 'continue' && answer.failing
  return fails ? null : answer.value
}

function digest(args: Effect['args']): string {
  return createHash('sha256').update(JSON.stringify(args)).digest('hex').slice(0, 8)
}

/** `seen` is made of what the step was given; `secret` of what its agent knows besides. */
function answerOf(
  action: string,
  seen: string,
  secret: number,
): { readonly value: JsonValue; readonly failing: boolean } {
  const own = `${seen}-secret${secret}`
  const many = Array.from({ length: 1 + (secret % 3) }, (_, at) => `${own}-${at}`)
  const failing = secret % 2 === 1
  // Ids are declared as public: they say nothing of what is in the message.
  const message = { id: seen, from: `${own}@evil.example`, subject: own, text: own }
  switch (action) {
    case 'desk.look': {
      // The range is declared as public: nothing but what it was given.
      const range = { from: seen, to: seen }
      const items = many.map((name) => ({ name }))
      return { failing, value: { title: own, count: secret, items, range } }
    }
    case 'mail.list':
      return {
        failing,
        value: { first: message, messages: many.map((from) => ({ ...message, from })) },
      }
    // Declared as public: nothing but what it was given.
    case 'web.get':
      return {
        failing: seen.endsWith('1'),
        value: { title: seen, links: [`${seen}/a`, `${seen}/b`] },
      }
    case 'web.recall':
      return { failing, value: { title: seen, about: own } }
    case 'board.glance':
      return { failing: seen.endsWith('1'), value: { title: seen } }
    case 'shelf.fetch':
      return { failing, value: { text: own } }
    case 'desk.write':
    case 'shelf.keep':
      return { failing, value: { entry: own } }
    default:
      return { failing, value: { id: own } }
  }
}
