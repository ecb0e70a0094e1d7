// The real supervisor with a test's catalogue, bundles and programs: `node supervisor-main.ts <file>`
// where the file is the JSON of SupervisorTestOptions. Everything else is as in supervisor/main.ts.

import { readFileSync } from 'node:fs'
import type { AgentManifest, Catalogue } from '../../plan/manifest.ts'
import { readEnvironment } from '../../supervisor/config.ts'
import { explain, runUntilStopped } from '../../supervisor/main.ts'
import { catalogue as everyday } from './everyday-recipes.ts'
import { manifest as testManifest } from './test-agent/manifest.ts'

export type ManifestOverrides = Partial<
  Pick<AgentManifest, 'idleMs' | 'alwaysOn' | 'replicas' | 'perUser' | 'egress' | 'secrets'>
>

export interface SupervisorTestOptions {
  readonly state: string
  readonly configFile: string
  /** Agents to have, those of an ordinary day too; `test` is the test agent. Absent: the real catalogue. */
  readonly agents?: readonly string[]
  readonly overrides?: Readonly<Record<string, ManifestOverrides>>
  readonly bundles?: Readonly<Record<string, string>>
  readonly entries?: { readonly notary?: string; readonly worker?: string }
  readonly leastOverlapMs?: number
}

async function toCatalogue(options: SupervisorTestOptions): Promise<Catalogue> {
  const known = new Map<string, AgentManifest>([['test', testManifest], ...everyday])
  if (options.agents?.every((name) => known.has(name)) !== true) {
    const { catalogue } = await import('../../agents/catalogue.ts')
    for (const [name, manifest] of catalogue) known.set(name, manifest)
    if (options.agents === undefined)
      for (const name of ['test', ...everyday.keys()]) known.delete(name)
  }
  return new Map(
    [...known]
      .filter(([name]) => options.agents?.includes(name) ?? true)
      .map(([name, manifest]) => [name, { ...manifest, ...options.overrides?.[name] }]),
  )
}

const file = process.argv[2]
if (file === undefined) throw new Error('usage: supervisor-main.ts <options.json>')
const options = JSON.parse(readFileSync(file, 'utf8')) as SupervisorTestOptions
try {
  await runUntilStopped({
    state: options.state,
    configFile: options.configFile,
    environment: readEnvironment(),
    catalogue: await toCatalogue(options),
    bundles: new Map(Object.entries(options.bundles ?? {})),
    ...(options.entries === undefined ? {} : { entries: options.entries }),
    ...(options.leastOverlapMs === undefined ? {} : { leastOverlapMs: options.leastOverlapMs }),
  })
  process.exit(0)
} catch (error) {
  process.exit(explain(error))
}
