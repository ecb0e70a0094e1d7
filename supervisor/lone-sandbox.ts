// One sandbox in a folder of its own, without a deployment: no bus, no keys, no folder of a person's unless
// it is granted. The walls are those of every agent.

import { copyFileSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readEnvironment } from './config.ts'
import { openLog } from './log-file.ts'
import {
  addonName,
  agentCommand,
  type GrantedFolder,
  locateAddon,
  runtimeMounts,
  sandboxMounts,
} from './sandbox/contents.ts'
import type { RunningSandbox, SandboxDriver } from './sandbox/driver.ts'
import { canMakeControlGroups, locateRuntime } from './sandbox/host.ts'
import { defaultLimits, type SandboxSpec } from './sandbox/oci-spec.ts'
import { createRuncDriver } from './sandbox/runc.ts'
import { seccompProfileSchema, toOciSeccomp } from './sandbox/seccomp.ts'
import { installation } from './toolchain.ts'

/** @param root the runtime's own folder @throws SupervisorError SANDBOX_MISSING */
export function createLoneDriver(root: string, prefix: string): SandboxDriver {
  const file = join(installation, 'seccomp', 'agent.json')
  const profile = seccompProfileSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  return createRuncDriver({
    runc: locateRuntime(readEnvironment()),
    root,
    prefix,
    seccomp: toOciSeccomp(profile, process.arch),
    canLimit: canMakeControlGroups(),
    view: [],
  })
}

/** Makes the parts of the sandbox's folder and puts the program there. @throws SupervisorError */
export function layOut(folder: string, program: string): void {
  for (const part of ['bundle', 'secrets', 'ledger', 'run']) {
    mkdirSync(join(folder, part), { recursive: true })
  }
  copyFileSync(program, join(folder, 'bundle', 'agent.mjs'))
  copyFileSync(locateAddon(), join(folder, 'bundle', addonName))
}

export interface LoneSandbox extends Pick<SandboxSpec, 'name' | 'hostname' | 'user'> {
  /** As `layOut` left it. */
  readonly folder: string
  /** A file will do where no bus is asked. */
  readonly busSocket: string
  readonly granted?: readonly GrantedFolder[]
  readonly startTimeoutMs: number
}

/** @throws SupervisorError as the driver's `start` */
export async function startLone(
  driver: SandboxDriver,
  { folder, busSocket, granted = [], startTimeoutMs, ...named }: LoneSandbox,
): Promise<RunningSandbox> {
  const places = {
    bundle: join(folder, 'bundle'),
    secrets: join(folder, 'secrets'),
    ledger: join(folder, 'ledger'),
    busSocket,
  }
  const runtime = await runtimeMounts(process.execPath, locateAddon())
  return driver.start({
    spec: {
      ...named,
      command: agentCommand,
      mounts: sandboxMounts(runtime, places, granted),
      limits: defaultLimits,
    },
    folder: join(folder, 'run', 'sandbox'),
    log: openLog(join(folder, 'log')),
    startTimeoutMs,
  })
}
