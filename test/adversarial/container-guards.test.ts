// Every guard of the configuration that a sandbox is started with, read off that configuration: each
// namespace, mount option, hidden path, resource limit, control group limit and entry of the system call
// profile with a condition. Each removed alone, and the kernel then says something else of the process:
// the case that would fail is named. What a process meets at the limits is container-limits.test.ts's.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { canCountSwap, canMakeControlGroups } from '../../supervisor/sandbox/host.ts'
import { printTable } from '../support/case-table.ts'
import {
  buildProbe,
  type ConfigChange,
  type ProbeReport,
  runProbe,
  shippedProfile,
} from '../support/probed-sandbox.ts'

const folder = mkdtempSync(join(tmpdir(), 'bulkhead-guards-'))
const addon = buildProbe(folder, 'hostile-syscalls')
if (addon === undefined) console.warn('skipped: the guards (no C compiler on this machine)')
const rows: (readonly string[])[] = []

interface Guard {
  readonly name: string
  readonly id: string
  /** What the kernel is asked. */
  readonly fact: string
  readonly change: ConfigChange
}

const configSchema = z.object({
  process: z.object({
    rlimits: z.array(z.looseObject({ type: z.string() })),
    capabilities: z.record(z.string(), z.array(z.string())),
  }),
  mounts: z.array(z.object({ destination: z.string(), options: z.array(z.string()) })),
  linux: z.object({
    namespaces: z.array(z.object({ type: z.string() })),
    maskedPaths: z.array(z.string()),
    readonlyPaths: z.array(z.string()),
    resources: z.record(z.string(), z.unknown()).optional(),
  }),
})
type Config = z.infer<typeof configSchema>

const kernelNames: Readonly<Record<string, string>> = { network: 'net', mount: 'mnt' }
const boundOf: Readonly<Record<string, string>> = {
  RLIMIT_NOFILE: 'openFiles',
  RLIMIT_CORE: 'coreBytes',
  RLIMIT_DATA: 'dataBytes',
  RLIMIT_FSIZE: 'fileBytes',
  RLIMIT_MEMLOCK: 'lockedBytes',
  RLIMIT_NPROC: 'processes',
  memory: 'memoryBytes',
  pids: 'pids',
  cpu: 'cpuMillis',
}
/**
 * Effective, permitted and ambient ones are computed from these at the agent's execve, and the runtime
 * takes no inheritable one that is not permitted.
 */
const capabilityNames: Readonly<Record<string, string>> = { bounding: 'CapBnd' }
/** Without these there is no process to look at, or it is replaced by what it executes. */
const endings = ['namespace: pid', 'namespace: uts', 'namespace: mount', '/ledger noexec']
/** Options that take something away; the others say what is mounted. */
const protective = /^(ro|nosuid|nodev|noexec|size=\d+)$/

const without = <T>(list: readonly T[], index: number): readonly T[] =>
  list.filter((_, at) => at !== index)

function guardsOf(
  { process, mounts, linux }: Config,
  seen: ProbeReport['kernel'],
): readonly Guard[] {
  const path = (key: 'maskedPaths' | 'readonlyPaths') =>
    linux[key].flatMap((at, index): Guard[] =>
      // Kernels differ in what they have there.
      seen.has(`mount ${at}`)
        ? [
            {
              name: `${key}: ${at}`,
              id: 'C03',
              fact: `mount ${at}`,
              change: { at: ['linux', key], value: without(linux[key], index) },
            },
          ]
        : [],
    )
  return [
    {
      name: 'read-only root',
      id: 'C03',
      fact: 'mount /',
      change: { at: ['root', 'readonly'], value: false },
    },
    {
      name: 'no new privileges',
      id: 'C07',
      fact: 'status NoNewPrivs',
      change: { at: ['process', 'noNewPrivileges'], value: false },
    },
    {
      name: 'seccomp',
      id: 'C02',
      fact: 'status Seccomp',
      change: { at: ['linux', 'seccomp'], value: undefined },
    },
    {
      name: 'environment',
      id: 'C07',
      fact: 'environment',
      change: { at: ['process', 'env'], value: ['TZ=UTC', 'PATH=/bin'] },
    },
    {
      name: 'one id',
      id: 'C03',
      fact: 'ids',
      change: {
        at: ['linux', 'uidMappings'],
        value: [{ containerID: 0, hostID: 0, size: 65_536 }],
      },
    },
    ...Object.keys(capabilityNames).map(
      (set): Guard => ({
        name: `capabilities: ${set}`,
        id: 'C07',
        fact: `status ${capabilityNames[set]}`,
        change: {
          at: ['process', 'capabilities'],
          value: { ...process.capabilities, [set]: ['CAP_CHOWN'] },
        },
      }),
    ),
    ...linux.namespaces.map(
      ({ type }, index): Guard => ({
        name: `namespace: ${type}`,
        id: 'C07',
        fact: `ns ${kernelNames[type] ?? type}`,
        change: { at: ['linux', 'namespaces'], value: without(linux.namespaces, index) },
      }),
    ),
    ...process.rlimits.map(
      ({ type }, index): Guard => ({
        name: type,
        id: 'C07',
        fact: `bound ${boundOf[type]}`,
        change: { at: ['process', 'rlimits'], value: without(process.rlimits, index) },
      }),
    ),
    ...Object.keys(linux.resources ?? {})
      // What a device file of the host would let do is behind nodev, mknod and the empty /dev as well.
      .filter((name) => name !== 'devices')
      .map(
        (name): Guard => ({
          name: `control group: ${name}`,
          id: 'C07',
          fact: `bound ${boundOf[name]}`,
          change: { at: ['linux', 'resources', name], value: undefined },
        }),
      ),
    ...mounts.flatMap(({ destination, options }) =>
      options
        .filter((option) => protective.test(option))
        .map(
          (option): Guard => ({
            name: `${destination} ${option}`,
            id: option === 'noexec' ? 'C01' : 'C03',
            fact: `mount ${destination}`,
            change: {
              mount: destination,
              drop: option,
              // What is on by default must be switched off.
              ...(option === 'ro' ? { add: 'rw' } : {}),
            },
          }),
        ),
    ),
    ...path('maskedPaths'),
    ...path('readonlyPaths'),
  ]
}

