// One file of the folder of exports, read in parts: it may be of any size. Invariant: what is read lies in
// that folder, under a name without tricks, is a regular file reached through no link, and did not change
// while it was read.

import { constants, lstatSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { ActionFailure } from '../define-agent.ts'
import { isFileStem } from '../file-stem.ts'
import { cancelled, corrupt, invalid } from './failures.ts'

/** Small, so that its text is garbage of the cheap kind; time for other commands comes after each. */
const partBytes = 32 * 1024

export interface Watching {
  readonly signal: AbortSignal | undefined
  readonly onBytes: (done: number, total: number) => void
}

/**
 * @param name `export.xml`, or with the folder that Apple's archive has: `apple_health_export/export.xml`
 * @throws ActionFailure INVALID_INPUT, NOT_FOUND, CORRUPT_DATA, UNAVAILABLE; CANCELLED while it is read,
 *   CONFLICT when somebody else wrote it meanwhile
 */
export async function useExportFile<Result>(
  { folder, name }: { readonly folder: string; readonly name: string },
  watching: Watching,
  use: (parts: AsyncIterable<Uint8Array>) => Promise<Result>,
): Promise<Result> {
  const names = name.split('/')
  if (names.length > 2 || !names.every(isFileStem)) throw invalid('not the name of an export')
  const [top, below] = names
  if (below !== undefined && isLink(join(folder, top ?? ''))) throw corrupt('a link, not a folder')
  const handle = await openRegular(join(folder, name))
  try {
    const before = await handle.stat()
    if (!before.isFile()) throw corrupt('the export is not a regular file')
    const result = await use(partsOf(handle, before.size, watching))
    const after = await handle.stat()
    if (after.size !== before.size || after.mtimeMs !== before.mtimeMs) {
      throw new ActionFailure('CONFLICT', 'absent', 'the export changed while it was read')
    }
    return result
  } finally {
    await handle.close()
  }
}

type Handle = Awaited<ReturnType<typeof open>>

async function* partsOf(
  handle: Handle,
  size: number,
  { signal, onBytes }: Watching,
): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(partBytes)
  for (let at = 0; ; ) {
    if (signal?.aborted === true) throw cancelled()
    const { bytesRead } = await handle.read(buffer, 0, partBytes, at)
    if (bytesRead === 0) return
    at += bytesRead
    onBytes(at, Math.max(at, size))
    yield buffer.subarray(0, bytesRead)
  }
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true
}

async function openRegular(path: string): Promise<Handle> {
  try {
    // O_NONBLOCK: opening a FIFO that nobody writes to must not wait for a writer.
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new ActionFailure('NOT_FOUND', 'final', 'no such export in the folder', error)
    }
    if (code === 'ELOOP') throw corrupt('a link, not an export', error)
    if (code === 'EACCES') {
      throw new ActionFailure('UNAVAILABLE', 'ask', 'the export may not be read', error)
    }
    throw error
  }
}
