// The sample home: enough on every day, read alike by the agent and by node-ical, and never written
// over what somebody else put there.

import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ical from 'node-ical'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { agent } from '../../agents/calendar/agent.ts'
import type { manifest } from '../../agents/calendar/manifest.ts'
import { catalogue } from '../../agents/catalogue.ts'
import { agent as feeds } from '../../agents/feeds/agent.ts'
import { manifest as feedsManifest } from '../../agents/feeds/manifest.ts'
import { agent as notes } from '../../agents/notes/agent.ts'
import { generateHome, webPortOf } from '../../examples/home/generate.ts'
import { dayAfter } from '../../examples/home/ics-writer.ts'
import { parseConfiguration } from '../../plan/configuration.ts'
import { perform } from './action-context.ts'

type Listed = z.infer<typeof manifest.actions.list.output>

const today = '2026-11-21'
const web = 'http://127.0.0.1:4711'
let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'bulkhead-home-'))
})
afterEach(async () => {
  await rm(home, { recursive: true, force: true })
})

const calendars = () => join(home, 'agents', 'calendar', 'data')
const textOf = (name: string) => readFile(join(calendars(), `${name}.ics`), 'utf8')
const generate = (input: { today?: string; timeZone?: string; seed?: number; web?: string } = {}) =>
  generateHome({ folder: home, today, timeZone: 'Europe/Vienna', seed: 1, web, ...input })
const on = (action: string, args: object, day = today) =>
  perform(agent, {
    action,
    args,
    setting: { folder: calendars(), now: Date.parse(`${day}T09:00:00Z`) },
  })
const list = (args: object, day?: string) => on('list', args, day) as Promise<Listed>

