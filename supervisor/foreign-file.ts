// Files that a process which may be compromised left for the supervisor to read.

import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'

/**
 * The text of a file, or undefined where there is no plain file of at most `maxBytes` bytes: a pipe would be
 * waited for, a link followed anywhere.
 */
export function readForeign(file: string, maxBytes: number): string | undefined {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants
  let handle: number
  try {
    handle = openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  } catch {
    return undefined
  }
  try {
    const facts = fstatSync(handle)
    return facts.isFile() && facts.size <= maxBytes ? readFileSync(handle, 'utf8') : undefined
  } finally {
    closeSync(handle)
  }
}
