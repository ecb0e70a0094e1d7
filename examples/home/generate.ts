// Writes the sample home: two calendars, a few notes, subscriptions to the feeds of its own web server
// and the configuration that points at them.
// Invariant: what anybody else wrote stays. Calendars are written anew only when their month is over,
// and then only the generator's own events are; notes, subscriptions and the configuration are written
// once.

import { mkdir, open, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { changeSubscriptions, newSubscription } from '../../agents/feeds/subscriptions.ts'
import { followedFeeds } from './feeds.ts'
import { dayAfter, renderCalendar, type SampleEvent, uidDomain } from './ics-writer.ts'
import { familyEvents, type Month, workEvents } from './sample-events.ts'
import { sampleNotes } from './sample-notes.ts'

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
}

export async function generateHome({
  folder,
  today,
  timeZone,
  seed,
  web,
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
  const template = await readFile(new URL('./bulkhead.yaml', import.meta.url), 'utf8')
  const configuration = template
    .replace(/^timezone: .*$/m, `timezone: ${month.timeZone}`)
    .replaceAll(templateOrigin, web)
  // Before the configuration, which says that the home is complete.
  if ((await readIfThere(join(folder, 'bulkhead.yaml'))) === '') follow(feeds, web)
  await writeOnce(join(folder, 'bulkhead.yaml'), configuration)
}

/** In the template, where the address of the home's web server belongs. */
const templateOrigin = 'http://127.0.0.1:1'

/** The port that an earlier generation wrote; undefined for a new home or one of other servers. */
export async function webPortOf(folder: string): Promise<number | undefined> {
  const text = await readIfThere(join(folder, 'bulkhead.yaml'))
  const [, port] = /^ +forecast: http:\/\/127\.0\.0\.1:(\d+)$/m.exec(text) ?? []
  return port === undefined ? undefined : Number(port)
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

async function replace(file: string, text: string): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`
  const handle = await open(temporary, 'w', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(temporary, file)
}

async function writeOnce(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
}

function isKnown(timeZone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone !== 'Etc/Unknown'
  } catch {
    return false
  }
}
