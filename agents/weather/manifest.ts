// What the weather agent declares: readings and forecasts from a server that speaks as Open-Meteo,
// warnings from one that speaks as the US weather service (NWS). Data and zod only. A place is personal:
// coordinates have at most two decimals (about a kilometre), one is enough for weather (about ten),
// and the gateway lets no others out than those of the step.

import { z } from 'zod'
import { defineManifest, type EgressDeclaration } from '../../plan/manifest.ts'

/** Degrees, WGS 84. */
const degrees = (limit: number) => z.number().min(-limit).max(limit).multipleOf(0.01)
const place = z.strictObject({ lat: degrees(90), lon: degrees(180) })
export type Place = z.infer<typeof place>

const date = z.string().regex(/^\d{4}-\d{2}-\d{2}$/)
const amount = z.number().nullable()

/** In every result: where, and the IANA zone of its local times. */
const where = { place, timeZone: z.string() }
/** RFC 3339 with the offset of the place, and `HH:MM` there. */
const when = { time: z.string(), timeLocal: z.string() }
/** WMO code table 4677, as far as forecasts use it, and what it means. */
const sky = { code: z.number().int(), summary: z.string() }

const hour = z.strictObject({
  ...when,
  ...sky,
  tempC: z.number(),
  /** Of the hour that ends then. */
  precipMm: amount,
  precipProbPct: amount,
  windKph: amount,
})
export type Hour = z.infer<typeof hour>

const day = z.strictObject({
  date,
  ...sky,
  minC: z.number(),
  maxC: z.number(),
  precipMm: amount,
  /** The highest of the day. */
  precipProbPct: amount,
  windKph: amount,
})
export type Day = z.infer<typeof day>

const alert = z.strictObject({
  event: z.string(),
  severity: z.enum(['Extreme', 'Severe', 'Moderate', 'Minor', 'Unknown']),
  urgency: z.string(),
  /** RFC 3339 in UTC. */
  onset: z.string().nullable(),
  expires: z.string().nullable(),
  headline: z.string(),
  area: z.string(),
})
export type Alert = z.infer<typeof alert>

const common = {
  // It changes nothing, but the server learns the place.
  effect: 'egress',
  undo: 'none',
  idempotent: true,
  timeoutMs: 10_000,
} as const
/**
 * Nobody's secret: the agent keeps nothing of the owner's, and is given nothing that a server may not
 * see. What it answers is as private as the place that it was asked for. Of warnings, whose texts may be
 * longer than what anybody may see is allowed to be, nothing is said.
 */
const asItsPlace = { '': { readers: 'PUBLIC' } } as const
const placeRoles = { '/place/lat': 'control', '/place/lon': 'control' } as const

const egress = [
  {
    id: 'forecast',
    host: { config: 'weather.forecast' },
    port: 443,
    protocol: 'https',
    allow: [
      {
        methods: ['GET'],
        path: '/v1/forecast',
        bind: { latitude: '/place/lat', longitude: '/place/lon' },
        query: [
          ...['latitude', 'longitude', 'current', 'hourly', 'daily'],
          ...['timezone', 'timeformat', 'forecast_days', 'start_date', 'end_date'],
          ...['temperature_unit', 'wind_speed_unit', 'precipitation_unit'],
        ],
      },
    ],
  },
  {
    id: 'alerts',
    host: { config: 'weather.alerts' },
    port: 443,
    protocol: 'https',
    allow: [
      // Two coordinates in one segment, which a binding cannot say.
      { methods: ['GET'], path: '/points/*' },
      { methods: ['GET'], path: '/alerts/active', query: ['point'] },
    ],
  },
] as const satisfies readonly EgressDeclaration[]

export const manifest = defineManifest({
  name: 'weather',
  summary: 'says what the weather is and will be at a place',
  replicas: 1,
  alwaysOn: false,
  idleMs: 60_000,
  storage: 'ledger',
  perUser: false,
  mounts: [],
  egress,
  actions: {
    now: {
      ...common,
      summary: 'the weather at a place now',
      audience: { host: 'forecast' },
      egress: ['forecast'],
      input: z.strictObject({ place }),
      output: z.strictObject({
        ...where,
        ...when,
        ...sky,
        tempC: z.number(),
        feelsLikeC: amount,
        humidityPct: amount,
        precipMm: amount,
        windKph: amount,
        /** Where it comes from, clockwise from north. */
        windDegrees: amount,
        cloudPct: amount,
        daylight: z.boolean().nullable(),
      }),
      labels: asItsPlace,
      roles: placeRoles,
      maxResultBytes: 4 * 1024,
    },
    forecast: {
      ...common,
      summary: 'the weather at a place, by day or by hour, from today on',
      audience: { host: 'forecast' },
      egress: ['forecast'],
      input: z.strictObject({
        place,
        /** More count as several calls with the provider. */
        days: z.number().int().min(1).max(14).default(3),
        granularity: z.enum(['hourly', 'daily']).default('daily'),
      }),
      output: z.strictObject({
        ...where,
        granularity: z.enum(['hourly', 'daily']),
        /** One of the two is empty. Those that the provider has no temperature for are left out. */
        days: z.array(day),
        hours: z.array(hour),
      }),
      labels: asItsPlace,
      roles: { ...placeRoles, '/days': 'control', '/granularity': 'control' },
      maxResultBytes: 128 * 1024,
    },
    alerts: {
      ...common,
      summary: 'official warnings in force at a place in the United States',
      audience: { host: 'alerts' },
      egress: ['alerts'],
      input: z.strictObject({ place, limit: z.number().int().min(1).max(100).default(20) }),
      output: z.strictObject({
        place,
        /** Null where the service does not cover the place: no warning is known then, for or against. */
        timeZone: z.string().nullable(),
        covered: z.boolean(),
        /** All that are in force; `alerts` holds the first `limit` of them, the most severe first. */
        count: z.number().int(),
        alerts: z.array(alert),
      }),
      roles: { ...placeRoles, '/limit': 'control' },
      maxResultBytes: 128 * 1024,
    },
    sun: {
      ...common,
      summary: 'sunrise and sunset at a place on a day',
      audience: { host: 'forecast' },
      egress: ['forecast'],
      input: z.strictObject({
        place,
        /** About three months back and two weeks ahead; unset: today at the place. */
        date: date.optional(),
      }),
      output: z.strictObject({
        ...where,
        date,
        /** Null, as sunset is, on days when the sun stays up or down. */
        sunrise: z.string().nullable(),
        sunset: z.string().nullable(),
        sunriseLocal: z.string().nullable(),
        sunsetLocal: z.string().nullable(),
        daylightMinutes: z.number().int(),
      }),
      labels: asItsPlace,
      roles: { ...placeRoles, '/date': 'control' },
      maxResultBytes: 4 * 1024,
    },
  },
})
