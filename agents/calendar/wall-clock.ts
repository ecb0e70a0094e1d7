// Times as two kinds of number, so that they can be compared and stepped cheaply: an instant
// (milliseconds since the epoch) and a wall-clock reading (the milliseconds that the same reading
// would be in UTC). A Zone turns one into the other. Pure.

import { invalid } from './failures.ts'

export type InstantMs = number
export type WallMs = number
export const dayMs = 24 * 60 * 60 * 1_000
const minuteMs = 60_000

export interface Zone {
  readonly id: string
  /** Offset from UTC that is in force at an instant. */
  offsetAt(instant: InstantMs): number
}

export const utc: Zone = { id: 'UTC', offsetAt: () => 0 }

export function toWall(zone: Zone, instant: InstantMs): WallMs {
  return instant + zone.offsetAt(instant)
}

/**
 * RFC 5545, 3.3.5: of a reading that occurs twice the first; a reading that is skipped is taken with
 * the offset before the gap. Assumes at most one change of the offset within two days.
 */
export function toInstant(zone: Zone, wall: WallMs): InstantMs {
  const before = zone.offsetAt(wall - dayMs)
  const after = zone.offsetAt(wall + dayMs)
  if (before === after) return wall - before
  if (zone.offsetAt(wall - before) === before) return wall - before
  return zone.offsetAt(wall - after) === after ? wall - after : wall - before
}

/** Midnight at the beginning of the day that a reading falls on. */
export function startOfDay(wall: WallMs): WallMs {
  return Math.floor(wall / dayMs) * dayMs
}

/** 'YYYY-MM-DD' */
export function dateText(wall: WallMs): string {
  return new Date(wall).toISOString().slice(0, 10)
}

/** 'HH:MM' */
export function clockText(wall: WallMs): string {
  return new Date(wall).toISOString().slice(11, 16)
}

/** RFC 3339 with the zone's offset at that instant. */
export function instantText(zone: Zone, instant: InstantMs): string {
  const offset = zone.offsetAt(instant)
  const minutes = Math.abs(Math.round(offset / minuteMs))
  const two = (value: number) => String(value).padStart(2, '0')
  const sign = offset < 0 ? '-' : '+'
  const reading = new Date(instant + offset).toISOString().slice(0, 19)
  return `${reading}${sign}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
}

export interface WrittenTime {
  readonly kind: 'date' | 'local' | 'utc'
  /** Of `utc` the instant, which is its own reading. */
  readonly wall: WallMs
}

const isoTime = /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2}))?(Z|[+-]\d{2}:\d{2})?)?$/

/** `YYYY-MM-DD[THH:MM[:SS][Z]]`; undefined unless it exists in the calendar. A leap second is :59. */
export function parseWritten(text: string): WrittenTime | undefined {
  const match = isoTime.exec(text)
  if (match === null) return undefined
  const [year, month, day, hour, minute, second] = match
    .slice(1, 7)
    .map((part: string | undefined) => Number(part ?? 0))
  const fields = [year ?? 0, (month ?? 0) - 1, day ?? 0, hour ?? 0, minute ?? 0] as const
  const wall = Date.UTC(...fields, Math.min(second ?? 0, 59))
  const exists =
    (year ?? 0) >= 1 &&
    (second ?? 0) <= 60 &&
    new Date(wall).toISOString().startsWith(text.length === 10 ? text : text.slice(0, 16))
  if (!exists) return undefined
  const offset = match[7]
  if (match[4] === undefined) return { kind: 'date', wall }
  if (offset === undefined) return { kind: 'local', wall }
  return { kind: 'utc', wall: wall - offsetOf(offset) }
}

function offsetOf(text: string): number {
  if (text === 'Z') return 0
  const size = (Number(text.slice(1, 3)) * 60 + Number(text.slice(4, 6))) * minuteMs
  return text.startsWith('-') ? -size : size
}

/**
 * A time from an argument as a reading in `zone`.
 * @throws ActionFailure INVALID_INPUT
 */
export function parseMoment(
  text: string,
  zone: Zone,
): { allDay: boolean; wall: WallMs; instant: InstantMs } {
  const written = parseWritten(text)
  if (written === undefined) throw invalid('a time that is in no calendar')
  const instant = written.kind === 'utc' ? written.wall : toInstant(zone, written.wall)
  return { allDay: written.kind === 'date', wall: toWall(zone, instant), instant }
}
