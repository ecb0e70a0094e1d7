// The pinned OPA, built by whoever asks first on this machine (minutes the first time, then kept).

import { execFile } from 'node:child_process'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

const root = resolve(import.meta.dirname, '..', '..')

/** Longer than a build takes on a small machine. */
export const opaTimeoutMs = 15 * 60_000

export async function locateOpa(): Promise<string> {
  const program = join(root, 'setup', 'opa.mjs')
  const { stdout } = await promisify(execFile)(process.execPath, [program])
  return stdout.trim()
}

export const policyFolder = join(root, 'security', 'policy')
