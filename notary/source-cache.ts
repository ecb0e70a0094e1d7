// Producers' results in memory, by the salted hash that their receipt carries. Only what was checked
// against a settled receipt gets in, so a hit needs no second check. Bounded by bytes, least recently
// used out first; nothing of it is ever written.

import type { JsonValue } from '../security/verify/canonical-json.ts'

export interface SourceDocument {
  readonly value: JsonValue
  readonly bytes: number
}

export interface SourceCache {
  get(hash: string): SourceDocument | undefined
  put(hash: string, document: SourceDocument): void
}

export function createSourceCache(maxBytes: number): SourceCache {
  const documents = new Map<string, SourceDocument>()
  let held = 0
  const drop = (hash: string) => {
    held -= documents.get(hash)?.bytes ?? 0
    documents.delete(hash)
  }
  return {
    get: (hash) => {
      const document = documents.get(hash)
      if (document === undefined) return undefined
      documents.delete(hash)
      documents.set(hash, document)
      return document
    },
    put: (hash, document) => {
      drop(hash)
      documents.set(hash, document)
      held += document.bytes
      for (const oldest of documents.keys()) {
        if (held <= maxBytes) return
        drop(oldest)
      }
    },
  }
}
