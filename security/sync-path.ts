// Makes what was written, renamed or removed survive the loss of power: fsync(2) of a file for its
// content, of a folder for the names in it. Does not write through a disk that lies about its cache.

import { closeSync, fsyncSync, openSync } from 'node:fs'

/**
 * @param path a file whose content, or a folder whose names, shall be on the disk when this returns
 * @throws Error of the system
 */
export function syncPath(path: string): void {
  const handle = openSync(path, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
