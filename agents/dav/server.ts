// What is asked of a CalDAV server (RFC 4791, 6578), with tsdav: which collections there are, what has
// changed in one, its objects, and one object written on condition that it is still the one that was
// read. Invariant: nothing of an answer gets any further unless it was proven here, no message quotes
// one, and a place outside of its collection is nobody's object.

import {
  createObject,
  davRequest,
  deleteObject,
  fetchHomeUrl,
  fetchPrincipalUrl,
  propfind,
  serviceDiscovery,
  syncCollection,
  updateObject,
} from 'tsdav'
import { z } from 'zod'
import { ActionFailure } from '../define-agent.ts'
import { configuredOrigin, type DavFetch, plainPath } from './gateway-fetch.ts'

/** Collections of one person; more is a mistake or an attack, and reading them would take minutes. */
const maxCollections = 64
const maxObjects = 20_000
/** Parts in which a server may give one list of changes. */
const maxParts = 50

/** What a collection is looked through for: events, or the reminders of a list. */
export type Component = 'VEVENT' | 'VTODO'

export interface Collection {
  readonly url: string
  /** As the server calls it; any text. */
  readonly displayName: string
  /** Changes with its content; undefined where the server has no such thing. */
  readonly token: string | undefined
}

export interface ObjectVersion {
  readonly url: string
  readonly etag: string
}

export interface DavObject extends ObjectVersion {
  readonly text: string
}

/** tsdav turns texts that look like numbers into numbers, and an empty element into an object. */
const text = z
  .union([
    z.string(),
    z.number().transform(String),
    z.boolean().transform(String),
    z.object({ _cdata: z.string() }).transform(({ _cdata }) => _cdata),
  ])
  .optional()
  .catch(undefined)
const named = z.object({ _attributes: z.object({ name: z.string() }) })
const answer = z.object({
  href: z.string().optional(),
  status: z.number(),
  props: z
    .object({
      displayname: text,
      syncToken: text,
      getetag: text,
      calendarData: text,
      resourcetype: z.record(z.string(), z.unknown()).optional().catch(undefined),
      supportedCalendarComponentSet: z
        .object({ comp: z.union([named.transform((one) => [one]), z.array(named)]) })
        .optional()
        .catch(undefined),
    })
    .optional()
    .catch(undefined),
  raw: z.unknown(),
})
type Answer = z.infer<typeof answer>

/** @throws ActionFailure */
async function answers(call: Promise<unknown>): Promise<readonly Answer[]> {
  return z.array(answer).parse(await understood(call))
}

/** What the library throws says little, or quotes the answer. */
async function understood<Result>(call: Promise<Result>): Promise<Result> {
  try {
    return await call
  } catch (error) {
    if (error instanceof ActionFailure) throw error
    throw new ActionFailure('CORRUPT_DATA', 'final', 'the server does not answer as CalDAV does')
  }
}

/** @throws ActionFailure LIMIT_EXCEEDED beyond 64 of them */
export async function collectionsOf(
  dav: DavFetch,
  component: Component,
): Promise<readonly Collection[]> {
  const account = { serverUrl: `${configuredOrigin}/`, accountType: 'caldav' as const }
  const rootUrl = await understood(serviceDiscovery({ account, fetch: dav }))
  const rooted = { ...account, rootUrl }
  const principalUrl = await understood(fetchPrincipalUrl({ account: rooted, fetch: dav }))
  const homeUrl = await understood(
    fetchHomeUrl({ account: { ...rooted, principalUrl }, fetch: dav }),
  )
  const props = {
    'd:displayname': {},
    'd:resourcetype': {},
    'd:sync-token': {},
    'c:supported-calendar-component-set': {},
  }
  const found = multistatusOf(
    await answers(propfind({ url: homeUrl, props, depth: '1', fetch: dav })),
  )
  const collections = found.flatMap(({ href, props: has }): Collection[] => {
    const components = has?.supportedCalendarComponentSet?.comp ?? []
    const fits =
      components.length === 0 || components.some((one) => one._attributes.name === component)
    if (href === undefined || !Object.hasOwn(has?.resourcetype ?? {}, 'calendar') || !fits)
      return []
    const url = asFolder(resolve(href, homeUrl))
    return [{ url, displayName: has?.displayname ?? '', token: has?.syncToken }]
  })
  if (collections.length > maxCollections) {
    throw new ActionFailure('LIMIT_EXCEEDED', 'final', `more than ${maxCollections} collections`)
  }
  return collections
}

