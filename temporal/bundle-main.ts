// `node temporal/bundle-main.ts --out <file>`: writes the workflow bundle for `workflowBundle` of the
// worker's configuration. Replaces the file whole, so that a starting worker never reads half of it.

import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { DefaultLogger } from '@temporalio/worker'
import { bundleWorkflows } from './bundle.ts'

const { values } = parseArgs({ options: { out: { type: 'string' } } })
if (values.out === undefined) {
  process.stderr.write('usage: node temporal/bundle-main.ts --out <file>\n')
  process.exitCode = 2
} else {
  const code = await bundleWorkflows(new DefaultLogger('WARN'))
  await mkdir(dirname(values.out), { recursive: true })
  const temporary = `${values.out}.${process.pid}.tmp`
  await writeFile(temporary, code)
  await rename(temporary, values.out)
}
