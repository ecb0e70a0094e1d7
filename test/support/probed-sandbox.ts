// A real sandbox with the probe as its agent, as the supervisor would start it, or with one wall less:
// another system call profile, or an OCI configuration that a wrapper around runc has changed.

import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { readEnvironment } from '../../supervisor/config.ts'
import { openLog } from '../../supervisor/log-file.ts'
import {
  agentCommand,
  locateAddon,
  runtimeMounts,
  sandboxMounts,
} from '../../supervisor/sandbox/contents.ts'
import { canMakeControlGroups, locateRuntime } from '../../supervisor/sandbox/host.ts'
import { defaultLimits } from '../../supervisor/sandbox/oci-spec.ts'
import { createRuncDriver } from '../../supervisor/sandbox/runc.ts'
import {
  type SeccompProfile,
  seccompProfileSchema,
  toOciSeccomp,
} from '../../supervisor/sandbox/seccomp.ts'

/** One place of config.json: set a member, or drop and add options of a mount. */
export type ConfigChange =
  | { readonly at: readonly string[]; readonly value: unknown }
  | { readonly mount: string; readonly drop: string; readonly add?: string }

export interface ProbeReport {
  /** Name of a system call to its errno, 0 where it was let through. */
  readonly calls: Readonly<Record<string, number>>
  readonly walls: Readonly<Record<string, unknown>>
}

export interface Probing {
  readonly profile?: SeccompProfile
  readonly change?: ConfigChange
}

const support = import.meta.dirname

export function shippedProfile(): SeccompProfile {
  const file = join(support, '..', '..', 'seccomp', 'agent.json')
  return seccompProfileSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
}

/** Undefined where there is no compiler. */
export function buildSyscallProbe(folder: string): string | undefined {
  const file = join(folder, 'probe.node')
  try {
    const source = join(support, 'hostile-syscalls.c')
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
  { profile = shippedProfile(), change }: Probing = {},
): Promise<ProbeReport> {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-probe-'))
  for (const part of ['bundle', 'secrets', 'ledger', 'run']) mkdirSync(join(folder, part))
  copyFileSync(join(support, 'hostile-probe.mjs'), join(folder, 'bundle', 'agent.mjs'))
  copyFileSync(addon, join(folder, 'bundle', 'better_sqlite3.node'))
  copyFileSync(addon, join(folder, 'secrets', 'addon.node'))
  writeFileSync(join(folder, 'secrets', 'config.json'), JSON.stringify({ hostPort }))
  writeFileSync(join(folder, 'bus.sock'), '')
  const runc = locateRuntime(readEnvironment())
  const driver = createRuncDriver({
    runc: change === undefined ? runc : wrapRunc(folder, runc, change),
    root: join(folder, 'runc'),
    prefix: 'bh-probe000-',
    seccomp: toOciSeccomp(profile, process.arch),
    canLimit: canMakeControlGroups(),
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
      ),
      user: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
      limits: defaultLimits,
    },
    folder: join(folder, 'run', 'sandbox'),
    log: openLog(join(folder, 'log')),
    startTimeoutMs: 20_000,
  })
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
  }
}
