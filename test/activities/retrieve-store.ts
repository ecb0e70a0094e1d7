// A real artifact store in a folder of its own, for the tests of the retriever's sources, and the people and
// the time that they speak of.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ArtifactStore, openArtifactStore } from '../../activities/artifacts.ts'
import { oneKey } from '../../temporal/payload-keys.ts'

export const [owner, anna] = ['user:owner', 'user:anna'] as const
export const now = Date.parse('2026-11-22T08:00:00Z')
/** Longer than any source takes. */
export const longMs = 60_000

export interface Store {
  readonly folder: string
  readonly artifacts: ArtifactStore
  remove(): void
}

export async function openStore(): Promise<Store> {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-retrieve-'))
  const key = Buffer.alloc(32, 3)
  return {
    folder,
    artifacts: await openArtifactStore({ folder, key, sealing: oneKey(key) }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
