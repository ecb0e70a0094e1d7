// A file system of its own for each ledger, as large as it may become: an image file beside the ledger
// folder, mounted over it. What an agent writes into it, files or mere names, ends at its own bound
// and takes no room from anybody. The image's blocks are reserved when it is made, so that a disk that
// others fill does not take the ledger's room either. Invariant: once the image is there it is the
// ledger, and a platform that cannot mount it refuses the agent; nobody falls back to the folder below.
// Needs root, loop devices and e2fsprogs: where they are missing nothing here is used (quota.ts is).

import { execFile } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { syncPath } from '../../security/sync-path.ts'
import { SupervisorError } from '../codes.ts'
import { findOnPath } from '../toolchain.ts'

const programs = [
  ...(['mkfs.ext4', 'e2fsck', 'resize2fs', 'fallocate'] as const),
  ...(['mount', 'umount', 'sync', 'cp'] as const),
]
type Program = (typeof programs)[number]
export type VolumePrograms = ReadonlyMap<Program, string>

export interface LedgerPlace {
  /** Where it is mounted. */
  readonly ledger: string
  readonly image: string
}

export interface LedgerVolumes {
  /** Path of `umount`, for whoever cleans up after a killed supervisor. */
  readonly umount: string
  /**
   * Makes the volume if there is none, moves a ledger that lies in the folder into it, mounts it.
   * @throws SupervisorError VOLUME_FAILED, DISK_FULL
   */
  mount(place: LedgerPlace, bytes: number): Promise<void>
  /** Unmounts every volume below the folder; returns those that somebody still uses. */
  unmountBelow(folder: string): Promise<readonly string[]>
}

/** Enough for SQLite's files and their leftovers; an agent that makes more has run out. */
const inodes = 1_024
const run = promisify(execFile)

/** @returns what is missing on this machine, in words, where volumes cannot be had */
export async function findVolumes(
  path: readonly string[],
  scratch: string,
): Promise<{ readonly volumes: LedgerVolumes } | { readonly missing: string }> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return { missing: 'root rights' }
  const found = new Map(
    programs.flatMap((name) => {
      const file = findOnPath(name, path)
      return file === undefined ? [] : [[name, file] as const]
    }),
  )
  const absent = programs.filter((name) => !found.has(name))
  if (absent.length > 0) return { missing: `the program ${absent.join(', ')}` }
  const volumes = createLedgerVolumes(found)
  const probe = join(scratch, `volume-probe-${process.pid}`)
  // Tried, because a container around us may have taken devices or the right to mount.
  try {
    mkdirSync(probe, { mode: 0o700 })
    await volumes.mount({ ledger: join(probe, 'at'), image: join(probe, 'image') }, probeBytes)
    return { volumes }
  } catch {
    return { missing: 'loop devices, or the right to mount' }
  } finally {
    await volumes.unmountBelow(probe)
    rmSync(probe, { recursive: true, force: true })
  }
}

/** mkfs makes no journal of this size on a smaller one. */
const probeBytes = 16 * 1024 * 1024

