// A temporary folder of calendars, written as ICS, and the calendar agent at work on it.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { z } from 'zod'
import { agent } from '../../agents/calendar/agent.ts'
import type { manifest } from '../../agents/calendar/manifest.ts'
import { perform } from './action-context.ts'

type Actions = typeof manifest.actions
export type ResultOf<Name extends keyof Actions> = z.infer<Actions[Name]['output']>

/** Its methods parse results with the manifest, so they have the manifest's types. */
export class CalendarFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'bulkhead-calendar-'))
  now = Date.parse('2026-11-21T08:00:00Z')

  save(name: string, text: string | Buffer): void {
    writeFileSync(join(this.path, name === 'timezone' ? name : `${name}.ics`), text)
  }
  text(name: string): string {
    return readFileSync(join(this.path, `${name}.ics`), 'utf8')
  }
  remove(): void {
    rmSync(this.path, { recursive: true, force: true })
  }
  async run<Name extends keyof Actions>(
    action: Name,
    args: object,
    idem?: string,
  ): Promise<ResultOf<Name>> {
    const setting = { folder: this.path, now: this.now }
    const result = await perform(agent, {
      action,
      args,
      setting,
      ...(idem === undefined ? {} : { idem }),
    })
    return result as ResultOf<Name>
  }
}

/** A calendar of events given as content lines; those without a UID are numbered. */
export function calendarOf(...events: string[][]): string {
  const lines = events.flatMap((event, index) => [
    'BEGIN:VEVENT',
    ...(event.some((line) => line.startsWith('UID:')) ? [] : [`UID:${index}`]),
    'DTSTAMP:20260101T000000Z',
    ...event,
    'END:VEVENT',
  ])
  return [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//test//test',
    ...lines,
    'END:VCALENDAR',
    '',
  ].join('\r\n')
}

/** A reading in Vienna. */
export const vienna = (name: string, reading: string) => `${name};TZID=Europe/Vienna:${reading}`
