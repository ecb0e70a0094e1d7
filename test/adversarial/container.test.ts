// C01 to C07: a hostile agent in a whole deployment tries to get out of its sandbox: processes, files,
// network. What the host saw (its files, its listeners, /proc of the agent, the OCI runtime's state) says
// whether it did. Raw system calls and the walls one by one are container-walls.test.ts's.

import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { seccompProfileSchema, toOciSeccomp } from '../../supervisor/sandbox/seccomp.ts'
import { createCaseTable } from '../support/case-table.ts'
import { type HostileDeployment, startHostileDeployment } from '../support/hostile-deployment.ts'
import type { FileAttempt, FileOutcome } from '../support/hostile-files.ts'
import { filesOf, mountsOf, ociConfigOf } from '../support/sandbox-facts.ts'
import { pidOf } from '../support/traces.ts'

const table = createCaseTable('sandbox, from inside, by a hostile agent')
const outcomes = z.array(z.object({ result: z.string(), text: z.string().exactOptional() }))
const codes = z.array(z.string())
let hostile: HostileDeployment
let pid: number
let listener: Server
const reached: string[] = []
const hostAddress = Object.values(networkInterfaces())
  .flat()
  .find((one) => one?.family === 'IPv4' && !one.internal)?.address

beforeAll(async () => {
  hostile = await startHostileDeployment()
  pid = await pidOf(hostile.deployment, 'notes')
  // A service of the host on all its addresses.
  listener = createServer((socket) => {
    reached.push(`${socket.remoteAddress}`)
    socket.destroy()
  })
  await new Promise<void>((resolve) => listener.listen(0, '0.0.0.0', resolve))
}, 240_000)

afterAll(async () => {
  table.print()
  listener.close()
  await hostile.stop()
})

async function files(attempts: readonly FileAttempt[]): Promise<readonly FileOutcome[]> {
  return outcomes.parse(await hostile.order('files', { attempts }))
}

/** Every way comes to this. */
async function expectAll(attempts: readonly FileAttempt[], wanted: RegExp): Promise<string> {
  const results = await files(attempts)
  for (const [index, { result }] of results.entries()) {
    expect(result, JSON.stringify(attempts[index])).toMatch(wanted)
  }
  return [...new Set(results.map(({ result }) => result))].join(', ')
}

const ofAgent = (name: string): string => readFileSync(`/proc/${pid}/${name}`, 'utf8')

/** Devices, and files of /proc that the null device hides: bound one by one by the runtime. */
const isDevice = (at: string): boolean => /^\/(dev|proc)\//.test(at)

