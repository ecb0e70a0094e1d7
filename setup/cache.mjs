// Where set-up keeps what it built: one folder per user, shared by every clone, keyed by what went
// in, so that a second clone rebuilds nothing. Plain JavaScript without dependencies, because it
// runs before `npm ci` and on an older Node than the project's own.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root of this clone. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** The same folder as `envPaths('bulkhead', { suffix: '' }).cache` gives. */
export function cacheFolder() {
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'bulkhead')
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'bulkhead')
}

/** First 12 hex digits of the SHA-256 of some files' bytes. */
export function digestOfFiles(...files) {
  const hash = createHash('sha256')
  for (const file of files) hash.update(readFileSync(file))
  return hash.digest('hex').slice(0, 12)
}

/** A reason to stop, said once, with the next command to type. */
export class SetupError extends Error {
  constructor(message, next) {
    super(message)
    this.next = next
  }
}
