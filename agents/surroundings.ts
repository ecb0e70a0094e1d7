// What surrounds an agent's process, from the kernel's own tables: which mounts it may write to or
// execute from, how many users there are to become, what it was given by its environment, who may read
// its secrets, which resource limits it has. Parsing and judging; self-assertion.ts does the looking.

export interface Surroundings {
  /** Places that can be written and are none of those that an agent has. */
  readonly foreignWritable: readonly string[]
  /**
   * Places from which programs or code could be loaded and that are neither Node nor its libraries nor
   * belong to a program of the manifest.
   */
  readonly foreignExecutable: readonly string[]
  /** Ids that the user namespace maps: one, or there is somebody to become. */
  readonly mappedIds: number
  /** Process 1 of a process namespace of its own. */
  readonly isFirstProcess: boolean
  readonly foreignVariables: readonly string[]
  /** Secrets that others than the owner may read. */
  readonly openSecrets: readonly string[]
  /** Resource limits that are not set. */
  readonly unbounded: readonly string[]
}

/** What is its own: its ledger, its granted folders, its sockets, a private /tmp. */
const writable = /^\/(ledger|tmp|data\/[a-z0-9-]+|run\/(bus|egress)\.sock)$/
/** Node, SQLite's addon and shared libraries; the root itself is empty and cannot be written. */
const executable =
  /^\/$|^\/agent\/(node|better_sqlite3\.node)$|^\/(usr\/)?lib(64)?\/.*\.so(\.\d+)*$/
/** Devices, and files of /proc that one of them hides: put there one by one by the runtime. */
const device = /^\/(dev|proc)(\/|$)/

/** Of /proc/self/mountinfo (proc_pid_mountinfo(5)); the last mount of a place is the one that counts. */
export function parseMounts(
  mountinfo: string,
  programs: readonly string[] = [],
): Pick<Surroundings, 'foreignWritable' | 'foreignExecutable'> {
  const mounts = new Map(
    mountinfo
      .split('\n')
      .map((line) => line.split(' '))
      .flatMap(([, , , , at, options]) =>
        at === undefined || options === undefined ? [] : [[at, options.split(',')] as const],
      ),
  )
  const isDeclared = (at: string) => programs.some((name) => at.startsWith(`/programs/${name}/`))
  const places = [...mounts].filter(([at]) => !device.test(at))
  const named = (found: readonly (readonly [string, unknown])[]) => found.map(([at]) => at)
  return {
    foreignWritable: named(
      places.filter(([at, options]) => options.includes('rw') && !writable.test(at)),
    ),
    foreignExecutable: named(
      places.filter(
        ([at, options]) => !options.includes('noexec') && !executable.test(at) && !isDeclared(at),
      ),
    ),
  }
}

/** Of /proc/self/uid_map (user_namespaces(7)): the sum of all ranges. */
export function countMappedIds(uidMap: string): number {
  return uidMap
    .split('\n')
    .map((line) => Number(line.trim().split(/\s+/)[2] ?? 0))
    .reduce((sum, count) => sum + count, 0)
}

/** Of /proc/self/environ: names other than the time zone, and the home that the runtime adds. */
export function foreignVariables(environ: string): readonly string[] {
  return environ
    .split('\0')
    .map((entry) => entry.split('=')[0] ?? '')
    .filter((name) => name !== '' && name !== 'TZ' && name !== 'HOME')
}

const bounded = ['Max file size', 'Max data size', 'Max core file size', 'Max open files']

/** Of /proc/self/limits (proc_pid_limits(5)): rows whose hard limit is missing or none. */
export function findUnbounded(limits: string): readonly string[] {
  return bounded.filter((title) => !new RegExp(`^${title}\\s+\\S+\\s+\\d+\\s`, 'm').test(limits))
}

/** What is wrong, in words. */
export function findOpenings(facts: Surroundings): readonly string[] {
  const many = (places: readonly string[], words: string) =>
    places.length === 0 ? [] : [`${words}: ${places.join(', ')}`]
  return [
    ...many(facts.foreignWritable, 'places that can be written'),
    ...many(facts.foreignExecutable, 'places that can be executed from'),
    ...(facts.mappedIds === 1 ? [] : ['there are other users to become']),
    ...(facts.isFirstProcess ? [] : ['the process is not alone']),
    ...many(facts.foreignVariables, 'variables in the environment'),
    ...many(facts.openSecrets, 'secrets that others may read'),
    ...many(facts.unbounded, 'limits that are not set'),
  ]
}
