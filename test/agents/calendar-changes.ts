// A calendar of three events in Vienna that tests change, and the calls that change it.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { etagOf, groupTexts, parseCalendarText } from '../../agents/calendar/ics-text.ts'
import { idemOf } from './action-context.ts'
import { CalendarFolder, calendarOf, vienna } from './calendar-folder.ts'

export const original = calendarOf(
  [
    'UID:dentist',
    vienna('DTSTART', '20261123T100000'),
    'DURATION:PT1H',
    'SUMMARY:Dentist',
    'X-COLOR:red',
    'BEGIN:VALARM',
    'ACTION:DISPLAY',
    'SUMMARY:alarm',
    'TRIGGER:-PT15M',
    'END:VALARM',
  ],
  [
    'UID:weekly',
    vienna('DTSTART', '20261005T090000'),
    vienna('DTEND', '20261005T093000'),
    'RRULE:FREQ=WEEKLY',
    'SUMMARY:Weekly',
  ],
  ['UID:trip', 'DTSTART;VALUE=DATE:20261201', 'DTEND;VALUE=DATE:20261203', 'SUMMARY:Trip'],
)

export class ChangedFolder extends CalendarFolder {
  constructor() {
    super()
    this.save('work', original)
    this.save('timezone', 'Europe/Vienna\n')
  }
  create(args: object = {}, idem?: string) {
    const meeting = { summary: 'Meeting', start: '2026-11-24T10:00', durationMinutes: 45 }
    return this.run('create', { calendar: 'work', ...meeting, ...args }, idem)
  }
  find(query: string) {
    return this.run('search', { query, from: '2026-10-01', to: '2027-03-01' })
  }
  etag(uid: string): string {
    return etagOf(groupTexts(parseCalendarText('work', Buffer.from(this.text('work'))), uid))
  }
  update(args: EventArgs, idem = idemOf('update')) {
    return this.run('update', { ...this.#target(args), ...args }, idem)
  }
  delete(args: EventArgs, idem = idemOf('delete')) {
    return this.run('delete', { ...this.#target(args), ...args }, idem)
  }
  revert(change: string, args: object = {}) {
    return this.run('revert', { calendar: 'work', change, ...args }, idemOf('revert'))
  }
  /** As if the process had died before it noted that the calendar holds the change. */
  forgetApplied(idem: string): void {
    const file = join(this.path, '.bulkhead', `change-${idem}.json`)
    writeFileSync(file, readFileSync(file, 'utf8').replace('"applied":true', '"applied":false'))
  }
  #target({ uid }: EventArgs): object {
    return { calendar: 'work', scope: 'all', ifMatch: this.etag(uid) }
  }
}

interface EventArgs {
  readonly uid: string
  readonly [argument: string]: unknown
}
