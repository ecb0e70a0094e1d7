// What a CalDAV server may answer, hostile or broken: a typed failure within bounds, the copy as it
// was, nothing overwritten, and nothing outside of a collection taken for part of it.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { agent } from '../../agents/calendar/agent.ts'
import { manifest as calendarManifest } from '../../agents/calendar/manifest.ts'
import { gatewayFetch } from '../../agents/dav/gateway-fetch.ts'
import { namesFor } from '../../agents/dav/mirror.ts'
import { writeObject } from '../../agents/dav/server.ts'
import {
  type ActionContext,
  ActionFailure,
  type EgressRequest,
  type EgressResponse,
} from '../../agents/define-agent.ts'
import { manifest as remindersManifest } from '../../agents/reminders/manifest.ts'
import { gatewayLike } from '../support/radicale.ts'
import { contextOf, failureOf, idemOf } from './action-context.ts'
import { calendarOf } from './calendar-folder.ts'

type Answer = string | { readonly status: number; readonly body?: string; readonly etag?: string }

let folder: string
let asked: EgressRequest[]
let answers: Record<string, Answer | ActionFailure>
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-dav-'))
  asked = []
  answers = {
    'PROPFIND /.well-known/caldav': { status: 404 },
    'PROPFIND /': responses(
      '/',
      '<d:current-user-principal><d:href>/anna/</d:href></d:current-user-principal>',
    ),
    'PROPFIND /anna/': responses(
      '/anna/',
      '<c:calendar-home-set><d:href>/home/</d:href></c:calendar-home-set>',
    ),
    'PROPFIND /home/': calendars(1),
    'PROPFIND /home/c0/': responses('/home/c0/a.ics', '<d:getetag>"1"</d:getetag>'),
    'REPORT /home/c0/': object('/home/c0/a.ics', 'Tea'),
  }
})
afterEach(() => rmSync(folder, { recursive: true }))

const multistatus = (inner: string) =>
  `<?xml version="1.0"?><d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">${inner}</d:multistatus>`
const response = (href: string, props: string) =>
  `<d:response><d:href>${href}</d:href><d:propstat><d:prop>${props}</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>`
const responses = (href: string, props: string) => multistatus(response(href, props))
const calendar = '<d:resourcetype><d:collection/><c:calendar/></d:resourcetype>'
const calendars = (count: number) =>
  multistatus(
    Array.from({ length: count }, (_, at) => response(`/home/c${at}/`, calendar)).join(''),
  )
const event = (summary: string) =>
  calendarOf(['UID:a', 'DTSTART:20261123T100000Z', 'DURATION:PT1H', `SUMMARY:${summary}`])
const object = (href: string, summary: string) =>
  responses(href, `<d:getetag>"1"</d:getetag><c:calendar-data>${event(summary)}</c:calendar-data>`)

const fetch: ActionContext['fetch'] = async (request): Promise<EgressResponse> => {
  asked.push(request)
  const answer = answers[`${request.method} ${request.path}`] ?? { status: 404 }
  if (answer instanceof ActionFailure) throw answer
  const whole = typeof answer === 'string' ? { status: 207, body: answer } : answer
  const { status, body = '', etag } = { etag: undefined, ...whole }
  const type = { 'content-type': 'text/xml; charset=utf-8' }
  const headers = etag === undefined ? type : { ...type, etag }
  return { status, headers, body, url: request.path }
}

async function run(action: string, args: object): Promise<unknown> {
  const call = agent.actions.get(action)?.prepare(args)
  if (call === undefined) throw new Error('refused')
  const context = contextOf({ folder, now: Date.parse('2026-11-21T08:00:00Z') }, idemOf(action))
  return call({ ...context, fetch })
}

const day = { day: '2026-11-23' }
const copy = () => {
  const hidden = join(folder, '.bulkhead')
  const [name = ''] = readdirSync(hidden).filter((one) => one.startsWith('dav-'))
  return readFileSync(join(hidden, name), 'utf8')
}

const bomb = '<!DOCTYPE m [<!ENTITY a "ha">]><m>&a;</m>'

