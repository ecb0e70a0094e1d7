// What each change did to its event, by effect id: how a repeated command knows that it is done, and
// what `revert` gives back. One file a change in the hidden folder of the calendars, which also keeps
// deleted events for a while, as a bin would. Invariant: an entry is on disk before the calendar
// changes. Bounded: the oldest entries go; a change without its entry is never guessed at.

import { readdirSync, statSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { hiddenFolder, hiddenIn, readStored, replaceStored } from '../data-folder.ts'
import { conflict, corrupt, tooMuch } from './failures.ts'

/** Changes that can be taken back; a run with its undo makes a few. */
const maxEntries = 200
/** Of one entry: an event with its exceptions, twice. */
const maxEntryBytes = 1024 * 1024

const entrySchema = z.strictObject({
  calendar: z.string(),
  uid: z.string(),
  /** Of an event on a server: its collection and its own place. */
  place: z.strictObject({ collection: z.string(), url: z.string() }).optional(),
  /** Exact texts of the event's components. */
  before: z.array(z.string()),
  after: z.array(z.string()),
  /** As the action gave it; its own schema is asked when it is given again. */
  result: z.unknown(),
  /** False until the calendar is known to hold `after`. */
  applied: z.boolean(),
})
export type JournalEntry = z.infer<typeof entrySchema>

/** What a write intends. */
export interface PlannedChange<Result> {
  readonly uid: string
  /** The event's components as they shall be; none deletes it. */
  readonly texts: readonly string[]
  readonly result: Result
}

/** The UID that `create` gives, so that an event says which command made it. */
export function uidOf(idem: string): string {
  return `${idem}@bulkhead`
}

/** @throws ActionFailure CORRUPT_DATA */
export function readEntry(folder: string, idem: string): JournalEntry | undefined {
  const bytes = readStored(folder, entryName(idem), maxEntryBytes)?.bytes
  if (bytes === undefined) return undefined
  try {
    return entrySchema.parse(JSON.parse(bytes.toString('utf8')))
  } catch {
    throw corrupt('journal', 'an entry was edited')
  }
}

/** @throws ActionFailure LIMIT_EXCEEDED, STORAGE_FULL */
export function writeEntry(folder: string, idem: string, entry: JournalEntry): void {
  const bytes = Buffer.from(JSON.stringify(entry))
  if (bytes.length > maxEntryBytes) throw tooMuch('an event too large to be changed')
  const expected = readStored(folder, entryName(idem), maxEntryBytes)?.bytes
  if (expected === undefined) makeRoom(folder)
  replaceStored({ folder, name: entryName(idem), expected, bytes })
}

/** For a change that certainly was not made. */
export function removeEntry(folder: string, idem: string): void {
  const expected = readStored(folder, entryName(idem), maxEntryBytes)?.bytes
  if (expected === undefined) return
  replaceStored({ folder, name: entryName(idem), expected, bytes: undefined })
}

function entryName(idem: string): string {
  if (!/^[A-Za-z0-9_-]{43}$/.test(idem)) throw conflict('an effect id of another form')
  return `${hiddenFolder}/change-${idem}.json`
}

function makeRoom(folder: string): void {
  const hidden = hiddenIn(folder)
  const entries = readdirSync(hidden)
    .filter((name) => name.startsWith('change-'))
    .map((name) => join(hidden, name))
  if (entries.length < maxEntries) return
  const byAge = entries
    .map((path) => ({ path, at: statSync(path).mtimeMs }))
    .sort((left, right) => left.at - right.at)
  for (const { path } of byAge.slice(0, entries.length - maxEntries + 1)) unlinkSync(path)
}
