// The weather agent against a server that answers in the published shapes, over real HTTP: rows, units
// and zones of good replies, and the one typed failure of each bad one.

import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { z } from 'zod'
import type { ActionContext } from '../../agents/define-agent.ts'
import { ActionFailure } from '../../agents/define-agent.ts'
import { agent } from '../../agents/weather/agent.ts'
import { manifest } from '../../agents/weather/manifest.ts'
import { timeAt } from '../../agents/weather/place-time.ts'
import { startWebHome, type WebHome } from '../support/web-home.ts'
import { failureOf, idemOf } from './action-context.ts'

const now = Date.parse('2026-11-21T08:20:00Z')
const vienna = { lat: 48.2, lon: 16.37 }
let web: WebHome

beforeEach(async () => {
  web = await startWebHome(() => now)
})
afterEach(() => web.server.close())

type Actions = typeof manifest.actions
type Result<Name extends keyof Actions> = z.infer<Actions[Name]['output']>

async function run<Name extends keyof Actions>(
  action: Name,
  args: object,
  fetch: ActionContext['fetch'] = web.fetch,
): Promise<Result<Name>> {
  const call = agent.actions.get(action)?.prepare(args)
  if (call === undefined) throw new Error(`${action} refuses its arguments`)
  const folder = () => {
    throw new Error('the agent has no folder')
  }
  const connect = () => Promise.reject(new Error('the agent has no tunnel and no program'))
  const none = { stream: connect, connect, run: connect }
  const given = { now: () => now, folder, secret: folder, fetch, ...none }
  const context: ActionContext = { idem: idemOf(action), kind: 'do', ...given }
  return manifest.actions[action].output.parse(await call(context)) as Result<Name>
}
const forecast = (args: object) => run('forecast', { place: vienna, ...args })
/** A place of the sample server at which a certain thing goes wrong. */
const trouble = (lat: number) => ({ place: { lat, lon: 0 } })

describe('good replies', () => {
  test('now is in named units, at a local time with its offset and zone', async () => {
    const result = await run('now', { place: vienna })
    expect(result).toMatchObject({
      place: vienna,
      timeZone: 'Etc/GMT-1',
      time: '2026-11-21T09:15:00+01:00',
      timeLocal: '09:15',
      daylight: true,
    })
    expect(result.tempC).toBeGreaterThan(-50)
    expect(result.summary).not.toBe('')
  })

  test('a daily forecast has one row a day from today on, a date each', async () => {
    const { days, hours } = await forecast({ days: 3 })
    expect(hours).toEqual([])
    expect(days.map(({ date }) => date)).toEqual(['2026-11-21', '2026-11-22', '2026-11-23'])
    for (const { minC, maxC } of days) expect(minC).toBeLessThanOrEqual(maxC)
  })

  test('an hourly forecast has the rows of each day in order', async () => {
    const { days, hours } = await forecast({ days: 2, granularity: 'hourly' })
    expect(days).toEqual([])
    expect(hours).toHaveLength(48)
    expect([hours[0]?.time, hours[25]?.time]).toEqual([
      '2026-11-21T00:00:00+01:00',
      '2026-11-22T01:00:00+01:00',
    ])
    const { precipProbPct, code } = hours[0] ?? {}
    // Both come from one draw of the sample: a row that is put together wrongly shows.
    expect(precipProbPct).toBeGreaterThanOrEqual(0)
    expect(code).toBeGreaterThanOrEqual(0)
  })

  test('sunrise and sunset are local times, and null where the sun stays up or down', async () => {
    const winter = await run('sun', { place: vienna })
    expect(winter).toMatchObject({ date: '2026-11-21', timeZone: 'Etc/GMT-1' })
    expect(winter.sunrise).toMatch(/^2026-11-21T0[678]:\d\d:\d\d\+01:00$/)
    expect(winter.sunriseLocal).toBe(winter.sunrise?.slice(11, 16))
    const night = await run('sun', { place: { lat: 78.2, lon: 15.6 }, date: '2026-11-25' })
    expect(night).toMatchObject({ date: '2026-11-25', sunrise: null, sunset: null })
    expect(night.daylightMinutes).toBe(0)
    const day = await run('sun', { place: { lat: -78.2, lon: 15.6 } })
    expect(day).toMatchObject({ sunriseLocal: null, daylightMinutes: 1_440 })
  })

  test('alerts are the most severe first, of plain text, with times in UTC', async () => {
    const result = await run('alerts', { place: { lat: 39.05, lon: -95.68 }, limit: 2 })
    expect(result).toMatchObject({ covered: true, count: 3, timeZone: 'America/Chicago' })
    expect(result.alerts.map(({ event }) => event)).toEqual(['Tornado Warning', 'Wind Advisory'])
    expect(result.alerts[0]).toMatchObject({
      headline: 'Take [2J cover now',
      onset: '2026-11-22T00:00:00.000Z',
      expires: '2026-11-22T05:00:00.000Z',
    })
    const asked = web.server.requests.map(({ target }) => target)
    expect(asked).toEqual(['/points/39.05,-95.68', '/alerts/active?point=39.05%2C-95.68'])
    expect(web.server.requests[0]?.headers['user-agent']).toMatch(/bulkhead/)
  })

  test('an alert without its optional fields is still an alert', async () => {
    const { alerts } = await run('alerts', { place: { lat: 39.05, lon: -95.68 } })
    expect(alerts[2]).toMatchObject({
      event: 'Special Weather Statement',
      headline: 'Special Weather Statement',
      severity: 'Unknown',
      onset: null,
      expires: '2026-11-21T18:00:00.000Z',
    })
  })

  test('no warning in force is another answer than a place that is not covered', async () => {
    const quiet = await run('alerts', { place: { lat: 45, lon: -100 } })
    expect(quiet).toMatchObject({ covered: true, count: 0 })
    const abroad = await run('alerts', { place: vienna })
    expect(abroad).toMatchObject({ covered: false, count: 0, timeZone: null })
  })
})

