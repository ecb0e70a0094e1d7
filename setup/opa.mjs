// Where OPA is, built first if need be: `node setup/opa.mjs` prints the program's path and nothing else
// on standard output. Asked by what works on policies: the command, their tests, `npm run policy`.

import { SetupError } from './cache.mjs'
import { withLock } from './lock.mjs'
import { assertGo, programFile, programJob } from './programs.mjs'
import { leaveOnSignals, say, stopJobs } from './progress.mjs'

const job = programJob('opa')

if (process.getuid?.() === 0) process.umask(0o022)
leaveOnSignals()
try {
  if (!job.isDone()) {
    assertGo('OPA')
    await withLock(async () => {
      // Asked again: whoever held the lock may have done it.
      if (!job.isDone()) await job.make()
    })
  }
  process.stdout.write(`${programFile('opa').file}\n`)
} catch (error) {
  await stopJobs()
  say(`OPA cannot be built: ${error.message}`)
  say(`next: ${(error instanceof SetupError && error.next) || 'npm run policy'}`)
  process.exitCode = 1
}
