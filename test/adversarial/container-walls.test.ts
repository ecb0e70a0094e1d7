// C02: raw system calls from inside a real sandbox, and then each wall of it removed alone: the case
// that fails without it is named. That the filter and not something behind it refuses a call is shown
// with the same profile under another errno, which nothing else in the kernel gives.

import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createCaseTable, printTable } from '../support/case-table.ts'
import {
  buildProbe,
  type ConfigChange,
  type ProbeReport,
  runProbe,
  shippedProfile,
} from '../support/probed-sandbox.ts'

const EPERM = 1
const EACCES = 13
const ENOSYS = 38
const folder = mkdtempSync(join(tmpdir(), 'bulkhead-walls-'))
const addon = buildProbe(folder, 'hostile-syscalls')
if (addon === undefined) console.warn('skipped: C02 and the walls (no C compiler on this machine)')

const table = createCaseTable('raw system calls from inside a sandbox')
const guardRows: (readonly string[])[] = []
let listener: Server
let hostPort = 0
let whole: ProbeReport
/** Without any filter: which calls this kernel has at all. */
let unfiltered: ProbeReport

const probe = (probing: Parameters<typeof runProbe>[2] = {}) =>
  runProbe(addon ?? '', hostPort, probing)

/** Calls that have no entry in the profile, or one that does not cover them. */
const refused = [
  ...['socket:netlink', 'socket:packet', 'socket:vsock', 'socket:inet6', 'socketpair'],
  ...['io_uring_setup', 'bpf', 'ptrace', 'unshare', 'setns', 'mount', 'umount2', 'pivot_root'],
  ...['chroot', 'keyctl', 'add_key', 'userfaultfd', 'perf_event_open', 'open_by_handle_at'],
  ...['process_vm_readv', 'personality', 'memfd_create', 'kexec_load', 'init_module', 'mknodat'],
  ...['clone', ...(process.arch === 'x64' ? ['fork'] : [])],
]

beforeAll(async () => {
  if (addon === undefined) return
  listener = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const address = listener.address()
  hostPort = typeof address === 'object' ? (address?.port ?? 0) : 0
  whole = await probe()
  unfiltered = await probe({ change: { at: ['linux', 'seccomp'], value: undefined } })
})
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
  if (addon === undefined) return
  listener.close()
  table.print()
  printTable(
    'each wall of a sandbox, removed alone',
    ['wall', 'case that fails', 'was', 'is then'],
    guardRows,
  )
})

describe.skipIf(addon === undefined)('raw system calls', () => {
  it('C02 are refused with EPERM, one and all', () => {
    for (const name of refused) {
      expect(whole.calls[name], name).toBe(EPERM)
      table.add('C02', name, 'seccomp', 'EPERM')
    }
    expect(whole.calls['clone3']).toBe(ENOSYS)
    table.add('C02', 'clone3', 'seccomp', 'ENOSYS')
    expect(whole.calls['socket:raw']).toBe(EPERM)
    table.add('C02', 'a raw AF_INET socket', 'no capability', 'EPERM')
    expect(whole.calls['execve:/ledger']).toBe(EACCES)
    table.add('C01', 'execve of a file in /ledger', 'noexec', 'EACCES')
  })

  it('C02 are refused by the filter itself, not by what lies behind it', async () => {
    const other = await probe({ profile: { ...shippedProfile(), defaultErrno: 'ENOSYS' } })
    for (const name of refused) expect(other.calls[name], name).toBe(ENOSYS)
  })

  it.each(refused.filter((name) => !name.includes(':')))(
    'C02 would get past the filter if it allowed %s',
    async (name) => {
      const profile = shippedProfile()
      const calls = [
        ...profile.calls.filter((call) => call.name !== name),
        { name, reason: 'one entry too many' },
      ]
      const { calls: then } = await probe({
        profile: { ...profile, defaultErrno: 'ENOSYS', calls },
      })
      if (unfiltered.calls[name] === ENOSYS) {
        guardRows.push([`seccomp: no ${name}`, '-', 'EPERM of the filter', 'this kernel has none'])
        return
      }
      expect(then[name]).not.toBe(ENOSYS)
      const is = then[name] === 0 ? 'let through' : `errno ${then[name]} of the kernel`
      guardRows.push([`seccomp: no ${name}`, `C02 ${name}`, 'EPERM of the filter', is])
    },
  )

  it('C02 would open any family of sockets if the filter did not look at it', async () => {
    const profile = shippedProfile()
    const calls = [
      ...profile.calls.filter(({ name }) => name !== 'socket'),
      { name: 'socket', reason: 'any family at all' },
    ]
    const { calls: then } = await probe({ profile: { ...profile, defaultErrno: 'ENOSYS', calls } })
    for (const name of ['socket:netlink', 'socket:inet6']) {
      expect(then[name]).toBe(0)
      guardRows.push([
        'seccomp: socket families',
        `C02 ${name}`,
        'EPERM of the filter',
        'let through',
      ])
    }
  })
})