describe('what leaves', () => {
  test('is the place as it was written, in two decimals at most, and units by name', async () => {
    await forecast({})
    const { searchParams } = new URL(web.server.requests[0]?.target ?? '', 'http://x')
    expect(Object.fromEntries(searchParams)).toMatchObject({
      latitude: '48.2',
      longitude: '16.37',
      timezone: 'auto',
      timeformat: 'unixtime',
      temperature_unit: 'celsius',
      wind_speed_unit: 'kmh',
      precipitation_unit: 'mm',
      forecast_days: '3',
    })
    const declared = manifest.egress?.find(({ id }) => id === 'forecast')?.allow[0]?.query ?? []
    for (const key of searchParams.keys()) expect(declared).toContain(key)
  })

  test.each([
    { lat: 48.2082, lon: 16.3738 },
    { lat: 90.01, lon: 0 },
    { lat: 0, lon: -180.01 },
    { lat: Number.NaN, lon: 0 },
    { lat: 1, lon: 1, name: 'home' },
    { lat: '48', lon: 16 },
  ])('a place such as %j is refused before anything is asked', async (place) => {
    for (const action of ['now', 'forecast', 'alerts', 'sun']) {
      expect(agent.actions.get(action)?.prepare({ place })).toBeUndefined()
    }
  })

  test('every place in hundredths of a degree is accepted, as the text that a number has', () => {
    fc.assert(
      fc.property(fc.integer({ min: -9_000, max: 9_000 }), (hundredths) => {
        const place = { lat: hundredths / 100, lon: (2 * hundredths) / 100 }
        expect(agent.actions.get('now')?.prepare({ place })).toBeDefined()
        expect(String(place.lat)).toMatch(/^-?\d{1,2}(\.\d{1,2})?$/)
      }),
    )
  })
})

