// What macOS recorded: knowledgeC.db, a SQLite database of the system's own (~/Library/Application
// Support/Knowledge), of which the folder holds a copy. Best effort: Apple documents none of it. It knows
// apps by their bundle id, and ends a use when the display sleeps; it knows no idle time, no site and no
// title. Read in place, read-only, without locks or journals, hence a copy. Invariant: nothing of the
// file runs. A view, a virtual table or a computed column of that name is refused before it is asked.

import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { peekStored } from '../data-folder.ts'
import { ActionFailure } from '../define-agent.ts'
import { corrupt, notFound, tooMuch } from './failures.ts'
import { plain } from './plain-text.ts'
import { type Span, type Stretch, type Use, withoutOverlaps } from './spans.ts'

const fileName = 'knowledgeC.db'
/** macOS keeps four weeks: some tens of megabytes. Checking so many takes a second or two. */
const maxFileBytes = 256 * 1024 * 1024
const maxRows = 200_000
/** Seconds from 1970 to 2001, where Apple's clock begins. */
const macEpochS = 978_307_200
/** No use is longer: a clock was set. */
const maxUseS = 31 * 24 * 3_600

/** Columns of names and plain types, as Core Data makes them: nothing that computes or checks. */
const plainTable =
  /^CREATE TABLE ZOBJECT ?\( ?(?:Z[A-Z0-9_]{0,60} (?:INTEGER(?: PRIMARY KEY)?|VARCHAR|TIMESTAMP|FLOAT|DECIMAL|BLOB)(?:, ?| ?\)$)){5,200}$/
const wanted = ['ZSTREAMNAME', 'ZVALUESTRING', 'ZSTARTDATE', 'ZENDDATE']

/**
 * Uses of apps within `range`, over all devices of the person that the file holds: what two of them
 * recorded at once counts once.
 * @throws ActionFailure NOT_FOUND without such a file, CORRUPT_DATA for one that is none or is broken,
 *   LIMIT_EXCEEDED for one with more than a command can read
 */
export function readKnowledge(folder: string, range: Stretch, now: number): Use {
  const peek = peekStored(folder, fileName, 1)
  if (peek === undefined) throw notFound(`no file ${fileName} in the folder`)
  if (peek.size > maxFileBytes) throw tooMuch(`${fileName} is larger than ${maxFileBytes} bytes`)
  // Looked at again by its name, because SQLite opens names and follows links.
  if (!lstatSync(join(folder, fileName)).isFile()) throw corrupt(`${fileName} is no regular file`)
  const past = { from: range.from, to: Math.min(range.to, now) }
  try {
    return readFile(join(folder, fileName), past)
  } catch (error) {
    if (error instanceof ActionFailure) throw error
    throw corrupt(`${fileName} cannot be read`, error)
  }
}

function readFile(path: string, range: Stretch): Use {
  const url = pathToFileURL(path)
  // Of a mount that cannot be written to: no lock, no journal, no write-ahead log beside it.
  url.search = 'immutable=1'
  const database = new DatabaseSync(url, { readOnly: true, allowExtension: false })
  try {
    database.enableDefensive(true)
    database.exec('PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0')
    assertPlainTable(database)
    // Finds pages that two places claim: a walk over them might never end.
    const verdict = database.prepare('PRAGMA quick_check(ZOBJECT)').get()?.['quick_check']
    if (verdict !== 'ok') throw corrupt(`${fileName} is damaged`)
    return readUses(database, range)
  } finally {
    database.close()
  }
}

function assertPlainTable(database: DatabaseSync): void {
  const found = database
    .prepare(
      `SELECT type, rootpage, sql FROM sqlite_schema
       WHERE upper(name) = 'ZOBJECT' AND octet_length(sql) < 20000 LIMIT 2`,
    )
    .all()
  const [table] = found
  const sql = String(table?.['sql']).replace(/\s+/g, ' ').trim()
  const isPlain = found.length === 1 && table?.['type'] === 'table' && Number(table['rootpage']) > 0
  if (!isPlain || !plainTable.test(sql)) throw corrupt(`${fileName} has no table of uses`)
  const columns = new Set(sql.split(/[(,] ?/).map((part) => part.split(' ', 1)[0]))
  const missing = wanted.some((name) => !columns.has(name))
  if (missing) throw corrupt(`${fileName} has no table of uses that is known`)
}

function readUses(database: DatabaseSync, range: Stretch): Use {
  const [from, to] = [range.from / 1_000 - macEpochS, range.to / 1_000 - macEpochS]
  // A text of megabytes is measured, not read. NOT INDEXED: an index may say other than its table.
  const rows = database
    .prepare(
      `SELECT CASE WHEN typeof(ZVALUESTRING) = 'text' AND octet_length(ZVALUESTRING) <= 1000
                   THEN ZVALUESTRING END AS app,
              ZSTARTDATE AS startS, ZENDDATE AS endS
       FROM ZOBJECT NOT INDEXED
       WHERE ZSTREAMNAME = '/app/usage'
         AND typeof(ZSTARTDATE) IN ('real', 'integer') AND typeof(ZENDDATE) IN ('real', 'integer')
         AND ZENDDATE > ? AND ZSTARTDATE < ?
       LIMIT ?`,
    )
    .iterate(from, to, maxRows + 1)
  const spans: Span[] = []
  let ignored = 0
  let count = 0
  for (const { app, startS, endS } of rows) {
    count += 1
    if (count > maxRows) throw tooMuch(`${fileName} has more uses than one command can read`)
    const [start, end] = [Number(startS), Number(endS)]
    if (typeof app !== 'string' || !(end >= start && end - start <= maxUseS)) {
      ignored += 1
      continue
    }
    const span = {
      from: Math.max((start + macEpochS) * 1_000, range.from),
      to: Math.min((end + macEpochS) * 1_000, range.to),
    }
    const name = plain(app, 100)
    if (span.to > span.from) {
      spans.push({ ...span, app: name === '' ? 'unknown' : name, domain: null, title: null })
    }
  }
  const own = withoutOverlaps(spans)
  return { devices: own.length === 0 ? [] : [{ spans: own, afkMs: null }], ignored }
}