type Known = Pick<Collection, 'url' | 'token'>

export interface Changes {
  /** All objects, not only those that changed. */
  readonly whole: boolean
  readonly present: readonly ObjectVersion[]
  readonly removed: readonly string[]
  /** To ask with the next time. */
  readonly token: string | undefined
}

/** @param since of the last time; a server that has forgotten it gives the whole list */
export async function changesOf(
  dav: DavFetch,
  { url, token }: Known,
  since: string | undefined,
): Promise<Changes> {
  if (token === undefined) return listing(dav, url)
  const present: ObjectVersion[] = []
  const removed: string[] = []
  let at = since
  for (let part = 0; part < maxParts; part += 1) {
    const given = await answers(
      syncCollection({
        url,
        props: { 'd:getetag': {} },
        syncLevel: 1,
        ...(at === undefined ? {} : { syncToken: at }),
        fetch: dav,
      }),
    )
    const next = tokenIn(given)
    // A token that is too old is refused (RFC 6578, 3.7), by some servers with other codes.
    if (next === undefined) {
      return since === undefined ? listing(dav, url) : changesOf(dav, { url, token }, undefined)
    }
    for (const { href, status, props } of given) {
      const object = href === undefined ? undefined : objectIn(url, href)
      if (object === undefined) continue
      if (status === 404) removed.push(object)
      else if (props?.getetag !== undefined) present.push({ url: object, etag: props.getetag })
    }
    if (present.length > maxObjects) throw tooManyObjects()
    const isCut = given.some(({ status }) => status === 507)
    if (!isCut || next === at) return { whole: since === undefined, present, removed, token: next }
    at = next
  }
  throw new ActionFailure('LIMIT_EXCEEDED', 'final', 'a list of changes in too many parts')
}

async function listing(dav: DavFetch, url: string): Promise<Changes> {
  const found = multistatusOf(
    await answers(propfind({ url, props: { 'd:getetag': {} }, depth: '1', fetch: dav })),
  )
  const present = found.flatMap(({ href, props }) => {
    const object = href === undefined ? undefined : objectIn(url, href)
    return object === undefined || props?.getetag === undefined
      ? []
      : [{ url: object, etag: props.getetag }]
  })
  if (present.length > maxObjects) throw tooManyObjects()
  return { whole: true, present, removed: [], token: undefined }
}

function tooManyObjects(): ActionFailure {
  return new ActionFailure('LIMIT_EXCEEDED', 'final', `more than ${maxObjects} objects`)
}

const multistatus = z.object({ multistatus: z.object({ syncToken: text }) })

function tokenIn(given: readonly Answer[]): string | undefined {
  return multistatus.safeParse(given[0]?.raw).data?.multistatus.syncToken
}

/** An error page has no objects either: taken for an empty list, it would empty the copy. */
function multistatusOf(given: readonly Answer[]): readonly Answer[] {
  if (multistatus.safeParse(given[0]?.raw).success) return given
  throw new ActionFailure('UNAVAILABLE', 'final', `status ${given[0]?.status}: no list`)
}

/** Those of the objects that are still there. */
export async function objectsAt(
  dav: DavFetch,
  collection: string,
  urls: readonly string[],
): Promise<readonly DavObject[]> {
  const multiget = davRequest({
    url: collection,
    init: {
      method: 'REPORT',
      namespace: 'c',
      headers: { depth: '1' },
      body: {
        'calendar-multiget': {
          _attributes: { 'xmlns:d': 'DAV:', 'xmlns:c': 'urn:ietf:params:xml:ns:caldav' },
          'd:prop': { 'd:getetag': {}, 'c:calendar-data': {} },
          'd:href': urls.map((url) => new URL(url).pathname),
        },
      },
    },
    fetch: dav,
  })
  const found = multistatusOf(await answers(multiget))
  const wanted = new Set(urls)
  return found.flatMap(({ href, props }) => {
    const url = href === undefined ? undefined : objectIn(collection, href)
    const { getetag: etag, calendarData } = props ?? {}
    if (url === undefined || !wanted.has(url)) return []
    return etag === undefined || calendarData === undefined
      ? []
      : [{ url, etag, text: calendarData }]
  })
}

