// Writes the sample home: two calendars, lists of reminders, a few notes, money, screen time, an export of
// health, backups where there is a restic, subscriptions to the feeds of its own web server and the
// configuration that points at them.
// Invariant: what anybody else wrote stays. Calendars are written anew only when their month is over,
// and then only the generator's own events are; the export of health is each day; all else is written once.

import { mkdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { changeSubscriptions, newSubscription } from '../../agents/feeds/subscriptions.ts'
import { writeBackups } from './backup.ts'
import { type HomePrograms, homeConfiguration, webPortIn, withPrograms } from './configuration.ts'
import { followedFeeds } from './feeds.ts'
import { replace, writeOnce } from './files.ts'
import { financeFiles } from './finance.ts'
import { writeHealth } from './health-folder.ts'
import { dayAfter, renderCalendar, type SampleEvent, uidDomain } from './ics-writer.ts'
import { writeMemory } from './memory.ts'
import { reminderLists } from './reminders.ts'
import { familyEvents, type Month, workEvents } from './sample-events.ts'
import { sampleNotes } from './sample-notes.ts'
import { writeScreentime } from './screentime-folder.ts'

/** Past days that a search finds, and days ahead until the month is written anew. */
const daysBefore = 7
const daysAhead = 31

export interface HomeInput {
  /** The state folder; data lies below `agents/<name>/data`. */
  readonly folder: string
  /** `YYYY-MM-DD` */
  readonly today: string
  /** IANA name. */
  readonly timeZone: string
  readonly seed: number
  /** `http://127.0.0.1:<port>` of the home's web server. */
  readonly web: string
  /** Those of this machine; the home is complete without any. */
  readonly programs?: HomePrograms
}

export async function generateHome({
  folder,
  today,
  timeZone,
  seed,
  web,
  programs = {},
}: HomeInput): Promise<void> {
  const calendars = join(folder, 'agents', 'calendar', 'data')
  const notes = join(folder, 'agents', 'notes', 'data')
  const feeds = join(folder, 'agents', 'feeds', 'data')
  for (const data of [calendars, notes, feeds]) {
    await mkdir(data, { recursive: true, mode: 0o700 })
  }
  const zone = isKnown(timeZone) ? timeZone : 'UTC'
  await writeOnce(join(calendars, 'timezone'), `${zone}\n`)
  const month = {
    from: dayAfter(today, -daysBefore),
    to: dayAfter(today, daysAhead),
    // The one that is there already: a person may have moved the home.
    timeZone: (await readFile(join(calendars, 'timezone'), 'utf8')).trim(),
    seed,
  }
  const home = { calendars, today, month }
  // One with the rules of its zone and one without, as programs write both.
  await writeCalendar(home, { name: 'work', eventsOf: workEvents, hasZoneRules: true })
  await writeCalendar(home, { name: 'family', eventsOf: familyEvents, hasZoneRules: false })
  for (const [name, text] of sampleNotes) await writeOnce(join(notes, `${name}.md`), text)
  const sample = { today, seed, timeZone: month.timeZone }
  const reminders = join(folder, 'agents', 'reminders', 'data')
  await mkdir(reminders, { recursive: true, mode: 0o700 })
  await writeOnce(join(reminders, 'timezone'), `${sample.timeZone}\n`)
  for (const [name, text] of reminderLists(sample)) {
    await writeOnce(join(reminders, `${name}.ics`), text)
  }
  const finance = join(folder, 'agents', 'finance', 'data')
  for (const [name, text] of financeFiles(sample)) {
    await mkdir(dirname(join(finance, name)), { recursive: true, mode: 0o700 })
    await writeOnce(join(finance, name), text)
  }
  await writeScreentime({ folder: join(folder, 'agents', 'screentime', 'data'), ...sample })
  await writeHealth({ folder: join(folder, 'agents', 'health'), ...sample })
  await writeMemory({ folder: join(folder, 'agents', 'memory', 'data'), ...sample })
  if (programs.restic !== undefined) {
    const backups = join(folder, 'agents', 'backup')
    await writeBackups({ folder: backups, restic: programs.restic, ...sample })
  }
  const file = join(folder, 'bulkhead.yaml')
  // Before the configuration, which says that the home is complete.
  if ((await readIfThere(file)) === '') follow(feeds, web)
  const template = await readFile(new URL('./bulkhead.yaml', import.meta.url), 'utf8')
  const known = homeConfiguration(template, { timeZone: month.timeZone, web })
  await writeOnce(file, withPrograms(known, programs))
  const written = await readFile(file, 'utf8')
  const now = withPrograms(written, programs)
  if (now !== written) await replace(file, now)
}

/** The port that an earlier generation wrote; undefined for a new home or one of other servers. */
export async function webPortOf(folder: string): Promise<number | undefined> {
  return webPortIn(await readIfThere(join(folder, 'bulkhead.yaml')))
}

function follow(folder: string, web: string): void {
  const feeds = followedFeeds.map(({ path, title }) =>
    newSubscription({ url: `${web}${path}`, title }, 'sample-home'),
  )
  changeSubscriptions(folder, (present) =>
    present.feeds.length > 0 ? present : { ...present, feeds },
  )
}

interface SampleCalendar {
  readonly name: string
  eventsOf(month: Month): readonly SampleEvent[]
  readonly hasZoneRules: boolean
}

interface Home {
  readonly calendars: string
  readonly today: string
  readonly month: Month
}

async function writeCalendar(
  { calendars, today, month }: Home,
  calendar: SampleCalendar,
): Promise<void> {
  const file = join(calendars, `${calendar.name}.ics`)
  const old = await readIfThere(file)
  if (covers(old, today)) return
  const { from, to, timeZone } = month
  const { name, hasZoneRules } = calendar
  const events = calendar.eventsOf(month)
  const kept = othersIn(old)
  await replace(
    file,
    renderCalendar({ name, events, hasZoneRules, timeZone, kept, covers: { from, to } }),
  )
}

function covers(text: string, today: string): boolean {
  const [, from, to] = /^X-BULKHEAD-COVERS:([\d-]{10})\/([\d-]{10})\r?$/m.exec(text) ?? []
  return from !== undefined && to !== undefined && from <= today && today < to
}

/** Events of everybody else, as they stand. */
function othersIn(text: string): string[] {
  const events = text.match(/^BEGIN:VEVENT\r?\n[\s\S]*?^END:VEVENT\r?\n/gm) ?? []
  return events.filter((event) => {
    const [, uid] = /^UID:(.*)$/m.exec(event.replace(/\r?\n[ \t]/g, '').replaceAll('\r', '')) ?? []
    return uid?.endsWith(uidDomain) !== true
  })
}

async function readIfThere(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
    throw error
  }
}

function isKnown(timeZone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone !== 'Etc/Unknown'
  } catch {
    return false
  }
}
