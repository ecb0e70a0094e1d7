// Builds a program from the sources with one check missing, so that a test can see who notices.

import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { build, type Plugin } from 'esbuild'

export interface Guard<Code extends string> {
  readonly code: Code
  readonly file: string
  /** The check as it stands, and what stands there instead. Occurs exactly once. */
  readonly check: string
  readonly instead: string
}

/** What stands in a condition's place when it is gone: one that never holds. */
export const never = 'if (Date.now() < 0)'

/** A row of a list of guards; without `instead`, of a condition, with its brace or without. */
export function gone<Code extends string>(
  code: Code,
  file: string,
  check: string,
  instead = check.endsWith(' {') ? `${never} {` : never,
): Guard<Code> {
  return { code, file, check, instead }
}

const root = resolve(import.meta.dirname, '..', '..')

export type Removal = Omit<Guard<string>, 'code'>

/**
 * @param guards of different files
 * @param entry relative to the sources
 * @throws Error when the check is not where the guard says, once
 */
export async function buildWithout(
  guards: readonly Removal[],
  { entry, outfile }: { readonly entry: string; readonly outfile: string },
): Promise<void> {
  await build({
    entryPoints: [join(root, entry)],
    outfile,
    plugins: [...guards.map(without), besideSources],
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node24',
    logLevel: 'silent',
  })
}

/** What is read from beside a source is not beside the bundle. */
const besideSources: Plugin = {
  name: 'beside-sources',
  setup({ onLoad }) {
    onLoad({ filter: /default-policy\.ts$/ }, ({ path }) => {
      const folder = JSON.stringify(dirname(path))
      const contents = readFileSync(path, 'utf8').replaceAll('import.meta.dirname', folder)
      return { contents, loader: 'ts' }
    })
  },
}

function without({ file, check, instead }: Removal): Plugin {
  const path = join(root, file)
  const text = readFileSync(path, 'utf8')
  const times = text.split(check).length - 1
  if (times !== 1) throw new Error(`${file} has ${times} times: ${check}`)
  return {
    name: 'one-check-less',
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, (loaded) =>
        loaded.path === path ? { contents: text.replace(check, instead), loader: 'ts' } : undefined,
      )
    },
  }
}
