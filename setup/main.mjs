// Set-up: everything that `npm start` and `npm test` need on a fresh clone, and nothing when it is
// there. Runs as their pre-script. Jobs that do not depend on each other run side by side; the first
// that fails ends the others.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { cacheFolder, digestOfFiles, root, SetupError } from './cache.mjs'
import { withLock } from './lock.mjs'
import { nodeJob } from './node.mjs'
import { assertGo, programJobs } from './programs.mjs'
import { leaveOnSignals, run, say, stopJobs, withProgress } from './progress.mjs'
import { ensureSandboxRuntime } from './sandbox.mjs'

const stamp = join(root, 'node_modules', '.bulkhead-setup')
const wantedStamp = () => digestOfFiles(join(root, 'package-lock.json'), join(root, 'package.json'))

const dependenciesJob = {
  isDone: () => existsSync(stamp) && readFileSync(stamp, 'utf8') === wantedStamp(),
  make: () =>
    withProgress('installing dependencies from the lockfile', async () => {
      await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: root })
      mkdirSync(dirname(stamp), { recursive: true })
      writeFileSync(stamp, wantedStamp())
    }),
}

async function main() {
  // Runtime and compiler first: when one is missing, nobody should wait minutes to be told.
  await ensureSandboxRuntime()
  const missing = () => [dependenciesJob, nodeJob, ...programJobs].filter((job) => !job.isDone())
  if (missing().length === 0) return
  if (programJobs.some((job) => !job.isDone())) assertGo()
  await withLock(async () => {
    // Asked again: whoever held the lock may have done it.
    const jobs = missing().map((job) => job.make())
    try {
      await Promise.all(jobs)
    } catch (error) {
      await stopJobs()
      await Promise.allSettled(jobs)
      throw error
    }
  })
}

/** What to do about an error; some system errors have an answer of their own. */
function nextStep(error) {
  if (error instanceof SetupError && error.next !== undefined) return error.next
  if (error.code === 'ENOSPC' || error.code === 'EDQUOT') {
    return 'free some disk space, then: npm run setup'
  }
  if (error.code === 'EACCES' || error.code === 'EROFS') {
    return `make ${cacheFolder()} yours, or set XDG_CACHE_HOME to a folder of yours, then: npm run setup`
  }
  return 'npm run setup   (once the cause above is gone; what was finished is kept)'
}

// As root each process of the platform is a user of its own and has to read what is installed here.
if (process.getuid?.() === 0) process.umask(0o022)
leaveOnSignals()
try {
  await main()
} catch (error) {
  say(`set-up failed: ${error.message}`)
  say(`next: ${nextStep(error)}`)
  process.exitCode = 1
}
