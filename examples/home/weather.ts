// The weather of the sample home, in the published shapes of Open-Meteo (open-meteo.com/en/docs) and
// of the US weather service (api.weather.gov, GeoJSON). Invariant: the weather of an hour depends on the
// hour, the place and the seed alone. A few places where nobody lives stand for what goes wrong. Pure.

import { createHash } from 'node:crypto'
import type { WebReply } from './feeds.ts'

export interface WeatherRequest {
  readonly path: string
  readonly query: URLSearchParams
  /** Milliseconds since the epoch. */
  readonly now: number
  readonly seed: number
}

const hourS = 3_600
const dayS = 24 * hourS
/** The whole sample world is in one zone; its offset stays put, as Open-Meteo's does within a reply. */
const [zone, offsetS] = ['Etc/GMT-1', hourS]

const json = (status: number, value: unknown, headers: Readonly<Record<string, string>> = {}) => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
  body: JSON.stringify(value),
})
const refuse = (reason: string) => json(400, { error: true, reason })

type Trouble = (usual: () => WebReply) => WebReply
/** Places in the Gulf of Guinea, by latitude on the meridian of 0. */
const troubles: ReadonlyMap<string, Trouble> = new Map<string, Trouble>([
  [
    '0',
    () =>
      json(
        429,
        { error: true, reason: 'Minutely API request limit exceeded.' },
        { 'retry-after': '60' },
      ),
  ],
  ['0.1', () => ({ ...json(200, null), body: '{"latitude": 0.1, "curr' })],
  [
    '0.2',
    (usual) =>
      edited(usual(), (text) =>
        text.replace(/"temperature_2m(_max)?":\[[^,\]]*,?/, '"temperature_2m$1":['),
      ),
  ],
  ['0.3', () => json(500, { error: true, reason: 'internal error' })],
  ['0.4', (usual) => edited(usual(), (text) => text.replaceAll('°C', '°F'))],
  ['0.5', () => json(400, { detail: 'another shape' })],
  ['0.6', (usual) => edited(usual(), (text) => text.replace(zone, 'Moon/Tycho'))],
  ['0.7', () => json(404, {})],
  ['0.8', () => ({ ...json(302, {}), headers: { location: 'https://example.com/' } })],
  [
    '0.9',
    (usual) =>
      edited(usual(), (text) => text.replace(/("temperature_2m":)(\[?)[-\d.]+/, '$1$21e999')),
  ],
])

function edited(reply: WebReply, edit: (text: string) => string): WebReply {
  return { ...reply, body: edit(reply.body.toString()) }
}

/** Undefined when there is no such path. */
export function answerWeather(request: WeatherRequest): WebReply | undefined {
  const { path, query } = request
  if (path === '/v1/forecast') {
    const usual = () => answerForecast(request)
    const trouble = query.get('longitude') === '0' && troubles.get(query.get('latitude') ?? '')
    return trouble ? trouble(usual) : usual()
  }
  if (path.startsWith('/points/')) return answerPoint(path.slice('/points/'.length))
  return path === '/alerts/active' ? answerAlerts(request) : undefined
}

const units: Readonly<Record<string, string>> = {
  time: 'unixtime',
  weather_code: 'wmo code',
  relative_humidity_2m: '%',
  cloud_cover: '%',
  wind_direction_10m: '°',
  is_day: '',
  sunrise: 'unixtime',
  sunset: 'unixtime',
  daylight_duration: 's',
}

function unitOf(variable: string): string {
  if (variable in units) return units[variable] ?? ''
  if (variable.includes('probability')) return '%'
  if (variable.includes('temperature')) return '°C'
  return variable.startsWith('precipitation') ? 'mm' : 'km/h'
}

function answerForecast(request: WeatherRequest): WebReply {
  const { query } = request
  const [lat, lon] = [Number(query.get('latitude')), Number(query.get('longitude'))]
  if (!query.has('latitude') || !(Math.abs(lat) <= 90)) {
    return refuse('Latitude must be in range of -90 to 90°.')
  }
  if (!query.has('longitude') || !(Math.abs(lon) <= 180)) {
    return refuse('Longitude must be in range of -180 to 180°.')
  }
  // What nobody here asks for is not imitated.
  if (query.get('timeformat') !== 'unixtime' || query.get('timezone') !== 'auto') {
    return refuse('This sample server knows timeformat=unixtime and timezone=auto only.')
  }
  const days = daysOf(request)
  if (typeof days === 'string') return refuse(days)
  const { now, seed } = request
  const sky = skyAt({ lat, lon, seed })
  const blocks: Record<string, unknown> = {}
  const add = (name: string, rows: readonly number[], readingOf: Value, single = false) => {
    const variables = query.get(name)?.split(',').filter(Boolean)
    if (variables === undefined) return
    const all = ['time', ...variables]
    blocks[`${name}_units`] = Object.fromEntries(all.map((key) => [key, unitOf(key)]))
    blocks[name] = Object.fromEntries(
      all.map((key) => {
        const values = rows.map((at) => (key === 'time' ? at : readingOf(key, at)))
        return [key, single ? values[0] : values]
      }),
    )
  }
  add('current', [Math.floor(now / 900_000) * 900], sky.current, true)
  const hours = days.flatMap((day) => Array.from({ length: 24 }, (_, hour) => day + hour * hourS))
  add('hourly', hours, sky.current)
  add('daily', days, sky.daily)
  return json(200, {
    latitude: lat,
    longitude: lon,
    generationtime_ms: 0.1,
    utc_offset_seconds: offsetS,
    timezone: zone,
    timezone_abbreviation: 'GMT+1',
    elevation: 170,
    ...blocks,
  })
}

/** First seconds of the days asked for, or why not. */
function daysOf({ query, now }: WeatherRequest): readonly number[] | string {
  const today = Math.floor((now / 1_000 + offsetS) / dayS) * dayS - offsetS
  const start = query.get('start_date')
  if (start !== null) {
    const first = Date.parse(`${start}T00:00:00Z`) / 1_000 - offsetS
    if (!(first >= today - 92 * dayS && first <= today + 15 * dayS)) {
      return "Parameter 'start_date' is out of allowed range."
    }
    return [first]
  }
  const count = Number(query.get('forecast_days') ?? '7')
  if (!(Number.isInteger(count) && count >= 0 && count <= 16)) {
    return 'Forecast days is invalid. Allowed range 0 to 16.'
  }
  return Array.from({ length: count }, (_, index) => today + index * dayS)
}

type Value = (variable: string, at: number) => number | null

const codes = [0, 1, 2, 3, 45, 61, 63, 71, 80, 95] as const

function skyAt({ lat, lon, seed }: { lat: number; lon: number; seed: number }) {
  const draw = (at: number) =>
    createHash('sha256').update(`${seed} ${lat} ${lon} ${at}`).digest().readUInt32BE(0) / 2 ** 32
  const round = (value: number) => Math.round(value * 10) / 10
  const sunOf = (dayStart: number) => {
    // The sun's height over the year, near enough for a sample: no sun beyond the polar circle.
    const season = Math.cos(((dayStart / dayS - 171) / 365.25) * 2 * Math.PI)
    const x = -Math.tan((lat * Math.PI) / 180) * Math.tan(((23.44 * Math.PI) / 180) * season)
    const hoursOfLight = x >= 1 ? 0 : x <= -1 ? 24 : (Math.acos(x) / Math.PI) * 24
    return { light: Math.round(hoursOfLight * hourS), noon: dayStart + 12 * hourS }
  }
  const current: Value = (variable, at) => {
    const hour = ((at + offsetS) % dayS) / hourS
    const warmth = 12 - Math.abs(lat) / 4 + 5 * Math.sin(((hour - 9) / 12) * Math.PI)
    const chance = draw(Math.floor(at / hourS))
    switch (variable) {
      case 'weather_code':
        return codes[Math.floor(chance * codes.length)] ?? 0
      case 'temperature_2m':
        return round(warmth + chance)
      case 'apparent_temperature':
        return round(warmth - 2)
      case 'precipitation':
        return chance < 0.5 ? 0 : round(chance * 2)
      case 'wind_direction_10m':
        return Math.floor(chance * 360)
      case 'is_day':
        return hour >= 7 && hour < 19 ? 1 : 0
      case 'wind_speed_10m':
        return round(chance * 30)
      default:
        return Math.floor(chance * 100)
    }
  }
  const daily: Value = (variable, day) => {
    const { light, noon } = sunOf(day)
    const isPolar = light === 0 || light === dayS
    const hours = Array.from({ length: 24 }, (_, hour) => day + hour * hourS)
    const over = (name: string) => hours.map((at) => current(name, at) ?? 0)
    switch (variable) {
      // As the provider does on days that have neither.
      case 'sunrise':
        return isPolar ? 0 : noon - Math.floor(light / 2)
      case 'sunset':
        return isPolar ? 0 : noon + Math.floor(light / 2)
      case 'daylight_duration':
        return light
      case 'weather_code':
        return codes[Math.floor(draw(day) * codes.length)] ?? 0
      case 'temperature_2m_min':
        return Math.min(...over('temperature_2m'))
      case 'precipitation_sum':
        return round(over('precipitation').reduce((sum, one) => sum + one, 0))
      case 'precipitation_probability_max':
        return Math.max(...over('precipitation_probability'))
      default:
        return Math.max(...over(variable.replace(/_max$/, '')))
    }
  }
  return { current, daily }
}

const problem = (status: number, title: string): WebReply => ({
  ...json(status, { type: `https://api.weather.gov/problems/${status}`, title, status }),
  headers: { 'content-type': 'application/problem+json' },
})

/** Roughly the United States without its islands. */
function isCovered(lat: number, lon: number): boolean {
  return lat >= 24 && lat <= 50 && lon >= -125 && lon <= -66
}

function answerPoint(point: string): WebReply {
  const [lat = Number.NaN, lon = Number.NaN] = point.split(',').map(Number)
  if (!isCovered(lat, lon)) return problem(404, 'Data Unavailable For Requested Point')
  return json(200, {
    id: `https://api.weather.gov/points/${point}`,
    type: 'Feature',
    geometry: { type: 'Point', coordinates: [lon, lat] },
    properties: { gridId: 'TOP', gridX: 31, gridY: 80, timeZone: 'America/Chicago' },
  })
}

/** North of 40 degrees nothing is in force. */
function answerAlerts({ query, now }: WeatherRequest): WebReply {
  const [lat = Number.NaN, lon = Number.NaN] = (query.get('point') ?? '').split(',').map(Number)
  if (Number.isNaN(lat) || Number.isNaN(lon)) return problem(400, 'Bad Request')
  const today = new Date(now).toISOString().slice(0, 10)
  const alert = (event: string, severity: string, extra: object = {}) => ({
    type: 'Feature',
    geometry: null,
    properties: {
      event,
      severity,
      urgency: 'Expected',
      onset: `${today}T18:00:00-06:00`,
      expires: `${today}T12:00:00-06:00`,
      ends: `${today}T23:00:00-06:00`,
      headline: `${event} issued by the sample office`,
      areaDesc: 'Shawnee; Douglas',
      ...extra,
    },
  })
  const features =
    lat > 40
      ? []
      : [
          alert('Wind Advisory', 'Moderate'),
          alert('Special Weather Statement', 'Odd', { ends: null, onset: null, headline: null }),
          alert('Tornado Warning', 'Extreme', { headline: 'Take\u001b[2J cover\u202e now' }),
        ]
  return {
    ...json(200, { type: 'FeatureCollection', features, title: 'Current watches' }),
    headers: { 'content-type': 'application/geo+json' },
  }
}
