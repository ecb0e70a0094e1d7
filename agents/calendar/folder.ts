// The folder of calendars: which files are calendars, how they are read, and which zone the viewer is
// in. Invariant: a calendar that cannot be read ends the command; none is left out in silence.

import { listStored, readStored } from '../data-folder.ts'
import { isFileStem } from '../file-stem.ts'
import { corrupt, invalid, notFound, tooMuch } from './failures.ts'
import { icsLimits, parseCalendarText } from './ics-text.ts'
import type { FileReader } from './occurrences.ts'
import { utc, type Zone } from './wall-clock.ts'
import { ianaZone, requestedZone, zonesOf } from './zones.ts'

const suffix = '.ics'
/** Calendars of one folder; a household has a dozen. */
const maxCalendars = 64
/** Of all calendars that one command reads: parsing takes about a second for each 8 MiB. */
const maxTotalBytes = 32 * 1024 * 1024
/** A file in the folder whose one line is the IANA name of the zone the person lives in. */
const zoneFile = 'timezone'

/** @throws ActionFailure INVALID_INPUT when `calendar` cannot be a calendar's name */
export function fileNameOf(calendar: string): string {
  if (!isFileStem(calendar)) throw invalid('not the name of a calendar')
  return `${calendar}${suffix}`
}

export interface OpenCalendar extends FileReader {
  readonly bytes: Buffer
}

/** @throws ActionFailure NOT_FOUND, CORRUPT_DATA, LIMIT_EXCEEDED */
export function openCalendar(folder: string, calendar: string): OpenCalendar {
  const stored = readStored(folder, fileNameOf(calendar), icsLimits.fileBytes)
  if (stored === undefined) throw notFound(`no calendar ${calendar}`)
  const file = parseCalendarText(calendar, stored.bytes)
  return { file, bytes: stored.bytes, zoneOf: zonesOf(file) }
}

/** The calendars named, or all of the folder, in the order of their names. */
export function openCalendars(
  folder: string,
  names: readonly string[] | undefined,
): OpenCalendar[] {
  const wanted =
    names === undefined
      ? listStored(folder, { suffix, maxFiles: maxCalendars, only: 'all' })
      : [...new Set(names)].sort((left, right) => (left < right ? -1 : 1))
  let total = 0
  return wanted.map((name) => {
    const calendar = openCalendar(folder, name)
    total += calendar.bytes.length
    if (total > maxTotalBytes) throw tooMuch(`calendars of more than ${maxTotalBytes} bytes`)
    return calendar
  })
}

/**
 * The zone in which days begin and floating times are read: the argument, else the folder's
 * `timezone` file, else what the first calendar that says so suggests, else UTC.
 * @throws ActionFailure
 */
export function viewerZone(
  folder: string,
  argument: string | undefined,
  calendars: readonly FileReader[],
): Zone {
  if (argument !== undefined) return requestedZone(argument)
  const line = readStored(folder, zoneFile, 1_024)?.bytes.toString('utf8').trim()
  if (line !== undefined) return ianaZone(line) ?? fail(zoneFile)
  for (const { file } of calendars) {
    if (file.zoneName !== undefined) return ianaZone(file.zoneName) ?? fail(file.calendar)
  }
  return utc
}

function fail(name: string): never {
  throw corrupt(name, 'the time zone is not an IANA name such as Europe/Vienna')
}
