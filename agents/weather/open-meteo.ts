// The forecast interface of Open-Meteo (open-meteo.com/en/docs): which variables are asked for, and
// the reply as rows. The reply holds one array a variable; an array that is shorter or longer than
// that of the times would shift readings against hours, so it is refused. Units are asked for and then
// checked: a server that answers in others is wrong, not converted.

import { z } from 'zod'
import { type ActionContext, ActionFailure } from '../define-agent.ts'
import { askServer } from './ask-server.ts'
import type { Day, Hour, Place } from './manifest.ts'
import { dateOf, type PlaceTime, timeAt } from './place-time.ts'
import { summaryOf } from './wmo-codes.ts'

/** Sixteen days by the hour, the most that the provider gives. */
const maxRows = 400

const instant = z.number().int().min(0).max(4_102_444_800)
const celsius = z.number().min(-100).max(70)
const kph = z.number().min(0).max(500)
const millimetres = z.number().min(0).max(2_000)
const percent = z.number().min(0).max(100)
const code = z.number().int().min(0).max(99)
const column = <Value extends z.ZodType>(value: Value) => z.array(value.nullable()).max(maxRows)
const times = z.array(instant).max(maxRows)

const envelope = {
  timezone: z.string().max(64),
  utc_offset_seconds: z.number().int().min(-86_400).max(86_400),
}

const nowShape = z.object({
  ...envelope,
  current_units: z.object({
    temperature_2m: z.literal('°C'),
    precipitation: z.literal('mm'),
    wind_speed_10m: z.literal('km/h'),
  }),
  current: z.object({
    time: instant,
    temperature_2m: celsius,
    apparent_temperature: celsius.nullable(),
    relative_humidity_2m: percent.nullable(),
    precipitation: millimetres.nullable(),
    wind_speed_10m: kph.nullable(),
    wind_direction_10m: z.number().min(0).max(360).nullable(),
    cloud_cover: percent.nullable(),
    is_day: z.union([z.literal(0), z.literal(1)]).nullable(),
    weather_code: code,
  }),
})

const hourlyShape = z.object({
  ...envelope,
  hourly_units: z.object({
    temperature_2m: z.literal('°C'),
    precipitation: z.literal('mm'),
    wind_speed_10m: z.literal('km/h'),
  }),
  hourly: z.object({
    time: times,
    temperature_2m: column(celsius),
    precipitation: column(millimetres),
    precipitation_probability: column(percent),
    wind_speed_10m: column(kph),
    weather_code: column(code),
  }),
})

const dailyShape = z.object({
  ...envelope,
  daily_units: z.object({
    temperature_2m_max: z.literal('°C'),
    precipitation_sum: z.literal('mm'),
    wind_speed_10m_max: z.literal('km/h'),
  }),
  daily: z.object({
    time: times,
    temperature_2m_min: column(celsius),
    temperature_2m_max: column(celsius),
    precipitation_sum: column(millimetres),
    precipitation_probability_max: column(percent),
    wind_speed_10m_max: column(kph),
    weather_code: column(code),
  }),
})

const sunShape = z.object({
  ...envelope,
  daily_units: z.object({ daylight_duration: z.literal('s') }),
  daily: z.object({
    time: z.array(instant).length(1),
    sunrise: z.array(instant.nullable()).length(1),
    sunset: z.array(instant.nullable()).length(1),
    daylight_duration: z.array(z.number().min(0).max(90_000).nullable()).length(1),
  }),
})

type Query = Readonly<Record<string, string>>

async function ask<Shape extends z.ZodType>(
  context: ActionContext,
  { place, shape, query }: { place: Place; shape: Shape; query: Query },
): Promise<z.output<Shape>> {
  const reply = await askServer(context, {
    egress: 'forecast',
    path: '/v1/forecast',
    query: {
      latitude: String(place.lat),
      longitude: String(place.lon),
      timezone: 'auto',
      timeformat: 'unixtime',
      temperature_unit: 'celsius',
      wind_speed_unit: 'kmh',
      precipitation_unit: 'mm',
      ...query,
    },
    shape,
  })
  if (reply === undefined) throw new ActionFailure('UNAVAILABLE', 'final', 'status 404')
  return reply
}

