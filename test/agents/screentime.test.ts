// The screentime agent on a server of ActivityWatch's shape: what counts, for whom, and in whose day.

import { afterEach, describe, expect, test } from 'vitest'
import { failureOf } from './action-context.ts'
import {
  type Answering,
  at,
  openWorld,
  type ScreentimeWorld,
  serving,
  type TestBucket,
} from './screentime-world.ts'

const now = Date.parse('2026-11-21T08:00:00Z')
const date = '2026-11-20'
const day = { from: date }
let world: ScreentimeWorld | undefined
afterEach(() => world?.remove())

function open(answer: Answering): ScreentimeWorld {
  world = openWorld(() => now, answer)
  return world
}
/** One laptop with these windows, where somebody always was. */
const windows = (...events: readonly unknown[]) =>
  serving({
    'aw-watcher-window_laptop': { type: 'currentwindow', events },
    'aw-watcher-afk_laptop': { type: 'afkstatus', events: [there('00:00', 1_440)] },
  })
const there = (clock: string, minutes: number) => at(clock, minutes, { status: 'not-afk' })
const away = (clock: string, minutes: number) => at(clock, minutes, { status: 'afk' })
const window = (clock: string, minutes: number, app: string, title = 'secret title') =>
  at(clock, minutes, { app, title })

describe('what counts', () => {
  test('is what was in front while somebody was there, the longest first, with its share', async () => {
    const { run } = open(
      serving({
        w: {
          type: 'currentwindow',
          events: [window('09:00', 60, 'code'), window('10:00', 30, 'mail')],
        },
        a: {
          type: 'afkstatus',
          events: [there('09:00', 30), away('09:30', 30), there('10:00', 15)],
        },
      }),
    )
    const top = await run('top', day)
    expect(top).toMatchObject({
      idle: 'subtracted',
      devices: 1,
      ignored: 0,
      from: '2026-11-20T00:00:00+00:00',
      to: '2026-11-21T00:00:00+00:00',
      activeMinutes: 45,
      count: 2,
    })
    expect(top.items.map(({ key, minutes, share }) => [key, minutes, share])).toEqual([
      ['code', 30, 0.667],
      ['mail', 15, 0.333],
    ])
    expect(top.items.map(({ bar }) => bar)).toEqual(['█'.repeat(20), '█'.repeat(10)])
    expect(await run('focus', day)).toMatchObject({ activeMinutes: 45, afkMinutes: 45 })
  })

  test('is said to be unknown where no watcher asked whether somebody was there', async () => {
    const { run } = open(
      serving({ w: { type: 'currentwindow', events: [window('09:00', 60, 'code')] } }),
    )
    expect(await run('focus', day)).toMatchObject({
      idle: 'unknown',
      activeMinutes: 60,
      afkMinutes: null,
    })
  })

  test('is nothing where the watcher of presence had not started', async () => {
    const { run } = open(
      serving({
        w: { type: 'currentwindow', events: [window('09:00', 60, 'code')] },
        a: { type: 'afkstatus', events: [] },
      }),
    )
    expect(await run('top', day)).toMatchObject({ activeMinutes: 0, count: 0, items: [] })
  })

  test('counts a minute once, of two windows or two computers', async () => {
    const { run } = open(
      serving({
        one: {
          type: 'currentwindow',
          hostname: 'one',
          events: [window('09:00', 60, 'code'), window('09:30', 60, 'mail')],
        },
        two: { type: 'currentwindow', hostname: 'two', events: [window('09:00', 30, 'code')] },
      }),
    )
    const { activeMinutes, devices, items } = await run('top', day)
    expect([activeMinutes, devices]).toEqual([90, 2])
    expect(items.map(({ key, minutes }) => [key, minutes])).toEqual([
      ['mail', 60],
      ['code', 30],
    ])
  })

  test('is a site only while its browser is in front', async () => {
    const tab = (clock: string, minutes: number, url: string) => at(clock, minutes, { url })
    const web: TestBucket = {
      type: 'web.tab.current',
      hostname: null,
      events: [
        tab('09:00', 40, 'https://www.Example.org/secret?q=secret'),
        tab('09:40', 10, 'about:config'),
        tab('09:50', 60, 'https://news.example.org/'),
      ],
    }
    const { run } = open(
      serving({
        w: {
          type: 'currentwindow',
          events: [
            window('09:00', 30, 'Firefox'),
            window('09:30', 5, 'code'),
            window('09:35', 25, 'firefox.exe'),
            window('10:00', 60, 'Google Chrome'),
          ],
        },
        'aw-watcher-web-firefox': web,
      }),
    )
    const { items } = await run('top', { ...day, by: 'domain' })
    expect(items.map(({ key, minutes }) => [key, minutes])).toEqual([
      ['example.org', 35],
      ['news.example.org', 10],
      ['other', 10],
    ])
    expect(JSON.stringify(items)).not.toContain('secret')
    world?.asked.splice(0)
    await run('top', day)
    await run('focus', day)
    // Where apps are enough, no tab is looked at.
    expect(world?.asked.filter((path) => path.includes('web'))).toEqual([])
  })

  test('has categories by site before app, and the own list before the common one', async () => {
    const { run, put } = open(
      windows(window('09:00', 10, 'code'), window('09:10', 20, 'vlc'), window('09:30', 5, 'odd')),
    )
    put('categories.yaml', 'Learning: [VLC]\nWork: []\n')
    const { items } = await run('top', { ...day, by: 'category' })
    expect(items.map(({ key, minutes }) => [key, minutes])).toEqual([
      ['Learning', 20],
      ['Work', 10],
      ['Other', 5],
    ])
  })

  test('ends now, whatever a clock that is ahead recorded', async () => {
    const future = { ...window('09:00', 60, 'code'), timestamp: '2026-11-21T07:30:00Z' }
    const { run } = open(windows(future, { ...future, timestamp: '2026-11-23T07:30:00Z' }))
    const { activeMinutes } = await run('top', { from: '2026-11-21', to: '2026-11-30' })
    // Presence of that day is not recorded, so it does not count either way.
    expect(activeMinutes).toBe(0)
    const alone = open(serving({ w: { type: 'currentwindow', events: [future] } }))
    expect(await alone.run('top', { from: '2026-11-21' })).toMatchObject({ activeMinutes: 30 })
    expect(await alone.run('top', { from: '2026-11-22' })).toMatchObject({
      activeMinutes: 0,
      devices: 0,
    })
  })
})

