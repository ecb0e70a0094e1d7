// The calendars of a person: files of the folder, and copies of a server's collections, which are many
// small files each; how they are read, and which zone the viewer is in. Invariant: a calendar that
// cannot be read ends the command; none is left out in silence.

import { listStored, peekStored, readStored } from '../data-folder.ts'
import { type Mirror, mirrorsIn } from '../dav/mirror.ts'
import type { Component } from '../dav/server.ts'
import { isFileStem } from '../file-stem.ts'
import { corrupt, invalid, notFound, tooMuch } from './failures.ts'
import { icsLimits, parseCalendarText } from './ics-text.ts'
import type { FileReader } from './occurrences.ts'
import { instantText, utc, type Zone } from './wall-clock.ts'
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
export function openCalendar(
  folder: string,
  calendar: string,
  component: Component = 'VEVENT',
): OpenCalendar {
  const stored = readStored(folder, fileNameOf(calendar), icsLimits.fileBytes)
  if (stored === undefined) throw notFound(`no calendar ${calendar}`)
  const file = parseCalendarText(calendar, stored.bytes, component)
  return { file, bytes: stored.bytes, zoneOf: zonesOf(file) }
}

export interface OpenCalendars {
  readonly open: readonly OpenCalendar[]
  /** When the oldest of the copies among them was last compared with the server; null: no copies. */
  readonly syncedAt: number | null
}

/** The calendars named, or all of them, in the order of their names. */
export function openCalendars(
  folder: string,
  names: readonly string[] | undefined,
  component: Component = 'VEVENT',
): OpenCalendars {
  const remote = remoteCalendars(folder)
  const wanted = names === undefined ? allNames(folder, remote.keys()) : [...new Set(names)]
  let total = 0
  let syncedAt: number | null = null
  const open = wanted
    .sort((left, right) => (left < right ? -1 : 1))
    .flatMap((name): readonly OpenCalendar[] => {
      const mirror = remote.get(name)
      if (mirror !== undefined) syncedAt = Math.min(syncedAt ?? mirror.syncedAt, mirror.syncedAt)
      const parts =
        mirror === undefined
          ? [openCalendar(folder, name, component)]
          : partsOf(name, mirror, component)
      for (const { bytes } of parts) total += bytes.length
      if (total > maxTotalBytes) throw tooMuch(`calendars of more than ${maxTotalBytes} bytes`)
      return parts
    })
  return { open, syncedAt }
}

function allNames(folder: string, remote: Iterable<string>): string[] {
  return [...listStored(folder, { suffix, maxFiles: maxCalendars, only: 'all' }), ...remote]
}

/** The server's copy of that name; undefined where the name is a file's or nobody's. */
export function remoteCalendar(folder: string, name: string): Mirror | undefined {
  return remoteCalendars(folder).get(name)
}

/** By name. What the folder has itself keeps its name, whatever a server calls its own. */
function remoteCalendars(folder: string): ReadonlyMap<string, Mirror> {
  const nameOf = ({ name }: Mirror) =>
    peekStored(folder, fileNameOf(name), 1) === undefined ? name : `${name} (server)`
  return new Map(mirrorsIn(folder).map(({ mirror }) => [nameOf(mirror), mirror]))
}

function partsOf(name: string, mirror: Mirror, component: Component): readonly OpenCalendar[] {
  const zones = new Map<string, Zone>()
  return mirror.objects.map(({ text }) => ({
    ...openText(name, text, { component, zones }),
    isOnServer: true,
  }))
}

/** One object of a collection, which is a small calendar of its own (RFC 4791, 4.1). */
export function openText(
  name: string,
  text: string,
  {
    component = 'VEVENT',
    zones = new Map(),
  }: { readonly component?: Component; readonly zones?: Map<string, Zone> } = {},
): OpenCalendar {
  const bytes = Buffer.from(text)
  const file = parseCalendarText(name, bytes, component)
  return { file, bytes, zoneOf: zonesOf(file, zones) }
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

export interface When {
  readonly viewer: Zone
  readonly syncedAt: number | null
}

/** What every result of a read says of its times: their zone, and how old the copies are. */
export function whenOf({ viewer, syncedAt }: When) {
  return {
    timeZone: viewer.id,
    ...(syncedAt === null ? {} : { syncedAt: instantText(viewer, syncedAt) }),
  }
}

function fail(name: string): never {
  throw corrupt(name, 'the time zone is not an IANA name such as Europe/Vienna')
}
