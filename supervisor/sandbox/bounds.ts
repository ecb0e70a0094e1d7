// What bounds a process, as the kernel reports it: resource limits from /proc/<pid>/limits, control
// groups from the files of the group that /proc/<pid>/cgroup names, in either version of control
// groups or a mixture. Nothing here repeats what was asked for. Linux only.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Null: the kernel sets no bound. */
export interface SandboxBounds {
  /** Control group: memory in bytes, threads, processor in thousandths of one core. */
  readonly memoryBytes: number | null
  /** Beyond the memory. */
  readonly swapBytes: number | null
  readonly pids: number | null
  readonly cpuMillis: number | null
  /** Resource limits of the process; the hard ones. */
  readonly openFiles: number | null
  readonly fileBytes: number | null
  readonly dataBytes: number | null
  readonly coreBytes: number | null
  readonly lockedBytes: number | null
  readonly processes: number | null
}

/** Rows of /proc/<pid>/limits (proc_pid_limits(5)). */
const rows = {
  openFiles: 'Max open files',
  fileBytes: 'Max file size',
  dataBytes: 'Max data size',
  coreBytes: 'Max core file size',
  lockedBytes: 'Max locked memory',
  processes: 'Max processes',
} as const

export type ResourceBounds = Pick<SandboxBounds, keyof typeof rows>

/** The hard limits. A row that is not there is an error: not said means not known. */
export function parseResourceLimits(text: string): ResourceBounds {
  const hard = (title: string): number | null => {
    const value = new RegExp(`^${title}\\s+\\S+\\s+(\\S+)`, 'm').exec(text)?.[1]
    if (value === undefined) throw new Error(`the kernel says nothing of ${title}`)
    return value === 'unlimited' ? null : Number(value)
  }
  return {
    openFiles: hard(rows.openFiles),
    fileBytes: hard(rows.fileBytes),
    dataBytes: hard(rows.dataBytes),
    coreBytes: hard(rows.coreBytes),
    lockedBytes: hard(rows.lockedBytes),
    processes: hard(rows.processes),
  }
}

/** Controller -> folder of its files; a unified hierarchy holds every controller. */
export type ControlGroupFolders = (controller: 'memory' | 'pids' | 'cpu') => string | undefined

/**
 * @param cgroup /proc/<pid>/cgroup (cgroups(7)): `id:controllers:path`, controllers empty for version 2
 * @param mountinfo /proc/self/mountinfo: where each hierarchy is mounted
 */
export function locateControlGroup(cgroup: string, mountinfo: string): ControlGroupFolders {
  const mounts = mountinfo
    .split('\n')
    .map((line) => line.split(' - '))
    .flatMap(([left = '', right = '']) => {
      const [type = '', , options = ''] = right.split(' ')
      const at = left.split(' ')[4]
      return at !== undefined && type.startsWith('cgroup') ? [{ at, type, options }] : []
    })
  const groups = cgroup
    .split('\n')
    .map((line) => /^\d+:([^:]*):(.*)$/.exec(line))
    .flatMap((match) => (match === null ? [] : [{ names: match[1] ?? '', path: match[2] ?? '' }]))
  return (controller) => {
    const own = groups.find(({ names }) => names.split(',').includes(controller))
    const mount = mounts.find(({ type, options }) =>
      own === undefined ? type === 'cgroup2' : options.split(',').includes(controller),
    )
    const group = own ?? groups.find(({ names }) => names === '')
    return mount === undefined || group === undefined ? undefined : join(mount.at, group.path)
  }
}

/** From this on version 1 means "no limit": the largest multiple of a page that fits. */
const unboundedBytes = 2 ** 62

type GroupBounds = Pick<SandboxBounds, 'memoryBytes' | 'swapBytes' | 'pids' | 'cpuMillis'>

/** `read` gives the first line of a file, or undefined where there is none. */
export function readGroupBounds(
  folderOf: ControlGroupFolders,
  read: (file: string) => string | undefined,
): GroupBounds {
  const first = (controller: Parameters<ControlGroupFolders>[0], ...names: string[]) => {
    const folder = folderOf(controller)
    if (folder === undefined) return undefined
    return names.map((name) => read(join(folder, name))).find((value) => value !== undefined)
  }
  const bound = (value: string | undefined): number | null => {
    const number = Number(value ?? Number.NaN)
    return Number.isNaN(number) || number < 0 || number >= unboundedBytes ? null : number
  }
  const memory = bound(first('memory', 'memory.max', 'memory.limit_in_bytes'))
  // Version 1 bounds memory and swap together.
  const both = bound(first('memory', 'memory.memsw.limit_in_bytes'))
  const swap = both === null || memory === null ? null : both - memory
  const pids = first('pids', 'pids.max')
  const quota = first('cpu', 'cpu.max', 'cpu.cfs_quota_us')?.split(' ')
  const period = quota?.[1] ?? first('cpu', 'cpu.cfs_period_us')
  const micros = bound(quota?.[0])
  return {
    memoryBytes: memory,
    swapBytes: bound(first('memory', 'memory.swap.max')) ?? swap,
    pids: bound(pids),
    cpuMillis: micros === null ? null : Math.round((micros * 1_000) / Number(period)),
  }
}

/** @throws Error when the process is gone */
export function readBounds(pid: number): SandboxBounds {
  const folders = locateControlGroup(
    readFileSync(`/proc/${pid}/cgroup`, 'utf8'),
    readFileSync('/proc/self/mountinfo', 'utf8'),
  )
  return {
    ...parseResourceLimits(readFileSync(`/proc/${pid}/limits`, 'utf8')),
    ...readGroupBounds(folders, readLine),
  }
}

function readLine(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').split('\n')[0]
  } catch {
    return undefined
  }
}
