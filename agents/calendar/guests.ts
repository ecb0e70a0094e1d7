// Who else is in an event or a reminder, and would be told: a server that schedules by itself (RFC 6638, 3.2)
// mails them whenever what it keeps is changed or deleted, and nothing tells beforehand whether this one
// does. Which of the addresses is the person's own, nobody here knows, so that whoever is invited counts,
// and it errs towards asking. Pure.

import type { Component } from '../dav/server.ts'
import { tellsOthers } from './failures.ts'
import { type EventSegment, lineValue, parseCalendarText } from './ics-text.ts'

/** Addresses of all components together, besides the one that invites. */
export function guestsIn(segments: readonly EventSegment[]): number {
  return new Set(segments.flatMap(guestsOf)).size
}

function guestsOf(segment: EventSegment): readonly string[] {
  const addresses = (name: string) =>
    segment.lines
      .filter((line) => line.depth === 1 && line.name === name)
      .map(({ text }) => lineValue(text).trim().toLowerCase())
  const [organizer] = addresses('ORGANIZER')
  return addresses('ATTENDEE').filter((address) => address !== organizer)
}

/**
 * @param texts components as they were and as they shall be: who is told of the one or the other
 * @throws ActionFailure TELLS_OTHERS with `ask`, when there is anybody to be told
 */
export function requireNobodyTold(
  calendar: string,
  texts: readonly string[],
  component: Component,
): void {
  const bytes = Buffer.from(`BEGIN:VCALENDAR\n${texts.join('')}END:VCALENDAR\n`)
  if (guestsIn(parseCalendarText(calendar, bytes, component).events) > 0) throw tellsOthers()
}