describe('focus, comparison and timeline', () => {
  test('the longest streak ends with another app or a pause of a minute', async () => {
    const { run } = open(
      windows(
        window('09:00', 20, 'code'),
        { ...window('09:20', 10, 'code'), timestamp: '2026-11-20T09:20:40Z' },
        window('10:00', 25, 'code'),
        window('10:25', 10, 'mail'),
      ),
    )
    const focus = await run('focus', day)
    expect(focus.longestStreak).toEqual({
      from: '2026-11-20T09:00:00+00:00',
      to: '2026-11-20T09:30:40+00:00',
      minutes: 30.7,
      app: 'code',
    })
    expect(focus).toMatchObject({ switches: 1, switchesPerHour: 0.9 })
  })

  test('two periods are set side by side, with what is in one of them only', async () => {
    const { run } = open(windows(window('09:00', 30, 'code'), window('14:00', 45, 'mail')))
    const compared = await run('compare', {
      a: { from: '2026-11-20T08:00', to: '2026-11-20T12:00' },
      b: { from: '2026-11-20T12:00', to: '2026-11-20T18:00' },
    })
    expect(compared).toMatchObject({ changeMinutes: 15, count: 2, devices: 1 })
    expect(compared.items).toEqual([
      { key: 'mail', aMinutes: 0, bMinutes: 45, changeMinutes: 45 },
      { key: 'code', aMinutes: 30, bMinutes: 0, changeMinutes: -30 },
    ])
  })

  test('a timeline has no titles unless they are asked for', async () => {
    const { run } = open(
      windows(
        window('09:00', 10, 'code'),
        window('09:10', 5, 'code', 'other'),
        window('09:15', 1, 'mail'),
        window('09:16', 4, 'code'),
      ),
    )
    const plain = await run('timeline', { date, timeZone: 'Europe/Vienna' })
    expect(JSON.stringify(plain)).not.toContain('secret title')
    expect(plain).toMatchObject({ count: 2, shorter: 1, activeMinutes: 20 })
    expect(plain.spans[0]).toEqual({
      from: '2026-11-20T10:00:00+01:00',
      to: '2026-11-20T10:15:00+01:00',
      fromLocal: '10:00',
      toLocal: '10:15',
      minutes: 15,
      app: 'code',
      category: 'Work',
      title: null,
    })
    expect(plain.hours).toBe(`${'▁'.repeat(10)}█${'▁'.repeat(13)}`)
    const titled = await run('timeline', { date, titles: true, limit: 1 })
    expect(titled.spans.map(({ title }) => title)).toEqual(['secret title'])
    expect(titled.count).toBe(2)
  })

  test('limits say what is over, by category, app and site', async () => {
    const { run } = open(windows(window('09:00', 50, 'Steam.exe'), window('10:00', 20, 'code')))
    const checked = await run('rules_check', {
      date,
      limits: [
        { key: 'games', minutes: 30 },
        { by: 'app', key: 'CODE', minutes: 20 },
        { by: 'domain', key: 'example.org', minutes: 0 },
      ],
    })
    expect(checked.checks).toMatchObject([
      { limitMinutes: 30, usedMinutes: 50, over: true, overMinutes: 20, bar: '█'.repeat(20) },
      { usedMinutes: 20, over: false, overMinutes: 0 },
      { usedMinutes: 0, over: false, bar: '' },
    ])
    expect(checked).toMatchObject({ overCount: 1, over: [{ key: 'games' }], activeMinutes: 70 })
  })
})

