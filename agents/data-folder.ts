// Whole files in one mounted folder: read within a bound, replace so that a reader sees the old or
// the new file and a power cut leaves one of them. Everything here is synchronous on purpose: two
// commands in one process can then never interleave between the last look at a file and its rename.
// Another program still can, in the microseconds between those two calls; POSIX offers no
// compare-and-rename. Symbolic links are never followed, and only regular files are opened.

import { randomUUID } from 'node:crypto'
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  opendirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  type Stats,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { ActionFailure } from './define-agent.ts'
import { syncFolder } from './sync-folder.ts'

/** Below each data folder: temporary files and journals. Never shown as content. */
export const hiddenFolder = '.bulkhead'
/** Temporary files older than this were left by a crash. */
const abandonedMs = 60 * 60 * 1_000

export interface StoredFile {
  readonly bytes: Buffer
  readonly modifiedMs: number
}

/**
 * @returns undefined when there is no such file
 * @throws ActionFailure CORRUPT_DATA for anything but a regular file, LIMIT_EXCEEDED above `maxBytes`
 */
export function readStored(folder: string, name: string, maxBytes: number): StoredFile | undefined {
  return withRegular(folder, name, (file, facts) => {
    if (facts.size > maxBytes) throw tooLarge(name, maxBytes)
    return { bytes: readBounded(file, name, maxBytes), modifiedMs: facts.mtimeMs }
  })
}

export interface FilePeek {
  readonly head: Buffer
  readonly size: number
  readonly modifiedMs: number
}

/** As `readStored`, but only the first `headBytes`, of a file of any size. */
export function peekStored(folder: string, name: string, headBytes: number): FilePeek | undefined {
  return withRegular(folder, name, (file, facts) => {
    const head = Buffer.alloc(headBytes)
    const read = readSync(file, head, 0, headBytes, 0)
    return { head: head.subarray(0, read), size: facts.size, modifiedMs: facts.mtimeMs }
  })
}

function withRegular<Result>(
  folder: string,
  name: string,
  use: (file: number, facts: Stats) => Result,
): Result | undefined {
  const file = openRegular(folder, name)
  if (file === undefined) return undefined
  try {
    const facts = fstatSync(file)
    if (!facts.isFile()) throw corrupt(name, 'is not a regular file')
    return use(file, facts)
  } catch (error) {
    throw toFailure(error, name)
  } finally {
    closeSync(file)
  }
}

