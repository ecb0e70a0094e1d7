// The notes agent: Markdown files in one folder, entries appended and taken back. Invariant: an entry
// is written at most once however often its command arrives, because the note itself says whether it
// is there; this file keeps no state.

import { listStored } from '../data-folder.ts'
import { ActionFailure, defineAgent } from '../define-agent.ts'
import { isFileStem } from '../file-stem.ts'
import { findEntry, markerLine, type NoteBytes, withEntry, withoutEntry } from './entries.ts'
import { manifest, notesAt } from './manifest.ts'
import { type Note, noteSuffix, peekNote, readNote, replaceNote, textOf } from './note-file.ts'

/** Files that list and search look at; a folder with more is not a notebook. */
const maxNotes = 5_000
/** Bytes that one search reads: about a second of work. */
const maxSearchedBytes = 64 * 1024 * 1024
const dayMs = 24 * 60 * 60 * 1_000

export const agent = defineAgent(manifest, {
  append: async ({ note: name, text, dryRun }, context) => {
    const folder = context.folder(notesAt)
    const note = readNote(folder, name)
    const found = findEntry(note?.bytes ?? '', context.idem)
    if (note !== undefined && found.kind !== 'missing') {
      const before = found.kind === 'found' ? withoutEntry(note.bytes, found.entry) : note.bytes
      return change(name, context.idem, before, note.bytes)
    }
    const next = withEntry(note?.bytes, context.idem, text)
    if (!dryRun) replaceNote(folder, name, note, next)
    return change(name, context.idem, note?.bytes ?? '', next)
  },

  retract: async ({ note: name, entry: id, dryRun }, context) => {
    const folder = context.folder(notesAt)
    const note = readNote(folder, name)
    const found = findEntry(note?.bytes ?? '', id)
    if (note === undefined || found.kind === 'missing') {
      const bytes = note?.bytes ?? ''
      return { ...change(name, id, bytes, bytes), outcome: 'not-there' as const }
    }
    if (found.kind === 'damaged') {
      throw new ActionFailure('CONFLICT', 'ask', `the marks of an entry of ${name} were edited`)
    }
    const next = withoutEntry(note.bytes, found.entry)
    if (!dryRun) {
      replaceNote(folder, name, note, next === '' && found.entry.created ? undefined : next)
    }
    return { ...change(name, id, note.bytes, next), outcome: 'retracted' as const }
  },

  read: async ({ note: name, maxBytes }, context) => {
    const note = readNote(context.folder(notesAt), name)
    if (note === undefined) throw new ActionFailure('NOT_FOUND', 'final', `no note ${name}`)
    return {
      note: name,
      text: textOf(note.bytes.slice(0, wholeCharacters(note.bytes, maxBytes))),
      bytes: note.bytes.length,
      truncated: note.bytes.length > maxBytes,
      modified: new Date(note.modifiedMs).toISOString(),
    }
  },

  search: async ({ query, limit }, context) => {
    const wanted = query.toLowerCase()
    const matches: { name: string; line: number; text: string }[] = []
    let count = 0
    for (const note of readAll(context.folder(notesAt))) {
      for (const [index, line] of textOf(note.bytes).split(/\r?\n/).entries()) {
        if (markerLine.test(line) || !line.toLowerCase().includes(wanted)) continue
        count += 1
        if (matches.length < limit) {
          matches.push({ name: note.name, line: index + 1, text: shorten(line.trim()) })
        }
      }
    }
    return { count, matches }
  },

  list: async ({ recentDays, limit }, context) => {
    const folder = context.folder(notesAt)
    const since = context.now() - recentDays * dayMs
    const recent = namesIn(folder)
      .flatMap((name) => peekNote(folder, name) ?? [])
      .filter((note) => note.modifiedMs >= since)
      .sort((a, b) => b.modifiedMs - a.modifiedMs || (a.name < b.name ? -1 : 1))
    const notes = recent.slice(0, limit).map(({ name, modifiedMs, size, head }) => ({
      name,
      modified: new Date(modifiedMs).toISOString(),
      bytes: size,
      firstLine: firstLineOf(head),
    }))
    return { count: recent.length, notes }
  },
})

/** Links, pipes and folders are not notes, whatever their name. */
function namesIn(folder: string): string[] {
  return listStored(folder, { suffix: noteSuffix, maxFiles: maxNotes, only: 'regular' }).filter(
    isFileStem,
  )
}

function* readAll(folder: string): Generator<Note> {
  let total = 0
  for (const name of namesIn(folder)) {
    const note = readNote(folder, name)
    // Removed between the listing and now.
    if (note === undefined) continue
    total += note.bytes.length
    if (total > maxSearchedBytes) {
      throw new ActionFailure(
        'LIMIT_EXCEEDED',
        'final',
        `notes of more than ${maxSearchedBytes} bytes`,
      )
    }
    yield note
  }
}

function change(note: string, entry: string, before: NoteBytes, after: NoteBytes) {
  return {
    note,
    entry,
    bytesBefore: before.length,
    bytesAfter: after.length,
    before: tailOf(before),
    after: tailOf(after),
  }
}

/** The last 400 characters; 1,600 bytes hold at least that many. */
function tailOf(bytes: NoteBytes): string {
  const characters = [...textOf(bytes.slice(-1_600)).replace(/^\uFFFD+/, '')]
  return characters.slice(-400).join('')
}

/** How many of the first `maxBytes` bytes are whole UTF-8 characters. */
function wholeCharacters(bytes: NoteBytes, maxBytes: number): number {
  let end = Math.min(maxBytes, bytes.length)
  while (end > 0 && end < bytes.length && (bytes.charCodeAt(end) & 0xc0) === 0x80) end -= 1
  return end
}

function firstLineOf(head: NoteBytes): string {
  const lines = textOf(head).split(/\r?\n/)
  return shorten(lines.find((line) => line.trim() !== '' && !markerLine.test(line))?.trim() ?? '')
}

function shorten(line: string): string {
  // Cut roughly first: a hostile line has millions of characters.
  const characters = [...line.slice(0, 1_000)]
  return characters.length > 200 ? `${characters.slice(0, 199).join('')}…` : line
}
