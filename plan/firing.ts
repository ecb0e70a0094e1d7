// One firing of a schedule: its request id, which is its schedule and the time it was due, and the
// inputs that it runs with. The same in the worker and in the notary, whose digests must agree. Pure.

import { firingPrefix } from './ids.ts'
import { parseSource } from './parse.ts'
import { scheduleIdPattern } from './schedule.ts'
import { dayOf } from './schedule-times.ts'
import type { InputValues } from './schema.ts'

export interface Firing {
  readonly schedule: string
  /** When it was due: milliseconds since the epoch, whole seconds. */
  readonly at: number
}

/** `sched:briefing:2026-03-29t05:00:00z` */
export function firingId({ schedule, at }: Firing): string {
  const time = new Date(at).toISOString().replace('.000Z', 'z').toLowerCase()
  return `${firingPrefix}${schedule}:${time}`
}

/** Undefined for every other text, however near: two ids never name one firing. */
export function parseFiringId(id: string): Firing | undefined {
  const [, schedule = '', time = ''] = /^sched:([^:]+):([0-9tz:-]{20})$/.exec(id) ?? []
  const at = Date.parse(time.toUpperCase())
  if (!scheduleIdPattern.test(schedule) || Number.isNaN(at)) return undefined
  return firingId({ schedule, at }) === id ? { schedule, at } : undefined
}

/**
 * The inputs of the firing that was due at `at`: `today` is the day on which it was due, also where it
 * runs on a later one. A source that does not parse is left to the compiler.
 */
export function inputsOfFiring(
  run: {
    readonly kind: 'recipe' | 'plan'
    readonly source: string
    readonly inputs: InputValues
  },
  { zone, at }: { readonly zone: string; readonly at: number },
): InputValues {
  const parsed = parseSource(run.kind, run.source)
  if (!parsed.ok) return run.inputs
  const today = Object.entries(parsed.plan.inputs ?? {}).flatMap(([name, declared]) => {
    const value = Object.hasOwn(run.inputs, name) ? run.inputs[name] : declared.default
    return declared.type === 'date' && value === 'today' ? [[name, dayOf(zone, at)] as const] : []
  })
  return { ...run.inputs, ...Object.fromEntries(today) }
}
