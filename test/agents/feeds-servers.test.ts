// The feeds agent against a server with the awkward cases, over real HTTP: when it asks again, and what
// each answer changes.

import { readdir } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ActionContext, ActionFailure } from '../../agents/define-agent.ts'
import { opmlOf } from '../../examples/home/feeds.ts'
import { failureOf } from './action-context.ts'
import { begin, type Follower, hourMs, minuteMs, startFollower } from './feeds-follower.ts'

let home: Follower
beforeEach(async () => {
  home = await startFollower()
})
afterEach(() => home.end())

describe('asking again', () => {
  const later = (ms: number) => {
    home.now += ms
  }

  test('is conditional, and an unchanged feed brings nothing', async () => {
    await home.subscribe('news.rss')
    later(31 * minuteMs)
    const { checked, unchanged } = await home.run('fetch_new', {})
    expect([checked, unchanged]).toEqual([1, 1])
    expect(home.web.server.requests.at(-1)?.headers['if-none-match']).toMatch(/^"[\w-]{16}"$/)
  })

  test('waits as long as the feed asks for, and ten minutes at least', async () => {
    await home.subscribe('news.rss')
    await home.subscribe('blog.atom')
    later(9 * minuteMs)
    expect(await home.run('fetch_new', {})).toMatchObject({ checked: 0 })
    later(2 * minuteMs)
    // The one without a wish of its own.
    expect(await home.run('fetch_new', {})).toMatchObject({ checked: 1 })
    later(20 * minuteMs)
    expect(await home.run('fetch_new', {})).toMatchObject({ checked: 2 })
  })

  test('finds what is new since, once, and keeps what the feed no longer shows', async () => {
    await home.subscribe('news.rss')
    const old = await home.run('search', { query: 'known on 2026-11-18' })
    expect(old.count).toBe(4)
    later(3 * hourMs)
    const since = new Date(begin).toISOString()
    const first = await home.run('fetch_new', { since })
    expect(first.items.map(({ published }) => published)).toEqual(['2026-11-21T11:00:00.000Z'])
    expect(first.items[0]?.at).toBe(new Date(home.now).toISOString())
    later(5 * 24 * hourMs)
    expect(
      await home.run('fetch_new', { since: new Date(home.now - hourMs).toISOString() }),
    ).toMatchObject({
      count: 19,
    })
    expect(await home.run('search', { query: 'known on 2026-11-18' })).toEqual(old)
  })

  test('one slow server costs its own feed a failure and the others nothing', async () => {
    await home.subscribe('news.rss')
    await home.subscribe('blog.atom')
    later(hourMs)
    const fetch: ActionContext['fetch'] = (request) =>
      request.path.endsWith('blog.atom') ? new Promise(() => undefined) : home.web.fetch(request)
    const result = await home.run('fetch_new', {}, { fetch })
    expect(result).toMatchObject({ checked: 2, failed: [{ code: 'UNAVAILABLE' }] })
  })

  test('a failing feed is asked less and less often, and a success ends that', async () => {
    await home.subscribe('blog.atom')
    later(11 * minuteMs)
    home.web.fail(new ActionFailure('UNAVAILABLE', 'absent', 'no network'))
    const waits: number[] = []
    for (let round = 0; round < 10; round += 1) {
      expect(await home.run('fetch_new', {})).toMatchObject({ failed: [{ code: 'UNAVAILABLE' }] })
      const next = Date.parse((await home.run('list', {})).feeds[0]?.next ?? '')
      waits.push((next - home.now) / minuteMs)
      home.now = next
    }
    expect(waits).toEqual([10, 20, 40, 80, 160, 320, 640, 1_280, 1_440, 1_440])
    home.web.fail(undefined)
    expect(await home.run('fetch_new', {})).toMatchObject({ checked: 1, failed: [] })
    expect(await home.lines()).toEqual([['/feeds/blog.atom', 'active', null]])
  })

  test('only the feeds that are named are asked, and an unknown one is an error', async () => {
    await home.run('subscribe', { opml: opmlOf(home.web.server.origin) })
    const [one] = (await home.run('list', {})).feeds
    const result = await home.run('fetch_new', { feeds: [one?.feed] })
    expect([result.checked, result.count]).toEqual([1, 4])
    const failure = await failureOf(home.run('fetch_new', { feeds: ['x'.repeat(22)] }))
    expect(failure.code).toBe('NOT_FOUND')
  })

  test('a feed that is exchanged while it is asked is not given the old answer', async () => {
    await home.subscribe('moved.rss')
    later(hourMs)
    const url = (await home.run('list', {})).feeds[0]?.url ?? ''
    const fetch: ActionContext['fetch'] = async (request) => {
      const reply = await home.web.fetch(request)
      await home.run('unsubscribe', { url }, { as: 'away' })
      const opml = `<opml version="2.0"><body><outline xmlUrl="${home.urlOf('moved.rss')}"/></body></opml>`
      await home.run('subscribe', { opml }, { as: 'again' })
      return reply
    }
    await home.run('fetch_new', {}, { fetch })
    expect(await home.lines()).toEqual([['/feeds/moved.rss', 'active', null]])
  })

  test('a story that two feeds carry is given once', async () => {
    const item = `<item><guid>{}</guid><title>Both</title><link>https://example.com/story#{}</link></item>`
    const fetch: ActionContext['fetch'] = async ({ path }) => ({
      status: 200,
      headers: {},
      body: `<rss version="2.0"><channel><title>${path}</title>${item.replaceAll('{}', path)}</channel></rss>`,
      url: '',
    })
    for (const name of ['a', 'b']) await home.subscribe(name, { fetch })
    expect(await home.run('fetch_new', {})).toMatchObject({ count: 1 })
  })
})