describe('the sample home', () => {
  test.each(['Europe/Vienna', 'America/New_York', 'Pacific/Auckland', 'Asia/Kathmandu', 'UTC'])(
    'has at least two events, one of a series, in each calendar on every day in %s',
    async (timeZone) => {
      await generate({ timeZone })
      for (let day = today; day < dayAfter(today, 31); day = dayAfter(day, 1)) {
        for (const calendar of ['work', 'family']) {
          const { events } = await list({ day, calendars: [calendar] })
          const timed = events.filter(({ allDay }) => !allDay)
          expect(timed.length, `${calendar} on ${day}`).toBeGreaterThanOrEqual(2)
          expect(timed.some(({ recurrenceId }) => recurrenceId !== null)).toBe(true)
        }
      }
    },
  )

  test.each(['Europe/Vienna', 'America/New_York', 'Asia/Kathmandu', 'UTC'])(
    'is read by node-ical as by the agent in %s',
    async (timeZone) => {
      await generate({ timeZone })
      const from = new Date(`${today}T00:00:00Z`)
      const to = new Date(`${dayAfter(today, 28)}T00:00:00Z`)
      for (const calendar of ['work', 'family']) {
        const expected: string[] = []
        for (const event of Object.values(ical.sync.parseICS(await textOf(calendar)))) {
          if (event?.type !== 'VEVENT') continue
          for (const instance of ical.expandRecurringEvent(event, { from, to })) {
            // Its floating times and whole days are of the machine's zone.
            if (instance.isFullDay || String(instance.summary).startsWith('Breakfast')) continue
            if (instance.start >= from && instance.start < to) {
              expected.push(`${instance.start.toISOString()} ${String(instance.summary)}`)
            }
          }
        }
        const found = await list({
          day: today,
          days: 28,
          timeZone: 'UTC',
          calendars: [calendar],
          limit: 500,
        })
        const timed = found.events
          .filter(
            ({ allDay, summary, start }) =>
              !allDay && !summary.startsWith('Breakfast') && new Date(start) >= from,
          )
          .map(({ start, summary }) => `${new Date(start).toISOString()} ${summary}`)
        const inOrder = (a: string, b: string) => (a < b ? -1 : 1)
        expect(timed.sort(inOrder)).toEqual(expected.sort(inOrder))
        expect(timed.length).toBeGreaterThan(20)
      }
    },
  )

  test('has an excluded day, a moved instance, days over midnight, a floating time and a clock change', async () => {
    await generate()
    const work = (await list({ day: '2026-11-16', days: 31, calendars: ['work'], limit: 500 }))
      .events
    expect(work.find(({ summary }) => summary === 'Stand-up with the suppliers')).toMatchObject({
      startLocal: '09:45',
      recurrenceId: expect.stringContaining('T09:15:00'),
    })
    const standUps = work
      .filter(({ summary }) => summary === 'Stand-up')
      .map(({ start }) => start.slice(0, 10))
    expect(standUps).toContain('2026-12-04')
    expect(standUps).not.toContain('2026-12-03')
    expect(work.find(({ summary }) => summary === 'Conference in Linz')).toMatchObject({
      allDay: true,
    })
    const family = (await list({ day: '2026-11-16', days: 31, calendars: ['family'], limit: 500 }))
      .events
    expect(family.find(({ summary }) => summary.startsWith('Breakfast'))?.startLocal).toBe('08:00')
    const night = await on('search', {
      query: 'clock change',
      from: '2027-03-01',
      to: '2027-04-15',
    })
    expect(night).toMatchObject({
      events: [{ start: '2027-03-27T22:00:00+01:00', end: '2027-03-28T09:00:00+02:00' }],
    })
  })

  test('is the same for the same seed and another for another', async () => {
    await generate()
    const first = await textOf('work')
    await rm(home, { recursive: true })
    await generate()
    expect(await textOf('work')).toBe(first)
    await rm(home, { recursive: true })
    await generate({ seed: 2 })
    expect(await textOf('work')).not.toBe(first)
  })

  test('is left alone while its month covers today', async () => {
    await generate()
    await on('create', {
      calendar: 'work',
      summary: 'Mine',
      start: '2026-11-22T10:00',
      durationMinutes: 30,
    })
    const written = await textOf('work')
    await generate({ today: dayAfter(today, 30), timeZone: 'Asia/Tokyo', seed: 9 })
    expect(await textOf('work')).toBe(written)
    expect(await readFile(join(calendars(), 'timezone'), 'utf8')).toBe('Europe/Vienna\n')
  })

  test('gets a new month when the old one is over, and keeps the events of others', async () => {
    await generate()
    const created = await on('create', {
      calendar: 'work',
      summary: 'Mine',
      start: '2026-11-22T10:00',
      durationMinutes: 30,
    })
    const later = '2027-01-15'
    await generate({ today: later })
    expect((await list({ day: 'today' }, later)).count).toBeGreaterThanOrEqual(4)
    const found = await on('search', { query: 'Mine', from: '2026-11-01', to: '2027-01-30' })
    expect(found).toMatchObject({ count: 1, events: [{ uid: (created as { uid: string }).uid }] })
    expect((await textOf('work')).match(/^UID:work-jobs@/gm)).toHaveLength(1)
  })

  test('never writes over a note or a configuration that is there', async () => {
    await generate()
    const note = join(home, 'agents', 'notes', 'data', 'ideas.md')
    await writeFile(note, 'mine\n')
    await writeFile(join(home, 'bulkhead.yaml'), 'timezone: UTC\n')
    await generate({ today: '2027-01-15' })
    expect(await readFile(note, 'utf8')).toBe('mine\n')
    expect(await readFile(join(home, 'bulkhead.yaml'), 'utf8')).toBe('timezone: UTC\n')
  })

  test('never writes over categories of screen time, even where its database is gone', async () => {
    await generate()
    const data = join(home, 'agents', 'screentime', 'data')
    await writeFile(join(data, 'categories.yaml'), 'Mine: [chess]\n')
    await rm(join(data, 'knowledgeC.db'))
    await generate()
    expect((await stat(join(data, 'knowledgeC.db'))).isFile()).toBe(true)
    expect(await readFile(join(data, 'categories.yaml'), 'utf8')).toBe('Mine: [chess]\n')
  })

  test('has notes that are recent, and a configuration that names every folder the agents ask for', async () => {
    await generate()
    const listed = await perform(notes, {
      action: 'list',
      args: {},
      setting: { folder: join(home, 'agents', 'notes', 'data'), now: Date.now() },
    })
    expect(listed).toMatchObject({ count: 3 })
    const manifests = [...catalogue.values()]
    const folders = manifests.flatMap(({ mounts }) => mounts.map(({ from }) => from.config))
    const origins = manifests.flatMap(({ egress = [] }) =>
      egress.flatMap(({ host }) => (typeof host === 'string' ? [] : [host.config])),
    )
    const text = await readFile(join(home, 'bulkhead.yaml'), 'utf8')
    const parsed = parseConfiguration(text, 'bulkhead.yaml', [...folders, ...origins])
    expect(parsed).toMatchObject({ ok: true, configuration: { timezone: 'Europe/Vienna' } })
    const settingOf = (setting: string) => {
      const [name = '', key = ''] = setting.split('.')
      return parsed.ok ? parsed.configuration.agents?.[name]?.[key] : undefined
    }
    // An agent that a home can do without is not in it; one that is has all its folders.
    const present = parsed.ok ? Object.keys(parsed.configuration.agents ?? {}) : []
    expect(present).toEqual(expect.arrayContaining(['calendar', 'feeds', 'notes', 'screentime']))
    for (const setting of folders.filter((one) => present.includes(one.split('.', 1)[0] ?? ''))) {
      expect((await stat(join(home, settingOf(setting) ?? 'missing'))).isDirectory()).toBe(true)
    }
    // Servers that a home can do without are not named in it.
    const named = origins.filter((setting) => settingOf(setting) !== undefined)
    expect(named).toEqual(expect.arrayContaining(['feeds.origins', 'screentime.url']))
    expect(named).toEqual(expect.arrayContaining(['weather.forecast', 'weather.alerts']))
    for (const setting of named) expect(settingOf(setting)).toBe(web)
  })

  test('follows the feeds of its own server, at the address that was first given', async () => {
    expect(await webPortOf(home)).toBeUndefined()
    await generate()
    expect(await webPortOf(home)).toBe(4711)
    await generate({ web: 'http://127.0.0.1:4712' })
    const listed = await perform(feeds, {
      action: 'list',
      args: {},
      setting: { folder: join(home, 'agents', 'feeds', 'data'), now: Date.now() },
    })
    const followed = feedsManifest.actions.list.output.parse(listed).feeds
    expect(followed.map(({ url }) => url)).toEqual([
      `${web}/feeds/news.rss`,
      `${web}/feeds/blog.atom`,
      `${web}/feeds/science.rdf`,
      `${web}/feeds/photos.json`,
    ])
  })

  test('falls back to UTC where the machine does not know where it is', async () => {
    await generate({ timeZone: 'Etc/Unknown' })
    expect(await readFile(join(calendars(), 'timezone'), 'utf8')).toBe('UTC\n')
  })
})
