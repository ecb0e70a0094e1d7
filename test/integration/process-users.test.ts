// As root: every process and every agent has a user of its own and can read nothing of another's. The
// reader is started with the real ids of the running process, so that the kernel answers.

import { spawnSync } from 'node:child_process'
import { chownSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { runCli } from '../support/cli.ts'
import { statusSchema } from '../support/cli-shapes.ts'
import { startDeployment, type TestDeployment } from '../support/deployment.ts'

const isRoot = process.getuid?.() === 0
if (!isRoot) console.warn('skipped: giving each process a user of its own needs root')

const agents = ['calendar', 'notes', 'feeds', 'weather'] as const
/** What each party alone may read, below the state folder; the gateway's secrets come and go. */
const secretsOf: Readonly<Record<string, readonly string[]>> = {
  temporal: ['temporal/temporal.db'],
  'nats-server': ['nats/server.key.pem', 'nats/nats.conf'],
  notary: ['notary/signing.jwk.json', 'notary/audit.db', 'notary/bus/nkey.seed'],
  worker: ['worker/payload.key', 'worker/artifact.key', 'worker/bus/key.pem', 'worker/artifacts'],
  gateway: ['gateway/config.json', 'gateway/bus/nkey.seed', 'gateway/epochs'],
  ...Object.fromEntries(
    agents.map((name) => [
      `agent ${name}.0`,
      ['secrets/receipt.jwk.json', 'secrets/bus/nkey.seed', 'ledger/ledger.db'].map(
        (file) => `agents/${name}.0/${file}`,
      ),
    ]),
  ),
}
/** Root's alone. */
const supervisors = [
  ...['pki/ca.key.pem', 'supervisor/bus/nkey.seed', 'cli/approver.jwk.json', 'run/deployment.json'],
  ...agents.flatMap((name) => [`agents/${name}.0/ledger.key`, `agents/${name}.0/bus/nkey.seed`]),
]

/** True where the kernel lets a process with these ids and nothing else read the file or folder. */
function canRead(uid: number, path: string): boolean {
  const ids = [
    '--reuid',
    String(uid),
    '--regid',
    String(uid),
    '--clear-groups',
    '--bounding-set=-all',
  ]
  return spawnSync('setpriv', [...ids, '--', 'test', '-r', path]).status === 0
}

function canWrite(uid: number, path: string): boolean {
  const ids = [
    '--reuid',
    String(uid),
    '--regid',
    String(uid),
    '--clear-groups',
    '--bounding-set=-all',
  ]
  return spawnSync('setpriv', [...ids, '--', 'test', '-w', path]).status === 0
}

describe.skipIf(!isRoot)('a deployment that was started as root', () => {
  const state = mkdtempSync(join(tmpdir(), 'bulkhead-users-'))
  let deployment: TestDeployment
  let users: ReadonlyMap<string, { readonly pid: number; readonly uid: number }>

  async function start() {
    deployment = await startDeployment({
      home: 'sample',
      state,
      // Rights of the person's own session, which nobody else may inherit.
      wrapper: ['setpriv', '--groups', '4,24', '--'],
      overrides: Object.fromEntries(agents.map((name) => [name, { alwaysOn: true }])),
    })
    const running = await vi.waitFor(
      async () => {
        const found = await readRunning()
        expect(found).toHaveLength(9)
        return found
      },
      { timeout: 60_000, interval: 200 },
    )
    users = new Map(running.map(({ name, pid, uid }) => [name, { pid, uid }]))
  }
  beforeAll(start)
  afterAll(async () => {
    await deployment.stop()
    rmSync(state, { recursive: true, force: true })
  })

  const runningSchema = z.object({ name: z.string(), pid: z.number(), uid: z.number() })
  async function readRunning() {
    const { processes } = statusSchema.parse((await deployment.control('GET', '/status')).body)
    return processes
      .filter(({ state }) => state === 'running')
      .map((one) => runningSchema.parse(one))
  }
  const at = (file: string) => join(deployment.state, file)
  const statusOf = (pid: number, name: string) =>
    new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]

  it('has a user for each process and for each agent', () => {
    expect(new Set(users.keys())).toEqual(new Set(Object.keys(secretsOf)))
    const ids = [...users.values()].map(({ uid }) => uid)
    expect(new Set(ids).size).toBe(ids.length)
    for (const uid of ids) expect(uid).toBeGreaterThanOrEqual(30_000)
    const accounts = readFileSync('/etc/passwd', 'utf8')
    for (const uid of ids) expect(accounts).not.toContain(`:${uid}:`)
  })

  it.each(Object.keys(secretsOf))(
    'starts %s without groups, capabilities or core dumps',
    (name) => {
      const { pid, uid } = users.get(name) ?? { pid: 0, uid: 0 }
      const all = [uid, uid, uid, uid].join('\t')
      expect([statusOf(pid, 'Uid'), statusOf(pid, 'Gid'), statusOf(pid, 'Groups')]).toEqual([
        all,
        all,
        '',
      ])
      for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
        expect([set, statusOf(pid, set)]).toEqual([set, '0000000000000000'])
      }
      expect(statusOf(pid, 'NoNewPrivs')).toBe('1')
      const limits = readFileSync(`/proc/${pid}/limits`, 'utf8')
      expect(limits).toMatch(/^Max core file size +0 +0 /m)
    },
  )

  it('lets each party read its own secrets', () => {
    for (const [name, { uid }] of users) {
      // What an agent is shown is mounted into its sandbox: outside, root alone passes to it.
      if (name.startsWith('agent ')) continue
      for (const file of secretsOf[name] ?? []) {
        expect([name, file, canRead(uid, at(file))]).toEqual([name, file, true])
      }
    }
  })

  it('lets nobody read what is another party’s, for every pair of parties', () => {
    const seen = [...users].flatMap(([reader, { uid }]) =>
      Object.entries(secretsOf)
        .filter(([owner]) => owner !== reader)
        .flatMap(([owner, files]) => files.map((file) => ({ reader, owner, file, uid }))),
    )
    expect(seen.length).toBeGreaterThan(150)
    for (const { file } of seen) expect(lstatSync(at(file)).isSymbolicLink()).toBe(false)
    expect(seen.filter(({ uid, file }) => canRead(uid, at(file)))).toEqual([])
  })

  it('lets nobody but root read the keys of root, or list the state folder', () => {
    for (const file of supervisors) lstatSync(at(file))
    const seen = [...users].flatMap(([reader, { uid }]) =>
      [...supervisors, '', 'run', 'agents', 'logs', 'pki'].map((file) => ({ reader, file, uid })),
    )
    expect(seen.filter(({ uid, file }) => canRead(uid, at(file)))).toEqual([])
  })

  it('lets no party change or replace the keys and settings that it was given', () => {
    const given: readonly (readonly [string, string])[] = [
      ['notary', 'notary/config.json'],
      ['notary', 'notary/users.json'],
      ['notary', 'notary/bus'],
      ['worker', 'worker/payload.key'],
      ['worker', 'worker/config.json'],
      ['nats-server', 'nats/nats.conf'],
      ['gateway', 'gateway/config.json'],
      ['gateway', 'gateway'],
      ['gateway', 'public/token-keys.json'],
    ]
    for (const [name, file] of given) {
      const uid = users.get(name)?.uid ?? 0
      expect([name, file, canRead(uid, at(file)), canWrite(uid, at(file))]).toEqual([
        name,
        file,
        true,
        false,
      ])
    }
    // The folder takes files of its party, and its sticky bit keeps the others where they are.
    for (const name of ['notary', 'worker']) {
      const uid = String(users.get(name)?.uid)
      const ids = ['--reuid', uid, '--regid', uid, '--clear-groups', '--']
      const { status, stderr } = spawnSync('setpriv', [
        ...ids,
        'mv',
        at(`${name}/bus`),
        at(`${name}/old`),
      ])
      expect([status, String(stderr)]).toEqual([1, expect.stringContaining('not permitted')])
    }
  })

  it('has sockets that only their agent can connect to', () => {
    const run = at('run')
    for (const name of agents) {
      const uid = users.get(`agent ${name}.0`)?.uid
      for (const file of [`${name}.0.sock`, ...(name === 'feeds' ? ['egress/feeds.0.sock'] : [])]) {
        const facts = lstatSync(join(run, file))
        expect([file, facts.uid, (facts.mode & 0o777).toString(8)]).toEqual([file, uid, '600'])
      }
    }
    expect(lstatSync(join(run, 'control.sock'))).toMatchObject({ uid: 0 })
  })

  it('shows the user of each process', async () => {
    const { stdout } = await runCli(['status', '--state', deployment.state])
    for (const { uid } of users.values()) expect(stdout).toContain(`user ${uid}`)
    const { body } = await deployment.control('GET', '/agents/notes')
    expect(body).toMatchObject({ replicas: [{ n: 0, uid: users.get('agent notes.0')?.uid }] })
  })

  it('runs the briefing, and leaves no file of root where a party or an agent writes', async () => {
    const { code, stdout, stderr } = await runCli([
      'run',
      'morning-briefing',
      '--state',
      deployment.state,
      '--json',
    ])
    expect([code, stderr]).toEqual([0, expect.any(String)])
    expect(JSON.parse(stdout)).toMatchObject({ status: 'completed' })
    const verified = await runCli(['audit', 'verify', '--state', deployment.state])
    expect([verified.code, verified.stderr]).toEqual([0, ''])
    const written: readonly (readonly [string, string])[] = [
      ['notary', 'notary'],
      ['worker', 'worker/artifacts'],
      ['temporal', 'temporal'],
      ['agent notes.0', 'agents/notes.0/ledger'],
      ['agent notes.0', 'agents/notes/data'],
    ]
    for (const [name, folder] of written) {
      const uid = users.get(name)?.uid
      const files = readdirSync(at(folder), { withFileTypes: true, recursive: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .filter((file) => !/bus\/|\.jwk\.json|(config|users|policy)\.json|\.key/.test(file))
      expect(files.length).toBeGreaterThan(0)
      for (const file of files) expect([file, lstatSync(file).uid]).toEqual([file, uid])
    }
  })

  it('has the same users after a kill, and whatever root looked at meanwhile', async () => {
    await deployment.kill()
    const offline = await runCli(['audit', 'verify', '--state', state])
    expect([offline.code, offline.stderr]).toEqual([0, expect.any(String)])
    // A backup that root copied back belongs to root.
    const database = at('notary/audit.db')
    chownSync(database, 0, 0)
    const before = new Map([...users].map(([name, { uid }]) => [name, uid]))
    await start()
    expect(new Map([...users].map(([name, { uid }]) => [name, uid]))).toEqual(before)
    expect(lstatSync(database).uid).toBe(before.get('notary'))
    const { code } = await runCli(['run', 'morning-briefing', '--state', state, '--json'])
    expect(code).toBe(0)
  })
})
