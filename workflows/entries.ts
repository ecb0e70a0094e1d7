// One entry a step: what it waits for, where it stands, what it has come to. Readiness is counters,
// so that each step is looked at once per need and not once per wake. Pure bookkeeping.

import type { PlanSkeleton, SkeletonStep } from '../plan/schema.ts'
import type { SourceRef } from './contract.ts'
import { createLoop, type Loop } from './loop.ts'
import type { ChunkHandle } from './run-loop.ts'

export interface Entry {
  readonly step: SkeletonStep
  readonly dependants: SkeletonStep[]
  /** Needs that have not come to an end after which this step may run. */
  missing: number
  /** Needs that have settled: of a `join: any` one is enough. */
  settledNeeds: number
  /** Its time has come, or it waits for none. */
  due: boolean
  /** `asking`: a person decides first, and nothing of it is at work. */
  phase: 'waiting' | 'running' | 'asking' | 'ended'
  /** Its end let its dependants go on, as one that settled or as another. */
  passed: 'no' | 'settled' | 'otherwise'
  rerun: number
  ref: string | null
  /** Of a step that runs once for each item of a list. */
  readonly loop: { readonly book: Loop; readonly chunks: Map<string, ChunkHandle> } | null
}

export type Entries = ReadonlyMap<string, Entry>

/** `now`, milliseconds since the epoch: what was to begin before it need not wait. */
export function createEntries(skeleton: PlanSkeleton, now: number): Entries {
  const entries = new Map<string, Entry>(
    skeleton.steps.map((step) => [
      step.id,
      {
        step,
        dependants: [],
        missing: step.needs.length,
        settledNeeds: 0,
        due: step.at === undefined || step.at <= now,
        phase: 'waiting',
        passed: 'no',
        rerun: 0,
        ref: null,
        loop: step.forEachMax === undefined ? null : { book: createLoop(), chunks: new Map() },
      },
    ]),
  )
  for (const step of skeleton.steps) {
    for (const need of step.needs) entries.get(need)?.dependants.push(step)
  }
  return entries
}

export function entryOf(entries: Entries, id: string | undefined): Entry {
  const entry = entries.get(id ?? '')
  if (entry === undefined) throw new Error('the plan has no such step')
  return entry
}

/** But for its time. */
export function hasItsNeeds({ step, phase, missing, settledNeeds }: Entry): boolean {
  if (phase !== 'waiting') return false
  return missing === 0 || (step.join === 'any' && settledNeeds > 0)
}

export function isReady(entry: Entry): boolean {
  return entry.due && hasItsNeeds(entry)
}

export function sourceOf({ step, ref }: Entry): SourceRef {
  return { step: step.id, iteration: 0, ref }
}

/** Steps that wait for a time to come, and all that build on them: not part of the first answer. */
export function delayedOf({ steps }: PlanSkeleton, entries: Entries): ReadonlySet<string> {
  const delayed = new Set<string>()
  const waiting = steps.filter(({ id }) => !entryOf(entries, id).due)
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (delayed.has(next.id)) continue
    delayed.add(next.id)
    waiting.push(...entryOf(entries, next.id).dependants)
  }
  return delayed
}
