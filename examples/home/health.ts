// The health export of the sample home, in the format of Apple's export.xml: a watch and a phone that count
// the same steps, an app that repeats workouts and nights, a night without the watch, a day that is unlike
// the others, units of another country. Invariant: each day depends on itself and the seed alone, and
// `stepsOn` says how many steps were really made, whoever counted them. Pure; written in pieces, so that a
// test can ask for an export of any size.

import { Temporal } from 'temporal-polyfill'
import { dayAfter } from './ics-writer.ts'

export interface HealthYears {
  readonly from: string
  /** Exclusive, but for the night that ends on it. */
  readonly to: string
  readonly timeZone: string
  readonly seed: number
  /** Between two readings of the pulse; what makes an export large. */
  readonly pulseMinutes: number
}

/** Days before the end: the night of that morning was not measured ... */
export const missingNight = 5
/** ... and on that day the resting pulse was far too high. */
export const unlikeDay = 2

/** An episode of walking. All times are minutes since the day began, so that they fit any day. */
interface Walk {
  readonly begin: number
  readonly minutes: number
  /** Steps a minute, as the watch counts them; the phone misses some. */
  readonly rate: number
  /** Which minutes of it the watch was worn, and whether the phone was carried. */
  readonly watch: readonly [number, number] | undefined
  readonly phone: boolean
}

const missedByPhone = 5
const minuteMs = 60_000
const watchPart = 3
const phonePart = 10

/** What is true: where the watch was worn its count, elsewhere the phone's, and nothing twice. */
export function stepsOn(years: HealthYears, day: string): number {
  const begin = startOf(day, years)
  const length = (startOf(dayAfter(day, 1), years) - begin) / minuteMs
  // The last walk of the day before may end after midnight.
  const yesterday = (begin - startOf(dayAfter(day, -1), years)) / minuteMs
  const late = isIn(dayAfter(day, -1), years) ? walksOf(years, dayAfter(day, -1)) : []
  const today = isIn(day, years) ? walksOf(years, day) : []
  const shifted = late.map((walk) => ({ ...walk, begin: walk.begin - yesterday }))
  let steps = 0
  for (const walk of [...shifted, ...today]) {
    for (let minute = 0; minute < walk.minutes; minute += 1) {
      const at = walk.begin + minute
      if (at < 0 || at >= length) continue
      const [from, until] = walk.watch ?? [0, 0]
      const isWorn = minute >= from && minute < until
      steps += isWorn ? walk.rate : walk.phone ? walk.rate - missedByPhone : 0
    }
  }
  return steps
}

function walksOf({ seed }: HealthYears, day: string): readonly Walk[] {
  const draw = drawing(`${seed} steps ${day}`)
  const walks: Walk[] = []
  for (let begin = 380 + Math.floor(draw() * 60); begin < 1_320; ) {
    const minutes = 6 + 3 * Math.floor(draw() * 9)
    const device = draw()
    walks.push({
      begin,
      minutes,
      rate: 70 + Math.floor(draw() * 50),
      // Charged, forgotten, or put on half-way.
      watch: device < 0.15 ? undefined : device < 0.3 ? [3, minutes] : [0, minutes],
      phone: device < 0.15 || draw() < 0.7,
    })
    begin += minutes + 25 + Math.floor(draw() * 120)
  }
  // Some days end with a way home over midnight.
  if (draw() < 0.2) {
    walks.push({ begin: 1_430, minutes: 24, rate: 90, watch: undefined, phone: true })
  }
  return walks
}

const watch = {
  sourceName: 'Anna’s Apple Watch',
  sourceVersion: '11.1',
  device:
    '<<HKDevice: 0x3012a4c80>, name:Apple Watch, manufacturer:Apple Inc., model:Watch, hardware:Watch6,2, software:11.1>',
}
const phone = {
  sourceName: 'Anna’s iPhone',
  sourceVersion: '18.1',
  device:
    '<<HKDevice: 0x3012a5d10>, name:iPhone, manufacturer:Apple Inc., model:iPhone, hardware:iPhone15,2, software:18.1>',
}
const scale = { sourceName: 'Scale', sourceVersion: '3', device: '' }
const app = { sourceName: 'Run & Friends', sourceVersion: '8.2', device: '' }
type Device = typeof watch