describe('C01 another process', () => {
  it('C01 cannot be started, in any way Node has', async () => {
    const tried = z.record(z.string(), z.string()).parse(await hostile.order('processes'))
    expect(
      Object.values(tried).every((code) => code === 'EPERM'),
      JSON.stringify(tried),
    ).toBe(true)
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    expect(children).toBe('')
    table.add('C01', 'spawn, execFile, fork', 'seccomp', 'EPERM')
  })

  it('C01 would find no program: only Node and its libraries are executable', () => {
    const executable = mountsOf(pid).filter(({ options }) => !options.includes('noexec'))
    const places = executable.map(({ at }) => at).filter((at) => at !== '/' && !isDevice(at))
    expect(places).toContain('/agent/node')
    for (const at of places) {
      expect(at).toMatch(
        /^\/agent\/(node|better_sqlite3\.node)$|^\/(usr\/)?lib(64)?\/.*\.so[.\d]*$/,
      )
    }
    // The root itself is made of empty mount points.
    const root = join('/proc', String(pid), 'root')
    for (const name of ['bin', 'sbin', 'usr/bin', 'etc', 'home', 'root', 'var']) {
      expect(existsSync(join(root, name)), name).toBe(false)
    }
    table.add('C01', 'a shell or another program', 'root file system', 'none there')
  })

  it('C01 would find nothing that can be started: every file, by its first bytes', () => {
    const seen = filesOf(pid)
    const own = seen.filter(({ path }) => !/^\/(usr\/)?lib(64)?\/.*\.so[.\d]*$/.test(path))
    const programs = own.filter(({ start }) => /^(\x7fELF|#!)/.test(start))
    expect(programs.map(({ path }) => path)).toEqual(['/agent/better_sqlite3.node', '/agent/node'])
    table.add('C01', `${seen.length} files, by content`, 'root file system', 'Node, its libraries')
  })

  it('C01 code put into a writable place cannot be loaded, nor made from a string', async () => {
    const from = '/agent/better_sqlite3.node'
    const loads = ['/tmp', '/ledger', '/data/notes'].map(
      (folder) => ({ how: 'load', from, path: `${folder}/addon.node` }) as const,
    )
    await expectAll(loads, /failed to map segment|Operation not permitted/)
    table.add('C01', 'load code from /tmp, /ledger, /data/notes', 'noexec', 'EPERM at mmap')
    expect(await hostile.order('eval')).toBe('EvalError')
    table.add('C01', 'code from a string', 'Node', 'EvalError')
  })
})

describe('C03 files', () => {
  it('C03 cannot be written outside what is its own', async () => {
    const folders = ['', '/agent', '/secrets', '/secrets/bus', '/run', '/dev', '/data', '/usr']
    const said = await expectAll(
      folders.flatMap((folder): FileAttempt[] => [
        { how: 'write', path: `${folder}/probe` },
        { how: 'mkdir', path: `${folder}/probe.d` },
      ]),
      /^(EROFS|ENOENT)$/,
    )
    table.add('C03', `write in ${folders.length} places`, 'read-only mounts', said)
    const own = ['/agent/agent.mjs', '/agent/node', '/secrets/config.json', '/secrets/ledger.key']
    const over = await expectAll(
      own.map((path) => ({ how: 'write', path }) as const),
      /^(EROFS|EACCES|ETXTBSY)$/,
    )
    table.add('C03', 'overwrite its code, Node, its secrets', 'read-only mounts', over)
  })

  it('C03 of the kernel cannot be written', async () => {
    const paths = ['hostname', 'core_pattern', 'modprobe', 'randomize_va_space'].map(
      (name) => `/proc/sys/kernel/${name}`,
    )
    const more = ['/proc/sysrq-trigger', '/proc/1/oom_score_adj', '/proc/self/uid_map', '/sys/x']
    const said = await expectAll(
      [...paths, ...more.slice(0, 1), ...more.slice(2)].map(
        (path) => ({ how: 'write', path }) as const,
      ),
      /^(EROFS|EACCES|ENOENT|EPERM|EINVAL)$/,
    )
    table.add('C03', '/proc/sys, sysrq, uid_map, /sys', 'read-only paths', said)
  })

  it('C03 of the host stay out of reach behind links', async () => {
    const targets = ['/etc/passwd', '/proc/1/root/etc/passwd', '../../../../../../etc/passwd']
    const links = targets.map(
      (from, n) => ({ how: 'symlink', from, path: `/tmp/link${n}` }) as const,
    )
    const reads = targets.map((_, n) => ({ how: 'read', path: `/tmp/link${n}` }) as const)
    await files(links)
    const said = await expectAll(reads, /^(ENOENT|EPERM|EACCES)$/)
    table.add('C03', 'symbolic links to the host', 'mount namespace, seccomp', said)
  })

  it('C03 cannot be made set-user-id, nor given to another', async () => {
    const [made, given] = await files([
      { how: 'setuid', path: '/ledger/suid' },
      { how: 'chown', path: '/ledger/suid' },
    ])
    expect(given?.result).toMatch(/^(EPERM|EINVAL)$/)
    const place = mountsOf(pid).find(({ at }) => at === '/ledger')
    expect(place?.options).toEqual(expect.arrayContaining(['nosuid', 'nodev', 'noexec']))
    const code = made?.result === 'done' ? 'mode set, without effect' : (made?.result ?? '')
    table.add('C03', 'a set-user-id file', 'nosuid, noexec', code)
    table.add('C03', 'a file of another user', 'seccomp, one id only', given?.result ?? '')
  })

  it('C03 fill no more than the private /tmp', async () => {
    table.add(
      'C03',
      'fill /tmp',
      'tmpfs',
      await expectAll([{ how: 'fill', path: '/tmp/big' }], /ENOSPC/),
    )
  })
})

describe('C04 C05 the network', () => {
  it('C04 of the host cannot be reached: no port, no address, no route', async () => {
    const address = listener.address()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    const { bus, temporal } = hostile.deployment.deployment
    const temporalPort = Number(temporal.address.split(':').at(-1))
    const uiPort = Number(new URL(temporal.ui).port)
    const hosts = ['127.0.0.1', '127.0.0.2', '0.0.0.0', ...(hostAddress ? [hostAddress] : [])]
    const targets = [
      ...hosts.flatMap((host) =>
        [port, bus.port, temporalPort, uiPort].map((p) => ({ host, port: p })),
      ),
      ...['169.254.169.254', '10.0.0.1', '172.17.0.1', '192.168.0.1', '1.1.1.1', '8.8.8.8'].map(
        (host) => ({ host, port: 80 }),
      ),
      { host: '::1', port },
      { host: '::ffff:127.0.0.1', port },
    ]
    const said = codes.parse(await hostile.order('dial', { targets }))
    for (const [index, code] of said.entries()) {
      expect(code, JSON.stringify(targets[index])).toMatch(
        /^(ECONNREFUSED|ENETUNREACH|EPERM|EACCES|EHOSTUNREACH)$/,
      )
    }
    expect(reached).toEqual([])
    const code = [...new Set(said)].join(', ')
    table.add(
      'C04',
      `${targets.length} ports: host, bus, Temporal, metadata, Internet`,
      'no network',
      code,
    )
    const datagrams = targets.slice(-8, -2)
    const sent = codes.parse(await hostile.order('datagram', { targets: datagrams }))
    expect(new Set(sent)).toEqual(new Set(['ENETUNREACH']))
    table.add('C04', 'datagrams to the same', 'no network', 'ENETUNREACH')
  })

  it('C04 sockets of others are not there: control, peers, Docker', async () => {
    const { state } = hostile
    const sockets = readdirSync(join(state, 'run')).filter((name) => name.endsWith('.sock'))
    expect(sockets.length).toBeGreaterThan(1)
    const targets = [
      ...sockets.flatMap((name) => [join(state, 'run', name), `/run/${name}`]),
      ...['/var/run/docker.sock', '/run/docker.sock', '/run/containerd/containerd.sock'],
      ...sockets.map((name) => `/proc/1/root${join(state, 'run', name)}`),
      `\0${join(state, 'run', 'control.sock')}`,
    ]
      .filter((path) => path !== '/run/bus.sock')
      .map((path) => ({ path }))
    const said = codes.parse(await hostile.order('dial', { targets }))
    expect(new Set(said)).toEqual(new Set(['ENOENT', 'ECONNREFUSED']))
    table.add(
      'C04',
      `${targets.length} sockets: control, other agents, Docker`,
      'mount namespace',
      'ENOENT',
    )
    const inside = await files([{ how: 'list', path: '/run' }])
    expect(
      inside[0]?.text?.split('\n').filter((name) => !/^(bus|egress)\.sock$/.test(name)),
    ).toEqual([])
  })

  it('C05 names cannot be resolved', async () => {
    const names = [
      'example.org',
      'localhost.example',
      'metadata.google.internal',
      'host.docker.internal',
    ]
    const said = codes.parse(await hostile.order('lookup', { names }, 60_000))
    for (const code of said) expect(code).toMatch(/^(EAI_AGAIN|ENOTFOUND|EAI_FAIL|ECONNREFUSED)$/)
    table.add(
      'C05',
      `${names.length} names`,
      'no resolver, no network',
      [...new Set(said)].join(', '),
    )
  })
})

describe('C07 the conformance of a running sandbox', () => {
  const field = (name: string) =>
    new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(ofAgent('status'))?.[1]

  it('C07 is what the kernel says of the process', () => {
    expect([field('Seccomp'), field('NoNewPrivs')]).toEqual(['2', '1'])
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
      expect(field(set), set).toBe('0000000000000000')
    }
    const namespaces = ['user', 'pid', 'net', 'ipc', 'uts', 'mnt', 'cgroup']
    for (const name of namespaces) {
      const [own, theirs] = ['self', pid].map((who) => readlinkSync(`/proc/${who}/ns/${name}`))
      expect(theirs, name).not.toBe(own)
    }
    expect(
      ofAgent('environ')
        .split('\0')
        .filter((one) => one !== ''),
    ).toEqual(['TZ=UTC', 'HOME=/'])
    table.add(
      'C07',
      'seccomp 2, no_new_privs, no capability, 7 namespaces',
      '(kernel)',
      'confirmed',
    )
  })

  it('C07 holds for every mount', () => {
    const all = mountsOf(pid)
    const writable = all.filter(({ options }) => options.includes('rw')).map(({ at }) => at)
    const allowed = /^\/(ledger|tmp|data\/notes|run\/(bus|egress)\.sock|proc)$/
    expect(writable.filter((at) => !allowed.test(at) && !isDevice(at))).toEqual([])
    for (const { at, options } of all) {
      if (at === '/' || isDevice(at)) continue
      expect(options, at).toEqual(
        expect.arrayContaining(['nosuid', 'nodev'].slice(0, at === '/dev' ? 1 : 2)),
      )
    }
    expect(all.find(({ at }) => at === '/')?.options).toContain('ro')
    expect(all.filter(({ at }) => /docker|containerd/.test(at))).toEqual([])
    table.add('C07', `${all.length} mounts: ro, noexec, nosuid, nodev`, '(kernel)', 'confirmed')
  })

  it('C07 is what the OCI runtime was given: the profile as shipped, no capability, no new privilege', () => {
    const config = ociConfigOf(hostile.state, pid)
    const text = readFileSync(
      join(import.meta.dirname, '..', '..', 'seccomp', 'agent.json'),
      'utf8',
    )
    const shipped = toOciSeccomp(seccompProfileSchema.parse(JSON.parse(text)), process.arch)
    const hash = (value: unknown) =>
      createHash('sha256').update(JSON.stringify(value)).digest('hex')
    expect(hash(config.linux.seccomp)).toBe(hash(shipped))
    expect(config.process.noNewPrivileges).toBe(true)
    expect(Object.values(config.process.capabilities).flat()).toEqual([])
    expect(config.root.readonly).toBe(true)
    expect(config.linux.namespaces.map(({ type, path }) => [type, path])).toEqual(
      ['user', 'pid', 'network', 'ipc', 'uts', 'mount', 'cgroup'].map((type) => [type, undefined]),
    )
    table.add(
      'C07',
      'the profile that runs is the profile shipped',
      '(OCI state)',
      hash(shipped).slice(0, 16),
    )
  })
})
