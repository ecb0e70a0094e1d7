// The feeds of the sample home, one of each format, and the awkward ones that a follower of feeds
// meets: moved, gone, busy, broken and hostile. Invariant: an item depends on its day and the seed
// alone, so that it is the same item at every start and each day brings new ones. Pure.

import { createHash } from 'node:crypto'

export interface WebReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Buffer
}

export interface FeedRequest {
  readonly path: string
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** Milliseconds since the epoch. */
  readonly now: number
  readonly seed: number
}

interface Story {
  readonly id: string
  readonly title: string
  readonly text: string
  readonly at: Date
}

const dayMs = 24 * 3_600_000
/** A day's stories appear at these hours, UTC. */
const hours = [0, 5, 11, 17]

const subjects = {
  news: ['The tram line', 'The city library', 'The swimming hall', 'The market', 'The old bridge'],
  blog: ['Indexes', 'A slow query', 'Clocks', 'Retries', 'A small cache'],
  science: ['A comet', 'Bees', 'A glacier', 'Old ice', 'A new enzyme'],
  photos: ['Fog', 'A heron', 'The harbour', 'First snow', 'An empty square'],
} as const
const turns = {
  news: ['opens again', 'closes early this week', 'gets a new roof', 'asks for patience'],
  blog: ['explained', 'and what it hid', 'in practice', 'considered'],
  science: ['seen for the first time', 'surprises its observers', 'measured', 'counted again'],
  photos: ['at dawn', 'after rain', 'from above', 'in black and white'],
} as const
type Channel = keyof typeof subjects

function storiesOf(channel: Channel, { now, seed }: FeedRequest): readonly Story[] {
  const stories: Story[] = []
  for (let ago = 0; ago < 5; ago += 1) {
    const day = new Date(now - ago * dayMs).toISOString().slice(0, 10)
    for (const hour of hours) {
      const at = new Date(Date.parse(day) + hour * 3_600_000)
      if (at.getTime() > now) continue
      const drawn = createHash('sha256').update(`${seed} ${channel} ${day} ${hour}`).digest()
      const subject = subjects[channel][drawn.readUInt8(0) % subjects[channel].length] ?? ''
      const turn = turns[channel][drawn.readUInt8(1) % turns[channel].length] ?? ''
      const text = `<p>${subject} ${turn}: what is known on ${day}.</p>`
      stories.push({ id: `${channel}-${day}-${hour}`, title: `${subject} ${turn}`, text, at })
    }
  }
  return stories.sort((left, right) => right.at.getTime() - left.at.getTime())
}

const xml = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

function rss(title: string, items: string, extra = ''): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0"><channel><title>${title}</title><link>/</link><description>${title}</description>${extra}
${items}</channel></rss>
`
}

function rssItem({ id, title, text, at }: Story): string {
  return `<item><guid isPermaLink="false">${id}</guid><title>${xml(title)}</title><link>/stories/${id}</link>
<pubDate>${at.toUTCString()}</pubDate><author>desk@example.com (The desk)</author><description>${xml(text)}</description></item>
`
}

function atom(title: string, stories: readonly Story[]): string {
  const entries = stories.map(
    ({ id, title: heading, text, at }) =>
      `<entry><id>urn:story:${id}</id><title type="html">${xml(heading)}</title><link href="../stories/${id}"/>
<published>${at.toISOString()}</published><updated>${at.toISOString()}</updated><author><name>Ada</name></author>
<summary type="html">${xml(text)}</summary></entry>
`,
  )
  return `<?xml version="1.0"?>
<feed xmlns="http://www.w3.org/2005/Atom"><id>urn:blog</id><title>${title}</title>
<updated>${stories[0]?.at.toISOString() ?? ''}</updated>
${entries.join('')}</feed>
`
}

function rdf(title: string, stories: readonly Story[]): string {
  const items = stories.map(
    ({ id, title: heading, text, at }) =>
      `<item rdf:about="/stories/${id}"><title>${xml(heading)}</title><link>/stories/${id}</link>
<description>${xml(text)}</description><dc:date>${at.toISOString()}</dc:date><dc:creator>An institute</dc:creator></item>
`,
  )
  return `<?xml version="1.0"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/">
