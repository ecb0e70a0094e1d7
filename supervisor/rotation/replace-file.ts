// Replaces a file of another party while that party runs: in one step, durably, and with owner and
// rights of the file that it stands in for, whoever those were given to.

import { randomUUID } from 'node:crypto'
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { syncPath } from '../../security/sync-path.ts'

/**
 * @param like the file whose owner and rights the new one gets; mostly `path` itself
 * @throws Error of the system
 */
export function replaceFile(path: string, text: string, like = path): void {
  const facts = lstatSync(like)
  // A name that another party may have chosen is never followed: this one did not exist before.
  const work = `${path}.${randomUUID()}.tmp`
  const file = openSync(work, 'wx', 0o600)
  try {
    writeFileSync(file, text)
    if (process.getuid?.() === 0) fchownSync(file, facts.uid, facts.gid)
    fchmodSync(file, facts.mode & 0o777)
    fsyncSync(file)
  } catch (error) {
    closeSync(file)
    rmSync(work, { force: true })
    throw error
  }
  closeSync(file)
  renameSync(work, path)
  syncPath(dirname(path))
}
