// A real sandbox with the probe as its agent, as the supervisor would start it, or with one wall less:
// another system call profile, or an OCI configuration that a wrapper around runc has changed.

import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { readEnvironment } from '../../supervisor/config.ts'
import { openLog } from '../../supervisor/log-file.ts'
import { readBounds } from '../../supervisor/sandbox/bounds.ts'
import {
  agentCommand,
  locateAddon,
  runtimeMounts,
  sandboxMounts,
} from '../../supervisor/sandbox/contents.ts'
import { canMakeControlGroups, locateRuntime } from '../../supervisor/sandbox/host.ts'
import { defaultLimits } from '../../supervisor/sandbox/oci-spec.ts'
import type { GrantedProgram } from '../../supervisor/sandbox/programs.ts'
import { createRuncDriver } from '../../supervisor/sandbox/runc.ts'
import {
  type SeccompProfile,
  seccompProfileSchema,
  toOciSeccomp,
  withPrograms,
} from '../../supervisor/sandbox/seccomp.ts'
import { mountsOf } from './sandbox-facts.ts'

/** One place of config.json: set a member, or drop and add options of a mount. */
export type ConfigChange =
  | { readonly at: readonly string[]; readonly value: unknown }
  | { readonly mount: string; readonly drop: string; readonly add?: string }

export interface ProbeReport {
  /** Name of a system call to its errno, 0 where it was let through. */
  readonly calls: Readonly<Record<string, number>>
  readonly walls: Readonly<Record<string, unknown>>
  /** What the kernel says of the process, read from outside while it runs. */
  readonly kernel: KernelFacts
  /** The configuration that the runtime was given. */
  readonly config: unknown
}

/** Name of a guard to what the kernel says of it: `mount /tmp` to its options, `ns pid` to its owner. */
export type KernelFacts = ReadonlyMap<string, string>

export interface Probing {
  readonly profile?: SeccompProfile
  readonly change?: ConfigChange
  /** Without control groups: as an ordinary user's sandboxes are. */
  readonly canLimit?: boolean
  /** Of a manifest that declares programs; the profile is then by default that of such an agent. */
  readonly programs?: readonly GrantedProgram[]
  /** In place of the probe, in this folder: writes what it found as the probe does. */
  readonly script?: string
}

const support = import.meta.dirname

/** Of an agent without programs. */
export function shippedProfile(): SeccompProfile {
  return readProfile('agent')
}

/** Of an agent with programs. */
export function programProfile(): SeccompProfile {
  return withPrograms(shippedProfile(), readProfile('programs'))
}

function readProfile(name: 'agent' | 'programs'): SeccompProfile {
  const file = join(support, '..', '..', 'seccomp', `${name}.json`)
  return seccompProfileSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
}

/** Undefined where there is no compiler. */
export function buildProbe(
  folder: string,
  name: 'hostile-syscalls' | 'hostile-limits',
): string | undefined {
  const file = join(folder, `${name}.node`)
  try {
    const source = join(support, `${name}.c`)
    execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', file, source], { stdio: 'pipe' })
    return file
  } catch {
    return undefined
  }
}

/** Rewrites config.json as told, then becomes runc. */
function wrapRunc(folder: string, runc: string, change: ConfigChange): string {
  const file = join(folder, 'runc-wrapper')
  writeFileSync(
    file,
    `#!${process.execPath}
const { readFileSync, writeFileSync } = require('node:fs')
const { spawnSync } = require('node:child_process')
const args = process.argv.slice(2)
const at = args.indexOf('-b')
if (at >= 0) {
  const file = args[at + 1] + '/config.json'
  const config = JSON.parse(readFileSync(file, 'utf8'))
  const change = ${JSON.stringify(change)}
  if ('mount' in change) {
    const mount = config.mounts.find((one) => one.destination === change.mount)
    mount.options = mount.options.filter((one) => one !== change.drop)
    if (change.add) mount.options.push(change.add)
  } else {
    const last = change.at.at(-1)
    let place = config
    for (const name of change.at.slice(0, -1)) place = place[name]
    place[last] = change.value
  }
  writeFileSync(file, JSON.stringify(config))
}
const { status } = spawnSync(${JSON.stringify(runc)}, args, { stdio: at >= 0 ? [0, 1, 2, 3] : 'inherit' })
process.exit(status ?? 1)
`,
  )
  chmodSync(file, 0o700)
  return file
}