<channel rdf:about="/feeds/science.rdf"><title>${title}</title><link>/</link><description>${title}</description>
<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>1</sy:updateFrequency></channel>
${items.join('')}</rdf:RDF>
`
}

function jsonFeed(title: string, stories: readonly Story[]): string {
  const items = stories.map(({ id, title: heading, text, at }) => ({
    id,
    url: `/stories/${id}`,
    title: heading,
    content_html: text,
    date_published: at.toISOString(),
    authors: [{ name: 'Petra' }],
  }))
  return JSON.stringify({ version: 'https://jsonfeed.org/version/1.1', title, items })
}

type Render = (request: FeedRequest) => readonly [type: string, body: string]
/** Feeds that a home follows; they answer conditional requests. */
const followed: ReadonlyMap<string, Render> = new Map<string, Render>([
  [
    '/feeds/news.rss',
    (request) => {
      const items = storiesOf('news', request).map(rssItem)
      return ['application/rss+xml', rss('City news', items.join(''), '<ttl>30</ttl>')]
    },
  ],
  [
    '/feeds/blog.atom',
    (request) => ['application/atom+xml', atom('A quiet blog', storiesOf('blog', request))],
  ],
  [
    '/feeds/science.rdf',
    (request) => ['application/rdf+xml', rdf('Science', storiesOf('science', request))],
  ],
  [
    '/feeds/photos.json',
    (request) => ['application/feed+json', jsonFeed('Photographs', storiesOf('photos', request))],
  ],
])

/** As a subscription names them. */
export const followedFeeds: readonly { readonly path: string; readonly title: string }[] = [
  { path: '/feeds/news.rss', title: 'City news' },
  { path: '/feeds/blog.atom', title: 'A quiet blog' },
  { path: '/feeds/science.rdf', title: 'Science' },
  { path: '/feeds/photos.json', title: 'Photographs' },
]

const reply = (
  status: number,
  headers: Readonly<Record<string, string>> = {},
  body: string | Buffer = '',
): WebReply => ({ status, headers, body })
const asRss = (body: string | Buffer, type = 'application/rss+xml') =>
  reply(200, { 'content-type': type }, body)
const moved = (status: number, location: string) => reply(status, { location })
const plainItem = '<item><guid>1</guid><title>One</title></item>'

/** What goes wrong with feeds, each under the name of the case. */
const awkward: ReadonlyMap<string, () => WebReply> = new Map([
  ['/feeds/moved.rss', () => moved(301, '/feeds/news.rss')],
  ['/feeds/moved-twice.rss', () => moved(308, '/feeds/moved.rss')],
  ['/feeds/elsewhere.rss', () => moved(302, 'news.rss')],
  ['/feeds/loop.rss', () => moved(301, '/feeds/loop.rss')],
  ['/feeds/nowhere.rss', () => reply(301)],
  ['/feeds/to-file.rss', () => moved(301, 'file:///etc/passwd')],
  ['/feeds/gone.rss', () => reply(410)],
  ['/feeds/missing.rss', () => reply(404)],
  ['/feeds/busy.rss', () => reply(429, { 'retry-after': '7200' })],
  ['/feeds/forever.rss', () => reply(429, { 'retry-after': '99999999999' })],
  ['/feeds/repairs.rss', () => reply(503, { 'retry-after': 'Sat, 01 Jan 2000 00:00:00 GMT' })],
  ['/feeds/broken.rss', () => reply(500)],
  ['/feeds/unchanged.rss', () => reply(304)],
  ['/feeds/page.rss', () => reply(200, { 'content-type': 'text/html' }, '<html><body>hi</html>')],
  ['/feeds/empty.rss', () => asRss('')],
  ['/feeds/cut.rss', () => asRss('<?xml version="1.0"?><rss version="2.0"><channel><item><tit')],
  ['/feeds/bomb.rss', () => asRss(entityBomb())],
  [
    '/feeds/huge.rss',
    () => asRss(rss('Huge', `<item><title>${'x'.repeat(10_485_760)}</title></item>`)),
  ],
  ['/feeds/many.rss', () => asRss(rss('Many', '<item><guid>1</guid></item>'.repeat(100_000)))],
  ['/feeds/deep.rss', () => asRss(rss('Deep', `${'<a>'.repeat(50_000)}${'</a>'.repeat(50_000)}`))],
  [
    '/feeds/latin1.rss',
    () =>
      asRss(
        Buffer.from(rss('Caf\u00e9', plainItem).replace('UTF-8', 'ISO-8859-1'), 'latin1'),
        'application/rss+xml; charset=iso-8859-1',
      ),
  ],
  ['/feeds/mislabelled.rss', () => asRss(Buffer.from(rss('Caf\u00e9', plainItem), 'latin1'))],
  ['/feeds/utf16.rss', () => asRss(Buffer.from(`\ufeff${rss('Wide', plainItem)}`, 'utf16le'))],
  ['/feeds/controls.rss', () => asRss(controls())],
  ['/feeds/relative.rss', () => asRss(relative())],
  ['/feeds/repeated.rss', () => asRss(rss('Repeated', plainItem.repeat(3)))],
  [
    '/feeds/anonymous.rss',
    () => asRss(rss('', '<item><description>Only text</description></item>')),
  ],
])

function entityBomb(): string {
  const levels = 'bcdefghi'.split('')
  const entities = levels.map((name, index) => {
    const inner = `&${'abcdefgh'[index] ?? ''};`.repeat(10)
    return `<!ENTITY ${name} "${inner}">`
  })
  const body = rss('Bomb', '<item><title>&i;</title></item>').replace(/^<\?xml.*\n/, '')
  return `<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "ha">${entities.join('')}]>${body}`
}

function controls(): string {
  const title = 'Re\u202eversed \u001b[2J\u0007bell \u200bhidden'
  return rss('Con\u0000trols', `<item><guid>c</guid><title>${title}</title></item>`)
}

function relative(): string {
  const item = (guid: string, link: string) =>
    `<item><guid isPermaLink="false">${guid}</guid><title>${guid}</title><link>${link}</link></item>`
  return rss(
    'Relative',
    [
      item('absolute-path', '/a/b'),
      item('relative-path', 'c'),
      item('script', 'javascript:alert(1)'),
      item('password', 'https://user:secret@example.com/'),
      item('fragment', '/a/b2#part'),
    ].join(''),
  )
}

/** An OPML list of the feeds that a home follows. */
export function opmlOf(origin: string): string {
  const outlines = [...followed.keys()].map(
    (path) => `<outline type="rss" text="${path.slice(7)}" xmlUrl="${origin}${path}"/>`,
  )
  return `<?xml version="1.0"?><opml version="2.0"><head><title>Feeds</title></head><body>
<outline text="All">${outlines.join('')}</outline></body></opml>
`
}

/** Undefined when there is no such path. */
export function answerFeed(request: FeedRequest): WebReply | undefined {
  const render = followed.get(request.path)
  if (render === undefined) return awkward.get(request.path)?.()
  const [type, body] = render(request)
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 16)}"`
  if (request.headers['if-none-match'] === etag) return reply(304, { etag })
  return reply(200, { 'content-type': `${type}; charset=utf-8`, etag }, body)
}
