// Plan files for tests of the whole command, and a calendar whose text means harm to a terminal.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Writes `<folder>/<name>.yaml` and returns its path; `text` is everything from `steps:` on. */
export function writePlan(folder: string, name: string, text: string): string {
  const file = join(folder, `${name}.yaml`)
  writeFileSync(file, `version: 1\ngoal: ${name}\n${text}`)
  return file
}

/** One step of the notes agent. */
export const noteStep = (id: string, action: string, args: string, more = ''): string =>
  `  - { id: ${id}, agent: notes, action: ${action}, args: ${args}${more} }\n`

export const appendStep = (id: string, note: string, text: string, more?: string): string =>
  noteStep(id, 'append', `{ note: ${note}, text: ${text} }`, more)

export const hostileCalendar = [
  'BEGIN:VCALENDAR',
  'VERSION:2.0',
  'PRODID:-//test//test//EN',
  'BEGIN:VEVENT',
  'UID:hostile@example.org',
  'DTSTAMP:20260101T000000Z',
  'DTSTART:20200101T090000Z',
  'DTEND:20200101T093000Z',
  'RRULE:FREQ=DAILY',
  'SUMMARY:hostile title \u001b[31m\u009b2J\u202E',
  'END:VEVENT',
  'END:VCALENDAR',
  '',
].join('\r\n')
