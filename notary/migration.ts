// Brings a database to the newest schema: first a consistent copy beside it, then all steps in one
// transaction. Invariant: until that transaction commits, the file is what it was; a copy that has its
// name is whole and on disk. So whoever is killed anywhere starts again as if nothing had been begun.

import { closeSync, linkSync, openSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import { auditFile, parseCopyName, toCopyName } from '../security/state-copy.ts'
import { syncPath } from '../security/sync-path.ts'
import type { Migration } from './schema.ts'

/** NEWER: another release wrote it. NO_ROOM: neither copy nor change fits on the disk. */
export type MigrationErrorCode = 'NEWER' | 'NO_ROOM'

/** Nothing was changed. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError'
  readonly code: MigrationErrorCode
  readonly next: string
  constructor(
    code: MigrationErrorCode,
    message: string,
    options: { readonly next: string; readonly cause?: unknown },
  ) {
    super(message, options)
    this.code = code
    this.next = options.next
  }
}

/** How far it has come: what is true when a process is killed there. */
export type MigrationPhase = 'copying' | 'copied' | 'changing' | 'changed'

export interface MigrationOptions {
  readonly migrations: readonly Migration[]
  /** Path of the database that is open. */
  readonly file: string
  /** Milliseconds since the epoch; names the copy. */
  readonly now: () => number
  /** Crash tests stop the process here. */
  readonly onPhase?: (phase: MigrationPhase) => void
}

/** The one before the last release too, and not a disk full of them. */
const keptCopies = 2

/** @throws MigrationError, and SQLite's own errors */
export function migrate(db: Database.Database, options: MigrationOptions): void {
  const { migrations, file, onPhase } = options
  const version = Number(db.pragma('user_version', { simple: true }))
  const newest = migrations.at(-1)?.to ?? 0
  if (version > newest) throw isNewer(version, newest)
  const steps = migrations.filter(({ from }) => from >= version)
  if (steps.length === 0) return
  let copy: string | undefined
  try {
    copy = version === 0 ? undefined : copyBeside(db, version, options)
    db.transaction(() => {
      for (const { sql } of steps) db.exec(sql)
      db.pragma(`user_version = ${newest}`)
      onPhase?.('changing')
    }).immediate()
  } catch (cause) {
    // Nothing was changed, so it is a copy of what is still there; tried again, they would pile up.
    if (copy !== undefined) rmSync(copy, { force: true })
    throw isFull(cause) ? hasNoRoom(file, cause) : cause
  }
  onPhase?.('changed')
  if (copy !== undefined) forgetOldCopies(dirname(file))
}

/** Writes, checks and names the copy, in this order, and returns its path. */
function copyBeside(
  db: Database.Database,
  version: number,
  { file, now, onPhase }: MigrationOptions,
): string {
  const folder = dirname(file)
  const partial = join(folder, `${auditFile}.copying`)
  const copy = join(folder, toCopyName({ kind: 'before-migration', version, at: now() }))
  // Of a start that was killed.
  rmSync(partial, { force: true })
  try {
    // SQLite fills a file that is there and empty; made here, it is never open to others.
    closeSync(openSync(partial, 'wx', 0o600))
    db.prepare('VACUUM INTO ?').run(partial)
    syncPath(partial)
    assertWhole(partial, version)
    onPhase?.('copying')
    // Unlike a rename it fails where there is one of that name.
    linkSync(partial, copy)
  } finally {
    rmSync(partial, { force: true })
  }
  syncPath(folder)
  onPhase?.('copied')
  return copy
}

/** A copy that was never read is a hope. */
function assertWhole(file: string, version: number): void {
  const copy = new Database(file, { readonly: true })
  try {
    const is = copy.pragma('user_version', { simple: true })
    const verdict = copy.pragma('quick_check(1)', { simple: true })
    if (verdict !== 'ok' || is !== version) throw new Error('the copy of audit.db is not whole')
  } finally {
    copy.close()
  }
}

/** Those that a person's restore put aside stay until the person deletes them. */
function forgetOldCopies(folder: string): void {
  const ofMigrations = readdirSync(folder)
    .map((name) => ({ name, copy: parseCopyName(name) }))
    .filter(({ copy }) => copy?.kind === 'before-migration')
    .sort((a, b) => (b.copy?.at ?? 0) - (a.copy?.at ?? 0))
  for (const { name } of ofMigrations.slice(keptCopies)) rmSync(join(folder, name), { force: true })
}

function isFull(cause: unknown): boolean {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'SQLITE_FULL'
}

function isNewer(version: number, newest: number): MigrationError {
  return new MigrationError(
    'NEWER',
    `audit.db is of version ${version}, written by a newer release; this one knows versions up to ${newest}`,
    {
      next: 'start the newer release, or go back to a copy: npx bulkhead state backups',
    },
  )
}

function hasNoRoom(file: string, cause: unknown): MigrationError {
  const folder = dirname(file)
  return new MigrationError(
    'NO_ROOM',
    'there is no room to copy audit.db before its schema is brought up to date; nothing was changed',
    { next: `free some space on that disk (df -h ${folder}), then start again`, cause },
  )
}
