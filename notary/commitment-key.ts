// The secret of keyed commitments: derived once from the first audit key and kept in a file of its own,
// so that the same value has the same commitment before and after the audit key was replaced.

import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError, type NotaryKeys } from './config.ts'
import { createCommitmentKey } from './context.ts'

const name = 'commitment.key'

/**
 * The stored secret, or the one derived from the audit key, stored on the way.
 * @param rotated whether the log had another audit key before: then the secret cannot be derived again
 * @throws ConfigError when it is damaged, or lost after a rotation
 */
export function openCommitmentKey(
  folder: string,
  { keys, rotated }: { readonly keys: NotaryKeys; readonly rotated: boolean },
): Uint8Array {
  const file = join(folder, name)
  const stored = read(file)
  if (stored !== undefined) return stored
  if (rotated) throw new ConfigError(`${name} is lost: restore it from a backup`)
  const derived = createCommitmentKey(Buffer.from(keys.audit.d, 'base64url'))
  // By link: a file that is there is whole, and is never replaced.
  const work = `${file}.${process.pid}`
  writeFileSync(work, Buffer.from(derived).toString('base64url'), { mode: 0o600, flush: true })
  try {
    linkSync(work, file)
  } finally {
    rmSync(work)
  }
  return derived
}

function read(file: string): Uint8Array | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
    throw new ConfigError(`${name} cannot be read`, { cause })
  }
  if (!/^[A-Za-z0-9_-]{43}$/.test(text)) throw new ConfigError(`${name} is damaged`)
  return Buffer.from(text, 'base64url')
}
