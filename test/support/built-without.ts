// A module of the tests with what it imports of the sources, from which checks were removed: what shows that
// a check is the one that refuses.

import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll } from 'vitest'
import { buildWithout, gone, type Removal } from './one-check-less.ts'

/**
 * For the suite that calls it, whose builds are gone when it ends. Each call builds and loads one anew.
 *
 * @param entry relative to the sources; `Module` is what it exports
 */
export function builtWithout<Module>(
  entry: string,
): (...removed: readonly Removal[]) => Promise<Module> {
  const base = mkdtempSync(join(tmpdir(), 'bulkhead-without-'))
  let builds = 0
  beforeAll(() => {
    // Packages are not bundled: they are found from here as from the sources.
    const root = resolve(import.meta.dirname, '..', '..')
    symlinkSync(join(root, 'node_modules'), join(base, 'node_modules'))
  })
  afterAll(() => rmSync(base, { recursive: true, force: true }))
  return async (...removed) => {
    builds += 1
    const outfile = join(base, `${builds}.mjs`)
    await buildWithout(removed, { entry, outfile })
    return (await import(pathToFileURL(outfile).href)) as Module
  }
}

/** Where the flow rules are asked of a whole plan, before any step of it runs. */
export const flowAskers = {
  compiler: gone(
    'FLOW',
    'plan/compile.ts',
    'for (const issue of judged.issues) findings.add(issue)',
    '',
  ),
  admission: gone('FLOW', 'notary/admit.ts', ' ?? refuseFlow(context, request)', ''),
}
