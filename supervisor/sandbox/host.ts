// What this machine offers for sandboxes: a runtime, user namespaces, control groups. Asked by `up`
// before anything starts and by `doctor`. Absent means no: without runtime or user namespaces the
// platform refuses to start.

import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { SupervisorError } from '../codes.ts'
import type { Environment } from '../config.ts'
import { findOnPath } from '../toolchain.ts'

const isRoot = () => process.getuid?.() === 0

/**
 * Path of runc.
 * @throws SupervisorError SANDBOX_MISSING with what to install
 */
export function locateRuntime(environment: Environment): string {
  if (process.platform !== 'linux') {
    throw new SupervisorError(
      'SANDBOX_MISSING',
      `there is no sandbox driver for ${process.platform} yet`,
      {
        next: 'run Bulkhead on Linux, for example in a virtual machine',
      },
    )
  }
  const runtime = findOnPath('runc', environment.path)
  if (runtime === undefined) {
    throw new SupervisorError(
      'SANDBOX_MISSING',
      'runc is not installed: agents cannot be confined',
      {
        next: `${isRoot() ? '' : 'sudo '}apt-get install runc`,
      },
    )
  }
  const obstacle = findNamespaceObstacle()
  if (obstacle !== undefined) {
    throw new SupervisorError('SANDBOX_MISSING', obstacle.message, { next: obstacle.next })
  }
  return runtime
}

interface Obstacle {
  readonly message: string
  readonly next: string
}

/** Kernel settings of distributions that forbid user namespaces; undefined when none is found. */
export function findNamespaceObstacle(): Obstacle | undefined {
  if (setting('/proc/sys/user/max_user_namespaces') === 0) {
    return {
      message: 'user namespaces are switched off on this machine',
      next: 'sudo sysctl -w user.max_user_namespaces=10000',
    }
  }
  if (isRoot()) return undefined
  if (setting('/proc/sys/kernel/unprivileged_userns_clone') === 0) {
    return {
      message: 'user namespaces are for root only on this machine',
      next: 'sudo sysctl -w kernel.unprivileged_userns_clone=1',
    }
  }
  if (setting('/proc/sys/kernel/apparmor_restrict_unprivileged_userns') === 1) {
    return {
      message: 'AppArmor keeps ordinary users from user namespaces on this machine',
      next: 'sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0',
    }
  }
  return undefined
}

function setting(file: string): number | undefined {
  try {
    return Number(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

/**
 * Whether memory, threads and processor can be bounded by control groups: tried, because a container
 * around us may have mounted them read-only.
 */
export function canMakeControlGroups(): boolean {
  if (!isRoot()) return false
  const base = '/sys/fs/cgroup'
  const parent = existsSync(join(base, 'cgroup.controllers')) ? base : join(base, 'pids')
  const probe = join(parent, `bulkhead-probe-${process.pid}`)
  try {
    mkdirSync(probe)
    rmdirSync(probe)
    return true
  } catch {
    return false
  }
}

/** Version 1 says so in its root; version 2 counts wherever the kernel swaps at all. */
export function canCountSwap(): boolean {
  const base = '/sys/fs/cgroup'
  if (existsSync(join(base, 'cgroup.controllers'))) return existsSync('/proc/swaps')
  return existsSync(join(base, 'memory', 'memory.memsw.limit_in_bytes'))
}
