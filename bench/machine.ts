// The kind of machine that was measured and the versions of what ran on it: enough to read a figure,
// nothing that names the machine.

import { execFileSync } from 'node:child_process'
import { availableParallelism, totalmem } from 'node:os'
import temporalWorker from '@temporalio/worker/package.json' with { type: 'json' }

/** @param temporal the server's program */
export function describeMachine(temporal: string): string {
  const gib = Math.round(totalmem() / 2 ** 30)
  const said = execFileSync(temporal, ['--version'], { encoding: 'utf8' })
  const [server = 'temporal'] = said.trim().split('\n')
  const sdk = temporalWorker.version
  const machine = `${process.platform} ${process.arch}, ${availableParallelism()} cores, ${gib} GiB`
  return `${machine}; Node ${process.versions.node}, SDK ${sdk}, ${server}`
}
