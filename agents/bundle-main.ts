// `node agents/bundle-main.ts --out <folder>`: writes `<agent>.mjs` for every agent of the catalogue.
// Called by the supervisor, which may not import agents' code itself.

import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { bundleAgent } from './bundle.ts'
import { catalogue } from './catalogue.ts'

const { values } = parseArgs({ options: { out: { type: 'string' } } })
if (values.out === undefined) throw new Error('--out <folder> is missing')
mkdirSync(values.out, { recursive: true })
const here = dirname(fileURLToPath(import.meta.url))
for (const name of catalogue.keys()) {
  await bundleAgent(join(here, name, 'agent.ts'), join(values.out, `${name}.mjs`))
}
