// From a sandbox's description to the OCI runtime's config.json. A pure function: what an agent can
// reach is decided here and nowhere else, and can be read in a test without a runtime. Everything
// that is not named is absent: the root is made of empty folders and files, and the only things
// mounted into it are the ones in `mounts`. Which paths those are is supervisor/sandbox/contents.ts.

import type { SandboxDeclaration } from '../../plan/sandbox-declaration.ts'
import type { OciSeccomp } from './seccomp.ts'

export interface SandboxMount {
  readonly source: string
  /** Absolute path inside. */
  readonly at: string
  readonly kind: 'file' | 'folder'
  readonly mode: 'ro' | 'rw'
  /** True only for Node, its libraries and addons, and declared programs: everything else is data. */
  readonly exec: boolean
}

export interface SandboxSpec {
  /** Name of the container: carries the deployment and the boot epoch. */
  readonly name: string
  readonly hostname: string
  readonly command: readonly string[]
  readonly mounts: readonly SandboxMount[]
  /** Host ids that the sandbox's only user, 0, is mapped to. */
  readonly user: { readonly uid: number; readonly gid: number }
  readonly limits: SandboxLimits
  /** Its manifest declares programs, so it may start processes; absent: it may not. */
  readonly runsPrograms?: boolean
}

export interface SandboxLimits {
  /** Control group limits: memory in bytes, threads, processor in thousandths of one core. */
  readonly memoryBytes: number
  readonly pids: number
  readonly cpuMillis: number
  /** Resource limits of the process; they hold where no control group is to be had. */
  readonly openFiles: number
  readonly dataBytes: number
  /** Of any one file; what all of them may come to is the volume's and the supervisor's to bound. */
  readonly fileBytes: number
  /** Size of the private /tmp. */
  readonly tmpBytes: number
}

/** An idle agent takes 70 MB; an agent that needs more than this is broken or hostile. */
export const defaultLimits: SandboxLimits = {
  memoryBytes: 256 * 1024 * 1024,
  // Node starts about a dozen threads, runc's own runtime as many before it hands over.
  pids: 64,
  cpuMillis: 1_000,
  openFiles: 512,
  dataBytes: 1024 * 1024 * 1024,
  // No ledger and no file of a person's that an agent writes is larger than a ledger volume.
  fileBytes: 64 * 1024 * 1024,
  tmpBytes: 16 * 1024 * 1024,
}

/** The usual limits, but for those that a manifest declares. */
export function limitsOf({ limits = {} }: Pick<SandboxDeclaration, 'limits'>): SandboxLimits {
  return { ...defaultLimits, ...limits }
}

export interface OciOptions {
  readonly seccomp: OciSeccomp
  /** Host folder that becomes `/`; the driver fills it with empty mount points. */
  readonly rootFolder: string
  /** Present where the driver may make control groups (as root). */
  readonly cgroupsPath?: string
  /**
   * Whether the kernel counts processes per user namespace (Linux 5.14). Before, this limit would
   * count everything else that the person runs.
   */
  readonly countsPerNamespace: boolean
  /** Whether control groups count swap: where they do, there is none beyond the memory. */
  readonly countsSwap: boolean
}

const namespaces = ['user', 'pid', 'network', 'ipc', 'uts', 'mount', 'cgroup'] as const

/** runc's own default lists: kernel state that is no business of a container. */
const maskedPaths = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
]
const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']

const noCapabilities = {
  bounding: [],
  effective: [],
  inheritable: [],
  permitted: [],
  ambient: [],
}

/** The config.json of an OCI bundle (runtime-spec 1.0.2). */
export function toOciConfig(spec: SandboxSpec, options: OciOptions): Record<string, unknown> {
  return {
    ociVersion: '1.0.2',
    hostname: spec.hostname,
    root: { path: options.rootFolder, readonly: true },
    process: {
      terminal: false,
      user: { uid: 0, gid: 0 },
      cwd: '/',
      // Nothing else: secrets are files, and PATH would have nothing to find.
      env: ['TZ=UTC'],
      args: spec.command,
      capabilities: noCapabilities,
      noNewPrivileges: true,
      rlimits: [
        rlimit('RLIMIT_NOFILE', spec.limits.openFiles),
        rlimit('RLIMIT_CORE', 0),
        rlimit('RLIMIT_DATA', spec.limits.dataBytes),
        rlimit('RLIMIT_FSIZE', spec.limits.fileBytes),
        rlimit('RLIMIT_MEMLOCK', 0),
        ...(options.countsPerNamespace ? [rlimit('RLIMIT_NPROC', spec.limits.pids)] : []),
      ],
    },
    mounts: [...systemMounts(spec.limits), ...spec.mounts.map(toOciMount)],
    linux: {
      namespaces: namespaces.map((type) => ({ type })),
      // One id only: there is no other user to become inside.
      uidMappings: [{ containerID: 0, hostID: spec.user.uid, size: 1 }],
      gidMappings: [{ containerID: 0, hostID: spec.user.gid, size: 1 }],
      rootfsPropagation: 'private',
      maskedPaths,
      readonlyPaths,
      seccomp: options.seccomp,
      ...(options.cgroupsPath === undefined
        ? {}
        : { cgroupsPath: options.cgroupsPath, resources: toResources(spec.limits, options) }),
    },
  }
}

function systemMounts(limits: SandboxLimits): readonly Record<string, unknown>[] {
  return [
    {
      destination: '/proc',
      type: 'proc',
      source: 'proc',
      options: ['nosuid', 'noexec', 'nodev'],
    },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['ro', 'nosuid', 'noexec', 'mode=755', 'size=64k'],
    },
    {
      destination: '/tmp',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'noexec', 'nodev', 'mode=700', `size=${limits.tmpBytes}`],
    },
  ]
}

function toOciMount(mount: SandboxMount): Record<string, unknown> {
  return {
    destination: mount.at,
    type: 'bind',
    source: mount.source,
    // Not `rbind`: what else is mounted below the source is not part of what was granted.
    options: ['bind', 'private', mount.mode, 'nosuid', 'nodev', ...(mount.exec ? [] : ['noexec'])],
  }
}

function toResources(limits: SandboxLimits, { countsSwap }: OciOptions): Record<string, unknown> {
  return {
    devices: [{ allow: false, access: 'rwm' }],
    // The runtime's `swap` is memory and swap together.
    memory: { limit: limits.memoryBytes, ...(countsSwap ? { swap: limits.memoryBytes } : {}) },
    pids: { limit: limits.pids },
    cpu: { quota: limits.cpuMillis * 100, period: 100_000 },
  }
}

function rlimit(type: string, value: number): Record<string, unknown> {
  return { type, hard: value, soft: value }
}
