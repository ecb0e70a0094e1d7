// Changes of events: only what was asked, taken back to the byte, refused when somebody was there.

import { copyFileSync, existsSync, readdirSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import ical from 'node-ical'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { manifest } from '../../agents/calendar/manifest.ts'
import { failureOf, idemOf } from './action-context.ts'
import { ChangedFolder, original } from './calendar-changes.ts'

let folder: ChangedFolder
beforeEach(() => {
  folder = new ChangedFolder()
})
afterEach(() => folder.remove())

describe('update', () => {
  test('changes what the patch names and nothing else of the event', async () => {
    const result = await folder.update({
      uid: 'dentist',
      patch: { summary: 'Dentist, new', location: 'Graz' },
    })
    expect(result).toMatchObject({
      before: { summary: 'Dentist', location: null },
      after: { summary: 'Dentist, new', location: 'Graz' },
    })
    const text = folder.text('work')
    expect(text).toContain('X-COLOR:red\r\n')
    expect(text).toContain('SUMMARY:alarm\r\n')
    expect(text).toContain('DURATION:PT1H\r\n')
    expect(text.slice(text.indexOf('UID:weekly'))).toBe(
      original.slice(original.indexOf('UID:weekly')),
    )
    expect(folder.etag('dentist')).toBe(result.etag)
  })

  test('moving the start keeps the length; moving a whole day keeps the days', async () => {
    await folder.update({ uid: 'dentist', patch: { start: '2026-11-23T15:00' } }, idemOf('1'))
    expect((await folder.find('Dentist')).events[0]).toMatchObject({
      startLocal: '15:00',
      endLocal: '16:00',
      timeZone: 'Europe/Vienna',
    })
    await folder.update({ uid: 'trip', patch: { start: '2027-01-02' } }, idemOf('2'))
    expect((await folder.find('Trip')).events[0]).toMatchObject({
      start: '2027-01-02',
      end: '2027-01-04',
    })
    expect(
      (await failureOf(folder.update({ uid: 'trip', patch: { end: '2026-01-01' } }, idemOf('3'))))
        .code,
    ).toBe('INVALID_INPUT')
  })

  test('one instance of a series changes alone, twice', async () => {
    const one = { uid: 'weekly', scope: 'this', recurrenceId: '2026-11-23T09:00:00' }
    const first = await folder.update({ ...one, patch: { summary: 'Special' } }, idemOf('1'))
    expect(first).toMatchObject({
      recurrenceId: one.recurrenceId,
      before: { summary: 'Weekly', start: '2026-11-23T09:00:00+01:00', rrule: null },
      after: { summary: 'Special' },
    })
    await folder.update({ ...one, patch: { start: '2026-11-23T11:00' } }, idemOf('2'))
    const { events } = await folder.run('list', { day: '2026-11-16', days: 15 })
    expect(
      events
        .filter(({ uid }) => uid === 'weekly')
        .map(({ start, end, summary, recurrenceId }) => [
          start.slice(5, 16),
          end.slice(11, 16),
          summary,
          recurrenceId,
        ]),
    ).toEqual([
      ['11-16T09:00', '09:30', 'Weekly', '2026-11-16T09:00:00'],
      ['11-23T11:00', '11:30', 'Special', '2026-11-23T09:00:00'],
      ['11-30T09:00', '09:30', 'Weekly', '2026-11-30T09:00:00'],
    ])
  })

  test('an instance that the series does not have is NOT_FOUND', async () => {
    for (const recurrenceId of ['2026-11-24T09:00:00', '2020-11-23T09:00:00']) {
      const failure = await failureOf(
        folder.update({ uid: 'weekly', scope: 'this', recurrenceId, patch: { summary: 'x' } }),
      )
      expect(failure.code).toBe('NOT_FOUND')
    }
    expect(
      (
        await failureOf(
          folder.update({ uid: 'none', ifMatch: 'a'.repeat(43), patch: { summary: 'x' } }),
        )
      ).code,
    ).toBe('NOT_FOUND')
    expect(
      (await failureOf(folder.update({ uid: 'weekly', scope: 'this', patch: { summary: 'x' } })))
        .code,
    ).toBe('INVALID_INPUT')
  })

  test('a series moves as a whole only while nothing names its old times', async () => {
    await folder.update({ uid: 'weekly', patch: { start: '2026-10-06T10:00' } }, idemOf('1'))
    expect((await folder.find('Weekly')).events[0]).toMatchObject({
      start: '2026-10-06T10:00:00+02:00',
    })
    await folder.update(
      {
        uid: 'weekly',
        scope: 'this',
        recurrenceId: '2026-10-13T10:00:00',
        patch: { summary: 'x' },
      },
      idemOf('2'),
    )
    expect(
      (
        await failureOf(
          folder.update({ uid: 'weekly', patch: { start: '2026-10-07T10:00' } }, idemOf('3')),
        )
      ).code,
    ).toBe('INVALID_INPUT')
  })

  test('a stale ifMatch is a conflict for a person, and changes of other events are none', async () => {
    const ifMatch = folder.etag('dentist')
    await folder.update({ uid: 'weekly', patch: { summary: 'x' } }, idemOf('1'))
    await folder.update({ uid: 'dentist', ifMatch, patch: { summary: 'first' } }, idemOf('2'))
    const written = folder.text('work')
    const failure = await failureOf(
      folder.update({ uid: 'dentist', ifMatch, patch: { summary: 'second' } }, idemOf('3')),
    )
    expect([failure.code, failure.retry]).toEqual(['CONFLICT', 'ask'])
    expect((await failureOf(folder.delete({ uid: 'dentist', ifMatch }, idemOf('4')))).code).toBe(
      'CONFLICT',
    )
    expect(folder.text('work')).toBe(written)
  })

  test('the same command again changes nothing, although its ifMatch is stale by then', async () => {
    const ifMatch = folder.etag('dentist')
    const args = { uid: 'dentist', ifMatch, patch: { summary: 'new' } }
    const first = await folder.update(args)
    const written = folder.text('work')
    expect(await folder.update(args)).toEqual(first)
    expect(folder.text('work')).toBe(written)
    folder.now += 60_000
    folder.forgetApplied(idemOf('update'))
    expect(await folder.update(args)).toEqual(first)
    expect(folder.text('work')).toBe(written)
  })
})

describe('delete', () => {
  test('one instance of a series goes, and the series goes on', async () => {
    const recurrenceId = '2026-11-23T09:00:00'
    await folder.update(
      {
        uid: 'weekly',
        scope: 'this',
        recurrenceId: '2026-11-30T09:00:00',
        patch: { summary: 'Moved' },
      },
      idemOf('0'),
    )
    await folder.delete({ uid: 'weekly', scope: 'this', recurrenceId }, idemOf('1'))
    const result = await folder.delete(
      { uid: 'weekly', scope: 'this', recurrenceId: '2026-11-30T09:00:00' },
      idemOf('2'),
    )
    expect(result).toMatchObject({
      before: { summary: 'Moved' },
      after: null,
      recurrenceId: '2026-11-30T09:00:00',
    })
    const { events } = await folder.run('list', { day: '2026-11-16', days: 22 })
    expect(
      events.filter(({ uid }) => uid === 'weekly').map(({ start }) => start.slice(5, 10)),
    ).toEqual(['11-16', '12-07'])
    expect(folder.text('work')).not.toContain('Moved')
  })

  test('an event goes, once', async () => {
    const ifMatch = folder.etag('dentist')
    const result = await folder.delete({ uid: 'dentist', ifMatch })
    expect(result).toMatchObject({ etag: null, before: { summary: 'Dentist' }, after: null })
    expect((await folder.find('Dentist')).count).toBe(0)
    expect(await folder.delete({ uid: 'dentist', ifMatch })).toEqual(result)
    expect(new Set(Object.keys(ical.sync.parseICS(folder.text('work'))))).toEqual(
      new Set(['trip', 'vcalendar', 'weekly']),
    )
  })

  test('dry runs of update and delete change nothing', async () => {
    await folder.update({ uid: 'dentist', patch: { summary: 'x' }, dryRun: true })
    await folder.delete({ uid: 'dentist', dryRun: true })
    expect(folder.text('work')).toBe(original)
    expect(readdirSync(folder.path)).toHaveLength(2)
  })
})

describe('revert', () => {
  test('gives back the exact bytes after create and after each kind of update', async () => {
    const one = { uid: 'weekly', scope: 'this', recurrenceId: '2026-11-23T09:00:00' }
    const changes: [string, () => Promise<unknown>][] = [
      ['create', () => folder.create({ rrule: 'FREQ=DAILY' }, idemOf('create'))],
      [
        'all',
        () =>
          folder.update(
            { uid: 'dentist', patch: { summary: 'x', start: '2026-11-25T10:00' } },
            idemOf('all'),
          ),
      ],
      ['this', () => folder.update({ ...one, patch: { summary: 'x' } }, idemOf('this'))],
      ['again', () => folder.update({ ...one, patch: { location: 'y' } }, idemOf('again'))],
    ]
    const states: string[] = []
    for (const [, change] of changes) {
      states.push(folder.text('work'))
      await change()
    }
    for (const [name] of changes.toReversed()) {
      expect(await folder.revert(idemOf(name))).toMatchObject({ outcome: 'reverted' })
      expect(folder.text('work')).toBe(states.pop())
    }
    expect(folder.text('work')).toBe(original)
  })

  test('needs no result of the step: create alone says what to take back', () => {
    expect(manifest.actions.create.undo).toEqual({
      action: 'revert',
      args: { calendar: { $args: '/calendar' }, change: { $idem: true } },
    })
    expect(manifest.actions.update.undo).toEqual(manifest.actions.create.undo)
    expect(manifest.actions.delete).toMatchObject({ effect: 'irreversible', undo: 'none' })
  })

  test('of a change that never happened changes nothing and says so; twice is once', async () => {
    expect(await folder.revert(idemOf('one'))).toEqual({
      calendar: 'work',
      uid: null,
      outcome: 'not-applied',
      before: null,
      after: null,
    })
    await folder.create()
    folder.forgetApplied(idemOf('one'))
    const written = folder.text('work')
    folder.save('work', original)
    expect(await folder.revert(idemOf('one'))).toMatchObject({ outcome: 'not-applied' })
    folder.save('work', written)
    expect(await folder.revert(idemOf('one'), { dryRun: true })).toMatchObject({
      outcome: 'reverted',
    })
    expect(folder.text('work')).toBe(written)
    await folder.create()
    expect(await folder.revert(idemOf('one'))).toMatchObject({ outcome: 'reverted' })
    expect(await folder.revert(idemOf('one'))).toMatchObject({ outcome: 'reverted' })
    expect(folder.text('work')).toBe(original)
  })

  test('leaves what others did meanwhile: other events stay, a change of this event is for a person', async () => {
    const { uid, after } = await folder.create()
    folder.save('work', folder.text('work').replace('SUMMARY:Trip', 'SUMMARY:Other trip'))
    folder.save('work', folder.text('work').replace('SUMMARY:Meeting', 'SUMMARY:My meeting'))
    const failure = await failureOf(folder.revert(idemOf('one')))
    expect([failure.code, failure.retry]).toEqual(['CONFLICT', 'ask'])
    folder.save('work', folder.text('work').replace('SUMMARY:My meeting', 'SUMMARY:Meeting'))
    expect(await folder.revert(idemOf('one'))).toEqual({
      calendar: 'work',
      uid,
      outcome: 'reverted',
      before: after,
      after: null,
    })
    expect(folder.text('work')).toBe(original.replace('SUMMARY:Trip', 'SUMMARY:Other trip'))
  })

  test('the journal is bounded, and a change without its entry is never guessed at', async () => {
    await folder.create({}, idemOf('oldest'))
    const journal = join(folder.path, '.bulkhead')
    const fileOf = (name: string) => join(journal, `change-${idemOf(name)}.json`)
    utimesSync(fileOf('oldest'), 1, 1)
    for (let index = 0; index < 199; index += 1) copyFileSync(fileOf('oldest'), fileOf(`${index}`))
    await folder.create({}, idemOf('newest'))
    expect(readdirSync(journal)).toHaveLength(200)
    expect(existsSync(fileOf('oldest'))).toBe(false)
    expect((await failureOf(folder.revert(idemOf('oldest')))).code).toBe('CONFLICT')
    expect(await folder.revert(idemOf('newest'))).toMatchObject({ outcome: 'reverted' })
  })
})
