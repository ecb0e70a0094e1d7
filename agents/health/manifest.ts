// What the health agent declares: measurements of one person, imported from files that Apple Health or
// Health Auto Export wrote. Data and zod only. Invariant: answers are sums, means and counts; no sample,
// no device's name and no text of a file leaves. Dates are the person's, `today` is theirs too.

import { z } from 'zod'
import { limits } from '../../plan/limits.ts'
import { defineManifest } from '../../plan/manifest.ts'
import { metrics } from './metrics.ts'

/** The agent's own database, and the file `timezone` with the name of the person's zone. */
export const healthAt = '/data/health'
/** Where exports are put; a file may be of any size. */
export const exportsAt = '/data/exports'

const date = z.string().regex(/^(?:today|\d{4}-\d{2}-\d{2})$/)
const timeZone = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/)
  .optional()
const change = z.string().regex(/^[A-Za-z0-9_-]{43}$/)
const dryRun = z.boolean().default(false)
/** One file, or one folder and a file in it. */
const fileName = z
  .string()
  .min(5)
  .max(200)
  .regex(/^[^/\\]{1,100}(?:\/[^/\\]{1,100})?\.(?:xml|json)$/)
const metric = z.enum([...metrics, 'sleep'])

const count = z.number().int().min(0)
const amount = z.number().nullable()

const kept = z.strictObject({
  imports: count,
  /** Samples and workouts of all imports that count. */
  samples: count,
  /** First and last UTC day with a sample. */
  from: z.string().nullable(),
  to: z.string().nullable(),
})

const common = { audience: 'owner', idempotent: true, timeoutMs: 15_000, effect: 'read' } as const

const writes = {
  import: {
    ...common,
    effect: 'write',
    summary: 'measurements from an export of Apple Health or Health Auto Export',
    input: z.strictObject({
      /** Of the folder of exports: `export.xml`, `apple_health_export/export.xml`, `auto.json`. */
      file: fileName.optional(),
      /** Or what Health Auto Export posts, as text. */
      payload: z.string().min(2).max(limits.textBytes).optional(),
      /** What earlier exports held and this one no longer holds is deleted. Of an export.xml only. */
      replace: z.boolean().default(false),
      dryRun,
    }),
    output: z.strictObject({
      outcome: z.enum(['imported', 'nothing-new']),
      inserted: count,
      /** Known intervals with a new value. */
      updated: count,
      deleted: count,
      skipped: count,
      /** Why: known already, of a type that is not kept, without a usable time, unit or value. */
      reasons: z.strictObject({
        duplicate: count,
        type: count,
        time: count,
        unit: count,
        value: count,
      }),
      before: kept,
      after: kept,
    }),
    roles: {
      '/file': 'control',
      '/payload': 'content',
      '/replace': 'control',
      '/dryRun': 'control',
    },
    undo: { action: 'revert', args: { change: { $idem: true } } },
    // Some gigabytes on a slow disk.
    timeoutMs: limits.actionMs,
    maxResultBytes: 4 * 1024,
  },
  revert: {
    ...common,
    effect: 'write',
    summary: 'the undo of import: removes what it added, brings back what it replaced',
    input: z.strictObject({ /** The `idem` of the import. */ change, dryRun }),
    output: z.strictObject({
      outcome: z.enum(['reverted', 'not-applied']),
      before: kept,
      after: kept,
    }),
    roles: { '/change': 'opaque', '/dryRun': 'control' },
    undo: 'none',
    timeoutMs: 60_000,
    maxResultBytes: 4 * 1024,
  },
} as const

