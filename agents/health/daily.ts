// A value a day of each metric, and the stages of a night, as the answers are made of them. Reads a week
// at a time, so that ten years need no more memory than that. Null is "nothing was measured", never 0.

import { setImmediate as turn } from 'node:timers/promises'
import {
  bucketAmounts,
  claimInOrder,
  combineAmounts,
  combineReadings,
  groupBy,
  lengthOf,
  rounded,
  sortVoices,
  union,
  type Voice,
} from './combine.ts'
import { type Days, dateAfter } from './days.ts'
import { type Range, readSeries, readSources, type Store } from './health-store.ts'
import { type Source, sourceKinds } from './intake.ts'
import { type Metric, metricFacts, type Series, type Stage, stages } from './metrics.ts'
import type { InstantSeconds, Sample } from './samples.ts'

const daysAtOnce = 8

/** What can be asked for a day: a metric, or the minutes asleep in the night before it. */
export type DailyMetric = Metric | 'sleep'

export interface DayValue {
  readonly date: string
  readonly value: number | null
  /** Samples that the value was made of. */
  readonly n: number
}

/** @param dates consecutive */
export async function dailyValues(
  { store, days }: { readonly store: Store; readonly days: Days },
  metric: DailyMetric,
  dates: readonly string[],
): Promise<readonly DayValue[]> {
  const values: DayValue[] = []
  for (let at = 0; at < dates.length; at += daysAtOnce) {
    const week = dates.slice(at, at + daysAtOnce)
    if (metric === 'sleep') {
      for (const date of week) values.push(sleepOf(date, nightOf(store, days, date)))
    } else values.push(...valuesOf(store, days, metric, week))
    await turn()
  }
  return values
}

function sleepOf(date: string, night: Night | undefined): DayValue {
  return { date, value: night?.asleepMin ?? null, n: night?.samples ?? 0 }
}

function valuesOf(
  store: Store,
  days: Days,
  metric: Metric,
  dates: readonly string[],
): readonly DayValue[] {
  const boundaries = boundariesOf(days, dates)
  const range = { from: boundaries[0] ?? 0, to: boundaries.at(-1) ?? 0 }
  const voices = voicesOf(store, metric, range)
  const { combine, slot } = metricFacts[metric]
  if (combine === 'sum') {
    return bucketAmounts(combineAmounts(voices), boundaries).map(({ value, n }, index) => ({
      date: dates[index] ?? '',
      value: n === 0 ? null : value,
      n,
    }))
  }
  const dayAt = (start: InstantSeconds) => boundaries.findLastIndex((from) => from <= start)
  const slotOf = slot === 'hour' ? (start: number) => Math.floor(start / 3_600) : dayAt
  const byDay = groupBy(combineReadings(voices, slotOf), ({ start }) => dayAt(start))
  return dates.map((date, index) => {
    const samples = byDay.get(index) ?? []
    return { date, value: meanOf(samples), n: samples.length }
  })
}

export function boundariesOf(days: Days, dates: readonly string[]): readonly InstantSeconds[] {
  const last = dates.at(-1)
  return last === undefined ? [] : [...dates, dateAfter(last, 1)].map((date) => days.startOf(date))
}

function meanOf(samples: readonly Sample[]): number | null {
  if (samples.length === 0) return null
  return rounded(samples.reduce((sum, { value }) => sum + value, 0) / samples.length)
}

/** All sources of a series near a range, with how far each is believed. */
export function voicesOf(store: Store, series: Series, range: Range): readonly Voice[] {
  const sources = readSources(store)
  return [...readSeries(store, series, range)].map(([id, samples]) => {
    const source = sources.get(id)
    return { id, samples, rank: rankOf(source), isTotal: source?.origin === 'auto-export' }
  })
}

export function rankOf(source: Source | undefined): number {
  return source === undefined ? sourceKinds.length : sourceKinds.indexOf(source.kind)
}

/** Minutes, and when: sleep that ended on the morning of a date. */
export interface Night {
  readonly asleepMin: number
  readonly stages: Readonly<Record<Stage, number>>
  readonly inBedMin: number
  readonly from: InstantSeconds
  readonly to: InstantSeconds
  /** Of the first and last sample that counts. */
  readonly offsets: readonly [number, number]
  /** Null where the source only says how long, not when. */
  readonly awakenings: number | null
  readonly samples: number
}

/** From noon to noon; undefined when nothing was measured. */
export function nightOf(store: Store, days: Days, date: string): Night | undefined {
  const range = { from: days.at(dateAfter(date, -1), 12), to: days.at(date, 12) }
  const heard = stages.flatMap((stage, precedence) =>
    voicesOf(store, stage, range).map((voice) => ({ ...voice, stage, precedence })),
  )
  // Of a night the best kind of source alone counts: what only guesses adds minutes at both ends.
  const best = Math.min(...heard.flatMap(({ stage, rank }) => (stage === 'awake' ? [] : rank)))
  const claims = heard
    .filter(({ rank }) => rank === best)
    .sort((a, b) => a.id - b.id || a.precedence - b.precedence)
  const clipped = (samples: readonly Sample[]) =>
    samples
      .map(({ start, end }) => [Math.max(start, range.from), Math.min(end, range.to)] as const)
      .filter(([start, end]) => end > start)
  const counted = claimInOrder(claims.map(({ samples }) => clipped(samples)))
  const of = (stage: Stage) =>
    union(counted.flatMap((own, index) => (claims[index]?.stage === stage ? own : [])))
  const asleep = union(stages.flatMap((stage) => (stage === 'awake' ? [] : of(stage))))
  const [first, last] = [asleep[0], asleep.at(-1)]
  if (first === undefined || last === undefined) return undefined
  const inBed = sortVoices(voicesOf(store, 'inBed', range)).flatMap(({ samples }) =>
    clipped(samples),
  )
  const all = claims.flatMap(({ samples }) => samples).sort((a, b) => a.start - b.start)
  const isPlaced = best !== sourceKinds.indexOf('day')
  const broken = of('awake').filter(([start, end]) => start >= first[0] && end <= last[1])
  const minutes = (intervals: readonly (readonly [number, number])[]) =>
    rounded(lengthOf(intervals) / 60)
  return {
    asleepMin: minutes(asleep),
    stages: {
      awake: minutes(of('awake')),
      deep: minutes(of('deep')),
      rem: minutes(of('rem')),
      core: minutes(of('core')),
      asleep: minutes(of('asleep')),
    },
    inBedMin: minutes(union([...inBed, ...asleep, ...of('awake')])),
    from: first[0],
    to: last[1],
    offsets: [all[0]?.offset ?? 0, all.at(-1)?.offset ?? 0],
    awakenings: isPlaced ? broken.length : null,
    samples: all.length,
  }
}
