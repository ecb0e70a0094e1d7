// Reads what the kernel says of a sandbox's process. These facts are shown to people and compared in
// tests; they come from /proc of the host, so the agent cannot embellish them. Linux only.

import { readFileSync, readlinkSync } from 'node:fs'
import { readBounds } from './bounds.ts'
import type { SandboxFacts } from './driver.ts'

const namespaceNames = ['user', 'pid', 'net', 'ipc', 'uts', 'mnt', 'cgroup'] as const

/** Undefined when the process is gone. */
export function readFacts(pid: number, runtime: string): SandboxFacts | undefined {
  try {
    const status = parseStatus(readFileSync(`/proc/${pid}/status`, 'utf8'))
    const namespaces = namespaceNames.filter(
      (name) => readlinkSync(`/proc/${pid}/ns/${name}`) !== readlinkSync(`/proc/self/ns/${name}`),
    )
    const bounds = readBounds(pid)
    const isGrouped = bounds.memoryBytes !== null && bounds.pids !== null
    return {
      driver: 'oci',
      runtime,
      seccomp: Number(status.get('Seccomp')),
      noNewPrivs: Number(status.get('NoNewPrivs')),
      capBnd: status.get('CapBnd') ?? '',
      capEff: status.get('CapEff') ?? '',
      rootReadOnly: isRootReadOnly(readFileSync(`/proc/${pid}/mountinfo`, 'utf8')),
      network: describeNetwork(namespaces.includes('net'), readDevices(pid)),
      namespaces,
      limits: isGrouped ? 'cgroup' : 'rlimit',
      bounds,
    }
  } catch {
    return undefined
  }
}

/** The `Name:\tvalue` lines of /proc/<pid>/status. */
export function parseStatus(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split('\n').flatMap((line): [string, string][] => {
      const colon = line.indexOf(':')
      return colon < 0 ? [] : [[line.slice(0, colon), line.slice(colon + 1).trim()]]
    }),
  )
}

/** Whether the mount at `/` carries `ro` in /proc/<pid>/mountinfo. */
export function isRootReadOnly(mountinfo: string): boolean {
  const root = mountinfo
    .split('\n')
    .map((line) => line.split(' '))
    .filter((fields) => fields[4] === '/')
    .at(-1)
  return root?.[5]?.split(',').includes('ro') ?? false
}

function readDevices(pid: number): readonly string[] {
  // Two header lines, then `name: counters`.
  return readFileSync(`/proc/${pid}/net/dev`, 'utf8')
    .split('\n')
    .slice(2)
    .map((line) => line.split(':')[0]?.trim() ?? '')
    .filter((name) => name !== '')
}

function describeNetwork(own: boolean, devices: readonly string[]): SandboxFacts['network'] {
  if (!own) return 'host'
  return devices.every((name) => name === 'lo') ? 'loopback' : 'other'
}
