// A small file that is on the disk, whole, when the function returns, and else not there or as it was.

import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, resolve } from 'node:path'
import { syncPath } from '../security/sync-path.ts'

/** For its owner alone. @throws Error of the system */
export function keepFile(file: string, content: string): void {
  keepFolder(dirname(file))
  const temporary = `${file}.${process.pid}.tmp`
  try {
    writeWhole(temporary, content)
    renameSync(temporary, file)
  } catch (error) {
    // What was not kept is left in no other name either.
    rmSync(temporary, { force: true })
    throw error
  }
  syncPath(dirname(file))
}

/**
 * The folder, with those that it lies in, for its owner alone. The name of each one made is on the disk when
 * this returns: a file is lost with the folder that it lies in.
 *
 * @throws Error of the system
 */
export function keepFolder(folder: string, sync: (path: string) => void = syncPath): void {
  const lowest = resolve(folder)
  const first = mkdirSync(lowest, { recursive: true, mode: 0o700 })
  if (first === undefined) return
  for (let made = lowest; made.length >= first.length; made = dirname(made)) sync(dirname(made))
}

function writeWhole(file: string, content: string): void {
  const handle = openSync(file, 'w', 0o600)
  try {
    writeFileSync(handle, content)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
