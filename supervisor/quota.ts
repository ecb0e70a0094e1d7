// How much a sandbox has written where no file system bounds it: its ledger where it has no volume, and
// the person's folders that it may write to. Looked at from outside, again and again while it runs; an
// agent beyond its bound is stopped by whoever watches. What is deleted and still held open counts too.
// Not closed: what it writes between two looks, and content that replaces a person's own.

import { existsSync, readFileSync, rmSync, type Stats, writeFileSync } from 'node:fs'
import { lstat, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { LedgerStorage } from './agent-files.ts'
import { SupervisorError } from './codes.ts'
import type { GrantedFolder } from './sandbox/contents.ts'
import type { ReplicaLayout } from './state.ts'

export interface Usage {
  /** Blocks in use, not lengths: a hole takes no room. */
  readonly bytes: number
  /** Files, folders and other names. */
  readonly entries: number
}

export interface BoundedFolder {
  readonly folder: string
  /** What it may come to; a folder of the person's: what it held before, and this much more. */
  readonly most: Usage
}

export interface Excess extends Usage {
  readonly folder: string
  readonly most: Usage
}

/** Names that an agent may add to one folder; its ledger needs five. An empty file takes an inode. */
export const maxEntries = 10_000
const blockBytes = 512
/** Files asked for at once: enough for the few threads that the process has for files. */
const atOnce = 32

/**
 * What lies in a folder, links not followed, other file systems left out. Ends early, with what it has
 * seen by then, once that is more than `enough`.
 */
export async function measure(folder: string, enough?: Usage): Promise<Usage> {
  const root = await lstat(folder)
  let bytes = 0
  let entries = 0
  const pending = [folder]
  const isEnough = () => enough !== undefined && (bytes > enough.bytes || entries > enough.entries)
  for (let next = pending.pop(); next !== undefined && !isEnough(); next = pending.pop()) {
    // A folder that its agent has just removed holds nothing.
    const names = await readdir(next).catch(() => [])
    for (let at = 0; at < names.length && !isEnough(); at += atOnce) {
      const paths = names.slice(at, at + atOnce).map((name) => join(next, name))
      const facts = await Promise.all(paths.map((path) => lstat(path).catch(() => undefined)))
      for (const [index, fact] of facts.entries()) {
        if (fact === undefined || fact.dev !== root.dev) continue
        entries += 1
        bytes += fact.blocks * blockBytes
        if (fact.isDirectory()) pending.push(paths[index] ?? next)
      }
    }
  }
  return { bytes, entries }
}

/** Files that a process holds without a name, on the file system of `folder`. */
export async function measureUnnamed(pid: number, folder: string): Promise<number> {
  const { dev } = await lstat(folder)
  const seen = new Map<number, Stats>()
  for (const list of [`/proc/${pid}/fd`, `/proc/${pid}/map_files`]) {
    for (const name of await readdir(list).catch(() => [])) {
      const facts = await stat(join(list, name)).catch(() => undefined)
      if (facts?.isFile() && facts.nlink === 0 && facts.dev === dev) seen.set(facts.ino, facts)
    }
  }
  return [...seen.values()].reduce((sum, { blocks }) => sum + blocks * blockBytes, 0)
}

/** The first folder that holds more than it may; `pid` undefined: nobody holds anything open. */
export async function findExcess(
  folders: readonly BoundedFolder[],
  pid?: number,
): Promise<Excess | undefined> {
  for (const { folder, most } of folders) {
    const named = await measure(folder, most)
    const unnamed = pid === undefined ? 0 : await measureUnnamed(pid, folder)
    const bytes = named.bytes + unnamed
    if (bytes > most.bytes || named.entries > most.entries) {
      return { folder, bytes, entries: named.entries, most }
    }
  }
  return undefined
}

export interface QuotaWatch {
  stop(): void
}

/** Short enough that a fast disk takes little beyond the bound. */
const lookEveryMs = 500
/** A folder with very many files is looked at less often: one part in this many of one processor. */
const shareOfTime = 4
/** Processor time without which nothing worth a look has been written: an idle agent costs nothing. */
const busyTicks = 1
/** Whatever the process has done: somebody else may have held files for it. */
const lookAnywayMs = 10_000

/** Calls back once, at most. Errors of looking are the person's folders going away: looked at again. */
export function watchQuota(watched: {
  readonly folders: readonly BoundedFolder[]
  readonly pid: number
  readonly onExcess: (excess: Excess) => void
}): QuotaWatch {
  let stopped = false
  let timer: NodeJS.Timeout | undefined
  let seenTicks = 0
  let lookedAt = performance.now()
  const look = async () => {
    const begun = performance.now()
    const ticks = (await processorTicks(watched.pid)) ?? seenTicks
    const isQuiet = ticks - seenTicks < busyTicks && begun - lookedAt < lookAnywayMs
    if (stopped) return
    if (isQuiet) {
      plan(lookEveryMs)
      return
    }
    seenTicks = ticks
    lookedAt = begun
    const excess = await findExcess(watched.folders, watched.pid).catch(() => undefined)
    if (stopped) return
    if (excess !== undefined) {
      watched.onExcess(excess)
      return
    }
    plan(Math.max(lookEveryMs, (performance.now() - begun) * shareOfTime))
  }
  const plan = (afterMs: number) => {
    timer = setTimeout(() => void look(), afterMs)
    timer.unref()
  }
  if (watched.folders.length > 0) plan(lookEveryMs)
  return {
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}

/** User and system time of all its threads (proc_pid_stat(5), fields 14 and 15). */
async function processorTicks(pid: number): Promise<number | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields === undefined ? undefined : Number(fields[11]) + Number(fields[12])
}

/** What bounds one life of a sandbox, taken before it starts. */
export interface Quota {
  /** Resolves when it is known what the person's folders held before. */
  readonly measured: Promise<void>
  /** From here on the sandbox is looked at until `stop`. */
  watch(pid: number, onExcess: (excess: Excess) => void): void
  stop(): void
}

export interface QuotaOptions {
  readonly layout: ReplicaLayout
  readonly storage: LedgerStorage
  readonly granted: readonly GrantedFolder[]
}

/**
 * The ledger counts in whole where it has no volume. A folder of the person's may hold whatever they
 * put there: what counts is what one life adds to it. An agent that was stopped for that does not start
 * again while what it added is there: the next life would add as much again.
 * @throws SupervisorError OVER_QUOTA
 */
export async function openQuota({ layout, storage, granted }: QuotaOptions): Promise<Quota> {
  const bound: Usage = { bytes: storage.bytes, entries: maxEntries }
  const ledger = storage.volumes === undefined ? [{ folder: layout.ledger, most: bound }] : []
  const note = join(layout.run, 'over-quota.json')
  await refuseWhileOver([...ledger.filter(({ folder }) => existsSync(folder)), ...readNote(note)])
  rmSync(note, { force: true })
  const writable = granted.filter(({ mode }) => mode === 'rw').map(({ source }) => source)
  // Not awaited: it takes long in a large folder, and the sandbox is not slower to start for it.
  const folders = Promise.all(writable.map((folder) => allowGrowth(folder, bound))).then((all) => [
    ...ledger,
    ...all.flatMap((one) => one ?? []),
  ])
  let watch: QuotaWatch | undefined
  let stopped = false
  return {
    measured: folders.then(() => undefined),
    watch(pid, onExcess) {
      const stopFor = (excess: Excess) => {
        const { folder, most } = excess
        writeFileSync(note, JSON.stringify([{ folder, most }]), { mode: 0o600 })
        onExcess(excess)
      }
      void folders.then((all) => {
        if (!stopped) watch = watchQuota({ folders: all, pid, onExcess: stopFor })
      })
    },
    stop() {
      stopped = true
      watch?.stop()
    },
  }
}

async function allowGrowth(folder: string, more: Usage): Promise<BoundedFolder | undefined> {
  const before = await measure(folder).catch(() => undefined)
  if (before === undefined) return undefined
  const bytes = before.bytes + more.bytes
  return { folder, most: { bytes, entries: before.entries + more.entries } }
}

async function refuseWhileOver(folders: readonly BoundedFolder[]): Promise<void> {
  const excess = await findExcess(folders)
  if (excess === undefined) return
  const { folder, bytes, entries } = excess
  throw new SupervisorError(
    'OVER_QUOTA',
    `${folder} holds more than the agent may write: ${bytes} bytes in ${entries} files or more`,
    { next: `look into ${folder} and delete what is not yours, then try again` },
  )
}

const noteSchema = z.array(
  z.object({
    folder: z.string(),
    most: z.object({ bytes: z.number(), entries: z.number() }),
  }),
)

function readNote(file: string): readonly BoundedFolder[] {
  if (!existsSync(file)) return []
  const known = noteSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')))
  return (known.data ?? []).filter(({ folder }) => existsSync(folder))
}
