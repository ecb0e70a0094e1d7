// Node's own SQLite with typed rows and transactions. No addon: an agent's database needs nothing beside
// Node. Invariant: what leaves `transaction` by an error has changed nothing.

import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { z } from 'zod'

export interface Statement<Row> {
  all(...values: readonly SQLInputValue[]): readonly Row[]
  get(...values: readonly SQLInputValue[]): Row | undefined
  /** @returns how many rows it changed */
  run(...values: readonly SQLInputValue[]): { readonly changes: number; readonly rowId: number }
}

export interface Database {
  exec(sql: string): void
  /**
   * `Row` is what the statement's columns are: our own words about our own tables. Each text is compiled
   * once: a statement holds memory that only the garbage collector would give back.
   */
  prepare<Row = never>(sql: string): Statement<Row>
  /** The value of a pragma, or what it was set to. */
  pragma(text: string): unknown
  /** All of it or nothing. Not inside another one. */
  transaction<Result>(work: () => Result): Result
  close(): void
}

/** SQLite's primary result codes (sqlite.org/rescode.html) that are told apart. */
const kinds = new Map([
  [13, 'full'],
  [11, 'corrupt'],
  [26, 'corrupt'],
] as const)
const errorSchema = z.object({ code: z.literal('ERR_SQLITE_ERROR'), errcode: z.number() })

/** What SQLite says is wrong; undefined for any other error. */
export function sqliteFault(error: unknown): 'full' | 'corrupt' | 'other' | undefined {
  const parsed = errorSchema.safeParse(error)
  if (!parsed.success) return undefined
  // The lowest byte is the primary code.
  const known = [...kinds].find(([code]) => code === parsed.data.errcode % 256)
  return known?.[1] ?? 'other'
}

export function openDatabase(file: string): Database {
  const database = new DatabaseSync(file, { timeout: 5_000 })
  const compiled = new Map<string, StatementSync>()
  return {
    exec: (sql) => database.exec(sql),
    prepare<Row>(sql: string): Statement<Row> {
      const statement = compiled.get(sql) ?? database.prepare(sql)
      compiled.set(sql, statement)
      return {
        all: (...values) => statement.all(...values) as unknown as readonly Row[],
        get: (...values) => statement.get(...values) as unknown as Row | undefined,
        run: (...values) => {
          const { changes, lastInsertRowid } = statement.run(...values)
          return { changes: Number(changes), rowId: Number(lastInsertRowid) }
        },
      }
    },
    pragma: (text) => Object.values(database.prepare(`PRAGMA ${text}`).get() ?? {})[0],
    transaction(work) {
      database.exec('BEGIN IMMEDIATE')
      try {
        const result = work()
        database.exec('COMMIT')
        return result
      } catch (error) {
        if (database.isTransaction) database.exec('ROLLBACK')
        throw error
      }
    },
    close: () => database.close(),
  }
}
