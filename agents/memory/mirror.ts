// Keeps words and vectors in memory and the files on disk alike, whoever changed the files: each look compares them.
// Invariant: what has expired or was forgotten is among no words, and what has expired is destroyed before a
// call answers, where there is room to write that down.

import { ActionFailure } from '../define-agent.ts'
import type { EntryId } from './entry.ts'
import { nobody } from './keys.ts'
import { changeStore, lookAtStore, type OpenStore, type StoreOptions } from './store.ts'
import { createVectorIndex, type VectorIndex, vectorOf } from './vectors.ts'
import { createWordIndex, type IndexedEntry, type WordIndex } from './word-index.ts'

/** As of one call. */
export interface Recollection {
  readonly words: WordIndex
  readonly vectors: VectorIndex
  /** That cannot be read. */
  readonly damaged: readonly EntryId[]
  /** Destroyed by this call. */
  readonly expired: number
}

export interface Mirror {
  readonly words: WordIndex
  readonly vectors: VectorIndex
  damaged(): readonly EntryId[]
  /** Takes over what the files hold, but for what has expired. */
  follow(store: OpenStore, now: number): void
  /** The same, after what has expired is destroyed, and once what crashes left. @returns how many expired */
  settle(now: number): number
}

export function createMirror(folder: string, options: StoreOptions): Mirror {
  const words = createWordIndex()
  const vectors = createVectorIndex()
  let damaged: readonly EntryId[] = []
  let version: string | undefined
  let isSwept = false

  const drop = (id: EntryId): void => {
    words.remove(id)
    vectors.remove(id)
  }
  const takeOver = (store: OpenStore): void => {
    if (store.version === version) return
    const there = new Set(store.ids())
    for (const { id } of words.all()) if (!there.has(id)) drop(id)
    const bad: EntryId[] = []
    const good: IndexedEntry[] = []
    const wanted = [...there].filter((id) => words.get(id) === undefined)
    for (const { seq, id, entry } of store.read(wanted)) {
      if (entry === undefined) {
        bad.push(id)
        continue
      }
      const vector = vectorOf(entry)
      if (vector !== undefined) vectors.add(id, vector)
      // Its numbers are in one place, and not in their base64 besides.
      const { embedding: _, ...said } = entry
      good.push({ seq, id, entry: said })
    }
    words.add(good)
    damaged = bad
    version = store.version
  }
  const follow = (store: OpenStore, now: number): void => {
    takeOver(store)
    const over = expiredAt(words, now)
    for (const id of over) drop(id)
    // They are in the files, and to be found again by whoever may destroy them.
    if (over.length > 0) version = undefined
  }
  const destroy = (over: readonly EntryId[], now: number): number => {
    try {
      changeStore(folder, options, (store) => {
        if (!isSwept) store.sweep(now)
        if (over.length > 0) store.forget(over, nobody, now)
      })
      isSwept = true
      return over.length
    } catch (error) {
      if (error instanceof ActionFailure && error.code === 'STORAGE_FULL') return 0
      throw error
    }
  }
  return {
    words,
    vectors,
    damaged: () => damaged,
    follow,
    settle(now) {
      const isEmpty = lookAtStore(folder, (store) => {
        takeOver(store)
        return store.isEmpty
      })
      const over = expiredAt(words, now)
      const hasWork = !isEmpty && (!isSwept || over.length > 0)
      const expired = hasWork ? destroy(over, now) : 0
      if (hasWork) lookAtStore(folder, (store) => follow(store, now))
      return expired
    },
  }
}

function expiredAt(words: WordIndex, now: number): readonly EntryId[] {
  return words
    .all()
    .flatMap(({ id, entry }) => (entry.expires !== null && entry.expires <= now ? [id] : []))
}
