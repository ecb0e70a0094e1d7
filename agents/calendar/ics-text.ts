// An ICS file as text with the places of its events in it (RFC 5545, 3.1 and 3.4). Invariant: text
// outside the events that are replaced stays byte for byte, so this file finds and splices and never
// writes a calendar anew. Everything is bounded before it is interpreted. Pure.

import { sha256 } from '../../security/verify/hash.ts'
import type { Component } from '../dav/server.ts'
import { corrupt, tooMuch } from './failures.ts'

/** A folder synchronised for ten years stays far below each of these. */
export const icsLimits = {
  fileBytes: 8 * 1024 * 1024,
  /** An inline picture of an attendee fits; a line that only exists to hurt does not. */
  lineCharacters: 1024 * 1024,
  events: 20_000,
  depth: 8,
} as const

/** One content line, unfolded. */
export interface ContentLine {
  /** In capitals, without parameters. */
  readonly name: string
  readonly text: string
  /** As in the file, folding and line break included. */
  readonly raw: string
  /** 1 for a property of the component itself, more for those of components in it. */
  readonly depth: number
}

export interface Segment {
  readonly start: number
  readonly end: number
  readonly lines: readonly ContentLine[]
}

export interface EventSegment extends Segment {
  readonly uid: string
}

export interface CalendarText {
  readonly calendar: string
  readonly text: string
  readonly events: readonly EventSegment[]
  readonly zones: readonly Segment[]
  /** X-WR-TIMEZONE, as written. */
  readonly zoneName: string | undefined
  readonly newline: '\r\n' | '\n'
  /** Where a new event goes: before the last END:VCALENDAR. */
  readonly insertAt: number
}

/** A calendar with nothing in it. */
export const emptyObject =
  'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Bulkhead//calendar//EN\r\nEND:VCALENDAR\r\n'

/** @throws ActionFailure CORRUPT_DATA or LIMIT_EXCEEDED, naming the calendar and never its content */
export function parseCalendarText(
  calendar: string,
  bytes: Buffer,
  component: Component = 'VEVENT',
): CalendarText {
  const text = decode(calendar, bytes)
  const stack: { name: string; start: number; lines: ContentLine[] }[] = []
  const events: EventSegment[] = []
  const zones: Segment[] = []
  let zoneName: string | undefined
  let insertAt = -1
  for (const line of contentLines(calendar, text)) {
    const captured = stack[1]
    if (line.name === 'BEGIN') {
      if (stack.length === icsLimits.depth) throw tooMuch(`calendar ${calendar}: nested too deeply`)
      stack.push({ name: lineValue(line.text).toUpperCase(), start: line.start, lines: [] })
      if (stack[0]?.name !== 'VCALENDAR') throw corrupt(calendar, 'not an iCalendar file')
    } else if (stack.length === 0) {
      throw corrupt(calendar, 'content outside of VCALENDAR')
    }
    ;(captured ?? stack[1])?.lines.push({ ...line, depth: stack.length - 1 })
    if (line.name === 'X-WR-TIMEZONE' && stack.length === 1)
      zoneName ??= lineValue(line.text).trim()
    if (line.name !== 'END') continue
    const ended = stack.pop()
    if (ended?.name !== lineValue(line.text).toUpperCase())
      throw corrupt(calendar, 'END without BEGIN')
    if (stack.length === 0) insertAt = line.start
    if (stack.length !== 1) continue
    const segment = { start: ended.start, end: line.end, lines: ended.lines }
    if (ended.name === component) events.push({ ...segment, uid: uidOf(segment, text) })
    if (ended.name === 'VTIMEZONE') zones.push(segment)
    if (events.length + zones.length > icsLimits.events)
      throw tooMuch(`calendar ${calendar}: too many events`)
  }
  if (stack.length > 0 || insertAt === -1) throw corrupt(calendar, 'cut off before its end')
  const newline = text.includes('\r\n') ? '\r\n' : '\n'
  return { calendar, text, events, zones, zoneName, newline, insertAt }
}

function decode(calendar: string, bytes: Buffer): string {
  try {
    // A byte order mark stays in the text, so that writing gives it back.
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    if (text.includes('\0')) throw corrupt(calendar, 'contains a NUL character')
    return text
  } catch (error) {
    throw error instanceof TypeError ? corrupt(calendar, 'is not UTF-8') : error
  }
}

interface PlacedLine extends Omit<ContentLine, 'depth'> {
  readonly start: number
  readonly end: number
}

