// The screen time of the sample home: a laptop's windows, tabs and pauses in the shape of an ActivityWatch
// server (REST v0, docs.activitywatch.net), and the same month of a Mac as its knowledgeC.db. Invariant:
// what was in use at an hour depends on the hour and the seed alone. Awkward on purpose: a computer left
// on over lunch, a browser that records while it is behind, two windows at once, a day without records,
// a clock that was set back (a negative duration), a record from tomorrow. Pure, but for the database.

import { createHash } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import type { WebReply } from './feeds.ts'

export interface ScreentimeRequest {
  readonly path: string
  readonly query: URLSearchParams
  /** Milliseconds since the epoch. */
  readonly now: number
  readonly seed: number
}

export interface ActivityEvent {
  readonly id: number
  readonly timestamp: string
  /** Seconds. */
  readonly duration: number
  readonly data: Readonly<Record<string, string | boolean>>
}

const host = 'sample-laptop'
const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs
/** Every ninth day nothing was recorded: the watcher had not started. */
const silentEvery = 9

const buckets = [
  { id: `aw-watcher-window_${host}`, type: 'currentwindow', client: 'aw-watcher-window' },
  { id: `aw-watcher-afk_${host}`, type: 'afkstatus', client: 'aw-watcher-afk' },
  { id: `aw-watcher-web-firefox_${host}`, type: 'web.tab.current', client: 'aw-watcher-web' },
] as const
export type SampleBucket = (typeof buckets)[number]['type']

const work = [
  ['code', 'plan.md - household - Code'],
  ['Terminal', 'notes: zsh'],
  ['LibreOffice Writer', 'Letter to the landlord.odt'],
  ['Thunderbird', 'Inbox - Offer for the new boiler'],
] as const
const leisure = [
  ['vlc', 'holiday-2026.mkv'],
  ['steam', 'A small farm'],
  ['Signal', 'Family'],
] as const
const pages = {
  work: ['https://docs.example.com/guide?q=heat+pump', 'https://github.com/example/household'],
  leisure: [
    'https://www.youtube.com/watch?v=sample',
    'https://www.reddit.com/r/gardening/',
    'https://orf.at/stories/1',
    'https://lichess.org/training',
  ],
} as const

/** Parts of a day in minutes of UTC; nobody is there in the middle one. */
const sessions = [
  { from: 7 * 60 + 20, to: 7 * 60 + 55, kind: 'leisure', there: true },
  { from: 9 * 60, to: 12 * 60, kind: 'work', there: true },
  { from: 12 * 60, to: 12 * 60 + 45, kind: 'work', there: false },
  { from: 12 * 60 + 45, to: 16 * 60 + 30, kind: 'work', there: true },
  { from: 19 * 60 + 30, to: 21 * 60 + 40, kind: 'leisure', there: true },
] as const

/** What a bucket recorded on a day that begins at `day` (milliseconds, midnight UTC), in order. */
export function eventsOfDay(type: SampleBucket, day: number, seed: number): ActivityEvent[] {
  if (Math.floor(day / dayMs) % silentEvery === 0) return []
  const events: ActivityEvent[] = []
  const add = (from: number, minutes: number, data: ActivityEvent['data']) => {
    const at = day + from * minuteMs
    const id = Math.floor(at / minuteMs) * 4 + (events.length % 4)
    events.push({ id, timestamp: new Date(at).toISOString(), duration: minutes * 60, data })
  }
  for (const { from, to, kind, there } of sessions) {
    if (type === 'afkstatus') {
      add(from, to - from, { status: there ? 'not-afk' : 'afk' })
      continue
    }
    for (let at = from; at < to; ) {
      const draw = createHash('sha256').update(`${seed} ${day} ${at}`).digest()
      const minutes = Math.min(there ? 3 + (draw.readUInt8(0) % 18) : to - from, to - at)
      const urls = pages[kind]
      const url = urls[draw.readUInt8(1) % urls.length] ?? ''
      const isBrowser = draw.readUInt8(2) % 5 < (kind === 'work' ? 2 : 3)
      const apps = kind === 'work' ? work : leisure
      const [app, title] = apps[draw.readUInt8(3) % apps.length] ?? work[0]
      if (type === 'web.tab.current') {
        // The tab goes on being recorded while another window is in front of it.
        add(at, minutes, { url, title: `Page of ${new URL(url).host}`, audible: false })
      } else if (isBrowser) add(at, minutes, { app: 'Firefox', title: 'Mozilla Firefox' })
      else add(at, minutes, { app, title })
      at += minutes
    }
  }
  if (type === 'currentwindow') {
    // Two at once after a restart of the watcher, and a clock that was set back meanwhile.
    add(10 * 60, 5, { app: 'code', title: 'unsaved' })
    add(10 * 60 + 1, -2, { app: 'code', title: 'unsaved' })
  }
  return events
}

const json = (status: number, value: unknown): WebReply => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
})

