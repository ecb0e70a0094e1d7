// C08: an agent that may run a program, in foreign hands, and its program likewise. What it can start is
// the declared program and nothing else; what the program can reach is no more than the agent can. Then
// each wall that says so is removed alone, and what changes is named. That an agent without programs
// starts nothing at all is container.test.ts's (C01) and container-walls.test.ts's (C02).

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openLog } from '../../supervisor/log-file.ts'
import { defaultLimits } from '../../supervisor/sandbox/oci-spec.ts'
import { type GrantedProgram, resolveProgram } from '../../supervisor/sandbox/programs.ts'
import { createRuncDriver } from '../../supervisor/sandbox/runc.ts'
import { toOciSeccomp } from '../../supervisor/sandbox/seccomp.ts'
import { createCaseTable, printTable } from '../support/case-table.ts'
import {
  buildProbe,
  type ProbeReport,
  type Probing,
  programProfile,
  runProbe,
} from '../support/probed-sandbox.ts'

const folder = mkdtempSync(join(tmpdir(), 'bulkhead-programs-'))
const addon = buildProbe(folder, 'hostile-syscalls')
if (addon === undefined) console.warn('skipped: C08 (no C compiler on this machine)')
const table = createCaseTable('programs in a sandbox, in foreign hands')
const rows: (readonly string[])[] = []
let listener: Server
let hostPort = 0
let program: GrantedProgram
let whole: ProbeReport

const probe = (probing: Probing = {}) =>
  runProbe(addon ?? '', hostPort, {
    ...{ programs: [program], script: 'hostile-programs.mjs' },
    ...probing,
  })

beforeAll(async () => {
  if (addon === undefined) return
  listener = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const address = listener.address()
  hostPort = typeof address === 'object' ? (address?.port ?? 0) : 0
  const file = join(folder, 'program')
  execFileSync('cc', ['-O1', '-o', file, join(import.meta.dirname, '../support/hostile-program.c')])
  program = await resolveProgram({ name: 'probe', kind: 'elf', from: { config: 'x.probe' } }, file)
  whole = await probe()
})
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
  if (addon === undefined) return
  listener.close()
  table.print()
  printTable(
    'each wall around a program, removed alone',
    ['wall', 'case that fails', 'was', 'is then'],
    rows,
  )
})

/** What the probe reports, and by which wall. */
const cases: readonly (readonly [what: string, by: string, is: RegExp])[] = [
  ['the declared program', 'env emptied, descriptors closed', /^0 ONLY=this fd0 fd1 fd2$/],
  ['its network', 'network namespace, seccomp', /^0 ECONNREFUSED ENETUNREACH EPERM$/],
  ['its namespaces', 'seccomp', /^0 process:made user:EPERM net:EPERM mount:EPERM unshare:EPERM$/],
  ['its privileges', 'no new privileges', /^0 CapBnd:\s0+ NoNewPrivs:\s1 Seccomp:\s2$/],
  ['a copy in /tmp', 'noexec', /^EACCES$/],
  ['a copy in /tmp by the loader', 'noexec at mmap', /^127/],
  ['a script in /tmp', 'noexec', /^EACCES$/],
  ['a copy in /ledger', 'noexec', /^EACCES$/],
  ['a copy in /ledger by the loader', 'noexec at mmap', /^127/],
  ['a script in /ledger', 'noexec', /^EACCES$/],
  ['/bin/sh', 'root of empty mount points', /^ENOENT$/],
  ['/usr/bin/env', 'root of empty mount points', /^ENOENT$/],
  ['/usr/bin/node', 'root of empty mount points', /^ENOENT$/],
  ['sh', 'root of empty mount points', /^ENOENT$/],
  ['its own bundle', 'noexec', /^EACCES$/],
  ['a secret', 'noexec', /^EACCES$/],
  ['change the program', 'read-only mount', /^EROFS$/],
]

describe.skipIf(addon === undefined)('an agent with a program', () => {
  it.each(cases)('C08 %s (%s)', (what, by, is) => {
    expect(String(whole.walls[what])).toMatch(is)
    table.add('C08', what, by, String(whole.walls[what]))
  })

  it('C08 may make a process, and no other call that an agent without programs may not', async () => {
    const { calls } = await probe({ script: 'hostile-probe.mjs' })
    const without = await runProbe(addon ?? '', hostPort)
    const more = Object.keys(calls).filter((name) => calls[name] !== without.calls[name])
    expect(more.toSorted((one, other) => one.localeCompare(other))).toEqual(['clone', 'socketpair'])
    table.add('C08', `${Object.keys(calls).length} raw system calls`, 'seccomp', more.join(', '))
  })

  it('C08 is not started by a driver that has no filter for programs', async () => {
    const driver = createRuncDriver({
      ...{ runc: '/nonexistent', root: join(folder, 'runc'), prefix: 'bh-', canLimit: false },
      ...{ seccomp: toOciSeccomp(programProfile(), process.arch), view: [] },
    })
    const start = driver.start({
      spec: {
        ...{ name: 'bh-x', hostname: 'x', command: [], mounts: [], user: { uid: 0, gid: 0 } },
        ...{ limits: defaultLimits, runsPrograms: true },
      },
      ...{ folder: join(folder, 'none'), log: openLog(join(folder, 'log')), startTimeoutMs: 1 },
    })
    await expect(start).rejects.toThrow('no filter for programs')
  })
})

describe.skipIf(addon === undefined)('without one wall', () => {
  const withoutMask = () => {
    const profile = programProfile()
    const calls = [
      ...profile.calls.filter(({ name }) => name !== 'clone'),
      { name: 'clone', reason: 'with any flags at all' },
    ]
    return { ...profile, calls }
  }
  const walls: readonly (readonly [wall: string, sees: string, probing: () => Probing])[] = [
    ['/tmp noexec', 'a copy in /tmp', () => ({ change: { mount: '/tmp', drop: 'noexec' } })],
    ['/tmp noexec', 'a script in /tmp', () => ({ change: { mount: '/tmp', drop: 'noexec' } })],
    [
      '/ledger noexec',
      'a copy in /ledger by the loader',
      () => ({ change: { mount: '/ledger', drop: 'noexec' } }),
    ],
    [
      'network namespace',
      'its network',
      () => ({
        change: {
          at: ['linux', 'namespaces'],
          value: ['user', 'pid', 'ipc', 'uts', 'mount', 'cgroup'].map((type) => ({ type })),
        },
      }),
    ],
    ['seccomp: flags of clone', 'its namespaces', () => ({ profile: withoutMask() })],
    [
      'no new privileges',
      'its privileges',
      () => ({ change: { at: ['process', 'noNewPrivileges'], value: false } }),
    ],
    [
      'the program read-only',
      'change the program',
      () => ({ change: { mount: '/programs/probe/run', drop: 'ro', add: 'rw' } }),
    ],
  ]

  it.each(walls)('C08 fails: %s (%s)', async (wall, sees, probing) => {
    const was = String(whole.walls[sees])
    const is = await probe(probing()).then(
      ({ walls: seen }) => String(seen[sees]),
      () => 'the sandbox does not start',
    )
    expect(is).not.toBe(was)
    rows.push([wall, `C08 ${sees}`, was.slice(0, 60), is.slice(0, 70)])
  })
})