/** @throws ActionFailure */
export async function readNow(context: ActionContext, place: Place) {
  const variables = Object.keys(nowShape.shape.current.shape).filter((key) => key !== 'time')
  const { timezone, current } = await ask(context, {
    place,
    shape: nowShape,
    query: { current: variables.join(','), forecast_days: '1' },
  })
  const time = timeAt(timezone)
  return {
    place,
    timeZone: timezone,
    ...momentOf(time, current.time),
    ...skyOf(current.weather_code),
    tempC: current.temperature_2m,
    feelsLikeC: current.apparent_temperature,
    humidityPct: current.relative_humidity_2m,
    precipMm: current.precipitation,
    windKph: current.wind_speed_10m,
    windDegrees: current.wind_direction_10m,
    cloudPct: current.cloud_cover,
    daylight: current.is_day === null ? null : current.is_day === 1,
  }
}

export interface Range {
  readonly place: Place
  readonly days: number
}

/** @throws ActionFailure */
export async function readHours(context: ActionContext, { place, days }: Range) {
  const variables = Object.keys(hourlyShape.shape.hourly.shape).filter((key) => key !== 'time')
  const { timezone, hourly } = await ask(context, {
    place,
    shape: hourlyShape,
    query: { hourly: variables.join(','), forecast_days: String(days) },
  })
  requireEqualLengths(hourly)
  const time = timeAt(timezone)
  const hours = hourly.time.flatMap((at, row): Hour[] => {
    const [tempC, sky] = [hourly.temperature_2m[row], hourly.weather_code[row]]
    if (tempC == null || sky == null) return []
    return [
      {
        ...momentOf(time, at),
        ...skyOf(sky),
        tempC,
        precipMm: hourly.precipitation[row] ?? null,
        precipProbPct: hourly.precipitation_probability[row] ?? null,
        windKph: hourly.wind_speed_10m[row] ?? null,
      },
    ]
  })
  return { timeZone: timezone, hours }
}

/** @throws ActionFailure */
export async function readDays(context: ActionContext, { place, days }: Range) {
  const variables = Object.keys(dailyShape.shape.daily.shape).filter((key) => key !== 'time')
  const {
    timezone,
    utc_offset_seconds: offset,
    daily,
  } = await ask(context, {
    place,
    shape: dailyShape,
    query: { daily: variables.join(','), forecast_days: String(days) },
  })
  requireEqualLengths(daily)
  const rows = daily.time.flatMap((at, row): Day[] => {
    const [minC, maxC] = [daily.temperature_2m_min[row], daily.temperature_2m_max[row]]
    const sky = daily.weather_code[row]
    if (minC == null || maxC == null || sky == null) return []
    return [
      {
        date: dateOf(at, offset),
        ...skyOf(sky),
        minC,
        maxC,
        precipMm: daily.precipitation_sum[row] ?? null,
        precipProbPct: daily.precipitation_probability_max[row] ?? null,
        windKph: daily.wind_speed_10m_max[row] ?? null,
      },
    ]
  })
  return { timeZone: timeAt(timezone).timeZone, days: rows }
}

/** @throws ActionFailure */
export async function readSun(context: ActionContext, place: Place, date: string | undefined) {
  const reply = await ask(context, {
    place,
    shape: sunShape,
    query: {
      daily: 'sunrise,sunset,daylight_duration',
      ...(date === undefined ? { forecast_days: '1' } : { start_date: date, end_date: date }),
    },
  })
  const { timezone, utc_offset_seconds: offset, daily } = reply
  const time = timeAt(timezone)
  const daylight = daily.daylight_duration[0] ?? 0
  // On days without a rise or a set the provider sends 0 or midnight in their place.
  const isPolar = daylight <= 0 || daylight >= 86_400
  const [rise, set] = isPolar ? [null, null] : [daily.sunrise[0] ?? null, daily.sunset[0] ?? null]
  return {
    place,
    timeZone: timezone,
    date: dateOf(daily.time[0] ?? 0, offset),
    sunrise: rise === null ? null : time.text(rise),
    sunset: set === null ? null : time.text(set),
    sunriseLocal: rise === null ? null : time.clock(rise),
    sunsetLocal: set === null ? null : time.clock(set),
    daylightMinutes: Math.round(daylight / 60),
  }
}

function momentOf(time: PlaceTime, at: number) {
  return { time: time.text(at), timeLocal: time.clock(at) }
}

function skyOf(weatherCode: number) {
  return { code: weatherCode, summary: summaryOf(weatherCode) }
}

function requireEqualLengths(columns: Readonly<Record<string, readonly unknown[]>>): void {
  const lengths = new Set(Object.values(columns).map((values) => values.length))
  if (lengths.size > 1) {
    throw new ActionFailure('CORRUPT_DATA', 'final', 'columns of different lengths')
  }
}