describe('days and zones', () => {
  test.each([
    ['2026-03-29', 23, '2026-03-29T00:00:00+01:00', '2026-03-30T00:00:00+02:00'],
    ['2026-10-25', 25, '2026-10-25T00:00:00+02:00', '2026-10-26T00:00:00+01:00'],
  ])('%s in Vienna has %d hours', async (changed, hours, from, to) => {
    const { run, put } = open(windows())
    put('timezone', 'Europe/Vienna\n')
    expect((await run('timeline', { date: changed })).hours).toHaveLength(hours)
    expect(await run('top', { from: changed })).toMatchObject({
      from,
      to,
      timeZone: 'Europe/Vienna',
    })
  })

  test('today is the day of the zone', async () => {
    const { run } = open(windows())
    const there = { timeZone: 'Pacific/Auckland' }
    expect((await run('timeline', { date: 'today', ...there })).date).toBe('2026-11-21')
    expect((await run('top', { from: '2026-11-20', to: 'today', ...there })).to).toBe(
      '2026-11-21T00:00:00+13:00',
    )
    expect((await run('timeline', { date: 'today', timeZone: 'Pacific/Honolulu' })).date).toBe(
      '2026-11-20',
    )
  })

  test.each<[object, 'INVALID_INPUT' | 'CORRUPT_DATA', string]>([
    [{ from: '2026-02-30' }, 'INVALID_INPUT', ''],
    [{ from: '2026-11-20T25:00' }, 'INVALID_INPUT', ''],
    [{ from: '0000-01-01' }, 'INVALID_INPUT', ''],
    [{ from: date, to: date }, 'INVALID_INPUT', ''],
    [{ from: date, to: '2026-11-19' }, 'INVALID_INPUT', ''],
    [{ from: '2026-01-01', to: '2026-11-19' }, 'INVALID_INPUT', ''],
    [{ from: date, timeZone: 'Mars/Olympus' }, 'INVALID_INPUT', ''],
    [{ from: date, by: 'domain', source: 'macos' }, 'INVALID_INPUT', ''],
    [{ from: date }, 'CORRUPT_DATA', 'Mars/Olympus'],
    [{ from: date }, 'CORRUPT_DATA', `Europe/Vienna\n${'x'.repeat(500)}`],
  ])('%j is refused with %s (file: %s)', async (args, code, zone) => {
    const { run, put, asked } = open(windows())
    if (zone !== '') put('timezone', zone)
    expect(await failureOf(run('top', args))).toMatchObject({ code, retry: 'final' })
    expect(asked).toEqual([])
  })

  test.each([
    ['no YAML', '{'],
    ['an alias', 'Work: &a [code]\nPlay: *a\n'],
    ['numbers', 'Work: [1]\n'],
    ['a list', '- Work\n'],
    ['one name twice', 'Work: []\nWork: []\n'],
    ['another encoding', Buffer.from('Spa\u00df: [vlc]\n', 'latin1')],
    ['an empty name', '"": [vlc]\n'],
  ])('a list of categories with %s is corrupt', async (_, content) => {
    const { run, put } = open(windows())
    put('categories.yaml', content)
    expect(await failureOf(run('top', day))).toMatchObject({ code: 'CORRUPT_DATA' })
  })
})