/** Starts the probe, reads what it found, ends it. @throws SupervisorError where it does not start */
export async function runProbe(
  addon: string,
  hostPort: number,
  probing: Probing = {},
): Promise<ProbeReport> {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-probe-'))
  try {
    return await probeIn(folder, { addon, hostPort, ...probing })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function probeIn(
  folder: string,
  options: Probing & { readonly addon: string; readonly hostPort: number },
): Promise<ProbeReport> {
  const { addon, hostPort, change } = options
  const { programs, script = 'hostile-probe.mjs', canLimit = canMakeControlGroups() } = options
  const { profile = programs === undefined ? shippedProfile() : programProfile() } = options
  for (const part of ['bundle', 'secrets', 'ledger', 'run']) mkdirSync(join(folder, part))
  copyFileSync(join(support, script), join(folder, 'bundle', 'agent.mjs'))
  copyFileSync(addon, join(folder, 'bundle', 'better_sqlite3.node'))
  copyFileSync(addon, join(folder, 'secrets', 'addon.node'))
  writeFileSync(join(folder, 'secrets', 'config.json'), JSON.stringify({ hostPort, programs }))
  writeFileSync(join(folder, 'bus.sock'), '')
  const runc = locateRuntime(readEnvironment())
  const driver = createRuncDriver({
    runc: change === undefined ? runc : wrapRunc(folder, runc, change),
    root: join(folder, 'runc'),
    prefix: 'bh-probe000-',
    ...(programs === undefined
      ? { seccomp: toOciSeccomp(profile, process.arch) }
      : {
          seccomp: toOciSeccomp(shippedProfile(), process.arch),
          programSeccomp: toOciSeccomp(profile, process.arch),
        }),
    canLimit,
    view: [],
  })
  await driver.sweep()
  const sandbox = await driver.start({
    spec: {
      name: `bh-probe000-${folder.slice(-6)}`,
      hostname: 'probe',
      command: agentCommand,
      mounts: sandboxMounts(
        await runtimeMounts(process.execPath, locateAddon()),
        {
          bundle: join(folder, 'bundle'),
          secrets: join(folder, 'secrets'),
          ledger: join(folder, 'ledger'),
          busSocket: join(folder, 'bus.sock'),
        },
        [],
        programs,
      ),
      user: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
      limits: defaultLimits,
      runsPrograms: programs !== undefined,
    },
    folder: join(folder, 'run', 'sandbox'),
    log: openLog(join(folder, 'log')),
    startTimeoutMs: 20_000,
  })
  const kernel = readKernelFacts(sandbox.pid)
  await sandbox.stop(1_000)
  const lines = readFileSync(join(folder, 'ledger', 'syscalls.txt'), 'utf8')
    .trim()
    .split('\n')
  const report: unknown = JSON.parse(readFileSync(join(folder, 'ledger', 'report.json'), 'utf8'))
  return {
    calls: Object.fromEntries(
      lines.map((line) => line.split(' ')).map(([name = '', errno]) => [name, Number(errno)]),
    ),
    walls: z.record(z.string(), z.unknown()).parse(report),
    kernel,
    config: JSON.parse(readFileSync(join(folder, 'run', 'sandbox', 'config.json'), 'utf8')),
  }
}

const namespaceFiles = ['user', 'pid', 'net', 'ipc', 'uts', 'mnt', 'cgroup']

function readKernelFacts(pid: number): KernelFacts {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const fields = [...status.matchAll(/^(Seccomp|NoNewPrivs|Cap\w+):\s*(\S+)/gm)]
  return new Map<string, string>([
    ...mountsOf(pid).map(({ at, options, ofAll }): [string, string] => [
      `mount ${at}`,
      [...options, ...ofAll.filter((one) => one.startsWith('size='))].join(),
    ]),
    ...Object.entries(readBounds(pid)).map(([name, value]): [string, string] => [
      `bound ${name}`,
      String(value),
    ]),
    ...namespaceFiles.map((name): [string, string] => {
      const [own, theirs] = ['self', pid].map((who) => readlinkSync(`/proc/${who}/ns/${name}`))
      return [`ns ${name}`, own === theirs ? "the host's" : 'its own']
    }),
    ...fields.map(([, name = '', value = '']): [string, string] => [`status ${name}`, value]),
    ['environment', readFileSync(`/proc/${pid}/environ`, 'utf8')],
    ['ids', readFileSync(`/proc/${pid}/uid_map`, 'utf8').trim().replaceAll(/\s+/g, ' ')],
  ])
}
