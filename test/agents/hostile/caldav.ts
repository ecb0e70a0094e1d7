// A hostile CalDAV server: what it answers a sync with, of calendars and of lists of reminders, and what its
// objects hold.

import { agent as calendar } from '../../../agents/calendar/agent.ts'
import { calendarsAt } from '../../../agents/calendar/manifest.ts'
import type { ExampleReply } from '../../../agents/check/examples-contract.ts'
import type { AgentDefinition } from '../../../agents/define-agent.ts'
import type { FailureCode } from '../../../agents/protocol.ts'
import { agent as reminders } from '../../../agents/reminders/agent.ts'
import { remindersAt } from '../../../agents/reminders/manifest.ts'
import { componentOf, event, todo } from './calendars.ts'
import {
  type Ends,
  entityBomb,
  formula,
  type HostileCall,
  type HostileParser,
  megabytes,
  type Trial,
  trial,
} from './trial.ts'

interface Side {
  readonly agent: AgentDefinition
  readonly at: string
  readonly component: typeof event | typeof todo
  /** Of a sync's result: one entry each. */
  readonly collections: 'calendars' | 'lists'
}

const origin = 'https://dav.example.com'
const multistatus = (inner: string) =>
  `<?xml version="1.0"?><d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">${inner}</d:multistatus>`
const response = (href: string, props: string) =>
  `<d:response><d:href>${href}</d:href><d:propstat><d:prop>${props}</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>`
const responses = (href: string, props: string) => multistatus(response(href, props))

function serverOf({ component }: Side) {
  const kind = `<c:supported-calendar-component-set><c:comp name="${component.name}"/></c:supported-calendar-component-set>`
  const collection = `<d:resourcetype><d:collection/><c:calendar/></d:resourcetype>${kind}`
  const collections = (count: number) =>
    multistatus(
      Array.from({ length: count }, (_, at) => response(`/home/c${at}/`, collection)).join(''),
    )
  const holding = (data: string, href = '/home/c0/a.ics') => ({
    'PROPFIND /home/c0/': responses(href, '<d:getetag>"1"</d:getetag>'),
    'REPORT /home/c0/': responses(
      href,
      `<d:getetag>"1"</d:getetag><c:calendar-data>${data}</c:calendar-data>`,
    ),
  })
  const good: Readonly<Record<string, string>> = {
    'PROPFIND /': responses(
      '/',
      '<d:current-user-principal><d:href>/anna/</d:href></d:current-user-principal>',
    ),
    'PROPFIND /anna/': responses(
      '/anna/',
      '<c:calendar-home-set><d:href>/home/</d:href></c:calendar-home-set>',
    ),
    'PROPFIND /home/': collections(1),
    ...holding(componentOf(component).with()),
  }
  return { collections, holding, good }
}

function cellsOf(side: Side): HostileParser['cells'] {
  const { agent, at, component, collections } = side
  const server = serverOf(side)
  const make = componentOf(component)
  const world = (answers: () => Readonly<Record<string, string>>): HostileCall['world'] => ({
    folders: { [at]: {} },
    origins: { caldav: [origin], 'caldav-write': [origin] },
    servers: () => {
      const all: Readonly<Record<string, string>> = { ...server.good, ...answers() }
      const headers = { 'content-type': 'text/xml; charset=utf-8' }
      return {
        answer: ({ method, path }): ExampleReply | undefined => {
          const body = all[`${method} ${path}`]
          return body === undefined ? undefined : { status: 207, headers, body }
        },
      }
    },
  })
  const sync = (what: string, ends: Ends, answers: () => Readonly<Record<string, string>>): Trial =>
    trial(agent, what, ends, () => ({
      ...{ action: 'sync', args: {}, world: world(answers) },
    }))
  /** Of the list of collections. */
  const home = (what: string, ends: FailureCode, text: () => string): Trial =>
    sync(what, ends, () => ({ 'PROPFIND /home/': text() }))
  const unreadable = { says: { [collections]: [{ unreadable: 1 }] } }
  const { timeName } = component
  const dated = (value: string) =>
    make.with().replace(`${timeName}:20261121T090000Z`, `${timeName}${value}`)
  const counted = collections === 'calendars' ? 'events' : 'reminders'
  return {
    entities: [
      home('in its own document type', 'CORRUPT_DATA', () => entityBomb('m', '<m>BOMB</m>')),
      home(
        'of an outside file',
        'CORRUPT_DATA',
        () => '<!DOCTYPE m SYSTEM "file:///etc/passwd"><m/>',
      ),
      sync('in an object', 'CORRUPT_DATA', () => ({
        'REPORT /home/c0/': entityBomb('m', '<m>BOMB</m>'),
      })),
    ],
    gigantic: [
      home('an answer of megabytes', 'LIMIT_EXCEEDED', () => multistatus(megabytes(9))),
      sync('a line of an object', unreadable, () =>
        server.holding(make.with(`X-A:${megabytes(1.5)}`)),
      ),
    ],
    encoding: [
      home('NUL', 'CORRUPT_DATA', () => multistatus('\0')),
      home('UTF-16 taken for UTF-8', 'CORRUPT_DATA', () =>
        Buffer.from(server.collections(1), 'utf16le').toString('utf8'),
      ),
    ],
    dates: [
      sync('before all time', unreadable, () => server.holding(dated(':-00010101T000000Z'))),
      sync('month 13', unreadable, () => server.holding(dated(':20261399T000000Z'))),
    ],
    formula: [
      trial(
        agent,
        'a title',
        {
          says:
            counted === 'events'
              ? { events: [{ summary: formula }] }
              : { reminders: [{ title: formula }] },
        },
        () => ({
          before: { action: 'sync', args: {} },
          action: 'list',
          args: counted === 'events' ? { day: '2026-11-21' } : {},
          world: world(() =>
            server.holding(make.with().replace('SECRET', formula.replaceAll('"', '&quot;'))),
          ),
        }),
      ),
    ],
    paths: [
      ...[
        '/elsewhere/a.ics',
        '/home/c0/../c1/a.ics',
        '/home/c0/below/a.ics',
        'http://evil.example/home/c0/a.ics',
      ].map((href) =>
        sync(`an object at ${href}`, { says: { [collections]: [{ [counted]: 0 }] } }, () =>
          server.holding(make.with(), href),
        ),
      ),
      home('a collection at what is no place', 'CORRUPT_DATA', () =>
        server.collections(1).replace('/home/c0/', 'http://['),
      ),
    ],
    crowd: [
      home(`${collections} of the server`, 'LIMIT_EXCEEDED', () => server.collections(10_000)),
      home('a quarter of a million elements', 'LIMIT_EXCEEDED', () =>
        multistatus('<d:response/>'.repeat(250_000)),
      ),
    ],
    depth: [home('elements', 'LIMIT_EXCEEDED', () => '<a>'.repeat(100_000))],
  }
}

export const caldavCalendars: HostileParser = {
  reads: 'multistatus XML of a CalDAV server with calendars',
  cells: cellsOf({ agent: calendar, at: calendarsAt, component: event, collections: 'calendars' }),
}

export const caldavLists: HostileParser = {
  reads: 'multistatus XML of a CalDAV server with lists of reminders',
  cells: cellsOf({ agent: reminders, at: remindersAt, component: todo, collections: 'lists' }),
}
