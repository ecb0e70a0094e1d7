// The health agent on real files: what is taken in and taken back, and what of several devices counts. The
// sample export says by itself how many steps were really made.

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { dateAfter, datesBetween } from '../../agents/health/days.ts'
import { withStore } from '../../agents/health/health-store.ts'
import { beginImport } from '../../agents/health/import-rows.ts'
import { createStaging } from '../../agents/health/staging.ts'
import { stepsOn } from '../../examples/home/health.ts'
import { failureOf, idemOf } from './action-context.ts'
import {
  exportOf,
  exportWith,
  type HealthHome,
  openHealthHome,
  record,
  weeks,
} from './health-home.ts'

let home: HealthHome
beforeEach(() => {
  home = openHealthHome()
})
afterEach(() => home.end())

const file = { file: 'export.xml' }
const day = '2026-11-20'
const at = (time: string, date = day) => `${date} ${time} +0100`
const putWeeks = () => home.put('export.xml', exportOf(weeks))
const putRecords = (...records: string[]) => home.put('export.xml', exportWith(records.join('\n')))
const stepsOf = async (date = day) => (await home.run('summary', { date })).steps

describe('an import', () => {
  it('is counted once, however often the file is imported', async () => {
    await putWeeks()
    const first = await home.run('import', file)
    expect(first).toMatchObject({ outcome: 'imported', updated: 0, deleted: 0 })
    expect(statSync(join(home.data, 'health.db')).mode & 0o777).toBe(0o600)
    expect(first.after).toMatchObject({ samples: first.inserted, to: '2026-11-21' })
    const second = await home.run('import', file)
    expect(second).toMatchObject({ outcome: 'nothing-new', inserted: 0, updated: 0 })
    expect(second.reasons.duplicate).toBe(first.inserted)
    expect(second.after.samples).toBe(first.after.samples)
  })

  it('is the same when its command is repeated', async () => {
    await putWeeks()
    const first = await home.run('import', file, { as: 'one' })
    expect(await home.run('import', file, { as: 'one' })).toEqual(first)
  })

  it('run dry says the same and leaves no file', async () => {
    await putWeeks()
    const dry = await home.run('import', { ...file, dryRun: true })
    expect(readdirSync(home.data)).toEqual(['timezone'])
    expect(await home.run('import', file)).toEqual(dry)
    const written = readFileSync(join(home.data, 'health.db'))
    await home.put('more.xml', exportWith(record({ start: at('10:00:00'), end: at('10:10:00') })))
    const more = await home.run('import', { file: 'more.xml', dryRun: true })
    expect(more).toMatchObject({ inserted: 1 })
    expect(readdirSync(home.data).sort()).toEqual(['health.db', 'timezone'])
    expect(readFileSync(join(home.data, 'health.db')).equals(written)).toBe(true)
  })

  it('is taken back: what it added goes, what it replaced is there again', async () => {
    const step = (value: string) => record({ start: at('10:00:00'), end: at('10:10:00'), value })
    await putRecords(step('100'))
    await home.run('import', file)
    await putRecords(step('250'), record({ start: at('12:00:00'), end: at('12:10:00') }))
    const second = await home.run('import', file, { as: 'second' })
    expect(second).toMatchObject({ inserted: 1, updated: 1 })
    expect(await stepsOf()).toBe(350)
    const change = idemOf('second')
    const dry = await home.run('revert', { change, dryRun: true })
    expect(await stepsOf()).toBe(350)
    const undone = await home.run('revert', { change })
    expect(undone).toEqual(dry)
    expect(undone).toMatchObject({
      outcome: 'reverted',
      before: { imports: 2, samples: 3 },
      after: { imports: 1, samples: 1 },
    })
    expect(await stepsOf()).toBe(100)
    expect(await home.run('revert', { change })).toMatchObject({ outcome: 'not-applied' })
    expect(await home.run('revert', { change: idemOf('never') })).toMatchObject({
      outcome: 'not-applied',
    })
    expect(await failureOf(home.run('import', file, { as: 'second' }))).toMatchObject({
      code: 'CONFLICT',
    })
    expect(await home.run('import', file)).toMatchObject({ inserted: 1, updated: 1 })
  })

  it('leaves nothing of what was taken back in the file', async () => {
    await putRecords(record({ source: 'A strange device', start: at('10:00:00') }))
    await home.run('import', file, { as: 'one' })
    const kept = () => readFileSync(join(home.data, 'health.db')).includes('A strange device')
    expect(kept()).toBe(true)
    await home.run('revert', { change: idemOf('one') })
    expect(await stepsOf()).toBeNull()
    expect(kept()).toBe(false)
  })

  it('deletes what an export no longer holds only when asked to, and can take that back', async () => {
    const made = (time: string) => record({ start: at(time), end: at(time) })
    await home.put('old.xml', exportWith(made('09:00:00') + made('10:00:00'), at('11:00:00')))
    await home.put('new.xml', exportWith(made('10:00:00'), at('12:00:00')))
    await home.run('import', { file: 'old.xml' })
    expect(await home.run('import', { file: 'new.xml' })).toMatchObject({ deleted: 0 })
    expect(await stepsOf()).toBe(200)
    const replaced = await home.run('import', { file: 'new.xml', replace: true }, { as: 'all' })
    expect(replaced).toMatchObject({ outcome: 'imported', inserted: 0, deleted: 1 })
    expect(await stepsOf()).toBe(100)
    // The older one knows nothing of what was deleted since.
    const stale = home.run('import', { file: 'old.xml', replace: true })
    expect(await failureOf(stale)).toMatchObject({ code: 'CONFLICT', retry: 'ask' })
    await home.run('revert', { change: idemOf('all') })
    expect(await stepsOf()).toBe(200)
  })

  it('deletes nothing that was measured after the export was made', async () => {
    await putRecords(record({ start: at('12:30:00') }))
    await home.run('import', file)
    await home.put('empty.xml', exportWith('', '2026-11-21 07:30:00 +0100'))
    await home.put('early.xml', exportWith('', at('12:00:00')))
    // Of an export that says it was made in the future nobody knows when it was.
    await home.put('future.xml', exportWith('', '2027-11-21 07:30:00 +0100'))
    const future = home.run('import', { file: 'future.xml', replace: true })
    expect(await failureOf(future)).toMatchObject({ code: 'CORRUPT_DATA' })
    const early = home.run('import', { file: 'early.xml', replace: true })
    expect(await failureOf(early)).toMatchObject({ code: 'CONFLICT' })
    await home.put('ahead.xml', exportWith(record({ start: '2026-11-21 08:00:00 +0100' })))
    await home.run('import', { file: 'ahead.xml' })
    const all = await home.run('import', { file: 'empty.xml', replace: true })
    expect(all).toMatchObject({ deleted: 1 })
    expect(await stepsOf('2026-11-21')).toBe(100)
  })

  it('deletes workouts likewise', async () => {
    const workout = `<Workout workoutActivityType="HKWorkoutActivityTypeYoga" duration="30" durationUnit="min" sourceName="iPhone" startDate="${at('09:00:00')}" endDate="${at('09:30:00')}"/>`
    await home.put('old.xml', exportWith(workout, at('11:00:00')))
    await home.put('new.xml', exportWith('', at('12:00:00')))
    await home.run('import', { file: 'old.xml' })
    const replaced = await home.run('import', { file: 'new.xml', replace: true }, { as: 'all' })
    expect(replaced).toMatchObject({ deleted: 1 })
    expect(await home.run('workouts', { to: day })).toMatchObject({ count: 0 })
    await home.run('revert', { change: idemOf('all') })
    expect(await home.run('workouts', { to: day })).toMatchObject({ count: 1, minutes: 30 })
  })

  it('that is stopped in the middle changes nothing, and can run again', async () => {
    await putRecords(record({ start: at('08:00:00') }))
    await home.run('import', file)
    await putWeeks()
    const stop = new AbortController()
    let parts = 0
    const stopped = home.run('import', file, {
      as: 'stopped',
      signal: stop.signal,
      onProgress: () => {
        parts += 1
        if (parts === 20) stop.abort()
      },
    })
    expect(await failureOf(stopped)).toMatchObject({ code: 'CANCELLED', retry: 'absent' })
    expect(parts).toBe(20)
    // Neither counted nor kept.
    expect(readFileSync(join(home.data, 'health.db')).includes('Anna')).toBe(false)
    expect(await stepsOf('2026-11-19')).toBeNull()
    expect(await stepsOf()).toBe(100)
    expect(await home.run('import', file, { as: 'stopped' })).toMatchObject({
      before: { imports: 1, samples: 1 },
    })
    expect(await stepsOf('2026-11-19')).toBe(stepsOn(weeks, '2026-11-19'))
  })

  it('that a crash left open counts for nothing, and goes with the next', async () => {
    await putRecords(record({ start: at('10:00:00') }))
    const source = { origin: 'export', kind: 'watch', name: 'Lost' } as const
    const times = { start: Date.parse('2026-11-20T09:00:00Z') / 1_000, offset: 60 }
    await withStore(home.data, 'change', (store) => {
      const staging = createStaging(store, beginImport(store, idemOf('lost')))
      const sample = { ...times, end: times.start, value: 700 }
      staging.add(source, { series: 'steps', sample })
      const run = {
        ...times,
        end: times.start + 600,
        type: 'run',
        minutes: 10,
        kcal: null,
        km: null,
      }
      staging.addWorkout(source, run)
      staging.flush()
    })
    const isKept = () => readFileSync(join(home.data, 'health.db')).includes('Lost')
    expect(isKept()).toBe(true)
    expect(await home.run('summary', { date: day })).toMatchObject({ steps: null, workouts: 0 })
    expect(await home.run('import', file)).toMatchObject({
      inserted: 1,
      before: { imports: 0, samples: 0 },
      after: { imports: 1, samples: 1 },
    })
    expect(await stepsOf()).toBe(100)
    expect(isKept()).toBe(false)
  })

  it('writes workouts a thousand at a time, because each write waits for the disk', async () => {
    const source = { origin: 'export', kind: 'watch', name: 'Watch' } as const
    const workout = { type: 'run', offset: 0, minutes: 10, kcal: null, km: null }
    await withStore(home.data, 'change', (store) => {
      const staging = createStaging(store, beginImport(store, idemOf('many')))
      const written = () => store.prepare('SELECT start FROM workouts').all().length
      const addUntil = (count: number) => {
        for (let start = staging.taken(); start < count; start += 1) {
          staging.addWorkout(source, { ...workout, start, end: start + 600 })
        }
      }
      addUntil(999)
      expect(written()).toBe(0)
      addUntil(1_001)
      expect(written()).toBe(1_000)
      staging.flush()
      expect(written()).toBe(1_001)
    })
  })

  it('is one at a time, and the other may come again', async () => {
    await putWeeks()
    const first = home.run('import', file)
    expect(await failureOf(home.run('import', file))).toMatchObject({
      code: 'UNAVAILABLE',
      retry: 'absent',
    })
    await first
  })

  it('finds the file where the archive of Apple has it', async () => {
    await home.put('apple_health_export/export.xml', exportOf(weeks))
    expect(await home.run('import', { file: 'apple_health_export/export.xml' })).toMatchObject({
      outcome: 'imported',
    })
  })
})

