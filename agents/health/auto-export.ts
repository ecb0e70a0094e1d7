// What Health Auto Export posts or writes: one JSON document of at most some megabytes, which is read
// whole. Its sums are those of all devices together, by minute, hour or day, and windows are sent again and
// again: a later value for the same interval replaces the earlier. Fields that are not known are ignored,
// parts that are not understood counted. Published shape: the application's wiki, "Export format".

import { z } from 'zod'
import { corrupt } from './failures.ts'
import type { WorkoutRow } from './health-store.ts'
import {
  type createIntake,
  type Intake,
  type SkipReason,
  type Source,
  type SourceKind,
  toIntake,
  toWords,
} from './intake.ts'
import { autoMetric, autoSleep, convert, type Metric, metricFacts, type Stage } from './metrics.ts'
import { daySeconds } from './samples.ts'
import type { WrittenTime } from './written-time.ts'

/** A month by the hour has about one; parsed it takes ten times as much memory. */
export const maxAutoExportBytes = 6 * 1024 * 1024
const maxMetrics = 500

const point = z.record(z.string(), z.unknown())
const documentSchema = z.object({
  data: z.object({
    metrics: z
      .array(z.object({ name: z.string(), units: z.string().default(''), data: z.array(point) }))
      .max(maxMetrics)
      .default([]),
    workouts: z.array(point).default([]),
  }),
})
type Point = z.infer<typeof point>

export interface AutoExportReader {
  sample(source: Source, intake: Intake | SkipReason): void
  workout(source: Source, workout: WorkoutRow | SkipReason): void
}

/** @throws ActionFailure CORRUPT_DATA */
export function readAutoExport(
  text: string,
  intake: ReturnType<typeof createIntake>,
  reader: AutoExportReader,
): void {
  const { metrics, workouts } = parse(text).data
  for (const { name, units, data } of metrics) {
    if (name === 'sleep_analysis') readSleep(data, units, intake, reader)
    else if (name === 'blood_pressure') {
      readMetric('systolic', { units, data, field: 'systolic' }, intake, reader)
      readMetric('diastolic', { units, data, field: 'diastolic' }, intake, reader)
    } else {
      const metric = autoMetric(name)
      const field = metric === 'heartRate' ? 'Avg' : 'qty'
      if (metric !== undefined) readMetric(metric, { units, data, field }, intake, reader)
      else for (const _ of data) reader.sample(merged('day', ''), 'type')
    }
  }
  for (const workout of workouts) reader.workout(merged('minute', ''), toWorkout(workout, intake))
}

function parse(text: string): z.infer<typeof documentSchema> {
  try {
    return documentSchema.parse(JSON.parse(text))
  } catch (error) {
    throw corrupt('this is no document of Health Auto Export', error)
  }
}

const merged = (kind: SourceKind, name: string): Source => ({
  origin: 'auto-export',
  kind,
  name: name.slice(0, 200),
})

interface Column {
  readonly units: string
  readonly data: readonly Point[]
  readonly field: string
}

/** A day that loses an hour to the clocks has 23; a longer interval would reach into the next one. */
const seconds = { minute: 60, hour: 3_600, day: 23 * 3_600 } as const

function readMetric(
  metric: Metric,
  { units, data, field }: Column,
  intake: ReturnType<typeof createIntake>,
  reader: AutoExportReader,
): void {
  const times = data.map((one) => intake.time(textOf(one['date'])))
  const width = widthOf(times)
  const source = merged(width, '')
  const length = metricFacts[metric].combine === 'sum' ? seconds[width] : 0
  for (const [index, one] of data.entries()) {
    const from = times[index]
    const to = from === undefined ? undefined : { ...from, at: from.at + length }
    const interval = intake.interval(from, to)
    const value = one[field] ?? one['qty']
    if (interval === undefined) reader.sample(source, 'time')
    else {
      const number = typeof value === 'number' ? value : Number.NaN
      reader.sample(source, toIntake(metric, interval, { unit: units, value: number }))
    }
  }
}

/** The file does not say whether it was summed by minute, hour or day: its times do. */
function widthOf(times: readonly (WrittenTime | undefined)[]): 'minute' | 'hour' | 'day' {
  const walls = times.flatMap((time) => (time === undefined ? [] : [time.at + time.offset * 60]))
  if (walls.every((wall) => wall % daySeconds === 0)) return 'day'
  return walls.every((wall) => wall % 3_600 === 0) ? 'hour' : 'minute'
}

function readSleep(
  data: readonly Point[],
  units: string,
  intake: ReturnType<typeof createIntake>,
  reader: AutoExportReader,
): void {
  for (const one of data) {
    if (one['startDate'] === undefined) readNight(one, units, intake, reader)
    else {
      const stage = autoSleep(textOf(one['value']))
      const times = intake.interval(
        intake.time(textOf(one['startDate'])),
        intake.time(textOf(one['endDate'])),
      )
      const source = merged('minute', textOf(one['source']))
      if (times === undefined) reader.sample(source, 'time')
      else if (stage === undefined) reader.sample(source, 'value')
      else reader.sample(source, { series: stage, sample: { ...times, value: 0 } })
    }
  }
}

/** In which order the stages of a night are laid out that only says how long each was. */
const laidOut: readonly Stage[] = ['deep', 'core', 'rem', 'asleep', 'awake']

/** Their sums are right, their places are not: nobody is told when a stage of such a night was. */
function readNight(
  night: Point,
  units: string,
  intake: ReturnType<typeof createIntake>,
  reader: AutoExportReader,
): void {
  const source = merged('day', textOf(night['source']))
  const time = intake.time(textOf(night['sleepStart']))
  if (time === undefined) {
    reader.sample(source, 'time')
    return
  }
  const hasStages = ['deep', 'core', 'rem'].some((name) => Number(night[name]) > 0)
  let at = time.at
  for (const stage of laidOut) {
    if (stage === 'asleep' && hasStages) continue
    const value = stage === 'asleep' ? (night['totalSleep'] ?? night['asleep']) : night[stage]
    if (value === undefined || value === 0) continue
    const length = convert('exercise', units, typeof value === 'number' ? value : Number.NaN)
    if (typeof length === 'string') {
      reader.sample(source, length)
      continue
    }
    const until = at + Math.round(length * 60)
    const times = intake.interval({ ...time, at }, { ...time, at: until })
    reader.sample(
      source,
      times === undefined ? 'time' : { series: stage, sample: { ...times, value: 0 } },
    )
    at = until
  }
}

function toWorkout(one: Point, intake: ReturnType<typeof createIntake>): WorkoutRow | SkipReason {
  const times = intake.interval(intake.time(textOf(one['start'])), intake.time(textOf(one['end'])))
  if (times === undefined || times.start === times.end) return 'time'
  return {
    ...times,
    type: toWords(textOf(one['name']).slice(0, 200)),
    minutes: (times.end - times.start) / 60,
    kcal: quantity('activeEnergy', one['activeEnergyBurned']),
    km: quantity('distance', one['distance']),
  }
}

const quantitySchema = z.object({ qty: z.number(), units: z.string() })

function quantity(metric: Metric, value: unknown): number | null {
  const parsed = quantitySchema.safeParse(value)
  if (!parsed.success) return null
  const converted = convert(metric, parsed.data.units, parsed.data.qty)
  return typeof converted === 'number' ? converted : null
}

/** Bounded, because it is compared and matched. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, 400) : ''
}
