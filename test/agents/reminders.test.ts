// Reminders and timers in a folder: added, done, put off, taken back; each write shown before and after.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { agent } from '../../agents/reminders/agent.ts'
import type { manifest } from '../../agents/reminders/manifest.ts'
import { reminderLists } from '../../examples/home/reminders.ts'
import { failureOf, idemOf, perform } from './action-context.ts'

type Actions = typeof manifest.actions
type ResultOf<Name extends keyof Actions> = z.infer<Actions[Name]['output']>

let folder: string
let now: number
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-reminders-'))
  now = Date.parse('2026-11-21T08:00:00Z')
  writeFileSync(join(folder, 'timezone'), 'Europe/Vienna\n')
})
afterEach(() => rmSync(folder, { recursive: true }))

async function run<Name extends keyof Actions>(
  action: Name,
  args: object,
  idem: string = idemOf(action),
): Promise<ResultOf<Name>> {
  return (await perform(agent, { action, args, setting: { folder, now }, idem })) as ResultOf<Name>
}
const file = (name: string) => readFileSync(join(folder, `${name}.ics`), 'utf8')
const save = (name: string, ...todos: string[][]) =>
  writeFileSync(
    join(folder, `${name}.ics`),
    [
      'BEGIN:VCALENDAR',
      'VERSION:2.0',
      ...todos.flatMap((lines) => ['BEGIN:VTODO', ...lines, 'END:VTODO']),
      'END:VCALENDAR',
      '',
    ].join('\r\n'),
  )
const targetOf = ({ list, uid, etag }: { list: string; uid: string; etag: string | null }) => ({
  list,
  uid,
  ifMatch: etag,
})

describe('a reminder', () => {
  test('is added to a list that begins with it, shown, tried dry, and taken back', async () => {
    const args = { title: 'Buy bread; milk, eggs', due: '2026-11-21T17:00', notes: 'a\nb' }
    const dry = await run('add', { ...args, dryRun: true }, idemOf('dry'))
    expect((await run('list', {})).reminders).toEqual([])
    const added = await run('add', args)
    expect(added).toMatchObject({
      list: 'reminders',
      before: null,
      after: {
        title: args.title,
        due: '2026-11-21T17:00:00+01:00',
        notes: 'a\nb',
        completed: false,
      },
    })
    expect({ ...dry, uid: '', etag: '' }).toEqual({ ...added, uid: '', etag: '' })
    expect(await run('add', args)).toEqual(added)
    const { reminders, count, overdue } = await run('list', {})
    expect([count, overdue]).toEqual([1, 0])
    expect(reminders[0]).toMatchObject({ ...targetless(added), dueLocal: '2026-11-21 17:00' })
    expect(await run('revert', { change: idemOf('add') })).toMatchObject({ outcome: 'reverted' })
    expect((await run('list', {})).reminders).toEqual([])
    expect(await run('revert', { change: idemOf('never') })).toMatchObject({
      outcome: 'not-applied',
    })
  })

  test('of a day is late when the day is over, one of a time at that time', async () => {
    await run('add', { title: 'Day', due: '2026-11-21' }, idemOf('1'))
    await run('add', { title: 'Time', due: '2026-11-21T10:00' }, idemOf('2'))
    await run('add', { title: 'Some time' }, idemOf('3'))
    const late = async () =>
      (await run('list', {})).reminders.filter(({ overdue }) => overdue).map(({ title }) => title)
    expect(await late()).toEqual([])
    now = Date.parse('2026-11-21T09:00:00Z')
    expect(await late()).toEqual(['Time'])
    now = Date.parse('2026-11-21T22:59:59Z')
    expect(await late()).toEqual(['Time'])
    now = Date.parse('2026-11-21T23:00:00Z')
    expect(await late()).toEqual(['Day', 'Time'])
  })

  test('comes in the order of its urgency, from all lists, before a time where one is asked for', async () => {
    await run('add', { title: 'never' }, idemOf('1'))
    await run('add', { title: 'never, important', priority: 1 }, idemOf('2'))
    await run('add', { title: 'tomorrow', due: '2026-11-22', list: 'bills' }, idemOf('3'))
    await run('add', { title: 'today', due: '2026-11-21T12:00' }, idemOf('4'))
    const titles = async (args: object) =>
      (await run('list', args)).reminders.map(({ title }) => title)
    expect(await titles({})).toEqual(['today', 'tomorrow', 'never, important', 'never'])
    expect(await titles({ dueBefore: '2026-11-22' })).toEqual(['today'])
    expect(await titles({ lists: ['bills'] })).toEqual(['tomorrow'])
    expect(await run('list', { limit: 1 })).toMatchObject({
      count: 4,
      reminders: [{ title: 'today' }],
    })
  })

  test('is done once, and is not done again; the undo opens it', async () => {
    const added = await run('add', { title: 'Bread' })
    const done = await run('complete', targetOf(added))
    expect(done).toMatchObject({
      before: { completed: false },
      after: { completed: true, completedAt: '2026-11-21T09:00:00+01:00' },
    })
    expect((await run('list', {})).reminders).toEqual([])
    expect((await run('list', { completed: true })).count).toBe(1)
    expect((await failureOf(run('complete', targetOf(done), idemOf('2')))).code).toBe(
      'INVALID_INPUT',
    )
    await run('revert', { change: idemOf('complete') })
    expect((await run('list', {})).reminders[0]?.etag).toBe(added.etag)
  })

  test('that was changed since it was read is not done, and not put off', async () => {
    const added = await run('add', { title: 'Bread' })
    writeFileSync(join(folder, 'reminders.ics'), file('reminders').replace('Bread', 'Milk'))
    for (const action of ['complete', 'snooze'] as const) {
      const args = { ...targetOf(added), ...(action === 'snooze' ? { minutes: 5 } : {}) }
      expect(await failureOf(run(action, args))).toMatchObject({ code: 'CONFLICT', retry: 'ask' })
    }
    expect((await failureOf(run('revert', { change: idemOf('add') }))).code).toBe('CONFLICT')
    expect(file('reminders')).toContain('Milk')
  })
})