/** Undefined when there is no such path. */
export function answerScreentime(request: ScreentimeRequest): WebReply | undefined {
  const { path, now } = request
  if (path === '/api/0/info') {
    return json(200, { hostname: host, version: 'sample home', testing: false, device_id: host })
  }
  if (path === '/api/0/buckets/') {
    const created = new Date(now - 31 * dayMs).toISOString()
    const listed = buckets.map((bucket) => ({ ...bucket, hostname: host, created, data: {} }))
    return json(200, Object.fromEntries(listed.map((bucket) => [bucket.id, bucket])))
  }
  const [, id] = /^\/api\/0\/buckets\/([^/]+)\/events$/.exec(path) ?? []
  if (id === undefined) return undefined
  const bucket = buckets.find((one) => one.id === id)
  if (bucket === undefined) return json(404, { message: 'There is no such bucket' })
  return json(200, eventsBetween(bucket.type, request))
}

/** As the server does: the newest first, those at the borders cut. */
function eventsBetween(type: SampleBucket, { query, now, seed }: ScreentimeRequest) {
  const start = Math.max(Date.parse(query.get('start') ?? '') || 0, now - 31 * dayMs)
  const end = Math.min(Date.parse(query.get('end') ?? '') || now, now)
  const events: ActivityEvent[] = []
  for (let day = Math.floor(start / dayMs) * dayMs; day < end; day += dayMs) {
    for (const event of eventsOfDay(type, day, seed)) {
      const at = Date.parse(event.timestamp)
      const from = Math.max(at, start)
      const to = Math.min(at + event.duration * 1_000, end)
      if (event.duration < 0 && at >= start && at < end) events.push(event)
      if (to <= from) continue
      events.push({
        ...event,
        timestamp: new Date(from).toISOString(),
        duration: (to - from) / 1_000,
      })
    }
  }
  // Of a clock that was ahead.
  const ahead = { id: 1, timestamp: new Date(now + 2 * dayMs).toISOString(), duration: 60 }
  if (type === 'currentwindow') events.push({ ...ahead, data: { app: 'code', title: 'tomorrow' } })
  return events.reverse()
}

/** Seconds from 1970 to 2001, where Apple's clock begins. */
const macEpochS = 978_307_200
const bundleIds = ['com.apple.Safari', 'com.microsoft.VSCode', 'com.apple.mail', 'com.apple.TV']

export interface KnowledgeDays {
  /** Milliseconds, midnight UTC. */
  readonly lastDay: number
  readonly days: number
  readonly seed: number
}

/** The use of a Mac in the columns of macOS 13. @param file must not exist yet */
export function writeKnowledge(file: string, { lastDay, days, seed }: KnowledgeDays): void {
  const database = new DatabaseSync(file)
  try {
    database.exec(`${knowledgeTable}; BEGIN`)
    const insert = database.prepare(
      `INSERT INTO ZOBJECT (Z_ENT, Z_OPT, ZSTREAMNAME, ZVALUESTRING, ZSTARTDATE, ZENDDATE, ZSECONDSFROMGMT)
       VALUES (11, 1, '/app/usage', ?, ?, ?, 3600)`,
    )
    for (let ago = days - 1; ago >= 0; ago -= 1) {
      for (const event of eventsOfDay('currentwindow', lastDay - ago * dayMs, seed)) {
        const start = Date.parse(event.timestamp) / 1_000 - macEpochS
        insert.run(bundleIds[event.id % bundleIds.length] ?? '', start, start + event.duration)
      }
    }
    database.exec('COMMIT')
  } finally {
    database.close()
  }
}

const knowledgeTable = `CREATE TABLE ZOBJECT ( Z_PK INTEGER PRIMARY KEY, Z_ENT INTEGER, Z_OPT INTEGER, ZUUIDHASH INTEGER, ZEVENT INTEGER, ZSOURCE INTEGER, ZCATEGORYTYPE INTEGER, ZINTEGERVALUE INTEGER, ZCOMPATIBILITYVERSION INTEGER, ZENDDAYOFWEEK INTEGER, ZENDSECONDOFDAY INTEGER, ZHASCUSTOMMETADATA INTEGER, ZHASSTRUCTUREDMETADATA INTEGER, ZSECONDSFROMGMT INTEGER, ZSHOULDSYNC INTEGER, ZSTARTDAYOFWEEK INTEGER, ZSTARTSECONDOFDAY INTEGER, ZVALUECLASS INTEGER, ZVALUEINTEGER INTEGER, ZVALUETYPECODE INTEGER, ZSTRUCTUREDMETADATA INTEGER, ZVALUE INTEGER, ZIDENTIFIERTYPE INTEGER, ZCONFIDENCE FLOAT, ZCREATIONDATE TIMESTAMP, ZLOCALCREATIONDATE TIMESTAMP, ZENDDATE TIMESTAMP, ZSTARTDATE TIMESTAMP, ZVALUEDOUBLE FLOAT, ZDOUBLEVALUE FLOAT, ZUUID VARCHAR, ZSTREAMNAME VARCHAR, ZVALUESTRING VARCHAR, ZSTRING VARCHAR, ZMETADATA BLOB )`
