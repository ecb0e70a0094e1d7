// Stops a process at a named point for as long as a test wants, through three files in a folder that
// both can write: `crash-arm` names the point, `crash-reached` says that the process stands there,
// `crash-release` lets it go on. Files, because a sandbox shares nothing else with the test, and
// because process 1 of a namespace cannot send itself SIGKILL: the test does, from outside. Bundled
// into an agent, so it imports nothing but Node.

import {
  chownSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const filesOf = (folder: string) => ({
  arm: join(folder, 'crash-arm'),
  reached: join(folder, 'crash-reached'),
  release: join(folder, 'crash-release'),
})
const pollMs = 5

/** Inside the process: returns at once unless this point is armed, and then only when released. */
export async function stopAt(folder: string, point: string): Promise<void> {
  const { arm, reached, release } = filesOf(folder)
  if (!existsSync(arm) || readFileSync(arm, 'utf8') !== point) return
  rmSync(release, { force: true })
  // By one rename: a process that is started after a kill finds nothing armed and goes on.
  renameSync(arm, reached)
  while (!existsSync(release)) await delay(pollMs)
}

export interface Gate {
  arm(point: string): void
  /** @throws Error when the process does not come there in time */
  reached(timeoutMs: number): Promise<void>
  release(): void
  /** Nothing armed, nobody held. */
  open(): void
}

/** The test's side of the same folder. */
export function createGate(folder: string): Gate {
  const { arm, reached, release } = filesOf(folder)
  // The process may rename and delete only what is its own; its user id is the folder's group's.
  const write = (file: string, text: string) => {
    writeFileSync(file, text)
    const { gid } = statSync(folder)
    if (process.getuid?.() === 0) chownSync(file, gid, gid)
  }
  return {
    arm(point) {
      rmSync(reached, { force: true })
      write(`${arm}.new`, point)
      renameSync(`${arm}.new`, arm)
    },
    async reached(timeoutMs) {
      const until = performance.now() + timeoutMs
      while (!existsSync(reached)) {
        if (performance.now() > until) {
          throw new Error(`the point was not reached within ${timeoutMs} ms: ${folder}`)
        }
        await delay(pollMs)
      }
    },
    release: () => write(release, ''),
    open() {
      rmSync(arm, { force: true })
      rmSync(reached, { force: true })
      write(release, '')
    },
  }
}
