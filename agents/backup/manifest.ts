// What the backup agent declares: looking at backups that other programs made, and trying whether they can
// be restored. Data and zod only. It never changes a repository: repositories are mounted read-only, and
// no action forgets, prunes or unlocks. What a repository says of itself was written by others.

import { z } from 'zod'
import { defineManifest } from '../../plan/manifest.ts'

/** A folder whose folders are repositories. */
export const repositoriesAt = '/data/repositories'
/** Where restored files lie while they are compared; empty again afterwards. */
export const scratchAt = '/data/scratch'
/** One line a repository, `name: password`. */
export const passwordsSecret = 'passwords'

const mebibyte = 1024 * 1024
/** Of one file that a drill restores, and of all of them. */
export const maxSampledBytes = 16 * mebibyte
export const maxDrillBytes = 48 * mebibyte
export const maxSample = 20
export const maxPoints = 60
/** Of each list in a result; what is beyond is counted. */
export const maxListed = 20
export const maxRepositories = 50

export const repositoryPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
const repository = z.string().regex(repositoryPattern)
/** An id of restic's, or the name of an archive of borg's; never an option. */
const snapshot = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:+@-]{0,127}$/)
/** As the repository writes it; never an option. */
const path = z
  .string()
  .max(1_000)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it refuses
  .regex(/^[^-\s\u0000-\u001f\u007f][^\u0000-\u001f\u007f]*$/)

/** Why a repository is not as it should be; `OK` when it is. */
export const statusReasons = [
  'OK',
  'TOO_OLD',
  'EMPTY',
  'IN_THE_FUTURE',
  'NO_PROGRAM',
  'NO_PASSWORD',
  'WRONG_PASSWORD',
  'UNREADABLE',
] as const
export type StatusReason = (typeof statusReasons)[number]

/** What in a difference looks like files that somebody has encrypted or thrown away. */
export const suspicions = ['MOST_CHANGED', 'MOST_REMOVED', 'RENAMED_ALIKE'] as const
export type Suspicion = (typeof suspicions)[number]

const program = z.enum(['restic', 'borg'])
const text = z.string().max(300)
const about = { repository, program, version: z.string() }
const count = z.number().int().min(0)
const taken = { id: z.string(), takenAt: z.string() }

const common = {
  effect: 'read',
  audience: 'owner',
  undo: 'none',
  idempotent: true,
} as const