interface Wall {
  readonly wall: string
  readonly id: string
  /** What the probe reports of it. */
  readonly sees: string
  readonly change: ConfigChange
}

const wall = (name: string, id: string, sees: string, change: ConfigChange): Wall => ({
  wall: name,
  id,
  sees,
  change,
})

const kinds = ['user', 'pid', 'network', 'ipc', 'uts', 'mount', 'cgroup']
const namespacesBut = (kind: string): ConfigChange => ({
  at: ['linux', 'namespaces'],
  value: kinds.filter((one) => one !== kind).map((type) => ({ type })),
})

const walls: readonly Wall[] = [
  wall('read-only root', 'C03', 'write /', { at: ['root', 'readonly'], value: false }),
  wall('/secrets ro', 'C03', 'write /secrets/', { mount: '/secrets', drop: 'ro', add: 'rw' }),
  wall('/dev ro', 'C03', 'write /dev/', { mount: '/dev', drop: 'ro', add: 'rw' }),
  wall('/tmp noexec', 'C01', 'exec /tmp', { mount: '/tmp', drop: 'noexec' }),
  wall('/ledger noexec', 'C01', 'exec /ledger', { mount: '/ledger', drop: 'noexec' }),
  wall('/secrets noexec', 'C01', 'exec /secrets', { mount: '/secrets', drop: 'noexec' }),
  wall('size of /tmp', 'C03', 'fill /tmp', { mount: '/tmp', drop: 'size=16777216' }),
  wall('read-only /proc/sys', 'C03', 'write /proc/sys/kernel/', {
    at: ['linux', 'readonlyPaths'],
    value: [],
  }),
  wall('masked paths', 'C03', 'keys', { at: ['linux', 'maskedPaths'], value: [] }),
  wall('network namespace', 'C04', 'host port', namespacesBut('network')),
  wall('network namespace', 'C07', 'interfaces', namespacesBut('network')),
  wall('pid namespace', 'C07', 'processes', namespacesBut('pid')),
  wall('seccomp profile', 'C07', 'Seccomp', { at: ['linux', 'seccomp'], value: undefined }),
  wall('no new privileges', 'C07', 'NoNewPrivs', {
    at: ['process', 'noNewPrivileges'],
    value: false,
  }),
  wall('no capabilities', 'C07', 'CapBnd', {
    at: ['process', 'capabilities', 'bounding'],
    value: ['CAP_CHOWN'],
  }),
  wall('environment', 'C07', 'environment', {
    at: ['process', 'env'],
    value: ['TZ=UTC', 'SECRET=1'],
  }),
  wall('limit of open files', 'C07', 'limits', { at: ['process', 'rlimits'], value: [] }),
]

describe.skipIf(addon === undefined)('without one wall', () => {
  it.each(walls)('$id fails: $wall ($sees)', async ({ wall: name, id, sees, change }) => {
    const was = String(whole.walls[sees])
    const is = await probe({ change }).then(
      ({ walls: seen }) => String(seen[sees]),
      () => 'the sandbox does not start',
    )
    expect(is).not.toBe(was)
    guardRows.push([name, `${id} ${sees}`, was.slice(0, 60), is.slice(0, 60)])
  })
})
