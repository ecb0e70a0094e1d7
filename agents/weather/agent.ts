// The weather agent: it asks, checks and reshapes, and keeps nothing. open-meteo.ts and nws-alerts.ts
// know the two servers; this file only binds them to the manifest.

import { defineAgent } from '../define-agent.ts'
import { manifest } from './manifest.ts'
import { readAlerts } from './nws-alerts.ts'
import { readDays, readHours, readNow, readSun } from './open-meteo.ts'

export const agent = defineAgent(manifest, {
  now: ({ place }, context) => readNow(context, place),
  forecast: async ({ place, days, granularity }, context) =>
    granularity === 'hourly'
      ? { place, granularity, days: [], ...(await readHours(context, { place, days })) }
      : { place, granularity, hours: [], ...(await readDays(context, { place, days })) },
  alerts: ({ place, limit }, context) => readAlerts(context, place, limit),
  sun: ({ place, date }, context) => readSun(context, place, date),
})