export const manifest = defineManifest({
  name: 'backup',
  summary: 'looks after backups of restic and borg: how old, how sound, can they be restored',
  replicas: 1,
  alwaysOn: false,
  idleMs: 60_000,
  storage: 'data',
  storageBytes: 128 * mebibyte,
  perUser: false,
  limits: { memoryBytes: 768 * mebibyte, pids: 160 },
  mounts: [
    { from: { config: 'backup.repositories' }, at: repositoriesAt, mode: 'ro' },
    { from: { config: 'backup.scratch' }, at: scratchAt, mode: 'rw' },
  ],
  secrets: [{ name: passwordsSecret, from: { config: 'backup.passwords' } }],
  programs: [
    { name: 'restic', from: { config: 'backup.restic' }, kind: 'elf' },
    { name: 'borg', from: { config: 'backup.borg' }, kind: 'python' },
  ],
  actions: {
    status: {
      ...common,
      summary: 'each repository: when it was last backed up to, and whether that is recent enough',
      input: z.strictObject({
        /** Absent: all. */
        repositories: z.array(repository).max(maxRepositories).optional(),
        maxAgeHours: z.number().min(1).max(10_000).default(26),
      }),
      output: z.strictObject({
        /** Whether every one of them is, and there is one. */
        ok: z.boolean(),
        repositories: z.array(
          z.strictObject({
            repository,
            program,
            ok: z.boolean(),
            reason: z.enum(statusReasons),
            snapshots: count,
            /** Of the newest; RFC 3339. */
            lastSnapshot: z.string().nullable(),
            ageHours: z.number().nullable(),
            host: z.string().nullable(),
            paths: z.array(z.string()),
          }),
        ),
      }),
      quotes: ['/repositories'],
      roles: { '/repositories/*': 'control', '/maxAgeHours': 'control' },
      timeoutMs: 5 * 60_000,
      maxResultBytes: 128 * 1024,
    },
    verify: {
      ...common,
      summary: 'a repository checked: its structure, and a part of its data that differs every day',
      input: z.strictObject({
        repository,
        /** `metadata`: structure only. `subset`: also reads one part in `of` of the data. */
        mode: z.enum(['metadata', 'subset']).default('subset'),
        /**
         * All of it is read within so many days of nightly checks. Of borg one archive in so many, and
         * the newest each time.
         */
        of: z.number().int().min(1).max(365).default(7),
      }),
      output: z.strictObject({
        ...about,
        mode: z.enum(['metadata', 'subset']),
        part: z.strictObject({ n: count, of: count }).nullable(),
        ok: z.boolean(),
        /** Files of the repository that are damaged, and which backed up files they hold. */
        damaged: z.array(
          z.strictObject({ file: z.string(), holds: z.array(z.string()), heldCount: count }),
        ),
        damagedCount: count,
        /** The program's own words. */
        messages: z.array(text),
        seconds: z.number(),
      }),
      quotes: ['/damaged', '/messages'],
      roles: { '/repository': 'control', '/mode': 'control', '/of': 'control' },
      timeoutMs: 25 * 60_000,
      maxResultBytes: 64 * 1024,
    },
    restore_test: {
      ...common,
      summary: 'some files restored to a scratch folder and compared by their hashes',
      input: z.strictObject({
        repository,
        /** Absent: the newest. */
        snapshot: snapshot.optional(),
        /** Below which of its folders; absent: anywhere. */
        paths: z.array(path).min(1).max(20).optional(),
        sample: z.number().int().min(1).max(maxSample).default(5),
      }),
      output: z.strictObject({
        ...about,
        snapshot: z.strictObject(taken),
        ok: z.boolean(),
        restored: count,
        hashMatches: count,
        files: z.array(z.strictObject({ path: z.string(), bytes: count, sha256: z.string() })),
        failures: z.array(
          z.strictObject({
            path: z.string(),
            reason: z.enum(['NOT_RESTORED', 'HASH_DIFFERS', 'NOT_READABLE']),
          }),
        ),
        /** Files that it could have been, and those of them that are too large to try. */
        candidates: count,
        tooLarge: count,
        seconds: z.number(),
      }),
      quotes: ['/snapshot', '/files', '/failures'],
      roles: {
        '/repository': 'control',
        '/snapshot': 'control',
        '/paths/*': 'control',
        '/sample': 'control',
      },
      timeoutMs: 15 * 60_000,
      maxResultBytes: 64 * 1024,
    },
    diff: {
      ...common,
      summary: 'what changed between two backups, and whether it looks like an attack',
      input: z.strictObject({
        repository,
        /** Absent: the newest but one. */
        a: snapshot.optional(),
        /** Absent: the newest. */
        b: snapshot.optional(),
      }),
      output: z.strictObject({
        ...about,
        a: z.strictObject(taken),
        b: z.strictObject(taken),
        filesBefore: count,
        added: count,
        removed: count,
        changed: count,
        /** The first of each kind. */
        examples: z.strictObject({
          added: z.array(z.string()),
          removed: z.array(z.string()),
          changed: z.array(z.string()),
        }),
        suspicious: z.array(z.enum(suspicions)),
      }),
      quotes: ['/a', '/b', '/examples'],
      roles: { '/repository': 'control', '/a': 'control', '/b': 'control' },
      timeoutMs: 10 * 60_000,
      maxResultBytes: 96 * 1024,
    },
    trend: {
      ...common,
      summary: 'how large the last backups were',
      input: z.strictObject({
        repository,
        limit: z.number().int().min(2).max(maxPoints).default(14),
      }),
      output: z.strictObject({
        ...about,
        /** The oldest first; bytes of all files that it holds. */
        points: z.array(z.strictObject({ ...taken, bytes: count })),
        sparkline: z.string(),
        growthBytes: z.number().int(),
      }),
      quotes: ['/points'],
      roles: { '/repository': 'control', '/limit': 'control' },
      timeoutMs: 10 * 60_000,
      maxResultBytes: 32 * 1024,
    },
  },
})