/** Undefined when it is gone. @throws ActionFailure */
export async function readObject(dav: DavFetch, url: string): Promise<DavObject | undefined> {
  const response = await dav(url, { method: 'GET' })
  if (response.status === 404 || response.status === 410) return undefined
  const etag = response.headers.get('etag')
  if (response.status !== 200 || etag === null) {
    throw new ActionFailure('UNAVAILABLE', 'absent', `status ${response.status}`)
  }
  return { url, etag, text: await response.text() }
}

export interface ObjectChange {
  readonly url: string
  /** Of the version that was read; undefined: there must be none. */
  readonly etag: string | undefined
  /** Undefined deletes it. */
  readonly text: string | undefined
}

/**
 * @returns what stands there now; undefined when it was deleted, or nobody can say
 * @throws ActionFailure CONFLICT when it is not the version that was read, and others, each of which says
 *   that nothing was written; Error when nobody knows whether it was written
 */
export async function writeObject(
  dav: DavFetch,
  { url, etag, text: data }: ObjectChange,
): Promise<DavObject | undefined> {
  // An empty one would be left out of the request, which then would overwrite anything.
  if (etag === '' || (etag === undefined && data === undefined)) {
    throw new ActionFailure('CONFLICT', 'ask', 'the version that was read is not known')
  }
  const headers = { 'content-type': 'text/calendar; charset=utf-8' }
  const response =
    data === undefined
      ? await deleteObject({ url, ...(etag === undefined ? {} : { etag }), fetch: dav })
      : etag === undefined
        ? await createObject({
            url,
            data,
            headers: { ...headers, 'if-none-match': '*' },
            fetch: dav,
          })
        : await updateObject({ url, data, etag, headers, fetch: dav })
  judge(response.status)
  if (data === undefined) return undefined
  const version = response.headers.get('etag')
  // A server that changed what it was given does not say the version (RFC 4791, 5.3.4).
  return version === null ? readWritten(dav, url) : { url, etag: version, text: data }
}

/** Its failure is not the write's, which is made by now: the next sync brings what was written. */
async function readWritten(dav: DavFetch, url: string): Promise<DavObject | undefined> {
  try {
    return await readObject(dav, url)
  } catch (error) {
    if (error instanceof ActionFailure) return undefined
    throw error
  }
}

function judge(status: number): void {
  if (status >= 200 && status < 300) return
  switch (status) {
    case 412:
      throw new ActionFailure('CONFLICT', 'ask', 'changed on the server since: sync, read it again')
    case 404:
    case 409:
    case 410:
      throw new ActionFailure('NOT_FOUND', 'final', `status ${status}`)
    case 413:
    case 507:
      throw new ActionFailure('STORAGE_FULL', 'final', `status ${status}`)
    case 429:
      throw new ActionFailure('UNAVAILABLE', 'absent', `status ${status}`)
    default:
      if (status < 500) throw new ActionFailure('UNAVAILABLE', 'final', `status ${status}`)
      throw new Error(`status ${status}: whether it was written nobody knows`)
  }
}

function resolve(href: string, base: string): string {
  try {
    const { origin, pathname } = new URL(href, base)
    return `${origin}${plainPath(pathname)}`
  } catch {
    throw new ActionFailure('CORRUPT_DATA', 'final', 'the server names a place that is none')
  }
}

function asFolder(url: string): string {
  return url.endsWith('/') ? url : `${url}/`
}

/** Undefined for the collection itself and for what is not directly in it. */
function objectIn(collection: string, href: string): string | undefined {
  const url = resolve(href, collection)
  const name = url.startsWith(collection) ? url.slice(collection.length) : ''
  return name === '' || name.includes('/') ? undefined : url
}
