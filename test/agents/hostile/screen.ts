// A hostile server of screen time, and hostile databases of macOS.

import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { agent } from '../../../agents/screentime/agent.ts'
import { folderAt } from '../../../agents/screentime/manifest.ts'
import { writeKnowledge } from '../../../examples/home/screentime.ts'
import {
  type Ends,
  formula,
  type HostileParser,
  megabytes,
  not,
  type Trial,
  trial,
} from './trial.ts'

const bucket = { id: 'w', type: 'currentwindow', hostname: 'laptop' }
const at = (change: object, data: object = { app: 'code', title: 'x' }) => ({
  ...{ id: 1, timestamp: '2026-11-20T09:00:00+00:00', duration: 300, data },
  ...change,
})
type Answer = (path: string) => unknown
const events =
  (...list: readonly unknown[]): Answer =>
  (path) =>
    path === '/api/0/buckets/' ? { w: bucket } : list
const raw =
  (text: () => string): Answer =>
  (path) =>
    path === '/api/0/buckets/' ? { w: bucket } : text()

const asked = (what: string, ends: Ends, answer: () => Answer): Trial =>
  trial(agent, what, ends, () => ({
    ...{ action: 'top', args: { from: '2026-11-20' } },
    world: {
      folders: { [folderAt]: {} },
      origins: { activitywatch: ['http://127.0.0.1:5600'] },
      servers: () => {
        const say = answer()
        return {
          answer({ path }) {
            const body = say(path)
            return { status: 200, body: typeof body === 'string' ? body : JSON.stringify(body) }
          },
        }
      },
    },
  }))
const named = (id: string) => () => (path: string) =>
  path === '/api/0/buckets/' ? { w: { ...bucket, id } } : []
const ignored = { says: { ignored: 1, activeMinutes: 0 } }

export const activityWatch: HostileParser = {
  reads: 'JSON of an ActivityWatch server',
  cells: {
    entities: not('JSON has none'),
    gigantic: [
      asked('a reply of megabytes', 'LIMIT_EXCEEDED', () =>
        raw(() => JSON.stringify(megabytes(9))),
      ),
      asked('a time', 'CORRUPT_DATA', () => events(at({ timestamp: 'x'.repeat(999) }))),
      asked('a name, of which a line is shown', { says: { count: 1, activeMinutes: 5 } }, () =>
        events(at({}, { app: 'x'.repeat(800_000), title: '' })),
      ),
    ],
    encoding: [
      asked('UTF-16 taken for UTF-8', 'CORRUPT_DATA', () =>
        raw(() => Buffer.from(JSON.stringify([at({})]), 'utf16le').toString('utf8')),
      ),
      asked('half a character as an id', 'CORRUPT_DATA', named('w\ud800')),
    ],
    dates: [
      asked('a negative year', ignored, () => events(at({ timestamp: '-0001-11-20T09:00:00Z' }))),
      asked('month 13', ignored, () => events(at({ timestamp: '2026-13-45T99:00:00Z' }))),
      asked('a length below nothing', ignored, () => events(at({ duration: -60 }))),
      asked('a length beyond all time', ignored, () => events(at({ duration: 1e300 }))),
    ],
    formula: [
      asked('an app', { says: { items: [{ key: formula }] } }, () =>
        events(at({}, { app: formula })),
      ),
    ],
    paths: [
      asked('a path as an id', 'CORRUPT_DATA', named('../../info')),
      asked('dots as an id', 'CORRUPT_DATA', named('..')),
      asked('a query as an id', 'CORRUPT_DATA', named('w?start=1')),
    ],
    crowd: [
      asked('buckets', 'LIMIT_EXCEEDED', () => (path) => {
        const many = Array.from({ length: 10_000 }, (_, n) => [`w${n}`, { ...bucket, id: `w${n}` }])
        return path === '/api/0/buckets/' ? Object.fromEntries(many) : []
      }),
      asked('events, whatever is asked for', 'LIMIT_EXCEEDED', () => {
        const full = JSON.stringify(Array.from({ length: 10_000 }, () => at({})))
        return raw(() => full)
      }),
    ],
    depth: [
      asked('lists', 'CORRUPT_DATA', () =>
        raw(() => `${'['.repeat(100_000)}${']'.repeat(100_000)}`),
      ),
    ],
  },
}

