// `npm run policy`: checks the default rules as strictly as OPA can, tests them with every line of them
// asked, and writes default.wasm. Run it after every change of a *.rego here; its result is committed.

import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildPolicy, runOpa } from './build.ts'
import { defaultEntrypoint, defaultIgnore } from './default-policy.ts'

const folder = import.meta.dirname
const root = join(folder, '..', '..')
const opa = execFileSync(process.execPath, [join(root, 'setup', 'opa.mjs')], { encoding: 'utf8' })
const program = opa.trim()

await runOpa(program, ['fmt', '--fail', '--list', '.'], { folder })
await runOpa(program, ['check', '--strict', '.'], { folder })
const ignore = defaultIgnore.flatMap((pattern) => ['--ignore', pattern])
await runOpa(program, ['test', '--coverage', '--threshold', '100', ...ignore, '.'], { folder })
const entrypoint = defaultEntrypoint
const { wasm } = await buildPolicy(program, { folder, entrypoint, ignore: defaultIgnore })
writeFileSync(join(folder, 'default.wasm'), wasm)
process.stdout.write(`default.wasm: ${wasm.length} bytes\n`)
