// Recurrence, compared with node-ical, a reader that shares no code with the agent.

import ical from 'node-ical'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CalendarFolder, calendarOf } from './calendar-folder.ts'

let folder: CalendarFolder
beforeEach(() => {
  folder = new CalendarFolder()
})
afterEach(() => folder.remove())

/** Instants at which node-ical sees timed events start, sorted. */
function startsByNodeIcal(text: string, from: Date, to: Date): string[] {
  const starts: number[] = []
  for (const event of Object.values(ical.sync.parseICS(text))) {
    if (event?.type !== 'VEVENT') continue
    for (const instance of ical.expandRecurringEvent(event, { from, to })) {
      const start = instance.start.getTime()
      if (start >= from.getTime() && start < to.getTime()) starts.push(start)
    }
  }
  return starts.sort((a, b) => a - b).map((start) => new Date(start).toISOString())
}

async function startsByAgent(from: Date, to: Date, timeZone = 'UTC'): Promise<string[]> {
  const { events } = await folder.run('search', {
    query: 'e',
    from: `${from.toISOString().slice(0, 19)}Z`,
    to: `${to.toISOString().slice(0, 19)}Z`,
    limit: 500,
    timeZone,
  })
  return events
    .map(({ start }) => new Date(start))
    .filter((start) => start >= from && start < to)
    .map((start) => start.toISOString())
}

describe('recurrence', () => {
  const zones = [
    'Europe/Vienna',
    'America/New_York',
    'Australia/Lord_Howe',
    'Asia/Kathmandu',
    'America/Santiago',
    'UTC',
  ]
  const rules = [
    'FREQ=DAILY',
    'FREQ=DAILY;INTERVAL=3;COUNT=40',
    'FREQ=WEEKLY;BYDAY=MO,WE,FR',
    'FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SA;WKST=SU',
    'FREQ=WEEKLY;UNTIL=20261101T120000Z',
    'FREQ=MONTHLY;BYMONTHDAY=-1',
    'FREQ=MONTHLY;BYMONTHDAY=31',
    'FREQ=MONTHLY;BYDAY=2TU',
    'FREQ=MONTHLY;BYDAY=-1FR',
    'FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1',
    'FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13',
    'FREQ=YEARLY;BYMONTH=11;BYDAY=4TH',
    'FREQ=YEARLY',
    'FREQ=YEARLY;BYMONTH=3,10;BYDAY=-1SU',
    'FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR',
    'FREQ=DAILY;BYMONTH=3,11',
  ]
  const cases = zones.flatMap((zone) => rules.map((rule) => [zone, rule] as const))

  test.each(cases)('in %s, %s is expanded as node-ical expands it', async (zone, rule) => {
    for (const clock of ['023000', '090000', '233000']) {
      // Starts that belong to the rule, so that no reader may add or leave out the first.
      const first = firstDay(rule)
      const start =
        zone === 'UTC' ? `DTSTART:${first}T${clock}Z` : `DTSTART;TZID=${zone}:${first}T${clock}`
      const text = calendarOf([start, 'DURATION:PT45M', `RRULE:${rule}`, 'SUMMARY:e'])
      folder.save('c', text)
      for (const [from, to] of [
        ['2026-03-01', '2026-04-15'],
        ['2026-09-20', '2026-11-20'],
      ] as const) {
        const range = [new Date(`${from}T00:00:00Z`), new Date(`${to}T00:00:00Z`)] as const
        expect(await startsByAgent(...range)).toEqual(startsByNodeIcal(text, ...range))
      }
    }
  })

  function firstDay(rule: string): string {
    if (rule.includes('BYDAY=TU,SA')) return '20260106'
    if (rule.includes('2TU')) return '20260113'
    if (rule.includes('-1FR') || rule.includes('BYSETPOS')) return '20260130'
    if (rule.includes('BYMONTHDAY=13')) return '20260213'
    if (rule.includes('4TH')) return '20251127'
    if (rule.includes('BYMONTH=3,10')) return '20251026'
    if (rule.includes('BYMONTH=3,11')) return '20260301'
    if (rule.includes('BYMONTHDAY')) return '20260131'
    return rule === 'FREQ=YEARLY' ? '20201104' : '20260105'
  }
})
