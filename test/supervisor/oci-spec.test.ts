// What an agent can reach, read off the configuration that the runtime gets. That the kernel then
// does it is test/integration/sandbox.test.ts.

import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defaultLimits, type SandboxMount, toOciConfig } from '../../supervisor/sandbox/oci-spec.ts'

const mount = (change: Partial<SandboxMount>): SandboxMount => ({
  source: '/host/file',
  at: '/inside',
  kind: 'file',
  mode: 'ro',
  exec: false,
  ...change,
})

const configSchema = z.looseObject({
  root: z.object({ path: z.string(), readonly: z.boolean() }),
  process: z.looseObject({
    env: z.array(z.string()),
    noNewPrivileges: z.boolean(),
    capabilities: z.record(z.string(), z.array(z.string())),
    rlimits: z.array(z.object({ type: z.string(), hard: z.number(), soft: z.number() })),
  }),
  mounts: z.array(
    z.object({
      destination: z.string(),
      type: z.string(),
      source: z.string(),
      options: z.array(z.string()),
    }),
  ),
  linux: z.looseObject({
    namespaces: z.array(z.strictObject({ type: z.string() })),
    uidMappings: z.array(z.unknown()),
    gidMappings: z.array(z.unknown()),
    seccomp: z.unknown(),
    cgroupsPath: z.string().optional(),
    resources: z
      .looseObject({ memory: z.object({ limit: z.number(), swap: z.number().optional() }) })
      .optional(),
  }),
})

const seccomp = {
  defaultAction: 'SCMP_ACT_ERRNO',
  defaultErrnoRet: 1,
  architectures: [],
  syscalls: [],
} as const

function configOf(
  mounts: readonly SandboxMount[] = [],
  cgroupsPath?: string,
  countsPerNamespace = true,
) {
  const spec = {
    name: 'bh-abcdefgh-test.0-epoch',
    hostname: 'test-0',
    command: ['/agent/node', '/agent/agent.mjs'],
    mounts,
    user: { uid: 1234, gid: 567 },
    limits: defaultLimits,
  }
  const options = {
    seccomp,
    rootFolder: '/state/root',
    countsPerNamespace,
    countsSwap: cgroupsPath !== '/bulkhead/no-swap-accounting',
    ...(cgroupsPath ? { cgroupsPath } : {}),
  }
  return configSchema.parse(toOciConfig(spec, options))
}

describe('the configuration of a sandbox', () => {
  it('makes every namespace anew and joins none of the host', () => {
    const types = configOf().linux.namespaces.map(({ type }) => type)
    const all = ['cgroup', 'ipc', 'mount', 'network', 'pid', 'user', 'uts']
    expect(new Set(types)).toEqual(new Set(all))
  })

  it('grants no capability in any set and forbids to gain privileges', () => {
    const { capabilities, noNewPrivileges } = configOf().process
    const sets = ['ambient', 'bounding', 'effective', 'inheritable', 'permitted']
    expect(new Set(Object.keys(capabilities))).toEqual(new Set(sets))
    expect(Object.values(capabilities).flat()).toEqual([])
    expect(noNewPrivileges).toBe(true)
  })

  it('has a read-only root and the filter it was given', () => {
    const { root, linux } = configOf()
    expect(root).toEqual({ path: '/state/root', readonly: true })
    expect(linux.seccomp).toEqual(seccomp)
  })

  it('maps one id only, so that there is nobody else to become', () => {
    const { uidMappings, gidMappings } = configOf().linux
    expect(uidMappings).toEqual([{ containerID: 0, hostID: 1234, size: 1 }])
    expect(gidMappings).toEqual([{ containerID: 0, hostID: 567, size: 1 }])
  })

  it('passes the time zone as the only variable', () => {
    expect(configOf().process.env).toEqual(['TZ=UTC'])
  })

  it('mounts nothing of the host but what is named', () => {
    const config = configOf([mount({ source: '/host/a', at: '/agent/a' })])
    const binds = config.mounts.filter(({ type }) => type === 'bind')
    expect(binds.map(({ source, destination }) => [source, destination])).toEqual([
      ['/host/a', '/agent/a'],
    ])
    const others = config.mounts.filter(({ type }) => type !== 'bind')
    expect(others.map(({ type, destination }) => [type, destination])).toEqual([
      ['proc', '/proc'],
      ['tmpfs', '/dev'],
      ['tmpfs', '/tmp'],
    ])
  })

  it.each([
    ['ro', false, ['bind', 'private', 'ro', 'nosuid', 'nodev', 'noexec']],
    ['ro', true, ['bind', 'private', 'ro', 'nosuid', 'nodev']],
    ['rw', false, ['bind', 'private', 'rw', 'nosuid', 'nodev', 'noexec']],
  ] as const)('mounts %s, executable %s, with exactly these options', (mode, exec, options) => {
    const config = configOf([mount({ mode, exec })])
    expect(config.mounts.find(({ type }) => type === 'bind')?.options).toEqual(options)
  })

  it('keeps /tmp private, bounded and without executables', () => {
    const tmp = configOf().mounts.find(({ destination }) => destination === '/tmp')
    expect(tmp?.options).toEqual(
      expect.arrayContaining(['nosuid', 'noexec', 'nodev', `size=${16 * 1024 * 1024}`]),
    )
  })

  it('hides kernel state that /proc would show and protects what it would let change', () => {
    const { maskedPaths, readonlyPaths } = configOf().linux
    expect(maskedPaths).toEqual(expect.arrayContaining(['/proc/kcore', '/proc/keys']))
    expect(readonlyPaths).toEqual(expect.arrayContaining(['/proc/sys', '/proc/sysrq-trigger']))
  })

  it('has a /dev that cannot be added to', () => {
    const dev = configOf().mounts.find(({ destination }) => destination === '/dev')
    expect(dev?.options).toEqual(expect.arrayContaining(['ro', 'nosuid', 'noexec']))
  })

  it('bounds files, core dumps and data even where there are no control groups', () => {
    const { rlimits } = configOf().process
    const hard = new Map(rlimits.map(({ type, hard }) => [type, hard]))
    expect(hard.get('RLIMIT_NOFILE')).toBe(defaultLimits.openFiles)
    expect(hard.get('RLIMIT_CORE')).toBe(0)
    expect(hard.get('RLIMIT_DATA')).toBe(defaultLimits.dataBytes)
    expect(hard.get('RLIMIT_FSIZE')).toBe(defaultLimits.fileBytes)
    expect(hard.get('RLIMIT_MEMLOCK')).toBe(0)
    expect(hard.get('RLIMIT_NPROC')).toBe(defaultLimits.pids)
    expect(configOf().linux.resources).toBeUndefined()
  })

  it('does not bound threads where the kernel would count all that the person runs', () => {
    const types = configOf([], undefined, false).process.rlimits.map(({ type }) => type)
    expect(types).not.toContain('RLIMIT_NPROC')
  })

  it('bounds memory by a control group where one can be made', () => {
    const { linux } = configOf([], '/bulkhead/x')
    expect(linux.cgroupsPath).toBe('/bulkhead/x')
    const { memoryBytes } = defaultLimits
    expect(linux.resources?.memory).toEqual({ limit: memoryBytes, swap: memoryBytes })
    const uncounted = configOf([], '/bulkhead/no-swap-accounting').linux.resources
    expect(uncounted?.memory).toEqual({ limit: memoryBytes })
  })
})
