// Which shared libraries files load, as the host's own loader finds them (ldd(1)). The loader reads the
// files and does not run them.

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { SupervisorError } from '../codes.ts'

const run = promisify(execFile)
/** Of one command line, and of its answer. */
const filesAtOnce = 64
const maxBuffer = 8 * 1024 * 1024

/**
 * Absolute paths of the libraries and the loader, each once.
 * @param wanted `all`: a library that the host lacks is an error; `found`: it is left out
 * @throws SupervisorError SANDBOX_FAILED
 */
export async function librariesOf(
  files: readonly string[],
  wanted: 'all' | 'found',
): Promise<readonly string[]> {
  const found = new Set<string>()
  for (let from = 0; from < files.length; from += filesAtOnce) {
    const some = files.slice(from, from + filesAtOnce)
    const output = await askLoader(some, wanted)
    const missing = /^\s*(\S+) => not found$/m.exec(output)?.[1]
    if (wanted === 'all' && missing !== undefined) {
      throw new SupervisorError('SANDBOX_FAILED', `${some.join(' ')} needs ${missing}`, {
        next: `install the package that has ${missing}`,
      })
    }
    for (const path of parseLdd(output)) found.add(path)
  }
  return [...found]
}

async function askLoader(files: readonly string[], wanted: 'all' | 'found'): Promise<string> {
  try {
    return (await run('ldd', [...files], { maxBuffer })).stdout
  } catch (cause) {
    // It ends with 1 where one of several files is not dynamic, and says the others all the same.
    const said = cause instanceof Error && 'stdout' in cause ? cause.stdout : undefined
    if (wanted === 'found' && typeof said === 'string') return said
    throw new SupervisorError(
      'SANDBOX_FAILED',
      `ldd cannot say which libraries ${files.join(' ')} needs`,
      { cause },
    )
  }
}

/** Paths in the output of `ldd`; the kernel's own vdso has none. */
export function parseLdd(output: string): readonly string[] {
  return [...output.matchAll(/(?:^|\s)(\/\S+) \(0x/gm)].flatMap(([, path]) => path ?? [])
}