describe('what servers answer', () => {
  const follow = async (name: string) => {
    const opml = `<opml version="2.0"><body><outline xmlUrl="${home.urlOf(name)}"/></body></opml>`
    await home.run('subscribe', { opml })
    return home.run('fetch_new', {})
  }

  test('a feed that moved for good is asked at its new address from then on', async () => {
    await follow('moved-twice.rss')
    expect(await home.lines()).toEqual([['/feeds/news.rss', 'active', null]])
    expect(home.asked()).toEqual(['/feeds/moved-twice.rss', '/feeds/moved.rss', '/feeds/news.rss'])
    home.now += hourMs
    await home.run('fetch_new', {})
    expect(home.asked().slice(3)).toEqual(['/feeds/news.rss'])
  })

  test('a feed that is elsewhere for now keeps its address', async () => {
    await follow('elsewhere.rss')
    expect(await home.lines()).toEqual([['/feeds/elsewhere.rss', 'active', null]])
  })

  test('a feed that is gone is reported once and never asked again, unless anew', async () => {
    expect(await follow('gone.rss')).toMatchObject({
      failed: [],
      gone: [{ url: home.urlOf('gone.rss') }],
    })
    home.now += 24 * hourMs
    expect(await home.run('fetch_new', {})).toMatchObject({ checked: 0, gone: [] })
    expect(await home.lines()).toEqual([['/feeds/gone.rss', 'gone', null]])
    expect((await failureOf(home.subscribe('gone.rss'))).code).toBe('NOT_FOUND')
    expect(home.asked()).toHaveLength(2)
  })

  test.each([
    ['busy.rss', 7_200_000],
    ['forever.rss', 7 * 24 * hourMs],
    ['repairs.rss', 600_000],
    ['broken.rss', 600_000],
  ])('%s is asked again when its server wants it', async (name, waitMs) => {
    expect(await follow(name)).toMatchObject({ failed: [{ code: 'UNAVAILABLE' }] })
    const [feed] = (await home.run('list', {})).feeds
    expect(Date.parse(feed?.next ?? '')).toBe(begin + waitMs)
  })

  test.each([
    ['loop.rss', 'UNAVAILABLE'],
    ['nowhere.rss', 'UNAVAILABLE'],
    ['to-file.rss', 'UNAVAILABLE'],
    ['missing.rss', 'NOT_FOUND'],
    ['unchanged.rss', 'UNAVAILABLE'],
    ['page.rss', 'CORRUPT_DATA'],
    ['empty.rss', 'CORRUPT_DATA'],
    ['cut.rss', 'CORRUPT_DATA'],
    ['bomb.rss', 'CORRUPT_DATA'],
    ['deep.rss', 'CORRUPT_DATA'],
    ['utf16.rss', 'CORRUPT_DATA'],
    ['huge.rss', 'LIMIT_EXCEEDED'],
  ])('%s fails with %s, whether it is subscribed to or asked again', async (name, code) => {
    expect((await failureOf(home.subscribe(name))).code).toBe(code)
    expect(await readdir(home.folder)).toEqual([])
    expect(await follow(name)).toMatchObject({ failed: [{ code }], count: 0 })
    expect(home.asked().length).toBeLessThanOrEqual(12)
  })

  test('a redirect from https to http is not followed', async () => {
    const urls: string[] = []
    const fetch: ActionContext['fetch'] = async ({ origin = '', path }) => {
      urls.push(`${origin}${path}`)
      return { status: 301, headers: { location: 'http://example.com/b' }, body: '', url: '' }
    }
    const failure = await failureOf(
      home.run('subscribe', { url: 'https://example.com/a' }, { fetch }),
    )
    expect([failure.code, urls]).toEqual(['UNAVAILABLE', ['https://example.com/a']])
  })

  test.each([
    ['latin1.rss', 'Café'],
    ['mislabelled.rss', 'Caf\ufffd'],
    ['controls.rss', 'Con trols'],
    ['anonymous.rss', '127.0.0.1'],
  ])('%s is followed as %j', async (name, title) => {
    expect((await home.subscribe(name)).added).toMatchObject([{ title }])
  })

  test('a hundred thousand items become one, where they are one', async () => {
    await home.subscribe('many.rss')
    expect(await home.run('fetch_new', {})).toMatchObject({ count: 1 })
  })

  test('a server that hands out a header too odd to repeat is asked without it', async () => {
    const sent: unknown[] = []
    const fetch: ActionContext['fetch'] = async (request) => {
      sent.push(request.headers?.['if-none-match'])
      const reply = await home.web.fetch(request)
      return { ...reply, headers: { ...reply.headers, etag: 'a\r\nx: y' } }
    }
    await home.subscribe('blog.atom', { fetch })
    home.now += hourMs
    await home.run('fetch_new', {}, { fetch })
    expect(sent).toEqual([undefined, undefined])
  })
})
