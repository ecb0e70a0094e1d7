// A real sandbox, and in it a program that tries to get out. Every refusal here is the kernel's.

import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readEnvironment } from '../../supervisor/config.ts'
import { processStartTime } from '../../supervisor/lock.ts'
import { createLoneDriver, layOut, startLone } from '../../supervisor/lone-sandbox.ts'
import type { RunningSandbox, SandboxDriver } from '../../supervisor/sandbox/driver.ts'
import { canMakeControlGroups, locateRuntime } from '../../supervisor/sandbox/host.ts'
import { createRuncDriver } from '../../supervisor/sandbox/runc.ts'
import { seccompProfileSchema, toOciSeccomp } from '../../supervisor/sandbox/seccomp.ts'

const base = mkdtempSync(join(tmpdir(), 'bulkhead-sandbox-'))
const prefix = 'bh-testtest-'
const runc = locateRuntime(readEnvironment())
const runcRoot = join(base, 'runc')
const hostAddress =
  Object.values(networkInterfaces())
    .flat()
    .find((one) => one?.family === 'IPv4' && !one.internal)?.address ?? '10.255.255.1'
const abstractName = `bulkhead-test-${process.pid}`

const createDriver = () => createLoneDriver(runcRoot, prefix)

interface Probe {
  readonly folder: string
  start(driver: SandboxDriver): Promise<RunningSandbox>
}

/** The folders of one sandbox whose agent is the probe. */
function prepareProbe(name: string, wanted: Record<string, unknown>): Probe {
  const folder = join(base, name)
  const [ro, rw] = [join(folder, 'ro'), join(folder, 'rw')]
  for (const granted of [ro, rw]) mkdirSync(granted, { recursive: true })
  layOut(folder, join(import.meta.dirname, '..', 'support', 'sandbox-probe.mjs'))
  writeFileSync(join(folder, 'secrets', 'config.json'), JSON.stringify(wanted), { mode: 0o400 })
  return {
    folder,
    start: (driver) =>
      startLone(driver, {
        folder,
        name: `${prefix}${name}-epoch`,
        hostname: name,
        busSocket: join(base, 'bus.sock'),
        granted: [
          { source: ro, at: '/data/ro', mode: 'ro' },
          { source: rw, at: '/data/rw', mode: 'rw' },
        ],
        user: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
        startTimeoutMs: 20_000,
      }),
  }
}

describe('a sandbox', () => {
  const driver = createDriver()
  const servers: Server[] = []
  const wanted = { hostPid: process.pid, hostAddress, abstractName, hostPort: 0 }
  let sandbox: RunningSandbox | undefined
  let folder: string
  let result: Record<string, unknown>

  beforeAll(async () => {
    // Listeners of the host, which a sandbox with the host's network would reach.
    const tcp = createServer((socket) => socket.destroy())
    const abstract = createServer((socket) => socket.destroy())
    const bus = createServer((socket) => socket.destroy())
    servers.push(tcp, abstract, bus)
    await new Promise<void>((resolve) => tcp.listen(0, '0.0.0.0', resolve))
    await new Promise<void>((resolve) => abstract.listen(`\0${abstractName}`, resolve))
    await new Promise<void>((resolve) => bus.listen(join(base, 'bus.sock'), resolve))
    const address = tcp.address()
    wanted.hostPort = typeof address === 'object' ? (address?.port ?? 0) : 0
    const probe = prepareProbe('probe', wanted)
    folder = probe.folder
    sandbox = await probe.start(driver)
    result = JSON.parse(readFileSync(join(folder, 'ledger', 'result.json'), 'utf8'))
  })

  afterAll(async () => {
    await sandbox?.stop(1_000)
    await driver.sweep()
    for (const server of servers) server.close()
    rmSync(base, { recursive: true, force: true })
  })

  it('is confirmed by the kernel, seen from inside and from outside', () => {
    expect(result['status']).toMatchObject({
      Seccomp: '2',
      NoNewPrivs: '1',
      CapInh: '0000000000000000',
      CapPrm: '0000000000000000',
      CapEff: '0000000000000000',
      CapBnd: '0000000000000000',
      CapAmb: '0000000000000000',
    })
    expect(driver.facts(sandbox?.pid ?? 0)).toMatchObject({
      driver: 'oci',
      seccomp: 2,
      noNewPrivs: 1,
      capBnd: '0000000000000000',
      capEff: '0000000000000000',
      rootReadOnly: true,
      network: 'loopback',
      namespaces: ['user', 'pid', 'net', 'ipc', 'uts', 'mnt', 'cgroup'],
    })
  })

  it('sees only itself, no interface but loopback, no shell, no file of the host', () => {
    expect(result['processes']).toEqual(['1'])
    expect(result['interfaces']).toEqual(['lo'])
    expect(result['shells']).toEqual([])
    const system = ['agent', 'data', 'dev', 'ledger', 'proc', 'run', 'secrets', 'tmp']
    expect(result['root']).toEqual(expect.arrayContaining(system))
    expect(result['root']).not.toEqual(expect.arrayContaining(['etc']))
    expect(result['root']).not.toEqual(expect.arrayContaining(['home']))
  })

  it('is given the time zone and a home that the runtime adds, nothing else', () => {
    expect(result['environment']).toEqual(['HOME', 'TZ'])
  })

  it.each(['/', '/agent', '/secrets', '/dev', '/run', '/data/ro'])('cannot write to %s', (path) => {
    expect(result[`write ${path}`]).toBe('EROFS')
  })

  it('cannot change a kernel setting or its own code', () => {
    expect(['EROFS', 'ENOENT', 'EACCES']).toContain(result['write /proc/sys/kernel'])
    expect(result['write a setting']).toBe('EROFS')
    expect(result['overwrite own code']).toBe('EROFS')
  })

  it('writes to its ledger, its granted folder and a small private /tmp', () => {
    expect(result['write /ledger']).toBe('done')
    expect(result['write /data/rw']).toBe('done')
    expect(existsSync(join(folder, 'rw', 'probe'))).toBe(true)
    expect(result['write /tmp']).toBe('done')
    expect(result['fill /tmp']).toBe('ENOSPC')
  })

  it.each(['/tmp', '/ledger', '/data/rw'])('cannot run code that it put into %s', (path) => {
    // The loader's words for a file system that is mounted noexec.
    expect(result[`load code from ${path}`]).toMatch(/failed to map segment/)
    expect(result['load the addon']).toBe('done')
  })

  it('cannot start a process, nor make code from a string', () => {
    expect(result['start a process']).toBe('EPERM')
    expect(result['code from a string']).toBe('EvalError')
  })

  it('cannot signal a process of the host', () => {
    expect(['ESRCH', 'EPERM']).toContain(result['signal a process of the host'])
  })

  it('reaches the bus socket and nothing else of the host', () => {
    expect(result['bus socket']).toBe('connected')
    expect(result['host loopback']).toBe('ECONNREFUSED')
    expect(result['host address']).toBe('ENETUNREACH')
    expect(result['host abstract socket']).toBe('ECONNREFUSED')
    expect(result['ipv6 loopback']).toBe('EPERM')
    expect(result['datagram to the host']).toBe('ENETUNREACH')
  })
})