describe('of several devices', () => {
  it('each step counts once, on every day, the long one and those that end in the next included', async () => {
    await putWeeks()
    await home.run('import', file)
    const dates = datesBetween(weeks.from, dateAfter(weeks.to, -1))
    expect(dates).toContain('2026-10-25')
    const { points } = await home.run('trend', { metric: 'steps', from: weeks.from, to: day })
    expect(points.map(({ t, value }) => [t, value])).toEqual(
      dates.map((date) => [date, stepsOn(weeks, date)]),
    )
  })

  it('the watch is believed where it was worn, and the phone for the rest, in proportion', async () => {
    const [watch, phone] = ['Apple Watch', 'iPhone']
    await putRecords(
      record({ source: phone, start: at('10:00:00'), end: at('10:10:00'), value: '1000' }),
      record({ source: watch, start: at('10:04:00'), end: at('10:06:00'), value: '60' }),
      record({ source: watch, start: at('10:08:00'), end: at('10:12:00'), value: '300' }),
    )
    await home.run('import', file)
    expect(await stepsOf()).toBe(600 + 60 + 300)
  })

  it('a workout is one, whichever application repeats it', async () => {
    await putWeeks()
    await home.run('import', file)
    const found = await home.run('workouts', { from: weeks.from, to: weeks.to })
    const days = found.workouts.map(({ start }) => start.slice(0, 10))
    expect(found.count).toBeGreaterThan(5)
    expect(new Set(days).size).toBe(found.count)
    // The watch's own figure, not the one that is 13 higher.
    expect(found.workouts.every(({ kcal, minutes }) => kcal === minutes * 11)).toBe(true)
    expect(await home.run('workouts', { to: day, days: 30, type: 'yoga' })).toMatchObject({
      count: 0,
    })
  })

  it('a workout over midnight is one, on the day that the better source begins it', async () => {
    const workout = (source: string, start: string, end: string) =>
      `<Workout workoutActivityType="HKWorkoutActivityTypeRunning" duration="40" durationUnit="min" sourceName="${source}" startDate="${start}" endDate="${end}"/>`
    const end = at('00:40:00')
    const late = workout('iPhone', at('23:58:00', '2026-11-19'), end)
    await home.put('export.xml', exportWith(late + workout('Watch', at('00:01:00'), end)))
    await home.run('import', file)
    const countOf = async (to: string) => (await home.run('workouts', { to, days: 1 })).count
    expect([await countOf('2026-11-19'), await countOf(day)]).toEqual([0, 1])
  })

  it('readings of the best one count within the hour', async () => {
    const pulse = (source: string, time: string, value: string) =>
      record({ type: 'HeartRate', source, unit: 'count/min', start: at(time), value })
    await putRecords(
      pulse('Apple Watch', '10:05:00', '60'),
      pulse('Belt', '10:06:00', '100'),
      pulse('Belt', '11:06:00', '80'),
    )
    await home.run('import', file)
    expect(await home.run('summary', { date: day })).toMatchObject({ heartRateMean: 70 })
  })
})
