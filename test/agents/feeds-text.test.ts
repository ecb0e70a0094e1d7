// Parsing of feeds alone: every dialect gives one shape, and no text, however made, gives anything but
// that shape or a typed failure.

import fc from 'fast-check'
import { generateJsonFeed, generateRssFeed } from 'feedsmith'
import { describe, expect, test } from 'vitest'
import { ActionFailure } from '../../agents/define-agent.ts'
import { maxItems, parseFeedText, parseOpmlText } from '../../agents/feeds/feed-text.ts'
import { parseFeedUrl, queryOf } from '../../agents/feeds/feed-url.ts'
import { mergeItems } from '../../agents/feeds/kept-items.ts'
import { plainText } from '../../agents/feeds/plain-text.ts'
import { answerFeed } from '../../examples/home/feeds.ts'

const base = 'https://example.com/feeds/a.rss'
const rss = (items: string) =>
  `<rss version="2.0"><channel><title>T</title>${items}</channel></rss>`
const sample = (name: string) => {
  const now = Date.parse('2026-11-21T08:20:00Z')
  const reply = answerFeed({ path: `/feeds/${name}`, headers: {}, now, seed: 1 })
  return reply?.body.toString() ?? ''
}
/** What a terminal, a page or a reader would obey. */
const unseen = /[\p{C}\p{Zl}\p{Zp}\n]/u

