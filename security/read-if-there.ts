// A file that may not have been written yet: not being there is an answer, everything else an error.

import { readFileSync } from 'node:fs'

/** Its text, or undefined where there is none. @throws the system's error for any other reason */
export function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