describe('an answer that is refused', () => {
  test.each<[string, Answer | ActionFailure, string, string]>([
    ['no XML', 'BEGIN:VCALENDAR', 'CORRUPT_DATA', 'final'],
    ['half an answer', multistatus('').slice(0, -9), 'CORRUPT_DATA', 'final'],
    ['sixty-five calendars', calendars(65), 'LIMIT_EXCEEDED', 'final'],
    ['a page for people', { status: 200, body: '<html/>' }, 'UNAVAILABLE', 'final'],
    ['a page for people that is a bomb', { status: 200, body: bomb }, 'CORRUPT_DATA', 'final'],
    ['nothing there', { status: 404 }, 'UNAVAILABLE', 'final'],
    ['a refused credential', { status: 401 }, 'UNAVAILABLE', 'final'],
    ['too many questions', { status: 429 }, 'UNAVAILABLE', 'absent'],
    ['a server in trouble', { status: 503 }, 'UNAVAILABLE', 'absent'],
    [
      "the gateway's",
      new ActionFailure('UNAVAILABLE', 'final', 'PATH_REFUSED'),
      'UNAVAILABLE',
      'final',
    ],
    ['too long', new ActionFailure('LIMIT_EXCEEDED', 'final', 'x'), 'LIMIT_EXCEEDED', 'final'],
  ])('%s: typed, and the copy stays', async (_what, answer, code, retry) => {
    await run('sync', {})
    const before = copy()
    answers['PROPFIND /home/'] = answer
    expect(await failureOf(run('sync', {}))).toMatchObject({ code, retry })
    expect(copy()).toBe(before)
  })

  test('a list of objects that is an error page does not empty the copy', async () => {
    await run('sync', {})
    const before = copy()
    answers['PROPFIND /home/c0/'] = { status: 200, body: '<html/>' }
    expect((await failureOf(run('sync', {}))).code).toBe('UNAVAILABLE')
    expect(copy()).toBe(before)
  })

  test('a copy that somebody edited is not used', async () => {
    mkdirSync(join(folder, '.bulkhead'))
    writeFileSync(join(folder, '.bulkhead', 'dav-x.json'), '{"url":1}')
    expect((await failureOf(run('list', day))).code).toBe('CORRUPT_DATA')
  })
})

describe('an object', () => {
  test('that was not asked for is not taken', async () => {
    answers['REPORT /home/c0/'] = object('/home/c0/b.ics', 'Forged')
    expect(await run('sync', {})).toMatchObject({ calendars: [{ events: 0 }] })
  })

  test('whose version is not known is not written', async () => {
    const dav = gatewayFetch({ ...contextOf({ folder, now: 0 }), fetch }, 'caldav-write')
    const url = 'http://caldav.invalid/home/c0/a.ics'
    for (const change of [
      { url, etag: '', text: 'x' },
      { url, etag: undefined, text: undefined },
    ]) {
      expect((await failureOf(writeObject(dav, change))).code).toBe('CONFLICT')
    }
    expect(asked).toEqual([])
  })

  test('is written on a condition, always', async () => {
    const url = '/home/c0/a.ics'
    answers[`PUT ${url}`] = { status: 204, etag: '"2"' }
    answers[`DELETE ${url}`] = { status: 204 }
    const dav = gatewayFetch({ ...contextOf({ folder, now: 0 }), fetch }, 'caldav-write')
    const at = { url: `http://caldav.invalid${url}` }
    expect(await writeObject(dav, { ...at, etag: undefined, text: 'x' })).toEqual({
      ...at,
      etag: '"2"',
      text: 'x',
    })
    await writeObject(dav, { ...at, etag: '"1"', text: 'x' })
    await writeObject(dav, { ...at, etag: '"1"', text: undefined })
    expect(asked.map(({ headers }) => headers?.['if-match'] ?? headers?.['if-none-match'])).toEqual(
      ['*', '"1"', '"1"'],
    )
  })

  test.each([500, 502, 504])('of which a server says %i may have been written', async (status) => {
    answers['PUT /home/c0/a.ics'] = { status }
    const dav = gatewayFetch({ ...contextOf({ folder, now: 0 }), fetch }, 'caldav-write')
    const write = writeObject(dav, {
      url: 'http://caldav.invalid/home/c0/a.ics',
      etag: '"1"',
      text: 'x',
    })
    await expect(write).rejects.not.toBeInstanceOf(ActionFailure)
  })
})

