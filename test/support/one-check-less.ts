// Builds a program from the sources with one check missing, so that a test can see who notices.

import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { build, type Plugin } from 'esbuild'

export interface Guard<Code extends string> {
  readonly code: Code
  readonly file: string
  /** The check as it stands, and what stands there instead. Occurs exactly once. */
  readonly check: string
  readonly instead: string
}

const root = resolve(import.meta.dirname, '..', '..')

/**
 * @param entry relative to the sources
 * @throws Error when the check is not where the guard says, once
 */
export async function buildWithout(
  guard: Omit<Guard<string>, 'code'> | undefined,
  { entry, outfile }: { readonly entry: string; readonly outfile: string },
): Promise<void> {
  await build({
    entryPoints: [join(root, entry)],
    outfile,
    plugins: guard === undefined ? [] : [without(guard)],
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node24',
    logLevel: 'silent',
  })
}

function without({ file, check, instead }: Omit<Guard<string>, 'code'>): Plugin {
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