export function createLedgerVolumes(found: VolumePrograms): LedgerVolumes {
  const call = async (name: Program, ...args: readonly string[]) => {
    await run(found.get(name) ?? name, [...args], { env: { LC_ALL: 'C' } })
  }
  const attach = (image: string, at: string) =>
    call('mount', '-t', 'ext4', '-o', 'loop,nosuid,nodev,noexec,noatime', image, at)

  const create = async ({ ledger, image }: LedgerPlace, bytes: number) => {
    const work = { image: `${image}.new`, at: `${ledger}.volume` }
    await unmountBelow(work.at)
    rmSync(work.at, { recursive: true, force: true })
    rmSync(work.image, { force: true })
    writeFileSync(work.image, '', { mode: 0o600 })
    await call('fallocate', '-l', String(bytes), work.image)
    await call('mkfs.ext4', ...mkfsOptions, work.image)
    // Some file systems turn the zeroes that were just written into holes.
    await call('fallocate', '-l', String(bytes), work.image)
    mkdirSync(work.at, { mode: 0o700 })
    try {
      await attach(work.image, work.at)
      rmSync(join(work.at, 'lost+found'), { recursive: true, force: true })
      const owner = statSync(ledger)
      await call('cp', '-a', '-T', ledger, work.at)
      chownSync(work.at, owner.uid, owner.gid)
      chmodSync(work.at, 0o700)
    } finally {
      // Unmounting writes everything out; a volume that is not whole yet is never renamed.
      if (isMounted(work.at)) await call('umount', work.at)
    }
    rmSync(work.at, { recursive: true })
    syncPath(work.image)
    renameSync(work.image, image)
    syncPath(dirname(image))
  }

  const grow = async (image: string, bytes: number) => {
    if (statSync(image).size >= bytes || isAttached(image)) return
    await call('fallocate', '-l', String(bytes), image).catch(() => truncateSync(image, bytes))
    // Exit code 1: something was repaired.
    await call('e2fsck', '-fp', image).catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === 1)) throw error
    })
    await call('resize2fs', image)
  }

  const unmountBelow = async (folder: string) => {
    const failed: string[] = []
    for (const at of mountPointsBelow(folder, readMounts())) {
      // Somebody else's mount namespace may hold a copy of the mount, and unmounting write nothing then.
      await call('sync', '-f', at)
        .then(() => call('umount', at))
        .catch(() => failed.push(at))
    }
    return failed
  }

  return {
    umount: found.get('umount') ?? 'umount',
    async mount(place, bytes) {
      const { ledger, image } = place
      if (isMounted(ledger)) return
      mkdirSync(ledger, { recursive: true, mode: 0o700 })
      try {
        if (!existsSync(image)) await create(place, bytes)
        await grow(image, bytes)
        // What the image was made from: nothing has been written there since.
        for (const name of readdirSync(ledger)) rmSync(join(ledger, name), { recursive: true })
        await attach(image, ledger)
      } catch (cause) {
        throw toError(cause, image)
      }
    },
    unmountBelow,
  }
}

/** Pages of SQLite and of the file system are of one size; no blocks are kept for root. */
const mkfsOptions = [
  ...['-q', '-F', '-b', '4096', '-m', '0', '-N', String(inodes), '-J', 'size=4'],
  // Discarding would give the reserved blocks back.
  ...['-E', 'nodiscard,lazy_itable_init=0,lazy_journal_init=0'],
]

function toError(cause: unknown, image: string): SupervisorError {
  const said = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : ''
  const reason = said || (cause instanceof Error ? cause.message : String(cause))
  if (/no space left/i.test(reason)) {
    return new SupervisorError('DISK_FULL', `no room for ${image}`, {
      next: `free some space on that disk (df -h ${image}), then start again`,
      cause,
    })
  }
  return new SupervisorError('VOLUME_FAILED', `${image} cannot be mounted: ${reason}`, {
    next: `look at it with: e2fsck -n ${image}`,
    cause,
  })
}

const readMounts = () => readFileSync('/proc/self/mountinfo', 'utf8')

function isMounted(folder: string): boolean {
  return existsSync(folder) && mountPointsBelow(folder, readMounts()).includes(realpathSync(folder))
}

/**
 * Whether a loop device still has it, because a mount namespace that was made meanwhile keeps a copy of
 * the mount. Mounting it again then shares that device; checking and growing it would not be safe.
 */
function isAttached(image: string): boolean {
  return readdirSync('/sys/block')
    .filter((name) => name.startsWith('loop'))
    .some((name) => {
      const file = join('/sys/block', name, 'loop', 'backing_file')
      return existsSync(file) && readFileSync(file, 'utf8').trim() === realpathSync(image)
    })
}

/** The folder itself and what lies below it, the deepest first (proc_pid_mountinfo(5)). */
export function mountPointsBelow(folder: string, mountinfo: string): readonly string[] {
  const real = existsSync(folder) ? realpathSync(folder) : folder
  return mountinfo
    .split('\n')
    .flatMap((line) => line.split(' ')[4] ?? [])
    .map((at) => at.replaceAll(/\\(\d{3})/g, (_, octal: string) => fromOctal(octal)))
    .filter((at) => at === real || at.startsWith(`${real}/`))
    .sort((left, right) => right.length - left.length)
}

/** The kernel writes spaces and backslashes so. */
const fromOctal = (digits: string) => String.fromCharCode(Number.parseInt(digits, 8))