const macos = (what: string, ends: Ends, make: (file: string) => void): Trial =>
  trial(agent, what, ends, () => ({
    ...{ action: 'top', args: { source: 'macos', from: '2026-11-16', to: '2026-11-21' } },
    world: { folders: { [folderAt]: {} } },
    prepare: (folder) => make(join(folder, folderAt, 'knowledgeC.db')),
  }))
const edited =
  (sql: string) =>
  (file: string): void => {
    writeKnowledge(file, { lastDay: Date.parse('2026-11-21'), days: 31, seed: 1 })
    const database = new DatabaseSync(file)
    database.exec(sql)
    database.close()
  }
/** Seconds of Apple's clock at 10:00 of 2026-11-16 in UTC. */
const ten = Date.parse('2026-11-16T10:00:00Z') / 1_000 - 978_307_200
const use = (app: string, from: string, to: string) =>
  `DELETE FROM ZOBJECT; INSERT INTO ZOBJECT (ZSTREAMNAME, ZVALUESTRING, ZSTARTDATE, ZENDDATE)
   VALUES ('/app/usage', ${app}, ${from}, ${to})`
const other = (sql: string) => edited(`DROP TABLE ZOBJECT; CREATE ${sql}`)
const rest = 'ZSTREAMNAME VARCHAR, ZSTARTDATE TIMESTAMP, ZENDDATE TIMESTAMP, ZA INTEGER'

export const knowledge: HostileParser = {
  reads: 'knowledgeC.db of macOS',
  cells: {
    entities: [
      macos(
        'a view without an end',
        'CORRUPT_DATA',
        other(`VIEW ZOBJECT AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
          SELECT '/app/usage' ZSTREAMNAME, 'a' ZVALUESTRING, i ZSTARTDATE, i ZENDDATE FROM n`),
      ),
      macos(
        'a column that computes a hundred megabytes',
        'CORRUPT_DATA',
        other(`TABLE ZOBJECT ( ${rest}, ZVALUESTRING VARCHAR AS (hex(zeroblob(100000000))) )`),
      ),
      macos(
        'a virtual table',
        'CORRUPT_DATA',
        other('VIRTUAL TABLE ZOBJECT USING fts5(ZSTREAMNAME)'),
      ),
    ],
    gigantic: [
      macos('three hundred megabytes', 'LIMIT_EXCEEDED', (file) => {
        edited('')(file)
        truncateSync(file, 300 * 1024 * 1024)
      }),
      macos(
        'the name of an app',
        { says: { ignored: 1, count: 0 } },
        edited(use(`'${'x'.repeat(1_001)}'`, `${ten}`, `${ten + 60}`)),
      ),
    ],
    encoding: [
      macos(
        'bytes for a name',
        { says: { ignored: 1, count: 0 } },
        edited(use("x'00'", `${ten}`, `${ten + 60}`)),
      ),
      macos('its first half', 'CORRUPT_DATA', (file) => {
        edited('')(file)
        truncateSync(file, 20_000)
      }),
    ],
    dates: [
      macos(
        'an end before its beginning',
        { says: { ignored: 1, count: 0 } },
        edited(use("'a'", `${ten}`, `${ten - 60}`)),
      ),
      macos(
        'before all time',
        { says: { ignored: 1, count: 0 } },
        edited(use("'a'", '-1e308', `${ten}`)),
      ),
    ],
    formula: [
      macos(
        'an app',
        { says: { items: [{ key: formula }] } },
        edited(use(`'${formula}'`, `${ten}`, `${ten + 600}`)),
      ),
    ],
    paths: [
      macos('a link in its place', 'CORRUPT_DATA', (file) => symlinkSync('/etc/hostname', file)),
      macos('a folder in its place', 'CORRUPT_DATA', (file) => mkdirSync(file)),
      macos('a pipe in its place', 'CORRUPT_DATA', (file) => {
        execFileSync('mkfifo', [file])
      }),
    ],
    crowd: [
      macos(
        'more uses than a command can read',
        'LIMIT_EXCEEDED',
        edited(`DELETE FROM ZOBJECT;
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 200010)
        INSERT INTO ZOBJECT (ZSTREAMNAME, ZVALUESTRING, ZSTARTDATE, ZENDDATE)
        SELECT '/app/usage', 'a', ${ten} + i, ${ten} + i + 1 FROM n`),
      ),
    ],
    depth: not(
      'a table has rows; a tree of pages that goes round is tried in screentime-sources.test.ts',
    ),
  },
}