describe('bad replies', () => {
  test.each([
    [0, 'too many requests', 'UNAVAILABLE', 'absent'],
    [0.1, 'JSON that is cut off', 'CORRUPT_DATA', 'final'],
    [0.3, 'an error of the server', 'UNAVAILABLE', 'absent'],
    [0.4, 'other units than asked for', 'CORRUPT_DATA', 'final'],
    [0.5, 'a refusal of another shape', 'UNAVAILABLE', 'final'],
    [0.6, 'a zone that does not exist', 'CORRUPT_DATA', 'final'],
    [0.7, 'nothing at the path', 'UNAVAILABLE', 'final'],
    [0.8, 'a redirect', 'UNAVAILABLE', 'final'],
    [0.9, 'a number beyond all numbers', 'CORRUPT_DATA', 'final'],
  ])('latitude %d, %s: %s, %s', async (lat, _what, code, retry) => {
    const failure = await failureOf(run('now', trouble(lat)))
    expect([failure.code, failure.retry]).toEqual([code, retry])
  })

  test('columns of different lengths are refused, because rows would shift', async () => {
    for (const granularity of ['daily', 'hourly']) {
      const failure = await failureOf(run('forecast', { ...trouble(0.2), granularity }))
      expect([failure.code, failure.message]).toEqual([
        'CORRUPT_DATA',
        'columns of different lengths',
      ])
    }
  })

  test('a question that the server refuses is invalid, not unavailable', async () => {
    const failure = await failureOf(run('sun', { place: vienna, date: '2027-11-21' }))
    expect([failure.code, failure.retry]).toEqual(['INVALID_INPUT', 'final'])
  })

  test('a refusal of the gateway ends the action as it is', async () => {
    web.fail(new ActionFailure('UNAVAILABLE', 'final', 'ORIGIN_NOT_ALLOWED'))
    const failure = await failureOf(run('now', { place: vienna }))
    expect(failure.message).toBe('ORIGIN_NOT_ALLOWED')
  })

  test('any JSON at all ends in rows of the declared shape or in CORRUPT_DATA', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.jsonValue(),
        fc.constantFrom('now', 'forecast', 'alerts', 'sun'),
        async (value, action) => {
          const body = JSON.stringify(value)
          const fetch = async () => ({ status: 200, headers: {}, body, url: '' })
          const failure = await failureOf(run(action, { place: vienna }, fetch))
          expect(failure.code).toBe('CORRUPT_DATA')
        },
      ),
      { numRuns: 200 },
    )
  })

  test('rows without a temperature, which end each model’s horizon, are left out', async () => {
    const fetch: ActionContext['fetch'] = async (request) => {
      const reply = await web.fetch(request)
      const body = reply.body.replace(/("temperature_2m":\[)[-\d.]+/, '$1null')
      return { ...reply, body }
    }
    const { hours } = await run(
      'forecast',
      { place: vienna, days: 1, granularity: 'hourly' },
      fetch,
    )
    expect(hours).toHaveLength(23)
    expect(hours[0]?.timeLocal).toBe('01:00')
  })
})

describe('times of a place', () => {
  test.each([
    ['Europe/Vienna', '2027-03-28T00:59:59Z', '2027-03-28T01:59:59+01:00'],
    ['Europe/Vienna', '2027-03-28T01:00:00Z', '2027-03-28T03:00:00+02:00'],
    ['Asia/Kathmandu', '2026-11-21T18:15:00Z', '2026-11-22T00:00:00+05:45'],
    ['America/St_Johns', '2026-11-21T00:00:00Z', '2026-11-20T20:30:00-03:30'],
    ['UTC', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00+00:00'],
  ])('in %s %s is %s', (zone, instant, expected) => {
    expect(timeAt(zone).text(Date.parse(instant) / 1_000)).toBe(expected)
  })

  test('every local time names the instant it came from', () => {
    const zones = ['Europe/Vienna', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata']
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.integer({ min: 0, max: 4_000_000_000 }),
        (zone, instant) => {
          // Before 1972 some offsets had seconds, which RFC 3339 cannot write.
          fc.pre(instant > 63_072_000)
          expect(Date.parse(timeAt(zone).text(instant))).toBe(instant * 1_000)
        },
      ),
    )
  })
})
