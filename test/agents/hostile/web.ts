// Hostile servers of feeds and of the weather.

import { agent as feeds } from '../../../agents/feeds/agent.ts'
import { feedsAt } from '../../../agents/feeds/manifest.ts'
import type { FailureCode } from '../../../agents/protocol.ts'
import { agent as weather } from '../../../agents/weather/agent.ts'
import { answerWeather } from '../../../examples/home/weather.ts'
import {
  type Ends,
  entityBomb,
  formula,
  type HostileParser,
  megabytes,
  not,
  type Trial,
  trial,
} from './trial.ts'

const origin = 'https://news.example.org'
const feedWorld = (body: () => string) => ({
  folders: { [feedsAt]: {} },
  origins: { feeds: [origin] },
  servers: () => ({
    answer: () => ({ status: 200, headers: { 'content-type': 'application/xml' }, body: body() }),
  }),
})
const subscribed = (what: string, ends: FailureCode, body: () => string): Trial =>
  trial(feeds, what, ends, () => ({
    ...{ action: 'subscribe', args: { url: `${origin}/feed` } },
    world: feedWorld(body),
  }))
/** One that is taken in, and what its items say then. */
const read = (what: string, says: object, body: () => string): Trial =>
  trial(feeds, what, { says }, () => ({
    before: { action: 'subscribe', args: { url: `${origin}/feed` } },
    ...{ action: 'search', args: { query: 'x' }, world: feedWorld(body) },
  }))
const misread = (text: string) => Buffer.from(text, 'utf16le').toString('utf8')

const rss = (inner: string) =>
  `<?xml version="1.0"?><rss version="2.0"><channel><title>T</title>${inner}</channel></rss>`
const item = (inner: string) => rss(`<item><guid>1</guid><title>x</title>${inner}</item>`)

export const xmlFeeds: HostileParser = {
  reads: 'feeds in RSS, RDF and Atom',
  cells: {
    entities: [
      subscribed('in its own document type', 'CORRUPT_DATA', () =>
        entityBomb('rss', rss('<item><title>BOMB</title></item>')),
      ),
      subscribed(
        'of an outside file',
        'CORRUPT_DATA',
        () => `<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>${rss('&x;')}`,
      ),
    ],
    gigantic: [
      subscribed('more than four megabytes', 'LIMIT_EXCEEDED', () => rss(megabytes(4.5))),
      ...['<', '&', '<!--', '<![CDATA[', '<script'].map((unit) =>
        read(`a text of nothing but ${unit}`, { count: 1 }, () =>
          item(
            `<description><![CDATA[${megabytes(3.5, unit).replaceAll(']]>', '')}]]></description>`,
          ),
        ),
      ),
    ],
    encoding: [
      subscribed('UTF-16 taken for UTF-8', 'CORRUPT_DATA', () => misread(item(''))),
      read('what is not UTF-8, with a mark in its place', { count: 1 }, () =>
        item(`<author>Caf\ufffd</author>`),
      ),
    ],
    dates: ['-0001-11-20', '31 Feb -2026', 'Thu, 01 Jan 99999 00:00:00 GMT'].map((date) =>
      read(date, { items: [{ published: null }] }, () => item(`<pubDate>${date}</pubDate>`)),
    ),
    formula: [
      read('a title', { items: [{ title: `x ${formula}` }] }, () =>
        item('').replace('<title>x', `<title>x ${formula}`),
      ),
    ],
    paths: ['file:///etc/passwd', 'javascript:alert(1)', 'https://u:p@a/b'].map((link) =>
      read(link, { items: [{ url: null }] }, () => item(`<link>${link}</link>`)),
    ),
    crowd: [
      read('items, of which the latest are kept', { count: 200 }, () =>
        rss(
          Array.from(
            { length: 10_000 },
            (_, at) => `<item><guid>${at}</guid><title>x${at}</title></item>`,
          ).join(''),
        ),
      ),
    ],
    depth: [
      subscribed(
        'elements',
        'CORRUPT_DATA',
        () => `<rss version="2.0"><channel>${'<a>'.repeat(100_000)}`,
      ),
    ],
  },
}

const json = (change: object, items: readonly unknown[] = [{ id: '1', title: 'x', ...change }]) =>
  JSON.stringify({ version: 'https://jsonfeed.org/version/1.1', title: 'T', items })

