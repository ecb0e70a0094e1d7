// A ledger that lies in a volume of its own which is not mounted, because the platform is down. Works
// on a copy of the image, mounted where no other process sees it: nothing of the original changes, and
// nothing stays mounted when this process is killed.

import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** Of a replica's folder; undefined where its ledger lies in the folder itself, or is mounted there. */
export function unmountedVolume(replica: string): string | undefined {
  const image = join(replica, 'ledger.img')
  return existsSync(image) && !existsSync(join(replica, 'ledger', 'ledger.db')) ? image : undefined
}

/** Blocks that hold nothing are not copied; mounting replays what a power cut left in the journal. */
const script = `cp --sparse=always -- "$1" "$2/image" && mkdir "$2/volume" &&
mount -t ext4 -o loop,nosuid,nodev,noexec "$2/image" "$2/volume" || exit 1
for file in "$2"/volume/ledger.db*; do [ -e "$file" ] || continue; cp -- "$file" "$2" || exit 1; done
umount "$2/volume"`

/**
 * Copies the database, if there is one, and what belongs to it into `folder`.
 * @throws Error for a user who may not mount, or an image that is damaged
 */
export function copyFromVolume(image: string, folder: string): void {
  execFileSync('unshare', ['--mount', '/bin/sh', '-c', script, 'ledger', image, folder], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
}
