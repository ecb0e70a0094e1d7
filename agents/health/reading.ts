// What is asked of the measurements: a day, a night, a trend, workouts. Every number is a sum or a mean of
// what the best source said; where nothing was measured it is null. Reads only.

import type { z } from 'zod'
import type { ActionContext } from '../define-agent.ts'
import { ownZone } from '../own-zone.ts'
import { sparkline } from '../text-charts.ts'
import { groupBy, rounded } from './combine.ts'
import { boundariesOf, type DayValue, dailyValues, nightOf, rankOf, voicesOf } from './daily.ts'
import { bucketOf, type Days, dateAfter, datesBetween, daysOf, instantText } from './days.ts'
import { tooMuch } from './failures.ts'
import {
  readSources,
  readWorkouts,
  type Store,
  type WorkoutRow,
  withStore,
} from './health-store.ts'
import { healthAt, type manifest } from './manifest.ts'
import { type Metric, metricFacts } from './metrics.ts'
import { daySeconds } from './samples.ts'

type Actions = (typeof manifest)['actions']
type Args<Name extends keyof Actions> = z.output<Actions[Name]['input']>
type Result<Name extends keyof Actions> = z.output<Actions[Name]['output']>

/** More are no picture, and no page that anybody reads. */
const maxPoints = 400

export interface View {
  readonly store: Store
  readonly days: Days
}

/** Opens the store for one question, with the days of whoever asks. */
export function withView<R>(
  { timeZone }: { readonly timeZone?: string | undefined },
  context: ActionContext,
  use: (view: View) => R | Promise<R>,
): Promise<R> {
  const folder = context.folder(healthAt)
  const days = daysOf(ownZone(folder, timeZone), context.now())
  return withStore(folder, 'look', (store) => use({ store, days }))
}

/** Dates from `from`, or the last `days`, to `to`. */
function datesOf(
  { from, to, days: last }: { from?: string | undefined; to: string; days: number },
  days: Days,
): readonly string[] {
  const end = days.date(to)
  return datesBetween(from === undefined ? dateAfter(end, 1 - last) : days.date(from), end)
}

export function summary(args: Args<'summary'>, context: ActionContext): Promise<Result<'summary'>> {
  return withView(args, context, async (view) => {
    const date = view.days.date(args.date)
    const of = async (metric: Metric) => (await dailyValues(view, metric, [date]))[0]?.value ?? null
    return {
      date,
      timeZone: view.days.timeZone,
      steps: await of('steps'),
      distanceKm: await of('distance'),
      activeKcal: await of('activeEnergy'),
      exerciseMin: await of('exercise'),
      flights: await of('flights'),
      restingHr: await of('restingHeartRate'),
      heartRateMean: await of('heartRate'),
      hrvMs: await of('heartRateVariability'),
      weightKg: await of('weight'),
      sleepMin: nightOf(view.store, view.days, date)?.asleepMin ?? null,
      workouts: workoutsOf(view, [date]).length,
      coverage: coverageOf(view, date),
    }
  })
}

function coverageOf({ store, days }: View, date: string): Result<'summary'>['coverage'] {
  const [from = 0, to = 0] = boundariesOf(days, [date])
  const hours = new Set<number>()
  for (const metric of ['steps', 'heartRate'] as const) {
    for (const { samples } of voicesOf(store, metric, { from, to })) {
      for (const { start, end } of samples) {
        const last = Math.min(Math.max(end - 1, start), to - 1)
        for (let at = Math.max(start, from); at <= last; at += 3_600) {
          hours.add(Math.floor((at - from) / 3_600))
        }
        if (last >= from) hours.add(Math.floor((last - from) / 3_600))
      }
    }
  }
  return { hours: hours.size, of: Math.ceil((to - from) / 3_600) }
}