export const jsonFeeds: HostileParser = {
  reads: 'feeds in JSON',
  cells: {
    entities: not('JSON has none'),
    gigantic: [
      subscribed('more than four megabytes', 'LIMIT_EXCEEDED', () =>
        json({ summary: megabytes(4.5) }),
      ),
      read('a summary', { count: 1 }, () => json({ summary: megabytes(3.5, '<') })),
    ],
    encoding: [subscribed('UTF-16 taken for UTF-8', 'CORRUPT_DATA', () => misread(json({})))],
    dates: ['-0001-11-20T00:00:00Z', '2026-13-45T00:00:00Z', '9999-01-01T00:00:00Z'].map((date) =>
      read(date, { items: [{ published: null }] }, () => json({ date_published: date })),
    ),
    formula: [
      read('a title', { items: [{ title: `x ${formula}` }] }, () =>
        json({ title: `x ${formula}` }),
      ),
    ],
    paths: ['file:///etc/passwd', 'javascript:alert(1)'].map((url) =>
      read(url, { items: [{ url: null }] }, () => json({ url })),
    ),
    crowd: [
      read('items, of which the latest are kept', { count: 200 }, () =>
        json(
          {},
          Array.from({ length: 10_000 }, (_, at) => ({ id: `${at}`, title: `x${at}` })),
        ),
      ),
    ],
    depth: [
      subscribed(
        'lists',
        'CORRUPT_DATA',
        () => `{"version":"https://jsonfeed.org/version/1.1","items":${'['.repeat(1_000_000)}`,
      ),
    ],
  },
}

const listed = (what: string, ends: Ends, text: () => string): Trial =>
  trial(feeds, what, ends, () => ({
    ...{ action: 'subscribe', args: { opml: text() }, world: feedWorld(() => '') },
  }))
const opml = (inner: string) => `<opml version="2.0"><body>${inner}</body></opml>`
const none = { says: { outcome: 'already-subscribed', added: [] } }

export const opmlLists: HostileParser = {
  reads: 'OPML lists',
  cells: {
    entities: [
      listed('in its own document type', 'CORRUPT_DATA', () =>
        entityBomb('opml', opml('<outline text="BOMB"/>')),
      ),
    ],
    gigantic: [
      listed('an attribute', 'INVALID_INPUT', () => opml(`<outline text="${megabytes(4)}"/>`)),
    ],
    encoding: [listed('UTF-16 taken for UTF-8', 'CORRUPT_DATA', () => misread(opml('')))],
    dates: not('nothing is read of it that has a date'),
    formula: [
      listed('a title', { says: { added: [{ title: formula }] } }, () =>
        opml(`<outline text="${formula.replaceAll('"', '&quot;')}" xmlUrl="${origin}/a"/>`),
      ),
    ],
    paths: ['file:///etc/passwd', 'javascript:alert(1)', '../../x'].map((url) =>
      listed(url, none, () => opml(`<outline text="a" xmlUrl="${url}"/>`)),
    ),
    crowd: [
      listed('outlines', 'INVALID_INPUT', () => opml('<outline text="x"/>'.repeat(10_000))),
      listed('as many as an argument can hold', 'LIMIT_EXCEEDED', () =>
        opml('<outline text="x"/>'.repeat(3_000)),
      ),
      listed('more feeds than are followed', 'LIMIT_EXCEEDED', () =>
        opml(
          Array.from({ length: 900 }, (_, at) => `<outline xmlUrl="${origin}/${at}"/>`).join(''),
        ),
      ),
    ],
    depth: [listed('outlines', 'CORRUPT_DATA', () => opml('<outline>'.repeat(5_000)))],
  },
}

const now = Date.parse('2026-11-21T08:00:00Z')
const place = { lat: 48.21, lon: 16.37 }
const washington = { lat: 38.9, lon: -77.04 }
/** What the sample home's server says, changed. */
const weatherTrial = (
  action: 'now' | 'alerts',
  what: string,
  ends: Ends,
  change: (body: string) => string,
): Trial =>
  trial(weather, what, ends, () => ({
    ...{ action, args: { place: action === 'now' ? place : washington } },
    world: {
      origins: { forecast: ['https://api.open-meteo.com'], alerts: ['https://api.weather.gov'] },
      servers: () => ({
        answer({ path, query }) {
          const asked = { path, query: new URLSearchParams({ ...query }), now, seed: 1 }
          const reply = answerWeather(asked)
          const isLast = action === 'now' || path.startsWith('/alerts')
          return (
            reply && {
              status: reply.status,
              body: isLast ? change(reply.body.toString()) : reply.body.toString(),
            }
          )
        },
      }),
    },
  }))