const targetless = ({ uid, list, etag }: { uid: string; list: string; etag: string | null }) => ({
  uid,
  list,
  etag,
})

describe('a reminder that comes again', () => {
  test('moves to its next time over the change of the clocks, with its hour', async () => {
    now = Date.parse('2026-10-20T08:00:00Z')
    const args = { title: 'Rent', due: '2026-10-24T09:00', rrule: 'FREQ=DAILY' }
    let at = await run('add', args)
    for (const due of ['2026-10-25T09:00:00+01:00', '2026-10-26T09:00:00+01:00']) {
      at = await run('complete', targetOf(at), idemOf(due))
      expect(at.after).toMatchObject({ due, completed: false })
    }
  })

  test('ends after its number of times', async () => {
    const args = { title: 'Pills', due: '2026-11-21', rrule: 'FREQ=DAILY;COUNT=2' }
    const first = await run('complete', targetOf(await run('add', args)), idemOf('1'))
    expect(first.after).toMatchObject({ due: '2026-11-22', rrule: 'FREQ=DAILY;COUNT=1' })
    const last = await run('complete', targetOf(first), idemOf('2'))
    expect(last.after).toMatchObject({ completed: true })
  })

  test('ends after its number of times however another program spells the rule', async () => {
    save('reminders', [
      ...['UID:pills', 'DTSTART;VALUE=DATE:20261121', 'DUE;VALUE=DATE:20261121'],
      ...['RRULE:freq=daily;count=2', 'SUMMARY:Pills'],
    ])
    const [pills] = (await run('list', {})).reminders
    if (pills === undefined) throw new Error('not there')
    const first = await run('complete', targetOf(pills), idemOf('1'))
    expect(first.after).toMatchObject({ due: '2026-11-22', completed: false })
    const last = await run('complete', targetOf(first), idemOf('2'))
    expect(last.after).toMatchObject({ completed: true })
  })

  test('comes at its own time again when it was put off', async () => {
    const args = { title: 'Walk', due: '2026-11-21T07:00', rrule: 'FREQ=DAILY' }
    const later = await run('snooze', { ...targetOf(await run('add', args)), minutes: 45 })
    expect(later.after).toMatchObject({ due: '2026-11-21T09:45:00+01:00' })
    const until = { ...targetOf(later), until: '2026-11-21T18:00' }
    const evening = await run('snooze', until, idemOf('2'))
    expect(evening.after).toMatchObject({ due: '2026-11-21T18:00:00+01:00' })
    const next = await run('complete', targetOf(evening))
    expect(next.after).toMatchObject({ due: '2026-11-22T07:00:00+01:00' })
    expect(file('reminders')).not.toContain('X-BULKHEAD-DUE')
  })

  test.each([
    ['no time', { rrule: 'FREQ=DAILY' }],
    ['two lines', { due: '2026-11-21', rrule: 'FREQ=DAILY\r\nSUMMARY:x' }],
    ['no rule', { due: '2026-11-21', rrule: 'FREQ=SOMETIMES' }],
  ])('is refused with %s', async (_what, args) => {
    expect((await failureOf(run('add', { title: 'x', ...args }))).code).toBe('INVALID_INPUT')
  })
})

