// What the notes agent declares: Markdown files in one folder, one `<name>.md` a note. Data and zod
// only. Files in subfolders and hidden files are not notes.

import { z } from 'zod'
import { limits } from '../../plan/limits.ts'
import { defineManifest } from '../../plan/manifest.ts'
import { fileStemPattern } from '../file-stem.ts'

/** Where the folder of notes is mounted in the sandbox. */
export const notesAt = '/data/notes'

/** The file's name without `.md`. */
const noteName = z.string().min(1).max(100).regex(fileStemPattern)
const entryId = z.string().regex(/^[A-Za-z0-9_-]{43}$/)
const dryRun = z.boolean().default(false)

const common = {
  audience: 'owner',
  idempotent: true,
  timeoutMs: 10_000,
} as const

const changed = {
  note: z.string(),
  entry: z.string(),
  bytesBefore: z.number().int(),
  bytesAfter: z.number().int(),
  /** The end of the note, at most 400 characters. */
  before: z.string(),
  after: z.string(),
}

export const manifest = defineManifest({
  name: 'notes',
  summary: 'reads Markdown notes in one folder and adds entries to them',
  replicas: 1,
  alwaysOn: false,
  idleMs: 60_000,
  storage: 'data',
  perUser: false,
  mounts: [{ from: { config: 'notes.folder' }, at: notesAt, mode: 'rw' }],
  actions: {
    append: {
      ...common,
      effect: 'write',
      summary: 'an entry at the end of a note, which is created where it is missing',
      input: z.strictObject({
        note: noteName,
        text: z.string().min(1).max(limits.textBytes),
        dryRun,
      }),
      output: z.strictObject(changed),
      quotes: ['/before', '/after'],
      roles: { '/note': 'control', '/text': 'content', '/dryRun': 'control' },
      undo: { action: 'retract', args: { note: { $args: '/note' }, entry: { $idem: true } } },
      maxResultBytes: 16 * 1024,
    },
    retract: {
      ...common,
      effect: 'write',
      summary: 'the undo of append: removes that entry and nothing else',
      input: z.strictObject({ note: noteName, entry: entryId, dryRun }),
      output: z.strictObject({ ...changed, outcome: z.enum(['retracted', 'not-there']) }),
      quotes: ['/before', '/after'],
      roles: { '/note': 'control', '/entry': 'opaque', '/dryRun': 'control' },
      undo: 'none',
      maxResultBytes: 16 * 1024,
    },
    read: {
      ...common,
      effect: 'read',
      summary: 'the text of a note',
      input: z.strictObject({
        note: noteName,
        maxBytes: z.number().int().min(1).max(200_000).default(65_536),
      }),
      output: z.strictObject({
        note: z.string(),
        text: z.string(),
        /** Of the whole file, where `text` was cut. */
        bytes: z.number().int(),
        truncated: z.boolean(),
        modified: z.string(),
      }),
      quotes: ['/text'],
      roles: { '/note': 'control', '/maxBytes': 'control' },
      undo: 'none',
      maxResultBytes: 512 * 1024,
    },
    search: {
      ...common,
      effect: 'read',
      summary: 'lines that contain a text, over all notes',
      input: z.strictObject({
        query: z.string().min(1).max(200),
        limit: z.number().int().min(1).max(200).default(50),
      }),
      output: z.strictObject({
        /** All that matched; `matches` holds the first `limit` of them. */
        count: z.number().int(),
        matches: z.array(
          z.strictObject({ name: z.string(), line: z.number().int(), text: z.string() }),
        ),
      }),
      quotes: ['/matches/*/text', '/matches/*/name'],
      roles: { '/query': 'content', '/limit': 'control' },
      undo: 'none',
      maxResultBytes: 256 * 1024,
    },
    list: {
      ...common,
      effect: 'read',
      summary: 'notes changed lately, the latest first',
      input: z.strictObject({
        recentDays: z.number().int().min(1).max(3_660).default(7),
        limit: z.number().int().min(1).max(200).default(20),
      }),
      output: z.strictObject({
        /** All that are recent; `notes` holds the first `limit` of them. */
        count: z.number().int(),
        notes: z.array(
          z.strictObject({
            name: z.string(),
            /** RFC 3339, UTC. */
            modified: z.string(),
            bytes: z.number().int(),
            firstLine: z.string(),
          }),
        ),
      }),
      quotes: ['/notes/*/firstLine', '/notes/*/name'],
      roles: { '/recentDays': 'control', '/limit': 'control' },
      undo: 'none',
      maxResultBytes: 256 * 1024,
    },
  },
})
