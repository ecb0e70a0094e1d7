// What a plan takes, told before it begins: bounds, and no guesses. The least time is what it waits for by its
// own words (`at`), because a step may take no time worth counting; the most is what its time-outs add up to.
// The least money is what has to be free at some moment for every step that surely runs to be let through; the
// most is the sum of what its steps reserve. What is only known while it runs bounds nothing. Pure.

import { amountsOf, mostAmount } from './amounts.ts'
import { levelsOf } from './graph.ts'
import type { Issue } from './issues.ts'
import { limits } from './limits.ts'
import type { ActionManifest, Catalogue } from './manifest.ts'
import { isObject } from './pointer.ts'
import { microUsdOf } from './request-limits.ts'
import type { CompiledPlan, CompiledStep, InputValues } from './schema.ts'
import { startInstant } from './start-time.ts'

export interface PlanEstimate {
  /** From now to the time that its last delayed step waits for; 0 where none does. */
  readonly leastMs: number
  /** If every attempt took as long as it may. A person, a place and a start take time on top. */
  readonly mostMs: number
  /** Millionths of a dollar, as reserved before each call; null: an amount is only known while it runs. */
  readonly microUsd: { readonly least: number; readonly most: number | null }
  /** What changes something, at most: loops in full, undos not counted. */
  readonly effects: number
}

export interface EstimateContext {
  readonly catalogue: Catalogue
  /** Milliseconds since the epoch. */
  readonly now: number
  /** When a delayed step may begin; undefined of any other. */
  readonly startOf: (step: CompiledStep) => number | undefined
}

/** `startOf` for whoever asks before the notary has decided it. */
export function startsFrom(now: number, zone: string): EstimateContext['startOf'] {
  return ({ at }) => (at === undefined ? undefined : startInstant(at, { base: now, zone }))
}

export function estimatePlan(plan: CompiledPlan, context: EstimateContext): PlanEstimate {
  const { catalogue } = context
  const spending = plan.steps.map((step) => spendingOf(step, plan.inputs, catalogue))
  const most = spending.reduce<number | null>((sum, { microUsd, times }) => {
    return sum === null || microUsd === null ? null : sum + microUsd * times
  }, 0)
  const effects = plan.steps.filter(({ effect }) => effect !== 'read')
  return {
    ...timesOf(plan, context),
    microUsd: { least: leastOf(spending), most },
    effects: effects.reduce((sum, step) => sum + timesIn(step), 0),
  }
}

const timesIn = ({ forEach }: CompiledStep): number => forEach?.max ?? 1

function timesOf(plan: CompiledPlan, { now, startOf }: EstimateContext) {
  const byId = new Map(plan.steps.map((step) => [step.id, step]))
  const end = new Map<string, number>()
  let leastMs = 0
  for (const id of levelsOf(plan.steps).flat()) {
    const step = byId.get(id)
    if (step === undefined) continue
    const wait = Math.max(0, (startOf(step) ?? now) - now)
    leastMs = Math.max(leastMs, wait)
    // Also of `join: any`: in the worst case the others fail and the last one counts.
    const started = Math.max(wait, ...step.needs.map((need) => end.get(need) ?? 0))
    const rounds = Math.ceil(timesIn(step) / limits.fanOut)
    end.set(id, started + rounds * step.attempts * step.timeoutMs)
  }
  return { leastMs, mostMs: Math.max(0, ...end.values()) }
}

interface Spending {
  /** Reserved for one effect; null: only known while it runs. */
  readonly microUsd: number | null
  readonly times: number
  /** Of what was reserved, what stays counted at the least once it has settled. */
  readonly stays: number
  /** Nothing in the plan lets it be left out. */
  readonly surely: boolean
}

