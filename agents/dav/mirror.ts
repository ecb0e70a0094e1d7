// The copy of a server's collections in the folder of the person's own ones, one hidden file each:
// reads are answered from it and ask nobody. Invariant: an object stands here with the version that the
// server gave for this very text, because that version is what a later write is conditional on.

import { z } from 'zod'
import { sha256 } from '../../security/verify/hash.ts'
import { hiddenFolder, listHidden, readStored, replaceStored } from '../data-folder.ts'
import { ActionFailure } from '../define-agent.ts'
import { isFileStem } from '../file-stem.ts'
import type { DavObject } from './server.ts'

/** Of one collection; ten years of a busy calendar are two or three megabytes. */
const maxBytes = 16 * 1024 * 1024
const prefix = 'dav-'
const suffix = '.json'

const objectSchema = z.strictObject({ url: z.string(), etag: z.string(), text: z.string() })
const mirrorSchema = z.strictObject({
  url: z.string(),
  /** What the person calls it; a file's stem, and no other collection's. */
  name: z.string(),
  /** Null until every object is here. */
  token: z.string().nullable(),
  /** Of the last look at the server. */
  syncedAt: z.number(),
  objects: z.array(objectSchema),
})
export type Mirror = Readonly<z.infer<typeof mirrorSchema>>

export interface StoredMirror {
  readonly mirror: Mirror
  readonly bytes: Buffer
}

function fileOf(url: string): string {
  return `${hiddenFolder}/${prefix}${sha256(url)}${suffix}`
}

/** @throws ActionFailure CORRUPT_DATA */
export function readMirror(folder: string, url: string): StoredMirror | undefined {
  return readFile(folder, fileOf(url))
}

function readFile(folder: string, name: string): StoredMirror | undefined {
  const bytes = readStored(folder, name, maxBytes)?.bytes
  if (bytes === undefined) return undefined
  try {
    return { mirror: mirrorSchema.parse(JSON.parse(bytes.toString('utf8'))), bytes }
  } catch {
    throw new ActionFailure('CORRUPT_DATA', 'final', `${name} was edited: delete it and sync`)
  }
}

/** All that there are, by name. */
export function mirrorsIn(folder: string): readonly StoredMirror[] {
  return listHidden(folder, suffix)
    .filter((name) => name.startsWith(prefix))
    .flatMap((name) => readFile(folder, `${hiddenFolder}/${name}${suffix}`) ?? [])
    .sort((left, right) => (left.mirror.name < right.mirror.name ? -1 : 1))
}

/** @param earlier what was there when the caller looked */
export function writeMirror(
  folder: string,
  mirror: Mirror,
  earlier: StoredMirror | undefined,
): StoredMirror {
  const bytes = Buffer.from(JSON.stringify(mirror))
  if (bytes.length > maxBytes) {
    throw new ActionFailure(
      'LIMIT_EXCEEDED',
      'final',
      `a collection of more than ${maxBytes} bytes`,
    )
  }
  replaceStored({ folder, name: fileOf(mirror.url), expected: earlier?.bytes, bytes })
  return { mirror, bytes }
}

export function removeMirror(folder: string, { mirror, bytes }: StoredMirror): void {
  replaceStored({ folder, name: fileOf(mirror.url), expected: bytes, bytes: undefined })
}

/**
 * Puts one object of a write into the copy, or takes it out. Synchronous, so that a sync in the same
 * process cannot come between the look and the change. A copy that has gone meanwhile stays gone.
 */
export function keepObject(
  folder: string,
  collection: string,
  { url, object }: { readonly url: string; readonly object: DavObject | undefined },
): void {
  const stored = readMirror(folder, collection)
  if (stored === undefined) return
  const others = stored.mirror.objects.filter((one) => one.url !== url)
  const objects = object === undefined ? others : [...others, object]
  writeMirror(folder, { ...stored.mirror, objects }, stored)
}

/**
 * Names for collections, each a file's stem and none twice: the server's where that can be one, else
 * the last part of its place.
 */
export function namesFor(
  collections: readonly { readonly url: string; readonly displayName: string }[],
  reserved: readonly string[] = [],
): ReadonlyMap<string, string> {
  const names = new Map<string, string>()
  const taken = new Set(reserved)
  const inOrder = [...collections].sort((left, right) => (left.url < right.url ? -1 : 1))
  for (const { url, displayName } of inOrder) {
    const last = url.replace(/\/$/, '').split('/').at(-1) ?? ''
    const plain = [displayName.trim(), last].find((one) => one.length <= maxName && isFileStem(one))
    const base = plain ?? 'calendar'
    const name = taken.has(base) ? `${base} ${sha256(url).slice(0, 8)}` : base
    names.set(url, name)
    taken.add(name)
  }
  return names
}

/** As the manifest bounds names, with room for what makes one unique. */
const maxName = 80