const current = (change: object) => (body: string) => {
  const reply = JSON.parse(body)
  return JSON.stringify({ ...reply, current: { ...reply.current, ...change } })
}
const forecast = (what: string, ends: FailureCode, change: (body: string) => string) =>
  weatherTrial('now', what, ends, change)

export const forecasts: HostileParser = {
  reads: 'forecasts of Open-Meteo',
  cells: {
    entities: not('JSON has none'),
    gigantic: [
      forecast(
        'more than is asked for',
        'LIMIT_EXCEEDED',
        (body) => body + ' '.repeat(2 * 1024 * 1024),
      ),
      forecast('the name of a zone', 'CORRUPT_DATA', (body) =>
        body.replace(/"timezone":"[^"]*"/, `"timezone":"${'x'.repeat(10_000)}"`),
      ),
    ],
    encoding: [forecast('UTF-16 taken for UTF-8', 'CORRUPT_DATA', misread)],
    dates: [
      forecast('before 1970', 'CORRUPT_DATA', current({ time: -1 })),
      forecast('beyond all numbers', 'CORRUPT_DATA', current({ time: 1e300 })),
    ],
    formula: [forecast('a temperature', 'CORRUPT_DATA', current({ temperature_2m: '=1+1' }))],
    paths: [
      forecast('a zone that is a path', 'CORRUPT_DATA', (body) =>
        body.replace(/"timezone":"[^"]*"/, '"timezone":"../../etc/passwd"'),
      ),
    ],
    crowd: [
      trial(weather, 'rows', 'CORRUPT_DATA', () => ({
        ...{ action: 'forecast', args: { place, days: 2, granularity: 'hourly' } },
        world: {
          origins: { forecast: ['https://api.open-meteo.com'] },
          servers: () => ({
            answer({ path, query }) {
              const asked = { path, query: new URLSearchParams({ ...query }), now, seed: 1 }
              const reply = answerWeather(asked)
              const said = JSON.parse(reply?.body.toString() ?? '{}')
              const hourly = Object.fromEntries(
                Object.keys(said.hourly).map((name) => [name, Array(10_000).fill(1)]),
              )
              return { status: 200, body: JSON.stringify({ ...said, hourly }) }
            },
          }),
        },
      })),
    ],
    depth: [forecast('lists', 'CORRUPT_DATA', () => '['.repeat(500_000))],
  },
}

const warning = (change: object) => () =>
  JSON.stringify({ features: [{ properties: { event: 'Storm', severity: 'Severe', ...change } }] })
const alert = (what: string, ends: Ends, body: () => string) =>
  weatherTrial('alerts', what, ends, body)

export const warnings: HostileParser = {
  reads: 'warnings of the weather service',
  cells: {
    entities: not('JSON has none'),
    gigantic: [
      alert('a headline', 'CORRUPT_DATA', warning({ headline: 'x'.repeat(20_001) })),
      alert('more than is asked for', 'LIMIT_EXCEEDED', () => megabytes(1.5)),
    ],
    encoding: [alert('UTF-16 taken for UTF-8', 'CORRUPT_DATA', () => misread(warning({})()))],
    dates: ['-0001-11-20T00:00:00Z', '2026-13-45T00:00:00Z', '20 Nov -1'].map((onset) =>
      alert(onset, { says: { alerts: [{ onset: null }] } }, warning({ onset })),
    ),
    formula: [
      alert('an event', { says: { alerts: [{ event: formula }] } }, warning({ event: formula })),
    ],
    paths: not('nothing in an answer names a file or an address that is asked'),
    crowd: [
      alert('warnings', 'CORRUPT_DATA', () =>
        JSON.stringify({ features: Array(10_000).fill({ properties: { event: 'Storm' } }) }),
      ),
    ],
    depth: [alert('lists', 'CORRUPT_DATA', () => '['.repeat(500_000))],
  },
}
