// Replies of a server that lies, breaks or floods, as the screentime agent reads them: the one typed
// failure of each, what is left out and counted, and that no reply is followed without end.

import { afterEach, describe, expect, test } from 'vitest'
import { ActionFailure } from '../../agents/define-agent.ts'
import { failureOf } from './action-context.ts'
import { type Answering, at, openWorld, type ScreentimeWorld, serving } from './screentime-world.ts'

const now = Date.parse('2026-11-21T08:00:00Z')
const date = '2026-11-20'
const day = { from: date }
let world: ScreentimeWorld | undefined
afterEach(() => world?.remove())

function open(answer: Answering): ScreentimeWorld {
  world = openWorld(() => now, answer)
  return world
}
const windows = (...events: readonly unknown[]) =>
  serving({ 'aw-watcher-window_laptop': { type: 'currentwindow', events } })
const window = (clock: string, minutes: number, app: string, title = 'a title') =>
  at(clock, minutes, { app, title })

describe('hostile replies', () => {
  const bucket = { id: 'w', type: 'currentwindow', hostname: 'laptop' }
  const reply = (body: unknown, status = 200): Answering => {
    return (path) => (path === '/api/0/buckets/' ? { body: { w: bucket } } : { status, body })
  }

  const many = (count: number, type: string) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, n) => [`w${n}`, { ...bucket, id: `w${n}`, type }]),
    )

  test.each<[string, Answering, string, string]>([
    ['no JSON', reply('<html>'), 'CORRUPT_DATA', 'final'],
    ['half of it', reply('[{"timestamp": "2026-'), 'CORRUPT_DATA', 'final'],
    ['an object', reply({ events: [] }), 'CORRUPT_DATA', 'final'],
    ['a list of numbers', reply([1, 2]), 'CORRUPT_DATA', 'final'],
    [
      'no duration',
      reply([{ timestamp: '2026-11-20T09:00:00Z', data: {} }]),
      'CORRUPT_DATA',
      'final',
    ],
    [
      'a duration of text',
      reply([{ ...window('09:00', 1, 'a'), duration: '1' }]),
      'CORRUPT_DATA',
      'final',
    ],
    [
      'data that is none',
      reply([{ ...window('09:00', 1, 'a'), data: 'x' }]),
      'CORRUPT_DATA',
      'final',
    ],
    ['an error', reply({}, 500), 'UNAVAILABLE', 'absent'],
    ['a busy server', reply({}, 429), 'UNAVAILABLE', 'absent'],
    ['a redirect', reply({}, 302), 'UNAVAILABLE', 'final'],
    ['another server', () => undefined, 'UNAVAILABLE', 'final'],
    ['buckets in a list', () => ({ body: [bucket] }), 'CORRUPT_DATA', 'final'],
    ['a bucket without a type', () => ({ body: { w: { id: 'w' } } }), 'CORRUPT_DATA', 'final'],
    [
      'buckets beyond what is asked',
      (path) => ({ body: path === '/api/0/buckets/' ? many(400, 'currentwindow') : [] }),
      'LIMIT_EXCEEDED',
      'final',
    ],
  ])('of %s end in %s', async (_, answer, code, retry) => {
    const { run, asked } = open(answer)
    const failure = await failureOf(run('top', day))
    expect([failure.code, failure.retry]).toEqual([code, retry])
    expect(failure.message).not.toContain('laptop')
    expect(asked.length).toBeLessThanOrEqual(121)
  })

  test('a server that always fills its reply is left after so many questions', async () => {
    const full = JSON.stringify(Array.from({ length: 10_000 }, () => window('09:00', 1, 'a', '')))
    const { run, asked } = open(reply(full))
    expect(await failureOf(run('top', day))).toMatchObject({ code: 'LIMIT_EXCEEDED' })
    expect(asked.length).toBeLessThanOrEqual(121)
  })

  test('more records than a command can read end it before all are asked for', async () => {
    const records = JSON.stringify(Array.from({ length: 9_900 }, () => at('09:00', 0, {})))
    const { run, asked } = open((path) =>
      path === '/api/0/buckets/' ? { body: many(30, 'currentwindow') } : { body: records },
    )
    expect(await failureOf(run('top', day))).toMatchObject({ code: 'LIMIT_EXCEEDED' })
    expect(asked.length).toBeLessThan(31)
  })

  test('what no watcher can mean is left out and counted', async () => {
    const odd = [
      { ...window('09:00', 1, 'a'), duration: -60 },
      { ...window('09:00', 1, 'a'), duration: 1e300 },
      { ...window('09:00', 1, 'a'), timestamp: 'yesterday' },
      { ...window('09:00', 1, 'a'), timestamp: '2026-13-45T99:00:00Z' },
      at('09:00', 1, { title: 'no app' }),
      at('09:00', 1, { app: { toString: 'x' } }),
    ]
    const { run } = open(windows(...odd, window('10:00', 5, 'code')))
    expect(await run('top', day)).toMatchObject({ ignored: 6, activeMinutes: 5, count: 1 })
  })

  test('names are one plain line, and titles are cut', async () => {
    const app = `co\u202ede\u0000 \u200b\n${'x'.repeat(800_000)}`
    const { run } = open(windows(window('09:00', 5, app, 'ti\u001b[2Jtle'.repeat(50_000))))
    const { spans } = await run('timeline', { date, titles: true })
    expect(spans[0]?.app).toMatch(/^co de x{93,94}…$/)
    expect([...(spans[0]?.title ?? '')]).toHaveLength(200)
    expect(spans[0]?.title).not.toMatch(/\p{C}/u)
  })

  test('a name that looks like a secret does not silence the answer', async () => {
    const { run } = open(windows(window('09:00', 5, `AKIA${'A1B2'.repeat(4)}`)))
    expect((await run('top', day)).items[0]?.key).toContain('AKIA')
  })

  test('ten thousand records are read in halves where a reply cannot hold them', async () => {
    const events = Array.from({ length: 10_000 }, (_, n) => ({
      ...at('00:00', 0, { app: `app${n % 50}`, title: 'x'.repeat(1_500) }),
      timestamp: new Date(Date.parse(`${date}T00:00:00Z`) + n * 8_000).toISOString(),
      duration: 8,
    }))
    const answer = serving({ w: { type: 'currentwindow', events } })
    const { run, asked } = open((path, query) => {
      const all = answer(path, query)
      if (!query.has('start') || !Array.isArray(all?.body)) return all
      const [start, end] = [query.get('start') ?? '', query.get('end') ?? '']
      // Whole at the border, as older servers give them.
      return {
        body: events.filter(
          ({ timestamp }) =>
            Date.parse(timestamp) < Date.parse(end) &&
            Date.parse(timestamp) + 8_000 > Date.parse(start),
        ),
      }
    })
    const { activeMinutes, count } = await run('top', day)
    expect(activeMinutes).toBe(Math.round((10_000 * 8) / 6) / 10)
    expect(count).toBe(50)
    expect(asked.length).toBeGreaterThan(4)
  })

  test('a failure of the road to it is passed on as it is', async () => {
    const { run } = open(() => {
      throw new ActionFailure('UNAVAILABLE', 'absent', 'UNREACHABLE')
    })
    expect(await failureOf(run('top', day))).toMatchObject({ code: 'UNAVAILABLE', retry: 'absent' })
  })
})
