// One person's memory: what may be remembered, and what becomes of it when it is forgotten. Keeping is
// store.ts, finding is word-index.ts and vectors.ts, and mirror.ts keeps the two alike. Invariant: a repeated command is
// told what the first was told, and never brings back what was forgotten meanwhile.

import { ActionFailure } from '../define-agent.ts'
import type { Entry, EntryId } from './entry.ts'
import { corrupt, tooMuch } from './failures.ts'
import { createMirror, type Recollection } from './mirror.ts'
import { changeStore, lookAtStore, type OpenStore, type StoreOptions } from './store.ts'
import { type VectorIndex, vectorOf } from './vectors.ts'
import type { WordIndex } from './word-index.ts'

/** More is an archive, and would not fit a sandbox as words: see docs/adr/0054. */
export const maxEntries = 50_000
/** Of all texts, as UTF-8. */
export const maxTotalBytes = 8 * 1024 * 1024

/** Of all vectors: with the texts they must fit one file, in base64, and the sandbox, as numbers. */
export const maxVectorBytes = 20 * 1024 * 1024

export interface Forgetting {
  readonly there: boolean
  /** Entries that counted before, and after. */
  readonly before: number
  readonly after: number
  readonly expired: number
}

export interface Memory {
  look<Result>(now: number, use: (seen: Recollection) => Result): Result
  /**
   * @returns the entry as it is kept, of a repeated command the one that is there; how many there are besides
   * @throws ActionFailure CONFLICT when it was forgotten meanwhile, LIMIT_EXCEEDED
   */
  remember(
    id: EntryId,
    wanted: { readonly entry: Entry; readonly dryRun: boolean },
  ): { readonly entry: Entry; readonly entries: number; readonly expired: number }
  /** @param by the command's own id; the same one again is told the same */
  forget(
    id: EntryId,
    command: { readonly by: string; readonly now: number; readonly dryRun: boolean },
  ): Forgetting
}

export interface MemoryOptions extends StoreOptions {
  readonly mostEntries?: number
  readonly mostBytes?: number
  readonly mostVectorBytes?: number
}

/** @param options for tests, which stop the process between two commits, and have less to fill */
export function openMemory(folder: string, options: MemoryOptions = {}): Memory {
  const { mostEntries = maxEntries, mostBytes = maxTotalBytes } = options
  const { mostVectorBytes = maxVectorBytes } = options
  const mirror = createMirror(folder, options)
  const { words, vectors } = mirror
  const isThere = (id: EntryId) => words.get(id) !== undefined || mirror.damaged().includes(id)
  const others = (id: EntryId) => words.size - (words.get(id) === undefined ? 0 : 1)
  return {
    look(now, use) {
      const expired = mirror.settle(now)
      return use({ words, vectors, damaged: mirror.damaged(), expired })
    },
    remember(id, { entry, dryRun }) {
      const now = entry.remembered
      const expired = dryRun ? 0 : mirror.settle(now)
      const decide = (store: OpenStore): Entry | undefined => {
        mirror.follow(store, now)
        const most = { entries: mostEntries, bytes: mostBytes, vectorBytes: mostVectorBytes }
        const known = { words, vectors, damaged: mirror.damaged(), store, most }
        return keptOrRoom(id, entry, known)
      }
      if (dryRun) {
        const kept = lookAtStore(folder, decide) ?? entry
        return { entry: kept, entries: others(id), expired }
      }
      const kept = changeStore(folder, options, (store) => {
        const known = decide(store)
        if (known === undefined) store.put(id, entry, now)
        return known ?? entry
      })
      lookAtStore(folder, (store) => mirror.follow(store, now))
      return { entry: kept, entries: others(id), expired }
    },
    forget(id, { by, now, dryRun }) {
      const expired = dryRun ? 0 : mirror.settle(now)
      const isEmpty = lookAtStore(folder, (store) => {
        mirror.follow(store, now)
        return store.isEmpty
      })
      if (dryRun || isEmpty) {
        return { there: isThere(id), before: words.size, after: others(id), expired }
      }
      const { there, before } = changeStore(folder, options, (store) => {
        mirror.follow(store, now)
        const known = isThere(id)
        // Once more for a command that was stopped half-way, or whose answer was lost.
        const again = !known && store.forgotten(id)?.by === by
        if (known || again) store.forget([id], by, now)
        return { there: known || again, before: words.size + (again ? 1 : 0) }
      })
      lookAtStore(folder, (store) => mirror.follow(store, now))
      return { there, before, after: words.size, expired }
    },
  }
}

/** The entry of a command that is repeated; undefined: there is room for a new one. */
function keptOrRoom(
  id: EntryId,
  entry: Entry,
  known: {
    readonly words: WordIndex
    readonly damaged: readonly EntryId[]
    readonly store: OpenStore
    readonly vectors: VectorIndex
    readonly most: {
      readonly entries: number
      readonly bytes: number
      readonly vectorBytes: number
    }
  },
): Entry | undefined {
  const { words, vectors, damaged, store, most } = known
  const kept = words.get(id)
  if (kept !== undefined) return kept.entry
  if (damaged.includes(id)) throw corrupt(`entry ${id} cannot be read`)
  if (store.forgotten(id) !== undefined) {
    throw new ActionFailure('CONFLICT', 'final', `entry ${id} was forgotten`)
  }
  if (words.size + damaged.length >= most.entries) {
    throw tooMuch(`more than ${most.entries} entries`)
  }
  if (words.bytes + Buffer.byteLength(entry.text) > most.bytes) {
    throw tooMuch(`texts of more than ${most.bytes} bytes`)
  }
  if (vectors.bytes + (vectorOf(entry)?.values.byteLength ?? 0) > most.vectorBytes) {
    throw tooMuch(`vectors of more than ${most.vectorBytes} bytes`)
  }
  return undefined
}
