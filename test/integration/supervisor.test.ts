// The real supervisor with real Temporal, nats-server and sandboxes; notary and worker are stand-ins
// that say what they were told, so that this suite is about starting and watching alone.

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Bus } from '../../security/bus.ts'
import { processStartTime } from '../../supervisor/lock.ts'
import {
  prepareDeployment,
  spawnSupervisor,
  startDeployment,
  type TestDeployment,
} from '../support/deployment.ts'
import {
  boots,
  ensure,
  ensured,
  health,
  processOf,
  statusOf,
  stubs,
  told,
  until,
  worker,
} from '../support/observer.ts'

describe('a deployment', () => {
  let deployment: TestDeployment
  let bus: Bus

  beforeAll(async () => {
    deployment = await startDeployment({ ...stubs, overrides: { test: { idleMs: 60_000 } } })
    bus = await worker(deployment)
  })

  afterAll(async () => {
    await bus.close()
    await deployment.stop()
  })

  it('is ready with every server, and without an agent that nobody needs', async () => {
    const { ready, processes, links } = await statusOf(deployment)
    expect(ready).toBe(true)
    expect(processes.map(({ name, state, restarts }) => [name, state, restarts])).toEqual([
      ['temporal', 'running', 0],
      ['nats-server', 'running', 0],
      ['notary', 'running', 0],
      ['worker', 'running', 0],
      ['agent test.0', 'stopped', 0],
    ])
    const ui = await fetch(links['temporal'] ?? '')
    expect(ui.status).toBe(200)
  })

  it('keeps history for ninety days and knows the search attributes', async () => {
    const { temporal } = deployment.deployment
    const pid = (await processOf(deployment, 'temporal')).pid
    const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    const api = `http://127.0.0.1:${args[args.indexOf('--http-port') + 1]}/api/v1/namespaces`
    const facts = await (await fetch(`${api}/${temporal.namespace}`)).text()
    expect(facts).toContain('"workflowExecutionRetentionTtl":"7776000s"')
    const attributes = await (await fetch(`${api}/${temporal.namespace}/search-attributes`)).text()
    expect(attributes).toContain('BulkheadStatus')
    expect(attributes).toContain('BulkheadRecipe')
  })

  it('listens on loopback only', async () => {
    const pids = (await statusOf(deployment)).processes.flatMap(({ pid }) => pid ?? [])
    const sockets = new Set(
      pids.flatMap((pid) =>
        readdirSync(`/proc/${pid}/fd`).flatMap((fd) => inodeOf(`/proc/${pid}/fd/${fd}`)),
      ),
    )
    const listening = ['/proc/net/tcp', '/proc/net/tcp6']
      .flatMap((file) => readFileSync(file, 'utf8').split('\n').slice(1))
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === '0A' && sockets.has(fields[9] ?? ''))
      .map((fields) => fields[1]?.split(':')[0])
    expect(listening.length).toBeGreaterThan(4)
    expect(new Set(listening)).toEqual(new Set(['0100007F']))
  })

  it('keeps its folder and its sockets to its owner', () => {
    const mode = (path: string) => (statSync(path).mode & 0o777).toString(8)
    // As root, others pass through to what is theirs; they can neither list nor write.
    expect(mode(deployment.state)).toBe(process.getuid?.() === 0 ? '711' : '700')
    expect(mode(deployment.deployment.controlSocket)).toBe('600')
    expect(mode(join(deployment.state, 'run', 'deployment.json'))).toBe('600')
  })

  it('starts an agent once for all who ask at the same time', async () => {
    const epochs = await Promise.all([ensured(bus), ensured(bus), ensured(bus)])
    expect(new Set(epochs).size).toBe(1)
    expect(boots(deployment.state)).toEqual([{ bootEpoch: epochs[0], running: true }])
    const socket = join(deployment.state, 'run', 'test.0.sock')
    expect((statSync(socket).mode & 0o777).toString(8)).toBe('600')
    expect(await health(bus)).toMatchObject({ status: 'HEALTHY', bootEpoch: epochs[0] })
  })

  it('shows what the kernel says of the sandbox and what the manifest grants', async () => {
    const { body } = await deployment.control('GET', '/agents/test')
    expect(body).toMatchObject({
      name: 'test',
      state: 'running',
      sandbox: {
        driver: 'oci',
        seccomp: 2,
        noNewPrivs: 1,
        capBnd: '0000000000000000',
        rootReadOnly: true,
        network: 'loopback',
      },
      reach: {
        publish: ['evt'],
        subscribe: ['exec'],
        egress: [],
        mounts: [{ from: 'test.folder', at: '/data/counts', mode: 'rw' }],
      },
    })
    expect((await deployment.control('GET', '/agents/absent')).status).toBe(404)
    expect((await deployment.control('GET', '/agents')).body).toMatchObject([
      { name: 'test', state: 'running', replicas: 1 },
    ])
  })

  it('gives a sandbox its own secrets only, unreadable to others', () => {
    const folder = join(deployment.state, 'agents', 'test.0', 'secrets')
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    const names = files.filter((file) => file.isFile())
    expect(names.map(({ name }) => name).toSorted((a, b) => a.localeCompare(b))).toEqual([
      'bus.json',
      'ca.pem',
      'cert.pem',
      'config.json',
      'key.pem',
      'ledger.key',
      'nkey.seed',
      'receipt.jwk.json',
      'token-keys.json',
    ])
    for (const file of names) {
      expect(statSync(join(file.parentPath, file.name)).mode & 0o777, file.name).toBe(0o400)
    }
  })

  it('refuses an agent that no manifest declares', async () => {
    expect(await ensure(bus, 'absent')).toMatchObject({ status: 'FAILED', code: 'UNKNOWN_AGENT' })
  })

  it('starts a killed agent anew with another epoch, and tells the notary of both', async () => {
    const before = await ensured(bus)
    const { pid } = await processOf(deployment, 'agent test.0')
    process.kill(pid ?? 0, 'SIGKILL')
    await until('it is gone', () => processStartTime(pid ?? 0) === undefined)
    const after = await ensured(bus)
    expect(after).not.toBe(before)
    expect(await health(bus)).toMatchObject({ status: 'HEALTHY', bootEpoch: after })
    await until('the stop is recorded', () =>
      boots(deployment.state).some((boot) => boot.bootEpoch === before && boot.running === false),
    )
    const events = told(deployment.state).filter(({ call }) => call === 'event')
    expect(events.map(({ payload }) => payload.subject)).toContain('agent:test.0')
  })

  it('does not run an agent whose boot the notary did not record', async () => {
    await ensured(bus)
    const agent = await processOf(deployment, 'agent test.0')
    const { pid } = await processOf(deployment, 'notary')
    process.kill(agent.pid ?? 0, 'SIGKILL')
    await until('it is gone', () => processStartTime(agent.pid ?? 0) === undefined)
    process.kill(pid ?? 0, 'SIGSTOP')
    try {
      expect(await ensure(bus)).toMatchObject({ status: 'FAILED', code: 'NOT_RECORDED' })
      expect(await processOf(deployment, 'agent test.0')).toMatchObject({ state: 'stopped' })
      expect(readdirSync(join(deployment.state, 'run', 'runc'))).toEqual([])
    } finally {
      process.kill(pid ?? 0, 'SIGCONT')
    }
    await ensured(bus)
  })

  it.each(['notary', 'worker', 'temporal', 'nats-server'])(
    'starts %s again when it is killed',
    async (name) => {
      const before = await processOf(deployment, name)
      process.kill(before.pid ?? 0, 'SIGKILL')
      await until(`${name} runs again`, async () => {
        const now = await processOf(deployment, name)
        return now.state === 'running' && now.pid !== before.pid
      })
      expect((await processOf(deployment, name)).restarts).toBe(before.restarts + 1)
      await until(
        'the agent serves again',
        async () => (await health(bus).catch(() => ensure(bus))).status === 'HEALTHY',
      )
    },
  )

  it('refuses a second supervisor on the same folder, names the first, and leaves it alone', async () => {
    const options = await prepareDeployment({ ...stubs, state: deployment.state })
    const second = spawnSupervisor(options)
    expect(await second.ended).toBe(1)
    expect(second.said()).toContain('ALREADY_RUNNING')
    expect(second.said()).toContain(String(deployment.process.pid))
    expect(await health(bus)).toMatchObject({ status: 'HEALTHY' })
  })
})

function inodeOf(link: string): readonly string[] {
  try {
    const inode = statSync(link)
    return inode.isSocket() ? [String(inode.ino)] : []
  } catch {
    return []
  }
}
