// One set-up at a time for each user: two that start together (two clones, `npm start` beside
// `npm test`) would build the same programs twice and, in one clone, empty node_modules under each
// other. Losing the lock costs a build done twice and nothing more: everything in the cache is put
// in place by rename.

import { mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { cacheFolder } from './cache.mjs'
import { removeOnExit, say } from './progress.mjs'

const beatMs = 5_000
/** Several beats: a busy machine is not a dead one. */
const staleMs = 60_000
const pollMs = 500

function tryClaim(file) {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    // A full disk creates the file and cannot fill it.
    rmSync(file, { force: true })
    throw error
  }
}

/** Process id of a holder that is still at work. */
function findHolder(file) {
  try {
    const pid = Number(readFileSync(file, 'utf8'))
    if (Date.now() - statSync(file).mtimeMs > staleMs) return undefined
    process.kill(pid, 0)
    return pid
  } catch (error) {
    // Somebody else's process: it exists.
    return error.code === 'EPERM' ? 'of another user' : undefined
  }
}

/** Waits for other set-ups, then runs `work`. */
export async function withLock(work) {
  const file = join(cacheFolder(), 'set-up.lock')
  mkdirSync(cacheFolder(), { recursive: true })
  for (let told = false; !tryClaim(file); ) {
    const holder = findHolder(file)
    if (holder === undefined) {
      rmSync(file, { force: true })
      continue
    }
    if (!told) say(`set-up: waiting for another one (process ${holder})`)
    told = true
    await delay(pollMs)
  }
  const keep = removeOnExit(file)
  const beat = setInterval(() => utimesSync(file, new Date(), new Date()), beatMs)
  try {
    return await work()
  } finally {
    clearInterval(beat)
    rmSync(file, { force: true })
    keep()
  }
}