const reads = {
  summary: {
    ...common,
    summary: 'one day in numbers',
    input: z.strictObject({ date, timeZone }),
    output: z.strictObject({
      date: z.string(),
      timeZone: z.string(),
      steps: amount,
      distanceKm: amount,
      activeKcal: amount,
      exerciseMin: amount,
      flights: amount,
      restingHr: amount,
      heartRateMean: amount,
      hrvMs: amount,
      weightKg: amount,
      /** In the night before. */
      sleepMin: amount,
      workouts: count,
      /** Hours of the day with steps or a pulse, and how many hours it has: 23, 24 or 25. */
      coverage: z.strictObject({ hours: count, of: count }),
    }),
    roles: { '/date': 'control', '/timeZone': 'control' },
    undo: 'none',
    maxResultBytes: 4 * 1024,
  },
  trend: {
    ...common,
    summary: 'one measurement over days, weeks or months, with a picture of it',
    input: z.strictObject({
      metric,
      /** Either this, or how many days up to `to`. */
      from: date.optional(),
      days: z.number().int().min(1).max(3_660).default(14),
      to: date,
      bucket: z.enum(['day', 'week', 'month']).default('day'),
      timeZone,
    }),
    output: z.strictObject({
      metric: z.string(),
      unit: z.string(),
      timeZone: z.string(),
      /** A week or month: the mean of its days that have a value. Of sums the day's sum. */
      points: z.array(
        z.strictObject({
          /** Its first date. */
          t: z.string(),
          value: amount,
          /** Samples that count. */
          n: count,
          days: count,
        }),
      ),
      mean: amount,
      least: amount,
      most: amount,
      /** A bar for each point, a space where there is no value. */
      sparkline: z.string(),
    }),
    roles: {
      '/metric': 'control',
      '/from': 'control',
      '/days': 'control',
      '/to': 'control',
      '/bucket': 'control',
      '/timeZone': 'control',
    },
    undo: 'none',
    timeoutMs: 60_000,
    maxResultBytes: 64 * 1024,
  },
  sleep: {
    ...common,
    summary: 'the night that ended on a date: how long, and how much of each stage',
    input: z.strictObject({ night: date, timeZone }),
    output: z.strictObject({
      night: z.string(),
      timeZone: z.string(),
      /** `missing`: nothing was measured, which is not the same as not having slept. */
      coverage: z.enum(['measured', 'missing']),
      asleepMin: amount,
      inBedMin: amount,
      awakeMin: amount,
      deepMin: amount,
      remMin: amount,
      coreMin: amount,
      /** Asleep, of no stage that is known. */
      unspecifiedMin: amount,
      /** RFC 3339 with the offset that the device wrote. */
      start: z.string().nullable(),
      end: z.string().nullable(),
      awakenings: z.number().int().nullable(),
    }),
    roles: { '/night': 'control', '/timeZone': 'control' },
    undo: 'none',
    maxResultBytes: 4 * 1024,
  },
  workouts: {
    ...common,
    summary: 'workouts of some days, each once',
    input: z.strictObject({
      from: date.optional(),
      days: z.number().int().min(1).max(366).default(7),
      to: date,
      type: z
        .string()
        .regex(/^[a-z0-9-]{1,60}$/)
        .optional(),
      limit: z.number().int().min(1).max(500).default(100),
      timeZone,
    }),
    output: z.strictObject({
      timeZone: z.string(),
      /** All that matched; `workouts` holds the latest `limit` of them, the latest first. */
      count,
      minutes: z.number(),
      kcal: z.number(),
      km: z.number(),
      workouts: z.array(
        z.strictObject({
          type: z.string().regex(/^[a-z0-9-]{1,60}$/),
          start: z.string(),
          end: z.string(),
          minutes: z.number(),
          kcal: amount,
          km: amount,
        }),
      ),
    }),
    roles: {
      '/from': 'control',
      '/days': 'control',
      '/to': 'control',
      '/type': 'control',
      '/limit': 'control',
      '/timeZone': 'control',
    },
    undo: 'none',
    maxResultBytes: 256 * 1024,
  },
  anomalies: {
    ...common,
    summary: 'days that are unlike those before them',
    input: z.strictObject({
      /** Days looked at, up to `to`. */
      days: z.number().int().min(1).max(31).default(7),
      to: date,
      /** Days before them that say what is usual. */
      baselineDays: z.number().int().min(14).max(180).default(28),
      minZ: z.number().min(1).max(10).default(3),
      timeZone,
    }),
    output: z.strictObject({
      timeZone: z.string(),
      from: z.string(),
      to: z.string(),
      anomalies: z.array(
        z.strictObject({
          date: z.string(),
          metric: z.string(),
          unit: z.string(),
          value: z.number(),
          /** Distance from the median, in robust standard deviations; negative: below. */
          z: z.number(),
          baseline: z.strictObject({ median: z.number(), deviation: z.number(), days: count }),
        }),
      ),
      /** Metrics that were looked at. */
      checked: z.array(z.string()),
      /** Those with values, but too few days of them to say what is usual. */
      sparse: z.array(z.string()),
    }),
    roles: {
      '/days': 'control',
      '/to': 'control',
      '/baselineDays': 'control',
      '/minZ': 'control',
      '/timeZone': 'control',
    },
    undo: 'none',
    timeoutMs: 60_000,
    maxResultBytes: 128 * 1024,
  },
} as const

export const manifest = defineManifest({
  name: 'health',
  summary: 'sums up health data from exports of Apple Health and Health Auto Export',
  replicas: 1,
  alwaysOn: false,
  idleMs: 60_000,
  storage: 'data',
  perUser: false,
  mounts: [
    { from: { config: 'health.folder' }, at: healthAt, mode: 'rw' },
    { from: { config: 'health.exports' }, at: exportsAt, mode: 'ro' },
  ],
  actions: { ...writes, ...reads },
})
