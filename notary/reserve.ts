// Preallocated disk space. When others have filled the disk, giving it back lets the notary record
// that it refused, and record outcomes that are facts already. Invariant: while the file is not
// there in full, no new effect is allowed. Real bytes, not zeros: some file systems store no zeros.

import { randomFillSync } from 'node:crypto'
import { closeSync, fsyncSync, openSync, rmSync, statSync, writeSync } from 'node:fs'

export interface Reserve {
  /** Makes sure that the space is held. False when the disk does not have it. */
  hold(): boolean
  /** Gives the space back to the file system. */
  release(): void
}

export function createReserve(file: string, bytes: number): Reserve {
  const release = () => rmSync(file, { force: true })
  return {
    hold: () => {
      if (statSync(file, { throwIfNoEntry: false })?.size === bytes) return true
      try {
        write(file, bytes)
        return true
      } catch {
        release()
        return false
      }
    },
    release,
  }
}

function write(file: string, bytes: number): void {
  const block = randomFillSync(Buffer.alloc(Math.min(bytes, 1024 * 1024)))
  const handle = openSync(file, 'w', 0o600)
  try {
    let left = bytes
    while (left > 0) left -= writeSync(handle, block, 0, Math.min(left, block.length))
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
