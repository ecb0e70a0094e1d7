// A note as a file: which names are notes, how large one may be, and how it is read and replaced.
// Must not know what an entry is.

import { peekStored, readStored, replaceStored } from '../data-folder.ts'
import { ActionFailure } from '../define-agent.ts'
import { isFileStem } from '../file-stem.ts'
import type { NoteBytes } from './entries.ts'

/** A note that a person would still open; appending rewrites the file, so it bounds that too. */
const maxNoteBytes = 4 * 1024 * 1024
export const noteSuffix = '.md'

export interface Note {
  readonly name: string
  readonly bytes: NoteBytes
  readonly modifiedMs: number
}

/** @throws ActionFailure INVALID_INPUT when `name` cannot be a note's name */
export function fileNameOf(name: string): string {
  if (!isFileStem(name)) throw new ActionFailure('INVALID_INPUT', 'final', 'not the name of a note')
  return `${name}${noteSuffix}`
}

/**
 * @returns undefined when there is no such note
 * @throws ActionFailure
 */
export function readNote(folder: string, name: string): Note | undefined {
  const stored = readStored(folder, fileNameOf(name), maxNoteBytes)
  if (stored === undefined) return undefined
  const [first, second] = stored.bytes
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    throw new ActionFailure('CORRUPT_DATA', 'final', `${name} is UTF-16; UTF-8 is expected`)
  }
  return { name, bytes: stored.bytes.toString('latin1'), modifiedMs: stored.modifiedMs }
}

export interface NotePeek {
  readonly name: string
  readonly head: NoteBytes
  readonly size: number
  readonly modifiedMs: number
}

/** The beginning of a note of any size. */
export function peekNote(folder: string, name: string): NotePeek | undefined {
  const peek = peekStored(folder, fileNameOf(name), 16 * 1024)
  if (peek === undefined) return undefined
  return { ...peek, name, head: peek.head.toString('latin1') }
}

/**
 * @param next undefined removes the note
 * @throws ActionFailure
 */
export function replaceNote(
  folder: string,
  name: string,
  before: Note | undefined,
  next: NoteBytes | undefined,
): void {
  if (next !== undefined && next.length > maxNoteBytes) {
    throw new ActionFailure('LIMIT_EXCEEDED', 'final', `${name} would exceed ${maxNoteBytes} bytes`)
  }
  replaceStored({
    folder,
    name: fileNameOf(name),
    expected: before === undefined ? undefined : Buffer.from(before.bytes, 'latin1'),
    bytes: next === undefined ? undefined : Buffer.from(next, 'latin1'),
  })
}

/** UTF-8 text of the bytes; what is not UTF-8 becomes U+FFFD. */
export function textOf(bytes: NoteBytes): string {
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