describe('the driver', () => {
  const driver = createDriver()

  afterAll(() => driver.sweep())

  it('ends a sandbox that does not want to, and leaves nothing of it', async () => {
    mkdirSync(base, { recursive: true })
    const bus = createServer((socket) => socket.destroy())
    await new Promise<void>((resolve) => bus.listen(join(base, 'bus.sock'), resolve))
    const probe = prepareProbe('stubborn', { stubborn: true, hostAddress, hostPort: 1 })
    const sandbox = await probe.start(driver)
    await sandbox.stop(200)
    expect(sandbox.isAlive()).toBe(false)
    expect(readdirSync(runcRoot)).toEqual([])
    bus.close()
  })

  it('deletes at the next start what was left, running or not, and nothing of others', async () => {
    const probe = prepareProbe('left', { stubborn: true, hostAddress, hostPort: 1 })
    writeFileSync(join(base, 'bus.sock'), '')
    const sandbox = await probe.start(driver)
    const other = createRuncDriver({
      runc,
      root: runcRoot,
      prefix: 'bh-another0-',
      seccomp: toOciSeccomp(
        seccompProfileSchema.parse({
          comment: '',
          defaultErrno: 'EPERM',
          calls: [{ name: 'read', reason: 'not started here' }],
        }),
        process.arch,
      ),
      canLimit: false,
      view: [],
    })
    expect(await other.sweep()).toEqual([])
    expect(sandbox.isAlive()).toBe(true)
    expect(await createDriver().sweep()).toEqual([sandbox.name])
    expect(processStartTime(sandbox.pid)).toBeUndefined()
    await sandbox.exited
    expect(execFileSync(runc, ['--root', runcRoot, 'list', '-q'], { encoding: 'utf8' })).toBe('')
  })

  it('says what the program inside said when it does not become ready', async () => {
    const probe = prepareProbe('broken', {})
    writeFileSync(join(probe.folder, 'bundle', 'agent.mjs'), 'throw new Error("no such luck")')
    await expect(probe.start(driver)).rejects.toMatchObject({
      code: 'SANDBOX_FAILED',
      message: expect.stringMatching(/broken: .*no such luck/s),
    })
    expect(readdirSync(runcRoot)).toEqual([])
  })

  it.skipIf(!canMakeControlGroups())(
    'ends an agent that takes more memory than it may',
    async () => {
      const probe = prepareProbe('hoard', { hoard: true, hostAddress, hostPort: 1 })
      const sandbox = await probe.start(driver)
      await sandbox.exited
      expect(sandbox.isAlive()).toBe(false)
    },
  )
})
