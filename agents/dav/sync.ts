// Brings the copies of a server's collections up to date: only what changed is fetched, and what was
// fetched is kept even when the time is over before all of it is there. Invariant: a collection's token
// is kept only together with every object that it stands for.

import { type ActionContext, ActionFailure } from '../define-agent.ts'
import { caldav } from './declaration.ts'
import { type DavFetch, gatewayFetch } from './gateway-fetch.ts'
import {
  type Mirror,
  mirrorsIn,
  namesFor,
  readMirror,
  removeMirror,
  writeMirror,
} from './mirror.ts'
import {
  type Changes,
  type Collection,
  type Component,
  changesOf,
  collectionsOf,
  type DavObject,
  objectsAt,
} from './server.ts'

/** No question begins later than this after the first, so that the last still ends in time. */
const startMs = 8_000
/** In one question; of events of 40 kB each they still fit into one answer. */
const batchSize = 100

export interface SyncInput {
  /** Where the copies are kept. */
  readonly folder: string
  readonly component: Component
  /** Names that no collection gets, whatever the server calls it. */
  readonly reserved?: readonly string[]
  /** False for an object that the agent could not read: it is counted and left out. */
  readonly isReadable: (text: string) => boolean
}

export interface SyncedCollection {
  readonly name: string
  readonly objects: number
  readonly changed: number
  readonly removed: number
  /** Left out, because they cannot be read. */
  readonly unreadable: number
  /** Still to be fetched: time was up, and the next sync goes on. */
  readonly pending: number
}

export interface Synced {
  readonly collections: readonly SyncedCollection[]
  /** Names of those that the server has no more. */
  readonly gone: readonly string[]
}

/** @throws ActionFailure */
export async function syncCollections(input: SyncInput, context: ActionContext): Promise<Synced> {
  const begun = performance.now()
  const isOver = () => performance.now() - begun > startMs || context.signal?.aborted === true
  const dav = gatewayFetch(context, caldav)
  const collections = await collectionsOf(dav, input.component)
  const names = namesFor(collections, input.reserved)
  const urls = new Set(collections.map(({ url }) => url))
  const lost = mirrorsIn(input.folder).filter(({ mirror }) => !urls.has(mirror.url))
  for (const mirror of lost) removeMirror(input.folder, mirror)
  const synced: SyncedCollection[] = []
  for (const collection of collections) {
    const name = names.get(collection.url) ?? collection.url
    const one = { ...input, dav, collection, name, now: context.now(), isOver }
    synced.push(await syncOne(one))
    context.progress?.(synced.length, collections.length)
  }
  return { collections: synced, gone: lost.map(({ mirror }) => mirror.name) }
}

/** The collections that the server has, without a look at what is in them. @throws ActionFailure */
export async function nameCollections(
  { component, reserved }: Pick<SyncInput, 'component' | 'reserved'>,
  context: ActionContext,
): Promise<{ collections: { name: string }[] }> {
  const collections = await collectionsOf(gatewayFetch(context, caldav), component)
  return { collections: [...namesFor(collections, reserved).values()].map((name) => ({ name })) }
}

interface One extends SyncInput {
  readonly dav: DavFetch
  readonly collection: Collection
  readonly name: string
  readonly now: number
  readonly isOver: () => boolean
}

async function syncOne(one: One): Promise<SyncedCollection> {
  const { folder, collection, name } = one
  const earlier = readMirror(folder, collection.url)
  const { token, objects } = earlier?.mirror ?? { token: null, objects: [] }
  const none = { name, objects: objects.length, changed: 0, removed: 0, unreadable: 0, pending: 0 }
  if (token !== null && token === collection.token) {
    writeMirror(folder, toMirror(one, objects, token), earlier)
    return none
  }
  if (one.isOver()) return { ...none, pending: 1 }
  const changes = await changesOf(one.dav, collection, token ?? undefined)
  const versions = new Map(objects.map(({ url, etag }) => [url, etag]))
  const wanted = changes.present.filter(({ url, etag }) => versions.get(url) !== etag)
  const { asked, fetched, unreadable } = await fetchAll(
    one,
    wanted.map(({ url }) => url),
  )
  // Looked at again: a write of this process may have put something there meanwhile.
  const present = readMirror(folder, collection.url)
  const merged = merge(present?.mirror.objects ?? [], { changes, asked, fetched })
  const pending = wanted.length - asked.size
  // An older token gives the rest once more, and what is there by then is not fetched again.
  writeMirror(folder, toMirror(one, merged, pending > 0 ? token : (changes.token ?? null)), present)
  const kept = new Set(merged.map(({ url }) => url))
  const removed = objects.filter(({ url }) => !kept.has(url)).length
  return { name, objects: merged.length, changed: fetched.length, removed, unreadable, pending }
}

function toMirror(
  { collection, name, now }: One,
  objects: readonly DavObject[],
  token: string | null,
): Mirror {
  return { url: collection.url, name, token, syncedAt: now, objects: [...objects] }
}

interface Fetched {
  readonly asked: ReadonlySet<string>
  readonly fetched: readonly DavObject[]
  readonly unreadable: number
}

async function fetchAll(one: One, urls: readonly string[]): Promise<Fetched> {
  const asked = new Set<string>()
  const fetched: DavObject[] = []
  let unreadable = 0
  for (let at = 0; at < urls.length && !one.isOver(); at += batchSize) {
    const batch = urls.slice(at, at + batchSize)
    for (const object of await fetchSome(one, batch)) {
      if (one.isReadable(object.text)) fetched.push(object)
      else unreadable += 1
    }
    for (const url of batch) asked.add(url)
  }
  return { asked, fetched, unreadable }
}

/** In halves where the answer would be too long; one object alone that is, ends the sync. */
async function fetchSome(one: One, urls: readonly string[]): Promise<readonly DavObject[]> {
  try {
    return await objectsAt(one.dav, one.collection.url, urls)
  } catch (error) {
    if (!(error instanceof ActionFailure) || error.code !== 'LIMIT_EXCEEDED') throw error
    if (urls.length === 1) throw error
    const half = Math.ceil(urls.length / 2)
    const first = await fetchSome(one, urls.slice(0, half))
    return [...first, ...(await fetchSome(one, urls.slice(half)))]
  }
}

function merge(
  objects: readonly DavObject[],
  { changes, asked, fetched }: Pick<Fetched, 'asked' | 'fetched'> & { readonly changes: Changes },
): readonly DavObject[] {
  const removed = new Set(changes.removed)
  const listed = new Set(changes.present.map(({ url }) => url))
  const kept = objects.filter(
    ({ url }) => !asked.has(url) && !removed.has(url) && (!changes.whole || listed.has(url)),
  )
  return [...kept, ...fetched]
}
