// Files that are whole and on the disk, their folder entries too, before anybody is told of them. What
// only touches the page cache is called directly, because handing a call of ten microseconds to another
// thread costs ten times that; what waits for the disk never blocks the thread. Invariant: a promise
// resolves only after a sync of the folder that began when the file had its name. One sync serves all
// who wait for it.

import { randomUUID } from 'node:crypto'
import { closeSync, fsync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

export interface DurableFiles {
  /**
   * Temporary file, fsync(2), rename, fsync of the folder, which is created when missing: whole and
   * durable, or not there.
   * @throws the system's error, e.g. ENOSPC; no temporary file stays
   */
  write(path: string, bytes: Uint8Array): Promise<void>
  /** Makes the entry of a file durable that is there: who gave it its name may not have come to it. */
  confirm(path: string): Promise<void>
  /** A folder of mode 0700, durable itself. */
  makeFolder(folder: string): Promise<void>
}

/** fsync(2) of an open file or folder. */
export type Sync = (handle: number) => Promise<void>

export function createDurableFiles(sync: Sync = promisify(fsync)): DurableFiles {
  const syncFolder = shared(async (folder) => {
    const handle = openSync(folder, 'r')
    try {
      await sync(handle)
    } finally {
      closeSync(handle)
    }
  })
  // As promises, so that nobody relies on a folder whose own entry is still being synced.
  const made = new Map<string, Promise<void>>()
  const make = async (folder: string): Promise<void> => {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    await syncFolder(dirname(folder))
  }
  const makeFolder = (folder: string): Promise<void> => {
    const known = made.get(folder)
    if (known !== undefined) return known
    const making = make(folder)
    made.set(folder, making)
    making.catch(() => made.delete(folder))
    return making
  }
  return {
    makeFolder,
    confirm: (path) => syncFolder(dirname(path)),
    async write(path, bytes) {
      const folder = dirname(path)
      const temporary = join(folder, `.${randomUUID()}.tmp`)
      try {
        await makeFolder(folder)
        const handle = openSync(temporary, 'wx', 0o600)
        try {
          writeFileSync(handle, bytes)
          await sync(handle)
        } finally {
          closeSync(handle)
        }
        renameSync(temporary, path)
        await syncFolder(folder)
      } catch (error) {
        // It may be the folder that is gone.
        made.delete(folder)
        rmSync(temporary, { force: true })
        throw error
      }
    },
  }
}

/**
 * One run of `work` for all who ask before it begins. Who asks while it is under way waits for the
 * next one: this one may not have seen what they did.
 */
function shared(work: (key: string) => Promise<void>): (key: string) => Promise<void> {
  const waiting = new Map<string, Promise<void>>()
  const running = new Map<string, Promise<void>>()
  return (key) => {
    const joined = waiting.get(key)
    if (joined !== undefined) return joined
    const begin = async (): Promise<void> => {
      // Its failure is its own callers'.
      await running.get(key)?.catch(() => undefined)
      waiting.delete(key)
      running.set(key, mine)
      try {
        await work(key)
      } finally {
        if (running.get(key) === mine) running.delete(key)
      }
    }
    const mine: Promise<void> = Promise.resolve().then(begin)
    waiting.set(key, mine)
    return mine
  }
}
