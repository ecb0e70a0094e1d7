// Calls of every action of the weather, answered by the sample home's servers, for `bulkhead agent check`.

import { answerWeather } from '../../examples/home/weather.ts'
import type { AgentExamples } from '../check/examples-contract.ts'
import { sampleServers } from '../check/sample-servers.ts'

const now = '2026-11-21T08:00:00Z'
const vienna = { place: { lat: 48.21, lon: 16.37 } }
const washington = { place: { lat: 38.9, lon: -77.04 } }
/** Where the sample servers are busy. */
const busy = { place: { lat: 0, lon: 0 } }

export const examples: AgentExamples = {
  worlds: [
    {
      name: 'servers',
      now,
      origins: {
        forecast: ['https://api.open-meteo.com'],
        alerts: ['https://api.weather.gov'],
      },
      servers: sampleServers(answerWeather, now),
      calls: {
        now: [{ args: vienna }, { args: busy, fails: 'UNAVAILABLE' }],
        forecast: [
          { args: { ...vienna, days: 3 } },
          { args: { ...vienna, days: 2, granularity: 'hourly' } },
        ],
        alerts: [{ args: washington }, { args: vienna }],
        sun: [{ args: vienna }, { args: { ...vienna, date: '2026-11-25' } }],
      },
    },
  ],
}
