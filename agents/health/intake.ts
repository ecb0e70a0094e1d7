// From what an export writes to what is kept: one sample of one series of one source, or the reason why
// it is none. Invariant: nothing is kept whose time, unit or value is in doubt; all of that is counted.

import type { Attributes } from './export-xml.ts'
import type { WorkoutRow } from './health-store.ts'
import {
  appleMetric,
  appleSleep,
  appleSleepType,
  convert,
  type Metric,
  metricFacts,
  type Series,
} from './metrics.ts'
import { daySeconds, maxSampleSeconds, type Sample } from './samples.ts'
import { createTimeReader, type WrittenTime } from './written-time.ts'

export type SkipReason = 'type' | 'time' | 'unit' | 'value'
export type SkipCounts = Record<SkipReason, number>
export const noSkips = (): SkipCounts => ({ type: 0, time: 0, unit: 0, value: 0 })

/** What kind of thing measured it, best first: this is the order in which sources are believed. */
export const sourceKinds = ['watch', 'other', 'phone', 'minute', 'hour', 'day'] as const
/** The last three: sums of all sources that Health Auto Export made, by their width. */
export type SourceKind = (typeof sourceKinds)[number]

export interface Source {
  readonly origin: 'export' | 'auto-export'
  readonly kind: SourceKind
  readonly name: string
}

export interface Intake {
  readonly series: Series
  readonly sample: Sample
}

/** A person's clock may be a little ahead; what lies further in the future is none. */
const maxAheadSeconds = 2 * daySeconds
const maxNameLength = 200

export function createIntake(nowMs: number) {
  const read = createTimeReader()
  const latest = nowMs / 1_000 + maxAheadSeconds
  const interval = (from: WrittenTime | undefined, to: WrittenTime | undefined) => {
    if (from === undefined || to === undefined || from.at < 0 || to.at > latest) return undefined
    const length = to.at - from.at
    if (length < 0 || length > maxSampleSeconds) return undefined
    return { start: from.at, end: to.at, offset: from.offset }
  }
  return {
    time: read,
    interval,
    /** One Record of Apple's. */
    record({ type, unit, value, startDate, endDate }: Attributes): Intake | SkipReason {
      const isSleep = type === appleSleepType
      const metric = isSleep ? undefined : appleMetric(type ?? '')
      if (!isSleep && metric === undefined) return 'type'
      const times = interval(read(startDate), read(endDate))
      if (times === undefined) return 'time'
      if (metric === undefined) {
        const stage = appleSleep(value ?? '')
        return stage === undefined ? 'value' : { series: stage, sample: { ...times, value: 0 } }
      }
      return toIntake(metric, times, { unit: unit ?? '', value: toNumber(value) })
    },
    /** One Workout of Apple's, with the statistics inside it. */
    workout(attributes: Attributes, statistics: readonly Attributes[]): WorkoutRow | SkipReason {
      const { workoutActivityType, startDate, endDate, duration, durationUnit } = attributes
      const type = /^HKWorkoutActivityType([A-Za-z0-9]{1,60})$/.exec(workoutActivityType ?? '')?.[1]
      if (type === undefined) return 'type'
      const times = interval(read(startDate), read(endDate))
      if (times === undefined || times.start === times.end) return 'time'
      const written = convert('exercise', durationUnit ?? 'min', toNumber(duration))
      const total = (metric: Metric, old: string) => totalOf(metric, old, attributes, statistics)
      return {
        ...times,
        type: toWords(type),
        minutes: typeof written === 'number' ? written : (times.end - times.start) / 60,
        kcal: total('activeEnergy', 'totalEnergyBurned'),
        km: total('distance', 'totalDistance'),
      }
    },
  }
}

/** A value with its unit as a sample; the other road is Health Auto Export's. */
export function toIntake(
  metric: Metric,
  times: Omit<Sample, 'value'>,
  { unit, value }: { readonly unit: string; readonly value: number },
): Intake | SkipReason {
  const converted = convert(metric, unit, value)
  if (typeof converted === 'string') return converted
  const isReading = metricFacts[metric].combine === 'mean'
  return { series: metric, sample: { ...times, value: isReading ? converted : exact(converted) } }
}

/** Which thing wrote a Record: by what Apple says of the device, else by the name it was given. */
export function sourceOf({ sourceName = '', device = '' }: Attributes): Source {
  const says = (word: RegExp) => word.test(device) || word.test(sourceName)
  const kind = says(/\bwatch/i) ? 'watch' : says(/iphone/i) ? 'phone' : 'other'
  return { origin: 'export', kind, name: sourceName.slice(0, maxNameLength) }
}

/** `TraditionalStrengthTraining`, `Outdoor Run` -> `traditional-strength-training`, `outdoor-run` */
export function toWords(name: string): string {
  const words = name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase()
  const plain = words.replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '')
  return plain.slice(0, 60).replace(/-+$/, '') || 'other'
}

const distances = ['WalkingRunning', 'Cycling', 'Swimming', 'Wheelchair', 'DownhillSnowSports']

/** Before iOS 16 the totals were attributes of the workout, since then elements inside it. */
function totalOf(
  metric: Metric,
  old: string,
  workout: Attributes,
  statistics: readonly Attributes[],
): number | null {
  const types =
    metric === 'distance'
      ? distances.map((kind) => `HKQuantityTypeIdentifierDistance${kind}`)
      : ['HKQuantityTypeIdentifierActiveEnergyBurned']
  const found = statistics.find(({ type }) => types.includes(type ?? ''))
  const [unit, value] =
    found === undefined ? [workout[`${old}Unit`], workout[old]] : [found['unit'], found['sum']]
  if (value === undefined) return null
  const converted = convert(metric, unit ?? '', toNumber(value))
  return typeof converted === 'number' ? converted : null
}

/** Only what Apple writes: no blanks, no hexadecimal, no exponents of hundreds of digits. */
export function toNumber(text: string | undefined): number {
  return text !== undefined &&
    text.length <= 40 &&
    /^-?\d+(?:\.\d+)?(?:e[+-]?\d{1,3})?$/i.test(text)
    ? Number(text)
    : Number.NaN
}

/** Conversions leave a last bit that is nobody's measurement, and costs eight bytes. */
const exact = (value: number) => Math.round(value * 1e6) / 1e6
