// Which time zone applies, and where its rules come from: a VTIMEZONE of the file, else the IANA
// database of the runtime. Invariant: a name that neither knows is an error, never UTC. The rules of a
// VTIMEZONE come from outside, so the number of changes that they make is bounded. Windows
// names ("W. Europe Standard Time") are no IANA names: they work only where the file defines them.

import { Temporal } from 'temporal-polyfill'
import { corrupt, invalid, tooMuch } from './failures.ts'
import type { CalendarText, ContentLine, Segment } from './ics-text.ts'
import { lineValue } from './ics-text.ts'
import { createMeter, type Meter, parseBasic, ruleReadings } from './recurrence.ts'
import type { InstantMs, WallMs, Zone } from './wall-clock.ts'

/** After this year the last known offset stays; nobody can know the rules of then. */
const lastYear = 2100
/** Two changes a year since 1800. */
const maxChanges = 600
/** Zones that the events of one file may be in. */
const maxZones = 100
/** Of one VTIMEZONE; the longest history of the IANA database has fewer. */
const maxObservances = 250
/** How many distinct hours of offsets one zone remembers. */
const maxRemembered = 50_000

/** @returns undefined for anything but an IANA name */
export function ianaZone(name: string): Zone | undefined {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/.test(name)) return undefined
  try {
    const { timeZoneId } = new Temporal.ZonedDateTime(0n, name)
    const remembered = new Map<number, number>()
    return {
      id: timeZoneId,
      offsetAt(instant) {
        // Offsets change on quarters of an hour only, at least since 1972.
        const quarter = Math.floor(instant / 900_000)
        const known = remembered.get(quarter)
        if (known !== undefined) return known
        const at = Temporal.Instant.fromEpochMilliseconds(quarter * 900_000)
        const offset = at.toZonedDateTimeISO(timeZoneId).offsetNanoseconds / 1_000_000
        if (remembered.size < maxRemembered) remembered.set(quarter, offset)
        return offset
      },
    }
  } catch {
    return undefined
  }
}

/** @throws ActionFailure INVALID_INPUT */
export function requestedZone(name: string): Zone {
  const zone = ianaZone(name)
  if (zone === undefined) throw invalid('timeZone is not an IANA name such as Europe/Vienna')
  return zone
}

/**
 * Finds the zone a TZID of one file means. Lazy: a zone that is not asked for may be broken.
 * @param shared zones of files that are read together, by their definition: a server's objects each
 *   bring their own copy of it
 */
export function zonesOf(
  file: CalendarText,
  shared: Map<string, Zone> = new Map(),
): (tzid: string) => Zone {
  const known = new Map<string, Zone>()
  const meter = createMeter(200_000)
  return (tzid) => {
    const already = known.get(tzid)
    if (already !== undefined) return already
    const segment = definitionOf(file, tzid)
    const text = segment === undefined ? tzid : file.text.slice(segment.start, segment.end)
    const zone =
      shared.get(text) ??
      (segment === undefined ? ianaZone(tzid) : definedZone(file, { tzid, segment, meter }))
    if (zone === undefined) {
      throw corrupt(file.calendar, 'a time zone is neither defined in the file nor an IANA name')
    }
    known.set(tzid, zone)
    shared.set(text, zone)
    if (known.size > maxZones) throw tooMuch(`calendar ${file.calendar}: too many time zones`)
    return zone
  }
}

interface Change {
  readonly at: InstantMs
  readonly before: number
  readonly offset: number
}

function definitionOf(file: CalendarText, tzid: string): Segment | undefined {
  return file.zones.find((candidate) =>
    candidate.lines.some(
      ({ name, depth, text }) => name === 'TZID' && depth === 1 && lineValue(text).trim() === tzid,
    ),
  )
}

function definedZone(
  file: CalendarText,
  {
    tzid,
    segment,
    meter,
  }: { readonly tzid: string; readonly segment: Segment; readonly meter: Meter },
): Zone {
  const observances = observancesOf(segment)
  if (observances.length > maxObservances)
    throw corrupt(file.calendar, 'a VTIMEZONE with too many parts')
  const changes = observances.flatMap((lines) => changesOf(file, lines, meter))
  changes.sort((left, right) => left.at - right.at)
  const first = changes[0]
  if (first === undefined) throw corrupt(file.calendar, 'a VTIMEZONE without STANDARD or DAYLIGHT')
  const earliest = first.before
  return {
    id: tzid,
    offsetAt(instant) {
      let low = 0
      let high = changes.length
      while (low < high) {
        const middle = (low + high) >>> 1
        if ((changes[middle]?.at ?? 0) <= instant) low = middle + 1
        else high = middle
      }
      return changes[low - 1]?.offset ?? earliest
    },
  }
}

function observancesOf(segment: Segment): ContentLine[][] {
  const observances: ContentLine[][] = []
  for (const line of segment.lines) {
    if (line.depth < 2) continue
    if (line.name === 'BEGIN') observances.push([])
    else observances.at(-1)?.push(line)
  }
  return observances
}

interface Onset {
  readonly start: WallMs
  readonly before: number
  readonly meter: Meter
}

function changesOf(file: CalendarText, lines: readonly ContentLine[], meter: Meter): Change[] {
  const value = (name: string) => {
    const line = lines.find((candidate) => candidate.name === name)
    return line === undefined ? '' : lineValue(line.text).trim()
  }
  const start = parseBasic(value('DTSTART'))?.wall
  const before = parseOffset(value('TZOFFSETFROM'))
  const offset = parseOffset(value('TZOFFSETTO'))
  if (start === undefined || before === undefined || offset === undefined) {
    throw corrupt(file.calendar, 'a VTIMEZONE without a valid DTSTART or offset')
  }
  const walls = new Set<WallMs>([start])
  for (const line of lines.filter(({ name }) => name === 'RDATE')) {
    for (const text of lineValue(line.text).split(',', maxChanges)) {
      const wall = parseBasic(text.trim())?.wall
      if (wall === undefined) throw corrupt(file.calendar, 'a VTIMEZONE with an invalid RDATE')
      walls.add(wall)
    }
  }
  const rule = value('RRULE')
  if (rule !== '') for (const wall of yearly(file, rule, { start, before, meter })) walls.add(wall)
  if (walls.size > maxChanges) throw corrupt(file.calendar, 'a VTIMEZONE with too many changes')
  return [...walls].map((wall) => ({ at: wall - before, offset, before }))
}

/** `+HHMM[SS]`, RFC 5545, 3.3.14. */
function parseOffset(text: string): number | undefined {
  const match = /^([+-])([01]\d|2[0-3])([0-5]\d)([0-5]\d)?$/.exec(text)
  if (match === null) return undefined
  const [, sign, hours, minutes, seconds] = match
  const size = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds ?? 0)) * 1_000
  return sign === '-' ? -size : size
}

function yearly(file: CalendarText, rule: string, { start, before, meter }: Onset): WallMs[] {
  const readings = ruleReadings({
    calendar: file.calendar,
    rule,
    start,
    isDate: false,
    from: start,
    stop: Date.UTC(lastYear, 11, 31),
    toWall: (until) => (until.kind === 'utc' ? until.wall + before : until.wall),
    meter,
  })
  const walls: WallMs[] = []
  for (const wall of readings) {
    walls.push(wall)
    if (walls.length > maxChanges) break
  }
  return walls
}
