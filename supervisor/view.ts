// How processes with user ids of their own reach programs and state that lie below a folder of root's
// that nobody else may enter, such as /root. Nothing is copied and no right of the person's is
// changed: each process is started in a mount namespace of its own, in which such a folder is covered
// by an empty one that holds the needed folders, at the same paths, and nothing else.
// Invariant: the view only ever hides. What it shows has the owners and rights that it has outside.
// Linux only; needs the right to mount, which whoever starts sandboxes as root has.

import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { SupervisorError } from './codes.ts'

export interface View {
  /** Folders that others may not enter, outermost only. */
  readonly covers: readonly string[]
  /** Folders shown inside them. */
  readonly shows: readonly string[]
}

/**
 * Which folders have to be covered so that everybody reaches `needed`; undefined when none.
 * @param needed absolute paths of folders
 * @param isOpen whether others may enter a folder
 * @throws SupervisorError STATE_UNUSABLE for a closed folder in the middle of what is shown
 */
export function planView(
  needed: readonly string[],
  isOpen: (folder: string) => boolean,
): View | undefined {
  const closed = needed.map((folder) => ({
    folder,
    cover: ancestors(folder).find((each) => !isOpen(each)),
  }))
  const covers = [...new Set(closed.flatMap(({ cover }) => cover ?? []))]
  if (covers.length === 0) return undefined
  const shown = closed.filter(({ cover }) => cover !== undefined).map(({ folder }) => folder)
  const shows = [...new Set(shown)].sort((one, other) => one.length - other.length)
  for (const folder of shows) {
    const outer = shows.find((each) => folder.startsWith(`${each}/`))
    const blocking = ancestors(folder).find((each) => each.startsWith(`${outer}/`) && !isOpen(each))
    if (blocking === undefined) continue
    throw new SupervisorError('STATE_UNUSABLE', `${folder} lies in ${blocking}, closed to others`, {
      next: `chmod 711 ${blocking}, or choose a folder outside ${outer}`,
    })
  }
  return { covers, shows }
}

/** From the root down, without the path itself. */
function ancestors(path: string): readonly string[] {
  const parent = dirname(path)
  return parent === path ? [] : [...ancestors(parent), parent]
}

/** Whether users without any special right may pass through a folder. */
export function isOpenToAll(folder: string): boolean {
  return (statSync(folder).mode & 0o001) !== 0
}

/**
 * Ledger volumes are mounted (sandbox/volume.ts): a long-lived process must not hold those of any
 * deployment, or its copy of the mount would keep the device busy after the supervisor let go of it.
 * The arguments are strings to the shell, never text that it parses. `show` and `cover` mark what
 * follows; `--` ends the list. The folders are held in a scratch file system while they are covered.
 */
const script = `set -e
umask 022
scratch=$1; volumes=$2; shift 2
# That of a deployment which ends meanwhile is gone with its folder, and that is what was wanted.
gone() { while read -r _ _ _ _ on _; do
  if [ "$on" = "$1" ]; then echo "$1 stays mounted" >&2; return 1; fi
done < /proc/self/mountinfo; }
if [ "$volumes" = leave ]; then
  while read -r _ _ _ _ at _; do case $at in
    */agents/*.[0-9]*/ledger*) umount -l "$(printf %b "$at")" 2>/dev/null || gone "$at" ;;
  esac; done < /proc/self/mountinfo
fi
mount -t tmpfs -o size=64k,mode=700 bulkhead-view "$scratch"
i=0
for word in "$@"; do case $word in
  --) break ;;
  show:*) i=$((i+1)); mkdir "$scratch/$i"; mount --rbind "\${word#show:}" "$scratch/$i" ;;
esac; done
for word in "$@"; do case $word in
  --) break ;;
  cover:*) mount -t tmpfs -o size=256k,mode=711 bulkhead-view "\${word#cover:}" ;;
esac; done
i=0
for word in "$@"; do case $word in
  --) break ;;
  show:*) i=$((i+1)); mkdir -p "\${word#show:}"; mount --rbind "$scratch/$i" "\${word#show:}" ;;
esac; done
umount -R -l "$scratch"
for word in "$@"; do case $word in
  --) break ;;
  cover:*) mount -o remount,ro "\${word#cover:}" ;;
esac; done
while [ "$1" != -- ]; do shift; done
shift
cd "$1"; shift
exec "$@"`

/**
 * The words to put before a command, so that it runs in the view; none without a view.
 * @param options.scratch an empty folder that everybody may pass through
 * @param options.folder where the command starts
 * @param options.volumes whether the command needs the ledger volumes: only the sandbox's runtime does
 */
export function viewCommand(
  view: View | undefined,
  options: {
    readonly scratch: string
    readonly folder: string
    readonly volumes: 'see' | 'leave'
  },
): readonly string[] {
  if (view === undefined) return []
  return [
    // A slave: what the supervisor mounts and unmounts later is followed where the host shares it.
    ...['unshare', '--mount', '--propagation', 'slave', '--'],
    ...['/bin/sh', '-c', script, 'bulkhead-view', options.scratch, options.volumes],
    ...view.covers.map((folder) => `cover:${folder}`),
    ...view.shows.map((folder) => `show:${folder}`),
    ...['--', options.folder],
  ]
}

/**
 * Files and folders that processes with other ids must read although they are the person's.
 * @throws SupervisorError STATE_UNUSABLE for the first that they cannot
 */
export function assertReadable(paths: readonly string[]): void {
  for (const path of paths) {
    const { mode } = statSync(path)
    const wanted = statSync(path).isDirectory() ? 0o005 : 0o004
    if ((mode & wanted) === wanted) continue
    throw new SupervisorError(
      'STATE_UNUSABLE',
      `${path} is closed to other users, and as root each process has a user of its own`,
      { next: `chmod -R go+rX,go-w ${path}   (program files; there is no secret in them)` },
    )
  }
}