function spendingOf(step: CompiledStep, inputs: InputValues, catalogue: Catalogue): Spending {
  const actions = catalogue.get(step.agent)?.actions ?? {}
  const action = Object.hasOwn(actions, step.action) ? actions[step.action] : undefined
  const microUsd =
    action === undefined || step.effect === 'read' ? 0 : microUsdIn(step, action, inputs)
  const isLowered = action?.spent !== undefined
  return {
    microUsd,
    times: timesIn(step),
    stays: isLowered ? Math.ceil((microUsd ?? 0) / limits.leastSpentShare) : (microUsd ?? 0),
    surely: step.when === null && step.forEach === undefined && step.join === 'all',
  }
}

/** As the notary will count it, of arguments that are in the plan already. */
function microUsdIn(
  { agent, action: name, args }: CompiledStep,
  action: ActionManifest,
  inputs: InputValues,
): number | null {
  const amounts = amountsOf(`${agent}.${name}`, action, withInputs(args, inputs))
  // A place in a result counts as more than any amount, and its currency as none.
  const isOpen = amounts.some(({ unit, currency, amount }) => {
    const mayBeUsd = microUsdOf({ unit, amount: 1 }) > 0 || (currency && unit === '?')
    return mayBeUsd && (amount >= mostAmount || unit === '?')
  })
  return isOpen ? null : amounts.reduce((sum, one) => sum + microUsdOf(one), 0)
}

function withInputs(value: unknown, inputs: InputValues): unknown {
  if (Array.isArray(value)) return value.map((one) => withInputs(one, inputs))
  if (!isObject(value)) return value
  const name = value['$input']
  if (typeof name === 'string') return Object.hasOwn(inputs, name) ? inputs[name] : undefined
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key, withInputs(one, inputs)]),
  )
}

/**
 * No order of the steps gets by with less: those first of which the most is given back again, each while what
 * stays of the ones before is counted.
 */
function leastOf(spending: readonly Spending[]): number {
  const sure = spending.flatMap(({ microUsd, stays, surely }) =>
    surely && microUsd !== null ? [{ microUsd, stays }] : [],
  )
  let counted = 0
  let least = 0
  for (const { microUsd, stays } of sure.toSorted(
    (a, b) => b.microUsd - b.stays - (a.microUsd - a.stays),
  )) {
    least = Math.max(least, counted + microUsd)
    counted += stays
  }
  return least
}

export interface GivenLimits {
  readonly maxMicroUsd?: number | undefined
  /** Milliseconds since the epoch. */
  readonly deadline?: number | undefined
}

/** Why the plan cannot be carried out within the limits, with the figures; none: nothing says that it cannot. */
export function infeasible(
  { leastMs, microUsd }: PlanEstimate,
  { maxMicroUsd, deadline }: GivenLimits,
  now: number,
): readonly Issue[] {
  const issues: Issue[] = []
  if (deadline !== undefined && now + leastMs > deadline) {
    const left = deadline < now ? 'is over' : `is in ${durationWords(deadline - now)}`
    const message = `it takes ${durationWords(leastMs)} at the least, and the deadline ${left}`
    const fix = `give it until ${new Date(now + leastMs).toISOString()} or later`
    issues.push({ code: 'INFEASIBLE', path: '', message, fix })
  }
  if (maxMicroUsd !== undefined && microUsd.least > maxMicroUsd) {
    const [least, allowed] = [microUsd.least, maxMicroUsd].map(usdWords)
    const message = `it has to reserve ${least} at the least, and ${allowed} is allowed`
    const fix = `allow it ${least} or more`
    issues.push({ code: 'INFEASIBLE', path: '', message, fix })
  }
  return issues
}

/** Of millionths; never rounded down to what would not be enough. */
export function usdWords(microUsd: number): string {
  const text = (microUsd / 1_000_000).toFixed(6)
  return `${text.replace(/(\.\d\d\d*?)0+$/, '$1')} USD`
}

/** Rounded up to whole seconds. */
export function durationWords(ms: number): string {
  const seconds = Math.ceil(ms / 1_000)
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const
  const shown = parts.filter(([count]) => count > 0).map(([count, unit]) => `${count} ${unit}`)
  return shown.length === 0 ? 'no time' : shown.join(' ')
}