describe('a new event', () => {
  const tea = { calendar: 'c0', summary: 'Cake', start: '2026-11-23T16:00', durationMinutes: 30 }
  const place = `/home/c0/${idemOf('create')}-bulkhead.ics`
  const undo = { calendar: 'c0', change: idemOf('create') }
  const summaries = async () => {
    const { events } = calendarManifest.actions.list.output.parse(await run('list', day))
    return events.map(({ summary }) => summary)
  }
  const sent = () => asked.find(({ method }) => method === 'PUT')?.body ?? ''
  beforeEach(async () => {
    await run('sync', {})
    answers[`PUT ${place}`] = { status: 201 }
  })

  test.each([
    ['in trouble', { status: 503 }],
    ['that has it no more', { status: 404 }],
    ['cut off', new ActionFailure('UNAVAILABLE', 'absent', 'TIMEOUT')],
  ])(
    'is made even when its version cannot be read of a server %s, and is taken back',
    async (_what, answer) => {
      answers[`GET ${place}`] = answer
      await run('create', tea)
      expect(await summaries()).toEqual(['Tea'])
      answers[`GET ${place}`] = { status: 200, body: sent(), etag: '"2"' }
      answers[`DELETE ${place}`] = { status: 204 }
      expect(await run('revert', undo)).toMatchObject({ outcome: 'reverted' })
      expect(asked.at(-1)?.method).toBe('DELETE')
    },
  )

  test('stands in the copy with the text that its version is of', async () => {
    answers[`GET ${place}`] = { status: 200, body: event('Somebody’s'), etag: '"other"' }
    await run('create', tea)
    expect(await summaries()).toEqual(['Somebody’s', 'Tea'])
    expect(copy()).not.toContain('Cake')
  })

  test('that the server made unreadable is not in the copy, which stays readable', async () => {
    const odd = event('Odd').replace('DTSTART:', 'DTSTART:x')
    answers[`GET ${place}`] = { status: 200, body: odd, etag: '"2"' }
    await run('create', tea)
    expect(await summaries()).toEqual(['Tea'])
  })

  test('whose journal is gone is not said to have never been made', async () => {
    answers[`PUT ${place}`] = { status: 201, etag: '"2"' }
    await run('create', tea)
    rmSync(join(folder, '.bulkhead', `change-${idemOf('create')}.json`))
    expect((await failureOf(run('revert', undo))).code).toBe('CONFLICT')
  })
})

describe.each([calendarManifest, remindersManifest])('a token of $name', (manifest) => {
  const ask = (action: string, egress: string, method: EgressRequest['method']) =>
    gatewayLike({ manifest, action, origin: 'http://127.0.0.1:1' })({
      egress,
      method,
      path: '/home/c0/a.ics',
      maxBytes: 1,
    })
  const write = manifest === calendarManifest ? 'create' : 'add'

  test.each<[string, string, EgressRequest['method'], string]>([
    ['sync', 'caldav', 'PUT', 'METHOD_REFUSED'],
    ['sync', 'caldav', 'DELETE', 'METHOD_REFUSED'],
    ['sync', 'caldav', 'POST', 'METHOD_REFUSED'],
    ['sync', 'caldav-write', 'PUT', 'EGRESS_NOT_OF_ACTION'],
    [write, 'caldav-write', 'PROPFIND', 'METHOD_REFUSED'],
    [write, 'caldav', 'REPORT', 'EGRESS_NOT_OF_ACTION'],
    ['list', 'caldav', 'GET', 'EGRESS_NOT_OF_ACTION'],
  ])('for %s lets no %s %s out', async (action, egress, method, code) => {
    expect((await failureOf(ask(action, egress, method))).message).toBe(code)
  })
})

describe('the name of a calendar', () => {
  test.each([
    ['Family', 'Family'],
    ['../../etc/passwd', 'c0'],
    ['.hidden', 'c0'],
    ['a\u202eb', 'c0'],
    ['x'.repeat(500), 'c0'],
    ['', 'c0'],
  ])('is what can name a file, case %#', (displayName, name) => {
    const url = 'http://caldav.invalid/home/c0/'
    expect([...namesFor([{ url, displayName }]).values()]).toEqual([name])
  })

  test('is nobody else’s', () => {
    const urls = ['/a/', '/b/', '/c/'].map((path) => `http://caldav.invalid${path}`)
    const names = [...namesFor(urls.map((url) => ({ url, displayName: 'Home' }))).values()]
    expect(names[0]).toBe('Home')
    expect(new Set(names).size).toBe(3)
  })
})
