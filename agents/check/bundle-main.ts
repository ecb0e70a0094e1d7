// `node agents/check/bundle-main.ts <agent's folder> --out <folder>`: builds the agent as set-up would
// (agent.mjs) and with its examples for a sandbox (check.mjs), and says on standard output what is wrong, as
// JSON. Runs none of the agent's code.

import { writeFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import { bundleAgent, bundlePlugins, bundleProgram } from '../bundle.ts'
import { Tally } from './contract.ts'

const here = dirname(fileURLToPath(import.meta.url))
const root = resolve(here, '..', '..')
/** What starts processes, threads, machines or debuggers; the sandbox would refuse it at run time. */
const forbidden = new Set([
  'child_process',
  'cluster',
  'inspector',
  'repl',
  'vm',
  'wasi',
  'worker_threads',
])

/** Starts what a manifest declares; `defineAgent` takes it for nothing else, and the sandbox has nothing else. */
const programRunner = 'agents/run-program.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { out: { type: 'string' } },
})
const [given] = positionals
if (given === undefined || values.out === undefined) {
  throw new Error('a folder and --out <folder> are wanted')
}
const folder = resolve(given)
const tally = new Tally()
try {
  for (const module of await modulesOf(join(folder, 'agent.ts'))) {
    tally.tried('bundle')
    if (forbidden.has(module))
      tally.add('BUNDLE', '', `it loads ${module}, which no sandbox lets it use`)
    else if (!isBuiltin(`node:${module}`))
      tally.add('BUNDLE', '', `it loads ${module}, which is no module of Node`)
  }
  await bundleAgent(join(folder, 'agent.ts'), join(values.out, 'agent.mjs'))
  tally.tried('bundle')
  const entry = join(values.out, 'entry.ts')
  writeFileSync(entry, entryOf(folder))
  await bundleProgram(entry, join(values.out, 'check.mjs'))
} catch (error) {
  const message = error instanceof Error ? (error.message.split('\n')[1] ?? error.message) : ''
  tally.add('BUNDLE', '', `it cannot be built: ${message.trim()}`)
}
process.stdout.write(`${JSON.stringify(tally.found)}\n`)

/** What the agent's own code and its libraries load that is not built in: names without `node:`. */
async function modulesOf(entry: string): Promise<readonly string[]> {
  const { metafile } = await build({
    entryPoints: [entry],
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    plugins: bundlePlugins,
    write: false,
    metafile: true,
    logLevel: 'silent',
  })
  const check = Object.keys(metafile.inputs).find((path) => path.startsWith('agents/check/'))
  if (check !== undefined) tally.add('BUNDLE', '', `it loads ${check}, which is for checks only`)
  const external = Object.entries(metafile.inputs)
    .filter(([path]) => path !== programRunner)
    .flatMap(([, { imports }]) => imports.filter((one) => one.external === true))
  return [...new Set(external.map(({ path }) => path.replace(/^node:/, '')))]
}

function entryOf(agent: string): string {
  const from = (path: string) => JSON.stringify(path)
  return `import { agent } from ${from(join(agent, 'agent.ts'))}
import { examples } from ${from(join(agent, 'examples.ts'))}
import { checkInside } from ${from(join(here, 'inside.ts'))}
await checkInside(agent, examples)
`
}
