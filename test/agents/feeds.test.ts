// The feeds agent on a real folder: what is followed, how that is taken back, and what is read of what
// was kept.

import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { opmlOf } from '../../examples/home/feeds.ts'
import { failureOf, idemOf } from './action-context.ts'
import { type Follower, startFollower } from './feeds-follower.ts'

let home: Follower
beforeEach(async () => {
  home = await startFollower()
})
afterEach(() => home.end())

describe('following', () => {
  test.each([
    ['news.rss', 'City news', 'The desk'],
    ['blog.atom', 'A quiet blog', 'Ada'],
    ['science.rdf', 'Science', 'An institute'],
    ['photos.json', 'Photographs', 'Petra'],
  ])('%s is followed under its title, and its items are read', async (name, title, author) => {
    const result = await home.subscribe(name)
    expect(result).toMatchObject({
      outcome: 'subscribed',
      before: { feeds: 0 },
      after: { feeds: 1 },
    })
    expect(result.added).toMatchObject([{ title, url: home.urlOf(name) }])
    const { count, items, checked } = await home.run('fetch_new', {})
    // Of the past day: two hours of today and two of yesterday; asked a moment ago, so not again.
    expect([count, checked]).toEqual([4, 0])
    expect(items[0]).toMatchObject({
      feedTitle: title,
      author,
      published: '2026-11-21T05:00:00.000Z',
      url: expect.stringContaining(`${home.web.server.origin}/stories/`),
      summary: expect.stringMatching(/what is known on 2026-11-21\.$/),
    })
  })

  test('an OPML list is followed whole, without asking anybody yet', async () => {
    const opml = opmlOf(home.web.server.origin)
    const result = await home.run('subscribe', { opml })
    expect(result).toMatchObject({ after: { feeds: 4 } })
    expect(home.asked()).toEqual([])
    expect(await home.run('fetch_new', {})).toMatchObject({ checked: 4, failed: [], count: 16 })
    const again = await home.run('subscribe', { opml }, { as: 'again' })
    expect(again).toMatchObject({
      outcome: 'already-subscribed',
      before: { feeds: 4 },
      after: { feeds: 4 },
    })
  })

  test('the same feed again, by its old or its new address, changes nothing', async () => {
    await home.subscribe('moved.rss')
    const written = await readFile(join(home.folder, 'subscriptions.json'), 'utf8')
    for (const name of ['moved.rss', 'news.rss']) {
      expect(await home.subscribe(name, { as: name })).toMatchObject({
        outcome: 'already-subscribed',
      })
    }
    expect(await readFile(join(home.folder, 'subscriptions.json'), 'utf8')).toBe(written)
  })

  test('a repeated command reports the same change and asks nobody', async () => {
    const first = await home.subscribe('news.rss', { as: 'once' })
    const before = home.asked().length
    expect(await home.subscribe('news.rss', { as: 'once' })).toEqual(first)
    expect(home.asked()).toHaveLength(before)
  })

  test('a dry run says what would be and leaves no file', async () => {
    const dry = await home.run('subscribe', { url: home.urlOf('news.rss'), dryRun: true })
    expect(await readdir(home.folder)).toEqual([])
    expect(await home.subscribe('news.rss')).toEqual(dry)
    const written = await readFile(join(home.folder, 'subscriptions.json'), 'utf8')
    await home.run('unsubscribe', { url: home.urlOf('news.rss'), dryRun: true })
    expect(await readFile(join(home.folder, 'subscriptions.json'), 'utf8')).toBe(written)
  })

  test.each([
    ['neither', {}],
    ['both', { url: 'https://example.com/a', opml: '<opml/>' }],
    ['a password', { url: 'https://me:secret@example.com/feed' }],
    ['a key twice', { url: 'https://example.com/feed?a=1&a=2' }],
  ])('%s is refused before anything is asked', async (_what, args) => {
    const failure = await failureOf(home.run('subscribe', args))
    expect([failure.code, failure.retry]).toEqual(['INVALID_INPUT', 'final'])
    expect(home.asked()).toEqual([])
  })

  test('a hundred feeds can be followed, and no more', async () => {
    const outline = (index: number) => `<outline xmlUrl="https://example.com/${index}"/>`
    const opml = (count: number) =>
      `<opml version="2.0"><body>${Array.from({ length: count }, (_, index) => outline(index)).join('')}</body></opml>`
    expect((await failureOf(home.run('subscribe', { opml: opml(101) }))).code).toBe(
      'LIMIT_EXCEEDED',
    )
    expect(await home.run('subscribe', { opml: opml(100) })).toMatchObject({
      after: { feeds: 100 },
    })
    expect((await failureOf(home.subscribe('news.rss'))).code).toBe('LIMIT_EXCEEDED')
    expect(home.asked()).toEqual([])
  })
})

