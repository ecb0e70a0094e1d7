// From a local time to an instant: what comes next, over both changes of clocks, and in any zone.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { startInstant } from '../../plan/start-time.ts'

const vienna = 'Europe/Vienna'
const at = (local: string, base: string, zone?: string) =>
  new Date(
    startInstant(zone === undefined ? { local } : { local, zone }, {
      base: Date.parse(base),
      zone: vienna,
    }),
  ).toISOString()

describe('a time of day', () => {
  it.each([
    ['later today', '10:00', '2027-01-15T08:00:00Z', '2027-01-15T09:00:00.000Z'],
    ['now', '09:00', '2027-01-15T08:00:00Z', '2027-01-15T08:00:00.000Z'],
    ['tomorrow, when it is over', '09:00', '2027-01-15T08:00:00.001Z', '2027-01-16T08:00:00.000Z'],
    ['with seconds', '09:00:30', '2027-01-15T08:00:00Z', '2027-01-15T08:00:30.000Z'],
    // 28 March 2027: 02:00 becomes 03:00.
    ['that is left out', '02:30', '2027-03-27T23:30:00Z', '2027-03-28T01:30:00.000Z'],
    ['after the change', '03:30', '2027-03-27T23:30:00Z', '2027-03-28T01:30:00.000Z'],
    // 31 October 2027: 03:00 becomes 02:00.
    ['that comes twice', '02:30', '2027-10-30T22:00:00Z', '2027-10-31T00:30:00.000Z'],
    ['whose first is over', '02:30', '2027-10-31T00:45:00Z', '2027-10-31T01:30:00.000Z'],
    ['whose both are over', '02:30', '2027-10-31T01:45:00Z', '2027-11-01T01:30:00.000Z'],
  ])('%s', (_, local, base, wanted) => {
    expect(at(local, base)).toBe(wanted)
  })

  it('is one of the zone that the plan names', () => {
    expect(at('10:00', '2027-01-15T08:00:00Z', 'UTC')).toBe('2027-01-15T10:00:00.000Z')
    expect(at('10:00', '2027-01-15T08:00:00Z', 'Asia/Tokyo')).toBe('2027-01-16T01:00:00.000Z')
  })

  it('is never before what it is counted from, and shows that time there unless it is left out', () => {
    const zones = fc.constantFrom(vienna, 'UTC', 'America/New_York', 'Australia/Lord_Howe')
    const times = fc.tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
    const bases = fc.integer({ min: 0, max: Date.parse('2037-01-01T00:00:00Z') })
    fc.assert(
      fc.property(zones, times, bases, (zone, [hour, minute], base) => {
        const text = (value: number) => String(value).padStart(2, '0')
        const local = `${text(hour)}:${text(minute)}`
        const instant = startInstant({ local, zone }, { base, zone: 'UTC' })
        expect(instant).toBeGreaterThanOrEqual(base)
        // A day and an hour: what a change of clocks can add.
        expect(instant - base).toBeLessThanOrEqual(25 * 3_600_000)
        const shown = new Intl.DateTimeFormat('en-GB', {
          ...{ timeZone: zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
        }).format(instant)
        const minutes = (clock: string) => {
          const [h = 0, m = 0] = clock.split(':').map(Number)
          return h * 60 + m
        }
        // A gap is an hour, or half of one.
        const late = (minutes(shown) - minutes(local) + 1_440) % 1_440
        expect([0, 30, 60]).toContain(late)
      }),
      { numRuns: 500 },
    )
  })
})

describe('a day and a time', () => {
  it.each([
    ['to come', '2027-02-01T10:00', '2027-02-01T09:00:00.000Z'],
    ['that is over', '2026-02-01T10:00', '2026-02-01T09:00:00.000Z'],
    ['that is left out', '2027-03-28T02:30', '2027-03-28T01:30:00.000Z'],
    ['that comes twice', '2027-10-31T02:30', '2027-10-31T00:30:00.000Z'],
  ])('%s', (_, local, wanted) => {
    expect(at(local, '2027-01-15T08:00:00Z')).toBe(wanted)
  })
})
