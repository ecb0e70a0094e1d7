// Results as the activities read them: text and value by reference, kept for the next step that builds
// on them. Five thousand iterations over one list would otherwise decrypt and parse it as often. What
// lies in the store never changes, so what is kept is never out of date; bounded by bytes, least
// recently used out first.

import type { JsonValue } from '../security/verify/canonical-json.ts'
import type { ArtifactMeta, ArtifactStore } from './artifacts.ts'

export interface StoredDocument {
  readonly meta: ArtifactMeta
  readonly content: string
  /** Shared by all who ask: never to be changed. */
  readonly value: JsonValue
}

export interface DocumentStore {
  /** @throws ArtifactError as the artifact store does */
  load(ref: string): Promise<StoredDocument>
}

/** The sources of a few runs side by side, and little beside what a worker takes anyhow. */
const maxBytes = 32 * 1024 * 1024

interface Kept {
  readonly document: Promise<StoredDocument>
  bytes: number
}

export function createDocumentStore(artifacts: Pick<ArtifactStore, 'get'>): DocumentStore {
  const kept = new Map<string, Kept>()
  let held = 0
  const drop = (ref: string) => {
    held -= kept.get(ref)?.bytes ?? 0
    kept.delete(ref)
  }
  const open = async (ref: string): Promise<StoredDocument> => {
    const { bytes, meta } = await artifacts.get(ref)
    const content = Buffer.from(bytes).toString('utf8')
    // Authenticated by the store, and canonical JSON when it was put there.
    const value: JsonValue = JSON.parse(content)
    const entry = kept.get(ref)
    if (entry !== undefined) {
      entry.bytes = bytes.length
      held += bytes.length
    }
    for (const oldest of kept.keys()) {
      if (held <= maxBytes) break
      if (oldest !== ref) drop(oldest)
    }
    return { meta, content, value }
  }
  return {
    load(ref) {
      const known = kept.get(ref)
      kept.delete(ref)
      // The promise is kept, so that those who ask at once read it once.
      const entry = known ?? { document: open(ref), bytes: 0 }
      kept.set(ref, entry)
      entry.document.catch(() => drop(ref))
      return entry.document
    },
  }
}
