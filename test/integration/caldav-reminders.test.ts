// Reminders on a real CalDAV server: read from a copy, changed on condition, shown before and after, tried
// dry and taken back. What the calendars share with them is caldav.test.ts's.

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { agent } from '../../agents/reminders/agent.ts'
import { manifest } from '../../agents/reminders/manifest.ts'
import { failureOf, idemOf } from '../agents/action-context.ts'
import { callsOf } from '../support/dav-agent.ts'
import { installed, installTimeoutMs } from '../support/installed.ts'
import { Radicale } from '../support/radicale.ts'

const program = await installed('radicale')
if ('version' in program) console.info(`radicale ${program.version}`)
const missing = 'missing' in program ? program.missing : undefined

let server: Radicale
let folder: string
beforeEach(async () => {
  if ('missing' in program) return
  server = await Radicale.start(program)
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-caldav-'))
  writeFileSync(join(folder, 'timezone'), 'Europe/Vienna\n')
  await server.collection('/anna/tasks/', 'Tasks', 'VTODO')
  // Of the other agent: never a list.
  await server.collection('/anna/home/', 'Home', 'VEVENT')
})
afterEach(async () => {
  if (missing !== undefined) return
  await server.stop()
  rmSync(folder, { recursive: true })
})

const run = callsOf(agent, manifest, () => ({ server, folder }))

const place = '/anna/tasks/plants.ics'
const save = (...lines: string[]) =>
  server.send('PUT', place, {
    body: [
      ...['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//test//test', 'BEGIN:VTODO', 'UID:plants'],
      ...['DTSTAMP:20261101T000000Z', ...lines, 'X-COLOR:green', 'END:VTODO', 'END:VCALENDAR', ''],
    ].join('\r\n'),
    headers: { 'content-type': 'text/calendar' },
  })
async function plants() {
  const { reminders } = await run('list', {})
  const found = reminders.find(({ uid }) => uid === 'plants')
  if (found === undefined) throw new Error('not there')
  return { ...found, target: { list: found.list, uid: found.uid, ifMatch: found.etag } }
}

describe.skipIf(missing !== undefined)(
  `reminders on a server${missing === undefined ? '' : ` (${missing})`}`,
  { timeout: installTimeoutMs },
  () => {
    test('are read from a copy, done, and taken back', async () => {
      await save('DUE;TZID=Europe/Vienna:20261121T080000', 'SUMMARY:Water the plants')
      expect((await run('sync', {})).lists).toEqual([
        { name: 'Tasks', reminders: 1, changed: 1, removed: 0, unreadable: 0, pending: 0 },
      ])
      const before = await plants()
      expect(before).toMatchObject({ overdue: true, dueLocal: '2026-11-21 08:00' })
      const given = await server.text(place)
      const dry = await run('complete', { ...before.target, dryRun: true }, idemOf('dry'))
      expect(await server.text(place)).toBe(given)
      const done = await run('complete', before.target)
      expect(done).toEqual(dry)
      expect(done).toMatchObject({ before: { completed: false }, after: { completed: true } })
      const changed = await server.text(place)
      expect(changed).toContain('STATUS:COMPLETED')
      expect(changed).toContain('X-COLOR:green')
      expect((await run('list', {})).count).toBe(0)
      expect(await run('revert', { change: idemOf('complete') })).toMatchObject({
        list: 'Tasks',
        outcome: 'reverted',
      })
      const lines = (text: string) => new Set(text.split(/\r?\n/))
      expect(lines(await server.text(place))).toEqual(lines(given))
    })

    test('that come again move to the next time on the server, over the change of the clocks', async () => {
      await save(
        'DTSTART;TZID=Europe/Vienna:20261024T090000',
        'DUE;TZID=Europe/Vienna:20261024T090000',
        'RRULE:FREQ=DAILY',
        'SUMMARY:Water the plants',
      )
      await run('sync', {})
      const done = await run('complete', (await plants()).target)
      expect(done).toMatchObject({
        before: { due: '2026-10-24T09:00:00+02:00' },
        after: { due: '2026-10-25T09:00:00+01:00', completed: false },
      })
      expect(await server.text(place)).toContain('DUE;TZID=Europe/Vienna:20261025T090000')
    })

    test('are not changed when somebody else has changed them since they were read', async () => {
      await save('SUMMARY:Water the plants')
      await run('sync', {})
      const { target } = await plants()
      await save('SUMMARY:Water the garden')
      const conflict = { code: 'CONFLICT', retry: 'ask' }
      expect(await failureOf(run('complete', target))).toMatchObject(conflict)
      expect(await failureOf(run('snooze', { ...target, minutes: 5 }))).toMatchObject(conflict)
      expect(await server.text(place)).toContain('garden')
      await run('sync', {})
      const later = await run('snooze', { ...(await plants()).target, minutes: 5 }, idemOf('again'))
      expect(later.after).toMatchObject({ due: '2026-11-21T09:05:00+01:00' })
    })

    test('are added once, and timers stay where they are set', async () => {
      await server.collection('/anna/other/', 'timers', 'VTODO')
      await run('sync', {})
      const args = { list: 'Tasks', title: 'Cake', due: '2026-11-22' }
      const added = await run('add', args)
      expect(await run('add', args)).toEqual(added)
      expect((await run('sync', {})).lists).toMatchObject([{ changed: 0 }, { changed: 0 }])
      expect((await run('list', {})).reminders.map(({ title, due }) => [title, due])).toEqual([
        ['Cake', '2026-11-22'],
      ])
      const asked = server.asked.length
      await run('timer_set', { minutes: 5 })
      expect(existsSync(join(folder, 'timers.ics'))).toBe(true)
      expect(server.asked.length).toBe(asked)
      await run('revert', { change: idemOf('add') })
      expect((await run('list', {})).count).toBe(0)
    })
  },
)
