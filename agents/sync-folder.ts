// The names in a folder, made to survive the loss of power: fsync(2) of the folder itself. A file of
// its own because no agent may import the rest of `security/`.

import { closeSync, constants, fsyncSync, openSync } from 'node:fs'

/** @throws Error of the system; ENOTDIR for what is no folder */
export function syncFolder(folder: string): void {
  const handle = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
