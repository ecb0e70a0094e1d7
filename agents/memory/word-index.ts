// What is remembered, in clear and in memory only: SQLite's full-text index (FTS5) over the texts, built
// when the process starts and kept up to date. Nothing of it is ever written to a disk. Invariant: a query
// is words; no character of it reaches FTS5 as an operator, so that no query is an error.

import { type Database, openDatabase } from '../sqlite.ts'
import type { Entry, EntryId } from './entry.ts'

export interface IndexedEntry {
  readonly seq: number
  readonly id: EntryId
  readonly entry: Entry
}

export interface Selection {
  readonly kinds: readonly Entry['kind'][] | undefined
  readonly limit: number
}

export interface Found {
  /** All that match. */
  readonly count: number
  readonly words: 'all' | 'any'
  /** The best first, of equals the newest. */
  readonly matches: readonly { readonly id: EntryId; readonly snippet: string }[]
}

export interface WordIndex {
  readonly size: number
  /** Of all texts, as UTF-8. */
  readonly bytes: number
  /** All of them at once, which costs much less than one by one. */
  add(entries: readonly IndexedEntry[]): void
  remove(id: EntryId): void
  get(id: EntryId): IndexedEntry | undefined
  all(): readonly IndexedEntry[]
  /** The newest first. @param after `seq` of the last one before them */
  page(selection: Selection & { readonly after: number | undefined }): readonly IndexedEntry[]
  count(kinds: Selection['kinds']): number
  search(selection: Selection & { readonly query: string }): Found
}

/** Of a query. More say nothing more about what is meant. */
const maxWords = 24
/** Of a snippet, in words (FTS5 allows 64) and in characters. */
const snippetWords = 60
export const maxShownCharacters = 400

export function createWordIndex(): WordIndex {
  const database = openDatabase(':memory:')
  database.exec(`
    CREATE TABLE texts (
      seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, text TEXT NOT NULL, source TEXT NOT NULL
    ) STRICT;
    CREATE VIRTUAL TABLE words USING fts5 (
      text, source, content = 'texts', content_rowid = 'seq',
      tokenize = "unicode61 remove_diacritics 2"
    );`)
  const entries = new Map<EntryId, IndexedEntry>()
  let bytes = 0
  const remove = (id: EntryId): void => {
    const known = entries.get(id)
    if (known === undefined) return
    const { seq, entry } = known
    database.transaction(() => {
      database
        .prepare("INSERT INTO words (words, rowid, text, source) VALUES ('delete', ?, ?, ?)")
        .run(seq, ...toIndexed(entry))
      database.prepare('DELETE FROM texts WHERE seq = ?').run(seq)
    })
    entries.delete(id)
    bytes -= Buffer.byteLength(entry.text)
  }
  const chosen = (kinds: Selection['kinds']) =>
    [...entries.values()].filter(({ entry }) => kinds === undefined || kinds.includes(entry.kind))
  return {
    get size() {
      return entries.size
    },
    get bytes() {
      return bytes
    },
    add(many) {
      for (const { id } of many) remove(id)
      database.transaction(() => {
        const text = database.prepare('INSERT INTO texts VALUES (?, ?, ?, ?)')
        const word = database.prepare('INSERT INTO words (rowid, text, source) VALUES (?, ?, ?)')
        for (const { seq, entry } of many) {
          const texts = toIndexed(entry)
          text.run(seq, entry.kind, ...texts)
          word.run(seq, ...texts)
        }
      })
      for (const one of many) {
        entries.set(one.id, one)
        bytes += Buffer.byteLength(one.entry.text)
      }
    },
    remove,
    get: (id) => entries.get(id),
    all: () => [...entries.values()],
    count: (kinds) => chosen(kinds).length,
    page: ({ kinds, limit, after = Number.MAX_SAFE_INTEGER }) =>
      chosen(kinds)
        .filter(({ seq }) => seq < after)
        .sort((one, other) => other.seq - one.seq)
        .slice(0, limit),
    search({ query, kinds, limit }) {
      const words = wordsOf(query)
      const idAt = new Map([...entries.values()].map(({ seq, id }) => [seq, id]))
      const found = (separator: ' AND ' | ' OR ') =>
        match(database, { expression: words.map(quote).join(separator), kinds, limit })
      const all = words.length === 0 ? nothing : found(' AND ')
      const [used, mode] =
        all.count > 0 || words.length < 2 ? [all, 'all' as const] : [found(' OR '), 'any' as const]
      return {
        count: used.count,
        words: mode,
        matches: used.rows.flatMap(({ seq, snippet }) => {
          const id = idAt.get(seq)
          return id === undefined ? [] : [{ id, snippet: shorten(snippet) }]
        }),
      }
    },
  }
}

interface Match {
  readonly count: number
  readonly rows: readonly { readonly seq: number; readonly snippet: string }[]
}

const nothing: Match = { count: 0, rows: [] }

function match(database: Database, asked: { readonly expression: string } & Selection): Match {
  const { expression, kinds, limit } = asked
  const wanted = JSON.stringify(kinds ?? null)
  const where = `words MATCH ?1
    AND (?2 = 'null' OR texts.kind IN (SELECT value FROM json_each(?2)))`
  const from = 'FROM words JOIN texts ON texts.seq = words.rowid'
  const rows = database
    .prepare<{ seq: number; snippet: string }>(
      `SELECT texts.seq AS seq, snippet(words, 0, '', '', '…', ${snippetWords}) AS snippet
       ${from} WHERE ${where} ORDER BY rank, texts.seq DESC LIMIT ?3`,
    )
    .all(expression, wanted, limit)
  const count = database
    .prepare<{ count: number }>(`SELECT count(*) AS count ${from} WHERE ${where}`)
    .get(expression, wanted)
  return { count: count?.count ?? 0, rows }
}

/** As it is searched: one spelling of what looks the same. */
function toIndexed({ text, source }: Entry): readonly [string, string] {
  const searched = (words: string) => words.normalize('NFKC').replaceAll('\0', ' ')
  return [searched(text), searched(source ?? '')]
}

/** What the tokenizer would make words of: letters, digits, private characters, and marks on them. */
function wordsOf(query: string): readonly string[] {
  const words = query.normalize('NFKC').match(/[\p{L}\p{N}\p{Co}][\p{L}\p{N}\p{Co}\p{M}]*/gu) ?? []
  return [...new Set(words)].slice(0, maxWords)
}

/** A string of FTS5 that stands for words beginning so (sqlite.org/fts5.html, 3.3). No word has a quote. */
const quote = (word: string) => `"${word}"*`

export function shorten(text: string): string {
  // Cut roughly first: a word may be as long as the text.
  const characters = [...text.slice(0, 2 * maxShownCharacters)]
  return characters.length > maxShownCharacters
    ? `${characters.slice(0, maxShownCharacters - 1).join('')}…`
    : text
}