const whole = addon === undefined ? undefined : await runProbe(addon, 9)
const config = whole === undefined ? undefined : configSchema.parse(whole.config)
const guards = whole === undefined || config === undefined ? [] : guardsOf(config, whole.kernel)

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
  printTable('each guard of a sandbox, removed alone', ['guard', 'case', 'was', 'is then'], rows)
})

describe.skipIf(addon === undefined)('each guard', () => {
  it('C07 is known: nothing of the configuration is left out of this table', () => {
    const names = config?.process.rlimits.map(({ type }) => type) ?? []
    expect(names.filter((name) => boundOf[name] === undefined)).toEqual([])
    expect(new Set(Object.keys(config?.linux.resources ?? {}))).toEqual(
      new Set(canMakeControlGroups() ? ['cpu', 'devices', 'memory', 'pids'] : []),
    )
    expect(config?.linux.namespaces).toHaveLength(7)
    expect(guards.length).toBeGreaterThan(50)
  })

  it.concurrent.each(guards)('$id fails without $name', async ({ name, id, fact, change }) => {
    const was = whole?.kernel.get(fact)
    expect(was, fact).toBeDefined()
    const is = await runProbe(addon ?? '', 9, { change }).then(
      ({ kernel }) => kernel.get(fact) ?? 'not there',
      (error: unknown) => {
        // A change that the runtime does not even take would show nothing.
        if (!endings.includes(name)) throw error
        return 'the sandbox does not start'
      },
    )
    expect(is).not.toBe(was)
    rows.push([name, `${id} ${fact}`, String(was).replaceAll('\0', ' '), is.replaceAll('\0', ' ')])
  })

  it.skipIf(!canMakeControlGroups() || !canCountSwap())(
    'C07 fails without the bound of swap',
    async () => {
      const { memory } = z
        .object({ memory: z.object({ limit: z.number() }) })
        .parse(config?.linux.resources)
      expect(whole?.kernel.get('bound swapBytes')).toBe('0')
      const change = { at: ['linux', 'resources', 'memory'], value: { limit: memory.limit } }
      const { kernel } = await runProbe(addon ?? '', 9, { change })
      expect(kernel.get('bound swapBytes')).not.toBe('0')
      rows.push([
        'control group: swap',
        'C07 bound swapBytes',
        '0',
        kernel.get('bound swapBytes') ?? '',
      ])
    },
  )

  const conditional = shippedProfile().calls.filter(
    ({ when, errno }) => when !== undefined || errno !== undefined,
  )
  /** The raw call that meets each condition. */
  const meets: Readonly<Record<string, string>> = {
    clone: 'clone',
    clone3: 'clone3',
    socket: 'socket:netlink',
    prctl: 'prctl:dumpable',
  }

  it.each([...new Set(conditional.map(({ name }) => name))])(
    'C02 fails where %s has an entry without its condition',
    async (name) => {
      const sees = meets[name] ?? ''
      const profile = shippedProfile()
      const calls = [
        ...profile.calls.filter((call) => call.name !== name),
        { name, reason: 'no condition any more' },
      ]
      const was = whole?.calls[sees]
      expect(was, `no raw call meets the condition of ${name}`).toBeDefined()
      const is = await runProbe(addon ?? '', 9, { profile: { ...profile, calls } }).then(
        (report) => report.calls[sees],
        () => 'the sandbox does not start',
      )
      expect(is).not.toBe(was)
      rows.push([`seccomp: condition of ${name}`, `C02 ${sees}`, `errno ${was}`, `${is}`])
    },
  )
})
