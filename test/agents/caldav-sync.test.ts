// What a sync asks for, and what it keeps, of a server that forgets, cuts its lists, or has too much for
// one answer. The server here is scripted; a real one is in the integration tests.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { mirrorsIn } from '../../agents/dav/mirror.ts'
import { syncCollections } from '../../agents/dav/sync.ts'
import {
  ActionFailure,
  type EgressRequest,
  type EgressResponse,
} from '../../agents/define-agent.ts'
import { contextOf } from './action-context.ts'

const collection = '/home/c/'
let folder: string
let objects: Map<string, string>
let asked: EgressRequest[]
/** Answers to a question for changes, by the token that is shown; undefined: it is refused. */
let changes: (token: string) => string | undefined
let maxObjects: number
/** Of the collection; undefined: the server has no tokens. */
let token: string | undefined

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-sync-'))
  objects = new Map([
    ['a', '1'],
    ['b', '1'],
    ['c', '1'],
  ])
  asked = []
  maxObjects = 1_000
  token = 't1'
  changes = () => all() + tokenElement('t1')
})
afterEach(() => rmSync(folder, { recursive: true }))

const response = (href: string, props: string) =>
  `<response><href>${href}</href><propstat><prop>${props}</prop><status>HTTP/1.1 200 OK</status></propstat></response>`
const status = (href: string, code: string) =>
  `<response><href>${href}</href><status>HTTP/1.1 ${code}</status></response>`
const tokenElement = (value: string) => `<sync-token>${value}</sync-token>`
const version = (name: string) =>
  response(`${collection}${name}.ics`, `<getetag>"${objects.get(name)}"</getetag>`)
const all = () => [...objects.keys()].map(version).join('')

function answer({ method, path, body = '' }: EgressRequest): string | undefined {
  if (path === '/.well-known/caldav') return undefined
  if (path === '/')
    return response('/', '<current-user-principal><href>/p/</href></current-user-principal>')
  if (path === '/p/')
    return response('/p/', '<c:calendar-home-set><href>/home/</href></c:calendar-home-set>')
  if (path === '/home/') {
    const type = '<resourcetype><collection/><c:calendar/></resourcetype>'
    const name = '<displayname>timers</displayname>'
    return response(collection, type + name + (token === undefined ? '' : tokenElement(token)))
  }
  if (method === 'PROPFIND') return all()
  if (body.includes('sync-collection')) {
    return changes(/sync-token>([^<]*)</.exec(body)?.[1] ?? '')
  }
  const names = [...body.matchAll(/href>\/home\/c\/([a-z]+)\.ics</g)].map(([, name]) => name ?? '')
  if (names.length > maxObjects) throw new ActionFailure('LIMIT_EXCEEDED', 'final', 'too long')
  const found = names.filter((name) => objects.has(name))
  return found
    .map((name) => {
      const etag = `<getetag>"${objects.get(name)}"</getetag>`
      const data = `<c:calendar-data>${name}${objects.get(name)}</c:calendar-data>`
      return response(`${collection}${name}.ics`, etag + data)
    })
    .join('')
}

async function sync() {
  asked = []
  const fetch = async (request: EgressRequest): Promise<EgressResponse> => {
    asked.push(request)
    const inner = answer(request)
    const body = `<multistatus xmlns="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">${inner}</multistatus>`
    const headers = { 'content-type': 'text/xml' }
    return inner === undefined
      ? { status: request.method === 'REPORT' ? 403 : 404, headers, body: '<error/>', url: '' }
      : { status: 207, headers, body, url: '' }
  }
  const isReadable = (text: string) => !text.startsWith('bad')
  const input = { folder, component: 'VTODO', isReadable } as const
  const context = { ...contextOf({ folder, now: 1_000 }), fetch }
  const { collections } = await syncCollections({ ...input, reserved: ['timers'] }, context)
  return collections[0]
}
const texts = () =>
  mirrorsIn(folder)
    .flatMap(({ mirror }) => mirror.objects.map(({ text }) => text))
    .sort((left, right) => (left < right ? -1 : 1))
const fetched = () =>
  asked.flatMap(({ body = '' }) => (body.includes('multiget') ? (body.match(/\.ics</g) ?? []) : []))

test('only what changed is fetched, and nothing where the token is the same', async () => {
  expect(await sync()).toMatchObject({ objects: 3, changed: 3, pending: 0 })
  expect(await sync()).toMatchObject({ objects: 3, changed: 0 })
  expect(asked.some(({ method }) => method === 'REPORT')).toBe(false)
  objects.set('b', '2')
  objects.delete('c')
  token = 't2'
  changes = (since) => {
    expect(since).toBe('t1')
    return version('b') + status(`${collection}c.ics`, '404 Not Found') + tokenElement('t2')
  }
  expect(await sync()).toMatchObject({ objects: 2, changed: 1, removed: 1 })
  expect(fetched()).toHaveLength(1)
  expect(texts()).toEqual(['a1', 'b2'])
})

test('a token that the server has forgotten costs the whole list, and only what changed is fetched', async () => {
  await sync()
  objects.set('a', '2')
  objects.delete('b')
  token = 't9'
  changes = (since) => (since === '' ? all() + tokenElement('t9') : undefined)
  expect(await sync()).toMatchObject({ objects: 2, changed: 1, removed: 1 })
  expect(fetched()).toHaveLength(1)
  expect(texts()).toEqual(['a2', 'c1'])
})

test('a list that is cut goes on with the token that it ends with', async () => {
  changes = (since) =>
    since === ''
      ? version('a') + status(collection, '507 Insufficient Storage') + tokenElement('part')
      : version('b') + version('c') + tokenElement('t1')
  expect(await sync()).toMatchObject({ objects: 3 })
  const tokens = mirrorsIn(folder).map(({ mirror }) => mirror.token)
  expect(tokens).toEqual(['t1'])
})

test('a list that is cut without end is given up', async () => {
  let part = 0
  changes = () => {
    part += 1
    return status(collection, '507 Insufficient Storage') + tokenElement(`p${part}`)
  }
  await expect(sync()).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
})

test('without tokens the versions of all objects tell what changed', async () => {
  token = undefined
  expect(await sync()).toMatchObject({ objects: 3, changed: 3 })
  objects.set('b', '2')
  objects.delete('c')
  expect(await sync()).toMatchObject({ objects: 2, changed: 1, removed: 1 })
  expect(fetched()).toHaveLength(1)
})

test('objects that are too much for one answer come in halves; one that is alone too much is a failure', async () => {
  maxObjects = 1
  expect(await sync()).toMatchObject({ objects: 3, changed: 3 })
  maxObjects = 0
  objects.set('d', '1')
  token = 't2'
  changes = () => version('d') + tokenElement('t2')
  await expect(sync()).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
  expect(texts()).toEqual(['a1', 'b1', 'c1'])
})

test('an object that becomes unreadable leaves the copy and is counted', async () => {
  objects.set('bad', '1')
  expect(await sync()).toMatchObject({ objects: 3, changed: 3, unreadable: 1 })
  expect(texts()).toEqual(['a1', 'b1', 'c1'])
})

test('one that vanished between the list and the question is no longer there', async () => {
  changes = () => {
    const given = all() + tokenElement('t1')
    objects.delete('b')
    return given
  }
  expect(await sync()).toMatchObject({ objects: 2, pending: 0 })
})

test('a name that is reserved is given to no collection', async () => {
  await sync()
  expect(mirrorsIn(folder).map(({ mirror }) => mirror.name)).not.toContain('timers')
})