/** The whole file, in pieces of a few kilobytes. */
export function* healthExport(years: HealthYears): Generator<string> {
  const write = createWriter(years)
  yield `${head(years)}<HealthData locale="de_AT">\n <ExportDate value="${write.time(startOf(years.to, years) + 450 * minuteMs)}"/>\n`
  yield ' <Me HKCharacteristicTypeIdentifierDateOfBirth="1984-02-29" HKCharacteristicTypeIdentifierBiologicalSex="HKBiologicalSexFemale" HKCharacteristicTypeIdentifierBloodType="HKBloodTypeNotSet" HKCharacteristicTypeIdentifierFitzpatrickSkinType="HKFitzpatrickSkinTypeNotSet" HKCharacteristicTypeIdentifierCardioFitnessMedicationsUse="None"/>\n'
  // By type and then by time, as Apple writes them.
  for (const kind of [pulse, restingPulse, variability, steps, energy, weight, other, nights]) {
    for (let day = years.from; day < years.to; day = dayAfter(day, 1)) yield kind(years, day, write)
  }
  yield nights(years, years.to, write)
  for (let day = years.from; day < years.to; day = dayAfter(day, 1)) yield runs(years, day, write)
  yield ' <ActivitySummary dateComponents="2026-11-20" activeEnergyBurned="512.3" activeEnergyBurnedGoal="500" activeEnergyBurnedUnit="kcal" appleExerciseTime="31" appleExerciseTimeGoal="30" appleStandHours="11" appleStandHoursGoal="12"/>\n'
  yield '</HealthData>\n'
}

function pulse(years: HealthYears, day: string, write: Writer): string {
  const draw = drawing(`${years.seed} pulse ${day}`)
  const [begin, end] = [startOf(day, years), startOf(dayAfter(day, 1), years)]
  let [text, beats] = ['', 58]
  for (let at = begin; at < end; at += years.pulseMinutes * minuteMs) {
    beats = Math.min(Math.max(beats + Math.round((draw() - 0.5) * 12), 48), 150)
    text += write.quantity('HeartRate', [watch, 'count/min', beats], at + 17_000)
  }
  return text
}

function restingPulse(years: HealthYears, day: string, write: Writer): string {
  const draw = drawing(`${years.seed} resting ${day}`)
  const high = day === dayAfter(years.to, -unlikeDay) ? 21 : 0
  const beats = 54 + Math.floor(draw() * 5) + high
  return write.quantity(
    'RestingHeartRate',
    [watch, 'count/min', beats],
    startOf(day, years) + 180_000,
  )
}

function variability(years: HealthYears, day: string, write: Writer): string {
  const draw = drawing(`${years.seed} variability ${day}`)
  const at = startOf(day, years) + 240 * minuteMs
  const nested =
    '  <HeartRateVariabilityMetadataList>\n   <InstantaneousBeatsPerMinute bpm="61" time="04:01:12,34"/>\n   <InstantaneousBeatsPerMinute bpm="63" time="04:01:13,31"/>\n  </HeartRateVariabilityMetadataList>\n'
  const value = 40 + Math.round(draw() * 2_000) / 100
  return write.quantity('HeartRateVariabilitySDNN', [watch, 'ms', value], at, { nested })
}

function steps(years: HealthYears, day: string, write: Writer): string {
  const begin = startOf(day, years)
  let text = ''
  for (const walk of walksOf(years, day)) {
    const at = (minute: number) => begin + (walk.begin + minute) * minuteMs
    const [from, until] = walk.watch ?? [0, 0]
    for (let minute = from; minute < until; minute += watchPart) {
      const end = Math.min(minute + watchPart, until)
      const count = walk.rate * (end - minute)
      text += write.quantity('StepCount', [watch, 'count', count], at(minute), { end: at(end) })
    }
    if (!walk.phone) continue
    for (let minute = 0; minute < walk.minutes; minute += phonePart) {
      const end = Math.min(minute + phonePart, walk.minutes)
      const count = (walk.rate - missedByPhone) * (end - minute)
      text += write.quantity('StepCount', [phone, 'count', count], at(minute), { end: at(end) })
    }
    // The same way in another unit, from the phone only.
    const miles = Math.round(walk.minutes * walk.rate * 0.0045) / 10
    const end = at(walk.minutes)
    text += write.quantity('DistanceWalkingRunning', [phone, 'mi', miles], at(0), { end })
  }
  return text
}

