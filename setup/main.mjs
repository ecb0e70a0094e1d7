// Set-up: everything that `npm start` and `npm test` need on a fresh clone, and nothing when it is
// there. Runs as their pre-script. Jobs that do not depend on each other run side by side.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { digestOfFiles, root, SetupError } from './cache.mjs'
import { ensureNode } from './node.mjs'
import { ensurePrograms } from './programs.mjs'
import { run, say, withProgress } from './progress.mjs'
import { ensureSandboxRuntime } from './sandbox.mjs'

async function ensureDependencies() {
  const stamp = join(root, 'node_modules', '.bulkhead-setup')
  const wanted = digestOfFiles(join(root, 'package-lock.json'), join(root, 'package.json'))
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  await withProgress('installing dependencies from the lockfile', async () => {
    await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: root })
    writeFileSync(stamp, wanted)
  })
}

async function main() {
  // The runtime first: when it is missing, the person should not wait minutes to be told.
  await ensureSandboxRuntime()
  const jobs = await Promise.allSettled([ensureDependencies(), ensureNode(), ensurePrograms()])
  const failed = jobs.filter((job) => job.status === 'rejected')
  if (failed.length > 0) throw failed[0].reason
}

try {
  await main()
} catch (error) {
  say(`set-up failed: ${error.message}`)
  if (error instanceof SetupError && error.next !== undefined) say(`next: ${error.next}`)
  else if (error.code === 'ENOSPC') say('next: free some disk space, then: npm run setup')
  process.exitCode = 1
}
