// Deletes every sandbox of this deployment when the supervisor dies without stopping them. Honest
// agents leave by themselves when their bus closes; this is for one that does not want to. It waits
// on a pipe that the supervisor holds, so a SIGKILL of the supervisor wakes it. Whoever kills the
// guard first and then the supervisor gets the sweep of the next start instead.

import { spawn } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { processStartTime } from '../lock.ts'

/** `read` returns at the end of input; the names are looked up only then. */
const script = `read -r line
for folder in "$2"/*; do
  [ -d "$folder" ] && "$1" --root "$2" delete -f "\${folder##*/}"
done
[ -n "$4" ] || exit 0
for volume in "$4"/*/ledger "$4"/*/ledger.volume; do
  mountpoint -q "$volume" || continue
  sync -f "$volume"
  # The last process of a sandbox lets go of it a moment after it was killed.
  for try in 1 2 3 4 5; do "$3" "$volume" && break; sleep 0.2; done
done`

export interface Guard {
  /** After all sandboxes are stopped in order. */
  dismiss(): void
}

export interface GuardOptions {
  readonly runc: string
  /** The runtime's state folder of this deployment. */
  readonly root: string
  readonly folder: string
  /** Ledgers' file systems, unmounted afterwards; absent where there are none. */
  readonly volumes?: { readonly umount: string; readonly below: string }
}

export function startGuard(options: GuardOptions): Guard {
  const { umount = '', below = '' } = options.volumes ?? {}
  const args = ['-c', script, 'bulkhead-guard', options.runc, options.root, umount, below]
  const child = spawn('/bin/sh', args, {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    env: {},
  })
  child.on('error', () => undefined)
  const startTime = processStartTime(child.pid ?? 0) ?? ''
  writeFileSync(noteOf(options), `${child.pid} ${startTime}`, { mode: 0o600 })
  child.unref()
  return {
    dismiss() {
      child.kill('SIGKILL')
      rmSync(noteOf(options), { force: true })
    },
  }
}

const noteOf = ({ folder }: Pick<GuardOptions, 'folder'>) => join(folder, 'guard.pid')

/** The guard of a killed supervisor may still be at work: it must not meet our new sandboxes. */
export async function awaitFormerGuard(folder: string): Promise<void> {
  const note = noteOf({ folder })
  if (!existsSync(note)) return
  const [pid = '', startTime] = readFileSync(note, 'utf8').split(' ')
  for (let waitedMs = 0; waitedMs < 5_000; waitedMs += 50) {
    if (processStartTime(Number(pid)) !== startTime) break
    await delay(50)
  }
  rmSync(note, { force: true })
}