describe('taking back', () => {
  const revert = (as: string, options: object = {}) =>
    home.run('revert', { change: idemOf(as), ...options }, { as: `revert ${as}` })

  test('a subscription is gone with its items, and nothing else is', async () => {
    await home.subscribe('blog.atom', { as: 'blog' })
    await home.subscribe('news.rss', { as: 'news' })
    const dry = await revert('news', { dryRun: true })
    expect(await home.lines()).toHaveLength(2)
    expect(await revert('news')).toEqual(dry)
    expect(dry).toEqual({ outcome: 'reverted', before: { feeds: 2 }, after: { feeds: 1 } })
    expect(await home.lines()).toEqual([['/feeds/blog.atom', 'active', null]])
    expect((await readdir(home.folder)).filter((name) => name.startsWith('items-'))).toHaveLength(1)
  })

  test('subscribing to what was followed already takes nothing away when it is undone', async () => {
    await home.subscribe('news.rss', { as: 'first' })
    await home.subscribe('news.rss', { as: 'second' })
    expect(await revert('second')).toMatchObject({ outcome: 'not-applied', after: { feeds: 1 } })
  })

  test('an unsubscribed feed is back with its items', async () => {
    await home.subscribe('news.rss')
    const before = await home.run('search', { query: 'e' })
    const gone = await home.run('unsubscribe', { url: home.urlOf('news.rss') }, { as: 'away' })
    expect(gone).toMatchObject({ outcome: 'unsubscribed', removed: { title: 'City news' } })
    expect(await home.run('unsubscribe', { url: home.urlOf('news.rss') }, { as: 'away' })).toEqual(
      gone,
    )
    expect(await home.run('search', { query: 'e' })).toMatchObject({ count: 0 })
    expect(await revert('away')).toMatchObject({ outcome: 'reverted', after: { feeds: 1 } })
    expect(await home.run('search', { query: 'e' })).toEqual(before)
    expect(await revert('away')).toMatchObject({ outcome: 'reverted', after: { feeds: 1 } })
  })

  test('unsubscribing from what is not followed says so', async () => {
    expect(await home.run('unsubscribe', { url: home.urlOf('news.rss') })).toMatchObject({
      outcome: 'not-there',
      removed: null,
    })
    expect(await revert('never')).toMatchObject({ outcome: 'not-applied' })
  })
})

describe('reading what was kept', () => {
  test('search finds titles, texts and authors, and asks nobody', async () => {
    await home.subscribe('blog.atom')
    const before = home.asked().length
    const byAuthor = await home.run('search', { query: 'aDA', limit: 3 })
    expect([byAuthor.count, byAuthor.items.length]).toEqual([18, 3])
    expect(await home.run('search', { query: 'no such words' })).toEqual({ count: 0, items: [] })
    const since = '2026-11-21T04:00:00Z'
    expect(await home.run('search', { query: 'ada', since })).toMatchObject({ count: 1 })
    expect(home.asked()).toHaveLength(before)
  })

  test('a digest groups the titles of a window by feed, within its bounds', async () => {
    await home.run('subscribe', { opml: opmlOf(home.web.server.origin) })
    await home.run('fetch_new', {})
    const digest = await home.run('digest', { perFeed: 3, limit: 7 })
    expect([digest.count, digest.since]).toEqual([16, '2026-11-20T08:20:00.000Z'])
    expect(digest.feeds.map(({ count, items }) => [count, items.length])).toEqual([
      [4, 3],
      [4, 3],
      [4, 1],
      [4, 0],
    ])
    const topical = await home.run('digest', { topics: ['2026-11-21'], perFeed: 20 })
    expect(topical.count).toBe(8)
  })

  test('a file that somebody edited into something else ends the command', async () => {
    await home.subscribe('news.rss')
    await writeFile(join(home.folder, 'subscriptions.json'), '{"version":2}')
    for (const action of ['list', 'digest', 'fetch_new'] as const) {
      expect((await failureOf(home.run(action, {}))).code).toBe('CORRUPT_DATA')
    }
  })
})

describe('a time that no calendar has', () => {
  test.each(['2026-13-01T00:00Z', '2026-02-03T25:00Z'])(
    '%s is refused, and nobody asked',
    async (since) => {
      await home.subscribe('news.rss')
      const asked = home.asked().length
      for (const [action, args] of [
        ['fetch_new', { since }],
        ['search', { query: 'the', since }],
      ] as const) {
        const failure = await failureOf(home.run(action, args))
        expect(failure).toMatchObject({ code: 'INVALID_INPUT', retry: 'final' })
      }
      expect(home.asked()).toHaveLength(asked)
    },
  )
})