function openRegular(folder: string, name: string): number | undefined {
  try {
    // O_NONBLOCK: opening a FIFO that nobody writes to must not wait for a writer.
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants
    return openSync(join(folder, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  } catch (error) {
    if (codeOf(error) === 'ENOENT' && isFolder(folder)) return undefined
    throw toFailure(error, name)
  }
}

/** A file that grows while it is read is bounded too. */
function readBounded(file: number, name: string, maxBytes: number): Buffer {
  const chunks: Buffer[] = []
  let total = 0
  for (;;) {
    const chunk = Buffer.allocUnsafe(256 * 1024)
    const read = readSync(file, chunk, 0, chunk.length, null)
    if (read === 0) return Buffer.concat(chunks, total)
    total += read
    if (total > maxBytes) throw tooLarge(name, maxBytes)
    chunks.push(chunk.subarray(0, read))
  }
}

export interface Listing {
  readonly suffix: string
  readonly maxFiles: number
  /** `all` lists links, pipes and folders too: reading one fails, which says that it is there. */
  readonly only: 'regular' | 'all'
}

/**
 * Names, without the suffix, of the visible entries that end in it, sorted by code unit.
 * @throws ActionFailure LIMIT_EXCEEDED above `maxFiles` of them, or far too many others
 */
export function listStored(folder: string, { suffix, maxFiles, only }: Listing): string[] {
  const names: string[] = []
  let seen = 0
  try {
    const entries = opendirSync(folder)
    try {
      for (let entry = entries.readSync(); entry !== null; entry = entries.readSync()) {
        seen += 1
        if (seen > 100_000)
          throw new ActionFailure('LIMIT_EXCEEDED', 'final', 'the folder is full of files')
        if (!entry.name.endsWith(suffix) || entry.name.startsWith('.')) continue
        if (only === 'regular' && !entry.isFile()) continue
        names.push(entry.name.slice(0, -suffix.length))
        if (names.length > maxFiles) {
          throw new ActionFailure(
            'LIMIT_EXCEEDED',
            'final',
            `more than ${maxFiles} files *${suffix}`,
          )
        }
      }
    } finally {
      entries.closeSync()
    }
  } catch (error) {
    throw toFailure(error, 'the folder')
  }
  return names.sort((left, right) => (left < right ? -1 : 1))
}

export interface Replacement {
  readonly folder: string
  readonly name: string
  /** What the file held when the caller looked; undefined when it was not there. */
  readonly expected: Buffer | undefined
  /** Undefined removes the file. */
  readonly bytes: Buffer | undefined
}

/**
 * Puts `bytes` in place of `expected`, durably.
 * @throws ActionFailure with retry `absent` while nothing has changed: CONFLICT when another program
 *   changed the file meanwhile, STORAGE_FULL, UNAVAILABLE. Once the name may have changed, a plain
 *   Error: the outcome is unknown then
 */
export function replaceStored(change: Replacement): void {
  const { folder, name, expected, bytes } = change
  const target = join(folder, name)
  const temporary = bytes === undefined ? undefined : writeTemporary(folder, name, bytes)
  try {
    const current = readStored(folder, name, Number.MAX_SAFE_INTEGER)?.bytes
    if (!sameBytes(current, expected)) {
      throw new ActionFailure('CONFLICT', 'absent', `${name} was changed by another program`)
    }
    if (temporary === undefined) unlinkSync(target)
    else renameSync(temporary, target)
  } catch (error) {
    throw toFailure(error, name)
  } finally {
    if (temporary !== undefined) removeQuietly(temporary)
  }
  syncFolder(dirname(target))
}

function sameBytes(left: Buffer | undefined, right: Buffer | undefined): boolean {
  return left === undefined || right === undefined ? left === right : left.equals(right)
}

function writeTemporary(folder: string, name: string, bytes: Buffer): string {
  const temporary = join(hiddenIn(folder), `tmp-${randomUUID()}`)
  try {
    const { O_WRONLY, O_CREAT, O_EXCL } = constants
    const file = openSync(temporary, O_WRONLY | O_CREAT | O_EXCL, 0o600)
    try {
      fchmodSync(file, modeFor(join(folder, name)))
      writeFileSync(file, bytes)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    return temporary
  } catch (error) {
    removeQuietly(temporary)
    throw toFailure(error, name)
  }
}

function modeFor(path: string): number {
  try {
    return lstatSync(path).mode & 0o777
  } catch {
    return 0o600
  }
}

/**
 * The hidden folder of a data folder, created where it is missing and cleared of what crashes left.
 * @throws ActionFailure CORRUPT_DATA when something else has its name
 */
export function hiddenIn(folder: string): string {
  const hidden = join(folder, hiddenFolder)
  try {
    mkdirSync(hidden, { mode: 0o700 })
    syncFolder(folder)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw toFailure(error, hiddenFolder)
  }
  if (!lstatSync(hidden).isDirectory()) throw corrupt(hiddenFolder, 'is not a folder')
  for (const entry of readdirSync(hidden)) {
    if (!entry.startsWith('tmp-')) continue
    const path = join(hidden, entry)
    // The process clock, not the action's: file times come from the same one.
    if (Date.now() - (lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) > abandonedMs) {
      removeQuietly(path)
    }
  }
  return hidden
}

/**
 * Names in the hidden folder, without the suffix; none where there is no such folder.
 * @throws ActionFailure LIMIT_EXCEEDED
 */
export function listHidden(folder: string, suffix: string): string[] {
  const hidden = join(folder, hiddenFolder)
  if (lstatSync(hidden, { throwIfNoEntry: false })?.isDirectory() !== true) return []
  return listStored(hidden, { suffix, maxFiles: 1_000, only: 'all' })
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // Already renamed, or another look will find it: `hiddenIn` clears old ones.
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

function corrupt(name: string, what: string): ActionFailure {
  return new ActionFailure('CORRUPT_DATA', 'final', `${name} ${what}`)
}

function tooLarge(name: string, maxBytes: number): ActionFailure {
  return new ActionFailure('LIMIT_EXCEEDED', 'final', `${name} has more than ${maxBytes} bytes`)
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined
}

/** Maps an error of the file system, at a point where nothing has changed. */
function toFailure(error: unknown, name: string): unknown {
  if (error instanceof ActionFailure) return error
  switch (codeOf(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return new ActionFailure('STORAGE_FULL', 'absent', `no space for ${name}`, error)
    case 'ENOENT':
      return new ActionFailure('NOT_FOUND', 'final', `the folder of ${name} is missing`, error)
    case 'ELOOP':
    case 'ENOTDIR':
    case 'EISDIR':
    case 'ENXIO':
      return corrupt(name, 'is not a regular file')
    case 'EMFILE':
    case 'ENFILE':
    case 'EIO':
    case 'EAGAIN':
      return new ActionFailure('UNAVAILABLE', 'absent', `${name} cannot be read now`, error)
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new ActionFailure('UNAVAILABLE', 'ask', `${name} is not permitted`, error)
    default:
      return error
  }
}
