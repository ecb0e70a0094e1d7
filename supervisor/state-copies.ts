// Copies of `audit.db`, and putting one back while the platform is down. Invariant: at every moment
// there is a whole `audit.db`, and what it replaces lies beside it under a name of its own, so that
// going back can itself be gone back on. The folder belongs to the notary: nothing here follows a name
// that it could have laid there as a link.

import {
  chownSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import {
  auditFile,
  type CopyKind,
  headerBytes,
  parseCopyName,
  schemaVersionOf,
  toCopyName,
} from '../security/state-copy.ts'
import { syncPath } from '../security/sync-path.ts'
import { explainSystemError, SupervisorError } from './codes.ts'
import { claimLock } from './lock.ts'
import { type StateLayout, stateLayout } from './state.ts'

export interface StateCopy {
  readonly name: string
  readonly kind: CopyKind
  /** Of the schema, when it was copied. */
  readonly version: number
  /** ISO 8601, UTC */
  readonly at: string
  readonly bytes: number
}

/** The newest first; none where nothing has run. */
export function listCopies(state: string): readonly StateCopy[] {
  const { notary } = stateLayout(state)
  if (!existsSync(notary)) return []
  return readdirSync(notary)
    .flatMap((name) => {
      const copy = parseCopyName(name)
      if (copy === undefined) return []
      const bytes = lstatSync(join(notary, name)).size
      return [{ name, ...copy, at: new Date(copy.at).toISOString(), bytes }]
    })
    .sort((a, b) => b.at.localeCompare(a.at))
}

export interface Restored {
  readonly restored: string
  readonly version: number
  /** Under which name the file lies that was there; null when there was none. */
  readonly replaced: string | null
}

/**
 * Puts a copy in the place of `audit.db`.
 * @param now milliseconds since the epoch; names what is put aside
 * @throws SupervisorError ALREADY_RUNNING, COPY_UNUSABLE, DISK_FULL, STATE_UNUSABLE; nothing is
 *   changed then
 */
export function restoreCopy(state: string, name: string, now: () => number): Restored {
  const layout = stateLayout(state)
  const wanted = listCopies(state).find((copy) => copy.name === name)
  if (wanted === undefined) throw unusable(`there is no copy ${name} in ${layout.notary}`)
  mkdirSync(layout.run, { recursive: true, mode: 0o700 })
  const lock = claimLock(layout.lock, layout.root)
  try {
    return replaceBy(layout, wanted, now())
  } catch (error) {
    throw explainSystemError(error, state)
  } finally {
    lock.release()
  }
}

function replaceBy(layout: StateLayout, { name, version }: StateCopy, now: number): Restored {
  const folder = layout.notary
  const current = join(folder, auditFile)
  dropAliases(folder, current)
  // In a folder that only the supervisor enters, on the same disk.
  const work = join(layout.root, 'supervisor', 'restore')
  rmSync(work, { recursive: true, force: true })
  mkdirSync(work, { recursive: true, mode: 0o700 })
  try {
    const fresh = join(work, auditFile)
    copyTo(join(folder, name), fresh)
    assertWhole(fresh, name, version)
    const facts = lstatSync(current, { throwIfNoEntry: false })
    // A start gives it to the notary again; until then it is whose the old one was.
    if (facts !== undefined && process.getuid?.() === 0) chownSync(fresh, facts.uid, facts.gid)
    const replaced = facts === undefined ? null : putAside(folder, now)
    renameSync(fresh, current)
    syncPath(folder)
    return { restored: name, version, replaced }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** A restore that was killed between its two last steps left `audit.db` with both names. */
function dropAliases(folder: string, current: string): void {
  const facts = lstatSync(current, { throwIfNoEntry: false })
  for (const name of readdirSync(folder)) {
    if (parseCopyName(name)?.kind !== 'replaced') continue
    const { ino, dev } = lstatSync(join(folder, name))
    if (ino === facts?.ino && dev === facts.dev) rmSync(join(folder, name))
  }
}

/** Gives the file a second name; the first is then taken over by a rename, so it is never missing. */
function putAside(folder: string, now: number): string {
  const current = join(folder, auditFile)
  for (const suffix of ['', '-wal', '-shm']) assertPlain(current + suffix)
  const isWhole = takeInLog(current)
  const version = readVersion(current) ?? 0
  const name = toCopyName({ kind: 'replaced', version, at: now })
  linkSync(current, join(folder, name))
  // What SQLite could not take in belongs to the damaged file, under the name that it expects.
  const log = `${current}-wal`
  if (!isWhole && existsSync(log)) renameSync(log, join(folder, `${name}-wal`))
  for (const suffix of ['-wal', '-shm']) rmSync(current + suffix, { force: true })
  return name
}

/** After it the file alone holds everything. False for a file that SQLite cannot read. */
function takeInLog(file: string): boolean {
  // SQLite would delete the log beside what is no database.
  if (readVersion(file) === undefined) return false
  let db: Database.Database | undefined
  try {
    db = new Database(file, { fileMustExist: true })
    const busy = db.pragma('wal_checkpoint(TRUNCATE)', { simple: true })
    if (busy === 0) return true
  } catch (cause) {
    if (!(cause instanceof Database.SqliteError)) throw cause
    if (/^SQLITE_(CORRUPT|NOTADB)/.test(cause.code)) return false
    if (!cause.code.startsWith('SQLITE_BUSY')) throw cause
  } finally {
    db?.close()
  }
  throw new SupervisorError('STATE_UNUSABLE', 'somebody else has audit.db open', {
    next: 'wait until no other program reads it (fuser -v audit.db), then try again',
  })
}

/** @throws SupervisorError COPY_UNUSABLE for a link, a file with a second name, and a folder */
function copyTo(from: string, to: string): void {
  const source = openPlain(from)
  const target = openSync(to, 'wx', 0o600)
  try {
    const block = Buffer.alloc(1024 * 1024)
    for (;;) {
      const bytes = readSync(source, block, 0, block.length, null)
      if (bytes === 0) break
      let written = 0
      while (written < bytes) written += writeSync(target, block, written, bytes - written)
    }
    fsyncSync(target)
  } finally {
    closeSync(source)
    closeSync(target)
  }
}

function openPlain(file: string): number {
  assertPlain(file)
  const handle = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW)
  const facts = fstatSync(handle)
  if (facts.isFile() && facts.nlink === 1) return handle
  closeSync(handle)
  throw unusable(`${file} is a link or no file`)
}

function assertPlain(file: string): void {
  const facts = lstatSync(file, { throwIfNoEntry: false })
  if (facts === undefined || (facts.isFile() && facts.nlink === 1)) return
  throw unusable(`${file} is a link or no file`)
}

function assertWhole(file: string, name: string, version: number): void {
  if (readVersion(file) !== version) throw unusable(`${name} is not what its name says`)
  let db: Database.Database | undefined
  try {
    db = new Database(file, { readonly: true })
    if (db.pragma('quick_check(1)', { simple: true }) === 'ok') return
  } catch (cause) {
    if (!(cause instanceof Database.SqliteError)) throw cause
  } finally {
    db?.close()
  }
  throw unusable(`${name} is damaged`)
}

function readVersion(file: string): number | undefined {
  const handle = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const header = Buffer.alloc(headerBytes)
    const bytes = readSync(handle, header, 0, headerBytes, 0)
    return schemaVersionOf(header.subarray(0, bytes))
  } finally {
    closeSync(handle)
  }
}

function unusable(message: string): SupervisorError {
  return new SupervisorError('COPY_UNUSABLE', message, { next: 'npx bulkhead state backups' })
}
