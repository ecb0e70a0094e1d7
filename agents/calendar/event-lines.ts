// Content lines written: new ones, and changed ones among those that stay as they are. Invariant: no
// value, whatever it contains, becomes more than one property (RFC 5545, 3.1 and 3.3.11). Pure.

import type { EventTime } from './event-properties.ts'
import type { ContentLine } from './ics-text.ts'
import { type InstantMs, toWall, type WallMs, type Zone } from './wall-clock.ts'

/** `NAME:value` with a text value, escaped and folded. */
export function textLine(name: string, text: string, newline: string): string {
  const value = text
    .replace(/\r\n?/g, '\n')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it removes
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, '')
    .replace(/[\\;,]/g, '\\$&')
    .replaceAll('\n', '\\n')
  return folded(`${name}:${value}`, newline)
}

/** Lines of at most 75 octets, broken between characters. */
export function folded(line: string, newline: string): string {
  const parts: string[] = []
  let part = ''
  let octets = 0
  for (const character of line) {
    const size = Buffer.byteLength(character)
    if (octets + size > 75) {
      parts.push(part)
      part = ' '
      octets = 1
    }
    part += character
    octets += size
  }
  return [...parts, part].join(newline) + newline
}

/** A day, or an instant on a zone's clock. */
export type TimeToWrite =
  | { readonly kind: 'date'; readonly day: WallMs }
  | { readonly kind: 'instant'; readonly instant: InstantMs }

/** How a time is to be written: as a date, in UTC, floating, or with the TZID of a zone. */
export interface TimeStyle extends Pick<EventTime, 'kind' | 'zone'> {
  /** Clock for `local`. */
  readonly clock: Zone
}

export function timeLine(name: string, time: TimeToWrite, style: TimeStyle): string {
  if (time.kind === 'date') return `${name};VALUE=DATE:${basic(time.day).slice(0, 8)}`
  if (style.kind === 'utc') return `${name}:${basic(time.instant)}Z`
  const reading = basic(toWall(style.clock, time.instant))
  return style.zone === undefined
    ? `${name}:${reading}`
    : `${name};TZID=${quoted(style.zone)}:${reading}`
}

/** An instance of a series by its reading, in the style of the series' start. */
export function readingLine(
  name: string,
  wall: WallMs,
  { kind, zone }: Pick<EventTime, 'kind' | 'zone'>,
): string {
  if (kind === 'date') return `${name};VALUE=DATE:${basic(wall).slice(0, 8)}`
  if (kind === 'utc') return `${name}:${basic(wall)}Z`
  return zone === undefined
    ? `${name}:${basic(wall)}`
    : `${name};TZID=${quoted(zone)}:${basic(wall)}`
}

/** `YYYYMMDDTHHMMSS` */
export function basic(wall: WallMs): string {
  return new Date(wall).toISOString().slice(0, 19).replace(/[-:]/g, '')
}

function quoted(zone: string): string {
  return /[:;,]/.test(zone) ? `"${zone.replaceAll('"', '')}"` : zone
}

/**
 * An event's text with properties replaced: each named one goes, and its new lines stand where the
 * first of them stood, or before what the event contains. Nested components are not touched.
 * @param changes by property name; null removes
 */
export function withProperties(
  lines: readonly ContentLine[],
  changes: ReadonlyMap<string, string | null>,
): string {
  const pending = new Map(changes)
  const take = (name: string) => {
    const change = pending.get(name) ?? ''
    pending.delete(name)
    return change
  }
  let result = ''
  for (const [index, line] of lines.entries()) {
    const isProperty = line.depth === 1 && line.name !== 'BEGIN' && line.name !== 'END'
    // The first BEGIN is the event's own.
    if (!isProperty && index > 0 && pending.size > 0) {
      for (const name of [...pending.keys()]) result += take(name)
    }
    result += isProperty && changes.has(line.name) ? take(line.name) : line.raw
  }
  return result
}