function* contentLines(calendar: string, text: string): Generator<PlacedLine> {
  let at = text.startsWith('\ufeff') ? 1 : 0
  while (at < text.length) {
    const start = at
    const parts: string[] = []
    let length = 0
    do {
      const newline = text.indexOf('\n', at)
      const next = newline === -1 ? text.length : newline + 1
      const contentEnd = newline === -1 ? next : newline - (text[newline - 1] === '\r' ? 1 : 0)
      const part = text.slice(parts.length === 0 ? at : at + 1, Math.max(at, contentEnd))
      parts.push(part)
      length += part.length
      if (length > icsLimits.lineCharacters)
        throw tooMuch(`calendar ${calendar}: a line is too long`)
      at = next
    } while (text[at] === ' ' || text[at] === '\t')
    const unfolded = parts.join('')
    if (unfolded.trim() === '') continue
    const nameEnd = unfolded.search(/[;:]/)
    if (nameEnd === -1) throw corrupt(calendar, 'a line is neither property nor continuation')
    yield {
      name: unfolded.slice(0, nameEnd).trim().toUpperCase(),
      text: unfolded,
      raw: text.slice(start, at),
      start,
      end: at,
    }
  }
}

/** What follows the colon, quoted parameters skipped. */
export function lineValue(line: string): string {
  let quoted = false
  for (let at = 0; at < line.length; at += 1) {
    if (line[at] === '"') quoted = !quoted
    else if (line[at] === ':' && !quoted) return line.slice(at + 1)
  }
  return ''
}

/** RFC 5545 demands a UID; an event without one gets the hash of its text, which is as stable. */
function uidOf(segment: Segment, text: string): string {
  const line = segment.lines.find(({ name, depth }) => name === 'UID' && depth === 1)
  const uid = line === undefined ? '' : unescapeText(lineValue(line.text)).trim()
  return uid === '' ? `no-uid-${sha256(text.slice(segment.start, segment.end))}` : uid
}

/** RFC 5545, 3.3.11. */
export function unescapeText(value: string): string {
  return value.replace(/\\([\\;,nN])/g, (_, character: string) =>
    character === 'n' || character === 'N' ? '\n' : character,
  )
}

/** The components of each event, its series and its exceptions, by UID. */
export function groupsOf(file: CalendarText): ReadonlyMap<string, readonly EventSegment[]> {
  const groups = new Map<string, EventSegment[]>()
  for (const segment of file.events) {
    const group = groups.get(segment.uid)
    if (group === undefined) groups.set(segment.uid, [segment])
    else group.push(segment)
  }
  return groups
}

/** The exact texts of all components of one event; none when there is no such event. */
export function groupTexts(file: CalendarText, uid: string): string[] {
  return textsOf(file, segmentsOf(file, uid))
}

export function textsOf(file: CalendarText, segments: readonly EventSegment[]): string[] {
  return segments.map(({ start, end }) => file.text.slice(start, end))
}

/**
 * Equal for two spellings of the same components: servers fold lines anew and put properties in an
 * order of their own. What a server rewords is told apart, which errs towards asking a person.
 */
export function contentOf(texts: readonly string[]): string {
  const components = texts.map((text) =>
    text
      .replace(/\r?\n[ \t]/g, '')
      .split(/\r?\n/)
      .map((line) => line.trimEnd())
      .filter((line) => line !== '')
      .sort()
      .join('\n'),
  )
  return components.sort().join('\n\n')
}

function segmentsOf(file: CalendarText, uid: string): EventSegment[] {
  return file.events.filter((segment) => segment.uid === uid)
}

/** Identifies an event's state: base64url SHA-256 over the exact text of all its components. */
export function etagOf(texts: readonly string[]): string {
  return sha256(texts.join('\n'))
}

/**
 * The file with the event's components replaced one by one; surplus old ones go, surplus new ones
 * follow the last, or stand at the end of the calendar when there was none.
 */
export function withGroup(file: CalendarText, uid: string, texts: readonly string[]): string {
  const segments = segmentsOf(file, uid)
  const last = segments.at(-1)
  let result = ''
  let at = 0
  for (const [index, segment] of segments.entries()) {
    const added = segment === last ? texts.slice(index).join('') : (texts[index] ?? '')
    result += file.text.slice(at, segment.start) + added
    at = segment.end
  }
  if (last === undefined) {
    result = file.text.slice(0, file.insertAt) + texts.join('')
    at = file.insertAt
  }
  return result + file.text.slice(at)
}
