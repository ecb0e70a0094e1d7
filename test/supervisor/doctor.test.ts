import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AgentManifest } from '../../plan/manifest.ts'
import { describeUsers, examine, toText } from '../../supervisor/doctor.ts'
import { describeLimits } from '../../supervisor/doctor-storage.ts'
import { manifest, testEgress } from '../support/test-agent/manifest.ts'

let base: string

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'bulkhead-doctor-'))
})
afterEach(() => rmSync(base, { recursive: true, force: true }))

async function look(yaml?: string, agent: AgentManifest = manifest) {
  const configFile = join(base, 'home.yaml')
  if (yaml !== undefined) writeFileSync(configFile, yaml)
  const report = await examine({
    state: join(base, 'state'),
    configFile,
    environment: {
      cacheFolder: join(base, 'cache'),
      systemFolder: join(base, 'system'),
      toolsFolder: undefined,
      path: [],
      temporaryFolder: base,
      childEnvironment: {},
      variable: () => undefined,
    },
    catalogue: new Map([['test', agent]]),
  })
  const check = (name: string) => report.checks.find((one) => one.name === name)
  return { report, check }
}

describe('doctor', () => {
  it('says for each missing program what to type', async () => {
    const { report, check } = await look('')
    expect(report.ok).toBe(false)
    expect(check('temporal')).toMatchObject({ ok: false, fix: 'npm run setup' })
    expect(check('nats-server')).toMatchObject({ ok: false, fix: 'npm run setup' })
    expect(check('runc')).toMatchObject({ ok: false })
    expect(check('runc')?.fix).toContain('apt-get install runc')
    expect(check('node')).toMatchObject({ ok: true })
    expect(toText(report)).toContain('next: npm run setup')
  })

  it('names file and line of a broken configuration', async () => {
    const { check } = await look('agents:\n  test: [\n')
    expect(check('configuration')).toMatchObject({ ok: false })
    expect(check('configuration')?.detail).toMatch(/home\.yaml:\d+: /)
  })

  it('asks for the folders that agents need', async () => {
    const { check } = await look('agents:\n  test:\n    folder: counts\n')
    expect(check('configuration')).toMatchObject({
      ok: false,
      detail: expect.stringContaining('counts is not a folder'),
    })
    mkdirSync(join(base, 'counts'))
    expect((await look()).check('configuration')).toMatchObject({ ok: true })
  })

  it('leaves out agents of which nothing is set, and asks for the rest of one of which something is', async () => {
    expect((await look('timezone: UTC\n')).check('configuration')).toMatchObject({
      ok: true,
      detail: expect.stringMatching(/; not set up: test$/),
    })
    const second = { from: { config: 'test.second' }, at: '/data/second', mode: 'ro' } as const
    const two = { ...manifest, mounts: [...manifest.mounts, second] }
    mkdirSync(join(base, 'counts'))
    const { check } = await look('agents:\n  test:\n    folder: counts\n', two)
    expect(check('configuration')).toMatchObject({ ok: false, detail: 'test.second is not set' })
  })

  it('takes an agent of which only a credential is named for one that is meant to work', async () => {
    const asking = { ...manifest, egress: testEgress }
    const { check } = await look('agents:\n  test:\n    secret: env://KEY\n', asking)
    expect(check('configuration')).toMatchObject({ ok: false, detail: 'test.folder is not set' })
  })

  it('finds a configured port that is taken', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    const { check } = await look(`ports:\n  bus: ${port}\n`)
    server.close()
    expect(check('ports')).toMatchObject({ ok: false, detail: `port ${port} (ports.bus) is taken` })
  })

  it('says what agents can take where the machine has no control groups', () => {
    expect(describeLimits(true)).toContain('256 MiB of memory, 64 threads and 1 processor')
    expect(describeLimits(false)).toContain('1024 MiB instead of 256, and all processors')
  })

  it('says what is missing for ledger volumes', async () => {
    const { check } = await look('')
    expect(check('ledger volumes')).toMatchObject({ ok: true })
    expect(check('ledger volumes')?.detail).toMatch(/without (root rights|the program mkfs\.ext4)/)
  })

  it.each([
    ['an ordinary user', false, '0 0 4294967295', 'share your user id'],
    ['root', true, '0 0 4294967295', 'a user id of its own, from 1900000000 on'],
    ['root of a container', true, '0 100000 65536', 'a user id of its own, from 30000 on'],
    ['root with one id', true, '0 1000 1', 'all processes run as root'],
  ])('says what separates the processes of %s', (_who, isRoot, map, says) => {
    expect(describeUsers(isRoot, { uid: map, gid: map }, '/system')).toContain(says)
  })

  it('names who is shut out, since when and why', async () => {
    expect((await look('')).check('quarantine')).toMatchObject({ ok: true })
    mkdirSync(join(base, 'state', 'supervisor'), { recursive: true, mode: 0o700 })
    const by = 'user:owner'
    const entry = {
      agent: 'test',
      n: 0,
      since: 0,
      by,
      code: 'OWNER',
      reason: 'odd',
      recorded: true,
    }
    writeFileSync(join(base, 'state', 'supervisor', 'quarantine.json'), JSON.stringify([entry]))
    expect((await look('')).check('quarantine')).toMatchObject({
      ok: false,
      detail: 'shut out: test.0 since 1970-01-01T00:00:00.000Z (OWNER, odd)',
      fix: expect.stringContaining('npx bulkhead agents restore test'),
    })
  })

  it('names a ledger that is about to be full', async () => {
    const ledger = join(base, 'state', 'agents', 'test.0', 'ledger')
    mkdirSync(ledger, { recursive: true })
    writeFileSync(join(ledger, 'ledger.db'), Buffer.alloc(1024 * 1024, 1))
    expect((await look('')).check('ledgers')).toMatchObject({ ok: true, detail: 'test.0 2 %' })
    writeFileSync(join(ledger, 'filler'), Buffer.alloc(58 * 1024 * 1024, 1))
    const { check } = await look('')
    expect(check('ledgers')).toMatchObject({ ok: false })
    expect(check('ledgers')?.detail).toMatch(/^the ledger of test\.0 is 9\d % full$/)
  })

  it('finds a witness that has stopped to look', async () => {
    const state = join(base, 'state')
    const head = (at: number) =>
      `${JSON.stringify({ size: 7, root: 'r'.repeat(43), at: at, jws: 'a.b.c' })}\n`
    for (const name of ['notary', 'worker', 'cli'])
      mkdirSync(join(state, name), { recursive: true })
    expect((await look('')).check('audit witnesses')).toMatchObject({ ok: true })
    writeFileSync(join(state, 'notary', 'audit.db'), '')
    expect((await look('')).check('audit witnesses')).toMatchObject({
      ok: false,
      detail: expect.stringContaining('no head at all'),
    })
    const file = join(state, 'worker', 'witness.jsonl')
    writeFileSync(file, head(Date.now() - 120_000))
    expect((await look('')).check('audit witnesses')).toMatchObject({ ok: false })
    writeFileSync(file, head(Date.now()))
    expect((await look('')).check('audit witnesses')).toMatchObject({
      ok: true,
      detail: expect.stringContaining('worker row 7, command none yet'),
    })
  })

  it('names the build of the worker, and another one that still runs', async () => {
    const { check } = await look('')
    const here = check('build')?.detail ?? ''
    expect(here).toMatch(/^[0-9a-f]{16}$/)
    const run = join(base, 'state', 'run')
    mkdirSync(run, { recursive: true })
    const runs = (build: string) =>
      writeFileSync(
        join(run, 'deployment.json'),
        JSON.stringify({
          ...{ version: 1, deployment: 'abcd1234', pid: process.pid, startedAt: 1, build },
          temporal: { address: 'a', namespace: 'n', taskQueue: 'q', ui: 'u' },
          bus: { host: 'h', port: 1, caFile: 'f' },
          controlSocket: 's',
        }),
      )
    runs(here)
    expect((await look('')).check('build')?.detail).toBe(here)
    runs('an-earlier-one')
    expect((await look('')).check('build')).toMatchObject({
      ok: true,
      detail: `${here}; the platform that runs is an-earlier-one: stop and start it to go on with this one`,
    })
  })

  it('refuses a state folder that others can read', async () => {
    mkdirSync(join(base, 'state'), { mode: 0o755 })
    expect((await look('')).check('state folder')).toMatchObject({
      ok: false,
      fix: `chmod 700 ${join(base, 'state')}`,
    })
  })
})