function energy(years: HealthYears, day: string, write: Writer): string {
  const draw = drawing(`${years.seed} energy ${day}`)
  let text = ''
  for (let at = startOf(day, years); at < startOf(dayAfter(day, 1), years); at += 60 * minuteMs) {
    const value = Math.round(draw() * 45_000) / 1_000
    const end = at + 60 * minuteMs
    text += write.quantity('ActiveEnergyBurned', [watch, 'kcal', value], at, { end })
  }
  return text
}

function weight(years: HealthYears, day: string, write: Writer): string {
  const draw = drawing(`${years.seed} weight ${day}`)
  if (draw() > 0.3) return ''
  const at = startOf(day, years) + 420 * minuteMs
  const kilograms = 68 + Math.round(draw() * 20) / 10
  // The scale was set up in another country.
  const pounds = Math.round((kilograms / 0.45359237) * 100) / 100
  return write.quantity('BodyMass', [scale, 'lb', pounds], at)
}

/** What is not kept: a type that the agent does not know, a unit that is none, a list of symptoms. */
function other(years: HealthYears, day: string, write: Writer): string {
  const at = startOf(day, years) + 600 * minuteMs
  const steady = write.quantity('AppleWalkingSteadiness', [phone, '%', 0.91], at)
  return day === years.from
    ? steady + write.quantity('FlightsClimbed', [phone, 'furlong', 3], at)
    : steady
}

const stageNames = ['AsleepCore', 'AsleepDeep', 'AsleepCore', 'AsleepREM', 'Awake'] as const

/** The night that ends on the morning of a day. */
function nights(years: HealthYears, day: string, write: Writer): string {
  const draw = drawing(`${years.seed} night ${day}`)
  const begin = startOf(day, years) - Math.floor(draw() * 90) * minuteMs
  const end = begin + (390 + Math.floor(draw() * 100)) * minuteMs
  const inBed = write.sleep('InBed', phone, begin - 12 * minuteMs, end + 9 * minuteMs)
  if (day === dayAfter(years.to, -missingNight)) return ''
  let text = inBed
  for (let [at, index] = [begin, 0]; at < end; index += 1) {
    const name = stageNames[index % stageNames.length] ?? 'AsleepCore'
    const minutes = name === 'Awake' ? 2 + Math.floor(draw() * 6) : 12 + Math.floor(draw() * 35)
    const until = Math.min(at + minutes * minuteMs, end)
    text += write.sleep(name, watch, at, until)
    at = until
  }
  // Knows no stages, and thinks that one sleeps until the phone is picked up.
  return text + write.sleep('AsleepUnspecified', app, begin, end + 20 * minuteMs)
}

function runs(years: HealthYears, day: string, write: Writer): string {
  const draw = drawing(`${years.seed} run ${day}`)
  if (draw() > 0.4) return ''
  const begin = startOf(day, years) + (17 * 60 + Math.floor(draw() * 90)) * minuteMs
  const minutes = 25 + Math.floor(draw() * 30)
  const kilometres = Math.round(minutes * 1.7) / 10
  const own = { minutes, kilometres, kcal: minutes * 11 }
  return (
    write.workout('Running', watch, begin, own) +
    write.workout('Running', app, begin + 20_000, { ...own, kcal: own.kcal + 13 })
  )
}

interface Effort {
  readonly minutes: number
  readonly kilometres: number
  readonly kcal: number
}

type Writer = ReturnType<typeof createWriter>