describe('a feed', () => {
  test('gives addresses made absolute, and none that is no address of a page', () => {
    const { items } = parseFeedText(sample('relative.rss'), base)
    expect(Object.fromEntries(items.map(({ key, url }) => [key, url]))).toEqual({
      'absolute-path': 'https://example.com/a/b',
      'relative-path': 'https://example.com/feeds/c',
      script: null,
      password: null,
      fragment: 'https://example.com/a/b2',
    })
  })

  test('gives each item once, by guid, else by address, else by what it says', () => {
    const link = '<item><link>/x</link></item>'
    const text = '<item><title>A</title></item><item><title>A</title></item>'
    expect(parseFeedText(sample('repeated.rss'), base).items).toHaveLength(1)
    expect(parseFeedText(rss(link + link), base).items).toHaveLength(1)
    expect(parseFeedText(rss(text), base).items).toHaveLength(1)
    expect(parseFeedText(rss(`${text}<item><title>B</title></item>`), base).items).toHaveLength(2)
  })

  test('takes a guid for an address only where the guid says that it is one', () => {
    const item = (attributes: string) =>
      parseFeedText(rss(`<item><guid${attributes}>https://example.com/g</guid></item>`), base)
    expect(item('').items[0]?.url).toBe('https://example.com/g')
    expect(item(' isPermaLink="false"').items[0]?.url).toBeNull()
  })

  test('gives its latest items whatever their order, and the same ones each time', () => {
    const day = (index: number) => new Date(Date.UTC(2026, 0, 1) + index * 86_400_000)
    const items = Array.from(
      { length: 500 },
      (_, index) =>
        `<item><guid>${index}</guid><pubDate>${day(index).toUTCString()}</pubDate></item>`,
    )
    const parsed = parseFeedText(rss(items.join('')), base)
    expect(parsed.items).toHaveLength(maxItems)
    expect(parsed.items[0]?.key).toBe('499')
    expect(parseFeedText(rss(items.reverse().join('')), base)).toEqual(parsed)
  })

  test.each([
    ['<ttl>90</ttl>', 5_400_000],
    ['<ttl>soon</ttl>', null],
    ['', null],
  ])('with %j wants to be asked every %j ms', (extra, intervalMs) => {
    expect(parseFeedText(rss(extra), base).intervalMs).toBe(intervalMs)
  })

  test('with a period in the syndication module wants to be asked that often', () => {
    expect(parseFeedText(sample('science.rdf'), base).intervalMs).toBe(3_600_000)
  })

  test.each(['Thu, 99 Foo 2026', '9999-01-01T00:00:00Z', '-1', 'x'.repeat(100_000)])(
    'with the date %.20j has items without a date',
    (date) => {
      const { items } = parseFeedText(rss(`<item><pubDate>${date}</pubDate></item>`), base)
      expect(items[0]?.published).toBeNull()
    },
  )

  test('that a generator wrote is read back, in two formats', () => {
    const story = fc.record({
      guid: fc.string({ unit: fc.constantFrom(...'abcdefghij0123456789-'), minLength: 1 }),
      title: fc.string({ unit: fc.constantFrom(...'abc <>&"\'é—'), minLength: 1, maxLength: 30 }),
      at: fc.date({
        min: new Date(0),
        max: new Date(Date.UTC(2100, 0)),
        noInvalidDate: true,
      }),
    })
    fc.assert(
      fc.property(
        fc.uniqueArray(story, { selector: ({ guid }) => guid, maxLength: 20 }),
        (stories) => {
          const asRss = generateRssFeed({
            title: 'T',
            description: 'D',
            link: base,
            items: stories.map(({ guid, title, at }) => ({
              guid: { value: guid, isPermaLink: false },
              title: `x${title.replaceAll('<', '').replaceAll('&', '')}`,
              pubDate: at,
            })),
          })
          const asJson = generateJsonFeed({
            title: 'T',
            items: stories.map(({ guid, title, at }) => ({
              id: guid,
              title: `x${title.replaceAll('<', '').replaceAll('&', '')}`,
              content_text: '',
              date_published: at,
            })),
          })
          const [left, right] = [asRss, JSON.stringify(asJson)].map((text) =>
            parseFeedText(text, base)
              .items.map(({ key, title }) => [key, title])
              .sort(),
          )
          expect(left).toEqual(right)
          expect(left?.map(([key]) => key)).toEqual(stories.map(({ guid }) => guid).sort())
        },
      ),
      { numRuns: 60 },
    )
  })

  const good = ['news.rss', 'blog.atom', 'science.rdf', 'photos.json'].map(sample)

  test('that is damaged anywhere ends in the declared shape or a typed failure', () => {
    const damage = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.constantFrom(
        '<',
        '>',
        '&',
        ']]>',
        '<![CDATA[',
        '<!--',
        '</',
        '"',
        '{',
        '[',
        '\u0000',
        '&#0;',
      ),
      fc.constantFrom('<item>'.repeat(1_000), '&amp;'.repeat(1_000), '['.repeat(10_000)),
    )
    fc.assert(
      fc.property(
        fc.constantFrom(...good),
        fc.array(fc.tuple(fc.nat(10_000), fc.nat(50), damage), { minLength: 1, maxLength: 5 }),
        (feed, edits) => {
          const text = edits.reduce((now, [at, length, put]) => {
            const start = at % Math.max(1, now.length)
            return now.slice(0, start) + put + now.slice(start + length)
          }, feed)
          try {
            const { title, items } = parseFeedText(text, base)
            expect(items.length).toBeLessThanOrEqual(maxItems)
            for (const item of items) {
              expect(`${title}${item.title}${item.summary}${item.author}`).not.toMatch(unseen)
              expect([...item.title].length).toBeLessThanOrEqual(200)
              expect([...item.summary].length).toBeLessThanOrEqual(300)
              if (item.url !== null) expect(item.url).toMatch(/^https?:\/\//)
            }
          } catch (error) {
            expect(error).toBeInstanceOf(ActionFailure)
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  test.each(['<', '&', '<a ', '<!--', '<![CDATA[', '</', '<script', '&#x', '<item><title>&lt;'])(
    'of nothing but %j, four megabytes long, is read or refused before the test is over',
    (unit) => {
      const text = rss(`<item><title>${unit.repeat(4_000_000 / unit.length)}</title></item>`)
      try {
        expect(parseFeedText(text, base).items.length).toBeLessThanOrEqual(maxItems)
      } catch (error) {
        expect(error).toBeInstanceOf(ActionFailure)
      }
    },
  )
})

describe('a text of more than four megabytes', () => {
  test('is not even looked at', () => {
    const text = rss(' '.repeat(4 * 1024 * 1024))
    for (const parse of [() => parseFeedText(text, base), () => parseOpmlText(text)]) {
      expect(parse).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }))
    }
  })
})

describe('an OPML list', () => {
  test('gives each address once, from any depth, and nothing that is no address', () => {
    const list = `<opml version="2.0"><body><outline text="f"><outline text="g">
      <outline text="A" xmlUrl="https://example.com/a"/></outline>
      <outline text="again" xmlUrl="https://example.com/a#x"/></outline>
      <outline text="file" xmlUrl="file:///etc/passwd"/><outline xmlUrl="https://example.com/b"/>
      </body></opml>`
    expect(parseOpmlText(list)).toEqual([
      { url: 'https://example.com/a', title: 'A' },
      { url: 'https://example.com/b', title: 'example.com' },
    ])
  })

  test.each([['another document', '<html/>', 'CORRUPT_DATA']])(
    'of %s is refused',
    (_what, text, code) => {
      expect(() => parseOpmlText(text)).toThrow(expect.objectContaining({ code }))
    },
  )
})

describe('plain text', () => {
  test.each([
    ['<p>a<br>b</p>', 'a b'],
    ['a &amp;lt; b &#38; c &#x26; &nbsp;d &unknown;', 'a &lt; b & c & d &unknown;'],
    ['before<script>alert(1)</script>after', 'before after'],
    ['before<STYLE>x{}</STYLE >after', 'before after'],
    ['cut <a href="', 'cut'],
    ['a\u202eb\u0000c\n\td', 'a b c d'],
    ['&#1114112;&#0;x', '&#1114112; x'],
    ['\ud800x', 'x'],
  ])('of %j is %j', (html, text) => {
    expect(plainText(html, 100)).toBe(text)
  })

  test('is never longer than allowed, and has nothing that is not seen', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('<', '>', '&#8238;', '<script')),
        ),
        (parts) => {
          const text = plainText(parts.join(''), 40)
          expect([...text].length).toBeLessThanOrEqual(40)
          expect(text).not.toMatch(unseen)
          expect(text.isWellFormed()).toBe(true)
        },
      ),
    )
  })
})