describe('a timer', () => {
  test('runs, ends, is cancelled and taken back, and is no reminder', async () => {
    const set = await run('timer_set', { minutes: 10, title: 'Tea' })
    expect(set).toMatchObject({ before: null, after: { due: '2026-11-21T09:10:00+01:00' } })
    await run('timer_set', { minutes: 5 }, idemOf('other'))
    now += 6 * 60_000
    expect((await run('timers', {})).timers).toMatchObject([
      { title: 'Timer', isOver: true, remainingSeconds: 0 },
      { title: 'Tea', isOver: false, remainingSeconds: 240, endsLocal: '09:10' },
    ])
    expect((await run('list', {})).count).toBe(0)
    const gone = await run('timer_cancel', { uid: set.uid, ifMatch: set.etag })
    expect(gone).toMatchObject({ etag: null, before: { title: 'Tea' }, after: null })
    expect((await run('timers', {})).timers).toHaveLength(1)
    await run('revert', { change: idemOf('timer_cancel') })
    expect((await run('timers', {})).timers).toHaveLength(2)
    const reserved = run('add', { title: 'x', list: 'timers' }, idemOf('reserved'))
    expect((await failureOf(reserved)).code).toBe('INVALID_INPUT')
  })
})

describe('a list that is damaged', () => {
  test.each<[string, string[][], string]>([
    ['two of one id', [['UID:1'], ['UID:1']], 'CORRUPT_DATA'],
    ['two rules', [['UID:1', 'RRULE:FREQ=DAILY', 'RRULE:FREQ=DAILY']], 'CORRUPT_DATA'],
  ])('is a typed failure: %s', async (_what, todos, code) => {
    save('reminders', ...todos)
    expect((await failureOf(run('list', {}))).code).toBe(code)
  })

  test('of a name that leads elsewhere gets nothing', async () => {
    for (const list of ['../x', '.hidden', 'a/b', 'CON']) {
      const call = agent.actions.get('add')?.prepare({ title: 'x', list })
      if (call === undefined) continue
      expect((await failureOf(run('add', { title: 'x', list }))).code).toBe('INVALID_INPUT')
    }
  })

  test('of events alone has no reminders, and keeps its events when it gets one', async () => {
    const event = 'BEGIN:VEVENT\r\nUID:e\r\nDTSTART:20261121T100000Z\r\nEND:VEVENT\r\n'
    writeFileSync(join(folder, 'reminders.ics'), `BEGIN:VCALENDAR\r\n${event}END:VCALENDAR\r\n`)
    expect((await run('list', {})).count).toBe(0)
    await run('add', { title: 'x' })
    expect(file('reminders')).toContain(event)
  })
})

describe('the sample home', () => {
  test.each(['Europe/Vienna', 'America/New_York', 'Pacific/Auckland', 'UTC'])(
    'has late, dated, floating and repeated reminders in %s, the same for the same seed',
    async (timeZone) => {
      const input = { today: '2026-11-21', timeZone, seed: 1 }
      writeFileSync(join(folder, 'timezone'), timeZone)
      for (const [name, text] of reminderLists(input)) {
        writeFileSync(join(folder, `${name}.ics`), text)
      }
      expect(reminderLists(input)).toEqual(reminderLists({ ...input }))
      const { reminders, overdue } = await run('list', {})
      expect(overdue).toBeGreaterThanOrEqual(1)
      expect(reminders[0]).toMatchObject({ title: 'Answer the school about the trip' })
      expect(new Set(reminders.map(({ list }) => list))).toEqual(
        new Set(['reminders', 'bills', 'shopping']),
      )
      const named = (title: string) => reminders.find((one) => one.title === title)
      expect(named('Take the tablets')?.dueLocal).toBe('2026-11-21 21:00')
      expect(named('Rent')).toMatchObject({ due: '2026-12-01', allDay: true })
      expect(named('Candles')).toBeUndefined()
      const tablets = await run('complete', targetOf(named('Take the tablets') ?? failing()))
      expect(tablets.after).toMatchObject({ dueLocal: '2026-11-22 21:00' })
    },
  )
})

function failing(): never {
  throw new Error('not there')
}