function createWriter({ timeZone }: HealthYears) {
  const time = createClock(timeZone)
  const from = ({ sourceName, sourceVersion, device }: Device) =>
    `sourceName="${escaped(sourceName)}" sourceVersion="${sourceVersion}"${device === '' ? '' : ` device="${escaped(device)}"`}`
  const times = (start: number, end: number) =>
    `creationDate="${time(end)}" startDate="${time(start)}" endDate="${time(end)}"`
  return {
    time,
    quantity(
      type: string,
      [device, unit, value]: readonly [Device, string, number],
      start: number,
      { end = start, nested = '' }: { end?: number; nested?: string } = {},
    ) {
      const open = ` <Record type="HKQuantityTypeIdentifier${type}" ${from(device)} unit="${unit}" ${times(start, end)} value="${value}"`
      return nested === '' ? `${open}/>\n` : `${open}>\n${nested} </Record>\n`
    },
    sleep(value: string, device: Device, start: number, end: number) {
      return ` <Record type="HKCategoryTypeIdentifierSleepAnalysis" ${from(device)} ${times(start, end)} value="HKCategoryValueSleepAnalysis${value}">\n  <MetadataEntry key="HKTimeZone" value="${timeZone}"/>\n </Record>\n`
    },
    workout(type: string, device: Device, start: number, { minutes, kilometres, kcal }: Effort) {
      const open = ` <Workout workoutActivityType="HKWorkoutActivityType${type}" duration="${minutes}" durationUnit="min"`
      const end = start + minutes * minuteMs
      const span = times(start, end)
      // An app that has not changed since iOS 15 writes the totals as attributes.
      if (device === app) {
        return `${open} totalDistance="${kilometres}" totalDistanceUnit="km" totalEnergyBurned="${kcal}" totalEnergyBurnedUnit="kcal" ${from(device)} ${span}/>\n`
      }
      const statistics = (name: string, unit: string, sum: number) =>
        `  <WorkoutStatistics type="HKQuantityTypeIdentifier${name}" startDate="${time(start)}" endDate="${time(end)}" sum="${sum}" unit="${unit}"/>\n`
      return `${open} ${from(device)} ${span}>\n  <MetadataEntry key="HKIndoorWorkout" value="0"/>\n${statistics('ActiveEnergyBurned', 'kcal', kcal)}${statistics('DistanceWalkingRunning', 'km', kilometres)} </Workout>\n`
    },
  }
}

/** `2026-11-21 07:30:00 +0100`, with the offset of that hour. */
function createClock(timeZone: string): (ms: number) => string {
  const offsets = new Map<number, number>()
  const offsetAt = (ms: number) => {
    // Offsets change on quarters of an hour.
    const quarter = Math.floor(ms / 900_000)
    const known = offsets.get(quarter)
    if (known !== undefined) return known
    const at = Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(timeZone)
    const offset = at.offsetNanoseconds / 60_000_000_000
    offsets.set(quarter, offset)
    return offset
  }
  const two = (value: number) => String(value).padStart(2, '0')
  return (ms) => {
    const offset = offsetAt(ms)
    const text = new Date(ms + offset * minuteMs).toISOString()
    const size = Math.abs(offset)
    return `${text.slice(0, 10)} ${text.slice(11, 19)} ${offset < 0 ? '-' : '+'}${two(Math.floor(size / 60))}${two(size % 60)}`
  }
}

/** By this the generator knows a file of its own, and of which day it is. */
export const sampleMark = (to: string) => `<!-- of the sample home, until ${to} -->`

const head = ({ to }: HealthYears) => `<?xml version="1.0" encoding="UTF-8"?>
${sampleMark(to)}
<!DOCTYPE HealthData [
<!-- HealthKit Export Version: 14 -->
<!ELEMENT HealthData (ExportDate,Me,(Record|Correlation|Workout|ActivitySummary|ClinicalRecord)*)>
<!ATTLIST HealthData
  locale CDATA #REQUIRED
>
<!ELEMENT Record ((MetadataEntry|HeartRateVariabilityMetadataList)*)>
<!ATTLIST Record
  type          CDATA #REQUIRED
  unit          CDATA #IMPLIED
  value         CDATA #IMPLIED
>
]>
`

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

function startOf(day: string, { timeZone }: HealthYears): number {
  return Temporal.PlainDate.from(day).toZonedDateTime(timeZone).epochMilliseconds
}

const isIn = (day: string, { from, to }: HealthYears) => from <= day && day < to

/** mulberry32 (Tommy Ettinger, public domain) over a hash of the text: same text, same numbers. */
function drawing(text: string): () => number {
  let state = 0x811c9dc5
  for (const character of text) state = Math.imul(state ^ character.charCodeAt(0), 0x01000193)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
