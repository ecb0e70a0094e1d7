// A day's titles as node-ical reads them: a reader that shares no code with the calendar agent.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ical from 'node-ical'

function dayIn(timeZone: string, date: Date): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' }).format(date)
}

/** Titles of all events of all calendars in a folder that lie on today's date in its time zone. */
export function titlesOfToday(folder: string): string[] {
  return titlesAround(folder, new Date())
}

/** The same of the day in which an instant lies; whole days are left out. */
export function titlesAround(folder: string, now: Date): string[] {
  const timeZone = readFileSync(join(folder, 'timezone'), 'utf8').trim()
  const today = dayIn(timeZone, now)
  const dayMs = 24 * 3_600_000
  const titles = new Set<string>()
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.ics'))) {
    const events = ical.sync.parseICS(readFileSync(join(folder, name), 'utf8'))
    for (const event of Object.values(events)) {
      if (event?.type !== 'VEVENT') continue
      const instances = ical.expandRecurringEvent(event, {
        from: new Date(now.getTime() - 2 * dayMs),
        to: new Date(now.getTime() + 2 * dayMs),
      })
      for (const instance of instances) {
        if (instance.isFullDay) continue
        if (dayIn(timeZone, instance.start) === today) titles.add(String(instance.summary))
      }
    }
  }
  return [...titles]
}
