// A drill: some files restored into a scratch folder, and each compared with what the program streams of
// it, by hashes that are computed here. Which files is drawn anew for each run and the same when a run is
// repeated. Nothing is left behind. It says nothing of owners, times and rights: a sandbox has one user.

import { createHash } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { z } from 'zod'
import { readStored } from '../data-folder.ts'
import type { ActionContext } from '../define-agent.ts'
import { type manifest, maxDrillBytes, maxSampledBytes, scratchAt } from './manifest.ts'
import { inRepository } from './repositories.ts'
import { pickSnapshot } from './snapshots.ts'
import type { FileEntry } from './tool.ts'

type Action = (typeof manifest)['actions']['restore_test']
type Output = z.infer<Action['output']>
type Compared =
  | { readonly file: Output['files'][number] }
  | { readonly failure: Output['failures'][number] }

export async function restoreTest(
  { repository, snapshot: wanted, paths = [], sample }: z.output<Action['input']>,
  context: ActionContext,
): Promise<Output> {
  const startedAt = performance.now()
  const folder = join(context.folder(scratchAt), `bulkhead-drill-${context.idem}`)
  return inRepository(context, repository, async (tool) => {
    const snapshot = pickSnapshot(await tool.snapshots(), wanted)
    const version = await tool.version()
    const entries = await tool.files(snapshot.id, paths)
    const drawn = drawSample(entries, sample, context.idem)
    const compared: Compared[] = []
    // Of a life that was cut off: the same command again.
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { mode: 0o700 })
    try {
      const names = drawn.map(({ path }) => path)
      if (names.length > 0) await tool.restore(snapshot.id, names, folder)
      for (const entry of drawn) {
        context.progress?.(compared.length, drawn.length)
        const streamed = await tool.content(snapshot.id, entry.path, maxSampledBytes)
        compared.push(compare(entry.path, readRestored(folder, entry.path), streamed))
      }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
    const files = compared.flatMap((one) => ('file' in one ? [one.file] : []))
    const failures = compared.flatMap((one) => ('failure' in one ? [one.failure] : []))
    return {
      ...{ repository, program: tool.program, version },
      snapshot: { id: snapshot.id, takenAt: new Date(snapshot.takenAt).toISOString() },
      // A drill in which nothing was restored has shown nothing.
      ok: failures.length === 0 && files.length > 0,
      restored: drawn.length - failures.filter(({ reason }) => reason === 'NOT_RESTORED').length,
      hashMatches: files.length,
      ...{
        files,
        failures,
        candidates: entries.length,
        tooLarge: entries.filter(isTooLarge).length,
      },
      seconds: Math.round(performance.now() - startedAt) / 1_000,
    }
  })
}

const isTooLarge = ({ bytes }: FileEntry) => bytes > maxSampledBytes
const sha256 = (content: string | Uint8Array) => createHash('sha256').update(content).digest('hex')

/** The `count` files whose hash with the seed is least, within the bytes of a drill. Pure. */
export function drawSample(
  entries: readonly FileEntry[],
  count: number,
  seed: string,
): readonly FileEntry[] {
  const byDraw = entries
    .filter((entry) => !isTooLarge(entry))
    .map((entry) => ({ entry, draw: sha256(`${seed}\0${entry.path}`) }))
    .toSorted((one, other) => (one.draw < other.draw ? -1 : 1))
  const drawn: FileEntry[] = []
  let bytes = 0
  for (const { entry } of byDraw) {
    if (drawn.length === count) break
    if (bytes + entry.bytes > maxDrillBytes) continue
    bytes += entry.bytes
    drawn.push(entry)
  }
  return drawn
}

function compare(path: string, restored: Buffer | null, streamed: Uint8Array | null): Compared {
  if (streamed === null) return { failure: { path, reason: 'NOT_READABLE' } }
  if (restored === null) return { failure: { path, reason: 'NOT_RESTORED' } }
  const hash = sha256(restored)
  if (hash !== sha256(streamed)) return { failure: { path, reason: 'HASH_DIFFERS' } }
  return { file: { path, bytes: restored.length, sha256: hash } }
}

/** Null for what is not there or is no file: a link could lead anywhere. */
function readRestored(folder: string, path: string): Buffer | null {
  if (!join(folder, path).startsWith(`${folder}/`)) return null
  try {
    return readStored(folder, path, maxSampledBytes)?.bytes ?? null
  } catch {
    return null
  }
}