export function trend(args: Args<'trend'>, context: ActionContext): Promise<Result<'trend'>> {
  return withView(args, context, async (view) => {
    const dates = datesOf(args, view.days)
    const starts = new Set(dates.map((date) => bucketOf(date, args.bucket)))
    if (starts.size > maxPoints) throw tooMuch(`more than ${maxPoints} points; ask for months`)
    const values = await dailyValues(view, args.metric, dates)
    const byBucket = groupBy(values, ({ date }) => bucketOf(date, args.bucket))
    const points = [...byBucket].map(([t, days]) => ({
      t,
      value: meanOf(days),
      n: days.reduce((sum, { n }) => sum + n, 0),
      days: days.filter(({ value }) => value !== null).length,
    }))
    const known = points.flatMap(({ value }) => (value === null ? [] : [value]))
    return {
      metric: args.metric,
      unit: unitOf(args.metric),
      timeZone: view.days.timeZone,
      points,
      mean: meanOf(values),
      least: known.length === 0 ? null : Math.min(...known),
      most: known.length === 0 ? null : Math.max(...known),
      sparkline: sparkline(points.map(({ value }) => value)),
    }
  })
}

export const unitOf = (metric: Metric | 'sleep') =>
  metric === 'sleep' ? 'min' : metricFacts[metric].unit

function meanOf(days: readonly DayValue[]): number | null {
  const known = days.flatMap(({ value }) => (value === null ? [] : [value]))
  if (known.length === 0) return null
  return rounded(known.reduce((sum, value) => sum + value, 0) / known.length)
}

export function sleep(args: Args<'sleep'>, context: ActionContext): Promise<Result<'sleep'>> {
  return withView(args, context, ({ store, days }) => {
    const night = days.date(args.night)
    const found = nightOf(store, days, night)
    return {
      night,
      timeZone: days.timeZone,
      coverage: found === undefined ? ('missing' as const) : ('measured' as const),
      asleepMin: found?.asleepMin ?? null,
      inBedMin: found?.inBedMin ?? null,
      awakeMin: found?.stages.awake ?? null,
      deepMin: found?.stages.deep ?? null,
      remMin: found?.stages.rem ?? null,
      coreMin: found?.stages.core ?? null,
      unspecifiedMin: found?.stages.asleep ?? null,
      start: found === undefined ? null : instantText(found.from, found.offsets[0]),
      end: found === undefined ? null : instantText(found.to, found.offsets[1]),
      awakenings: found?.awakenings ?? null,
    }
  })
}

export function workouts(
  args: Args<'workouts'>,
  context: ActionContext,
): Promise<Result<'workouts'>> {
  return withView(args, context, (view) => {
    const dates = datesOf(args, view.days)
    const found = workoutsOf(view, dates).filter(
      ({ type }) => args.type === undefined || type === args.type,
    )
    const sum = (of: (workout: WorkoutRow) => number | null) =>
      rounded(found.reduce((total, workout) => total + (of(workout) ?? 0), 0))
    return {
      timeZone: view.days.timeZone,
      count: found.length,
      minutes: sum(({ minutes }) => minutes),
      kcal: sum(({ kcal }) => kcal),
      km: sum(({ km }) => km),
      workouts: found
        .toReversed()
        .slice(0, args.limit)
        .map(({ type, start, end, offset, minutes, kcal, km }) => ({
          type,
          start: instantText(start, offset),
          end: instantText(end, offset),
          minutes: rounded(minutes),
          kcal: kcal === null ? null : rounded(kcal),
          km: km === null ? null : rounded(km),
        })),
    }
  })
}

/** In the order of time; of two that overlap by half of the shorter one, that of the better source. */
function workoutsOf({ store, days }: View, dates: readonly string[]): readonly WorkoutRow[] {
  const boundaries = boundariesOf(days, dates)
  const range = { from: boundaries[0] ?? 0, to: boundaries.at(-1) ?? 0 }
  const sources = readSources(store)
  const rank = ({ source }: { readonly source: number }) => rankOf(sources.get(source))
  // One that begins the day before or after may be the better account of one that begins in the range.
  const near = readWorkouts(store, { from: range.from - daySeconds, to: range.to + daySeconds })
  const counted: WorkoutRow[] = []
  for (const workout of near.toSorted((a, b) => rank(a) - rank(b) || a.start - b.start)) {
    if (!counted.some((better) => overlapsByHalf(workout, better))) counted.push(workout)
  }
  return counted
    .filter(({ start }) => start >= range.from && start < range.to)
    .sort((a, b) => a.start - b.start)
}

function overlapsByHalf(one: WorkoutRow, other: WorkoutRow): boolean {
  const shared = Math.min(one.end, other.end) - Math.max(one.start, other.start)
  return shared * 2 >= Math.min(one.end - one.start, other.end - other.start)
}