describe('addresses', () => {
  test.each([
    'ftp://a/b',
    'javascript:x',
    'https://u:p@a/b',
    'https://',
    'x',
    `https://a/${'b'.repeat(1_000)}`,
  ])('%.30s is refused', (text) => {
    expect(parseFeedUrl(text)).toBeUndefined()
  })

  test('a query whose key stands twice cannot be asked for', () => {
    expect(queryOf(new URL('https://a/?x=1&y=2'))).toEqual({ x: '1', y: '2' })
    expect(queryOf(new URL('https://a/?x=1&x=2'))).toBeUndefined()
  })
})

describe('items over time', () => {
  const parsedOf = (keys: readonly number[]) => ({
    title: 'T',
    intervalMs: null,
    items: keys.map((key) => ({
      key: `${key}`,
      title: `${key}`,
      url: null,
      published: null,
      summary: '',
      author: null,
    })),
  })

  test('an item is new once while the feed shows it, and there are never more than 400', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uniqueArray(fc.nat(1_000), { maxLength: maxItems }), { maxLength: 8 }),
        (looks) => {
          let kept: ReturnType<typeof mergeItems> | undefined
          for (const [now, keys] of looks.entries()) {
            const before = new Map((kept ?? []).map(({ id, at }) => [id, at]))
            kept = mergeItems('f', { kept, parsed: parsedOf(keys), now })
            expect(kept.length).toBeLessThanOrEqual(2 * maxItems)
            expect(new Set(kept.map(({ id }) => id)).size).toBe(kept.length)
            for (const { id, at } of kept) expect(at).toBe(before.get(id) ?? now)
          }
        },
      ),
    )
  })

  test('the past of a new feed is old, and a future date is no excuse', () => {
    const dated = (published: string) => ({
      ...parsedOf([1]),
      items: parsedOf([1]).items.map((item) => ({ ...item, published })),
    })
    const now = Date.parse('2026-11-21T08:00:00Z')
    const at = (kept: undefined | readonly [], published: string) =>
      mergeItems('f', { kept, parsed: dated(published), now })[0]?.at
    expect(at(undefined, '2020-01-01T00:00:00.000Z')).toBe(Date.UTC(2020, 0))
    expect(at(undefined, '2099-01-01T00:00:00.000Z')).toBe(now)
    expect(at([], '2020-01-01T00:00:00.000Z')).toBe(now)
  })
})
