// Where and under what conditions a deployment runs: side by side with another, below a long path, as
// an ordinary user; and what a person is told when it cannot.

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
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { BusError } from '../../security/bus-error.ts'
import {
  callControl,
  type DeploymentOptions,
  findLeftovers,
  prepareDeployment,
  spawnSupervisor,
  startDeployment,
} from '../support/deployment.ts'
import { ensured, health, processOf, stubs, until, worker } from '../support/observer.ts'
import { copyPrograms } from '../support/programs.ts'
import { emptyLedger } from '../support/traces.ts'

const isRoot = process.getuid?.() === 0
const temporary = (name: string) => mkdtempSync(join(tmpdir(), `bulkhead-${name}-`))

/** Starts, expects it to give up, and returns what it said and its exit code. */
async function startInVain(options: DeploymentOptions) {
  const prepared = await prepareDeployment({ ...stubs, ...options })
  const supervisor = spawnSupervisor(prepared, options)
  const code = await supervisor.ended
  const left = findLeftovers(prepared.state)
  return { code, said: supervisor.said(), left, state: prepared.state }
}

describe('two deployments', () => {
  it('run side by side and do not see each other', async () => {
    const [one, two] = await Promise.all([startDeployment(stubs), startDeployment(stubs)])
    const [first, second] = await Promise.all([worker(one), worker(two)])
    const epochs = await Promise.all([ensured(first), ensured(second)])
    expect(epochs[0]).not.toBe(epochs[1])
    expect(one.deployment.deployment).not.toBe(two.deployment.deployment)
    await Promise.all([first.close(), one.stop()])
    expect(await health(second)).toMatchObject({ status: 'HEALTHY', bootEpoch: epochs[1] })
    await second.close()
    await two.stop()
  })
})

describe('a state folder with a long path', () => {
  it('has its sockets in a short private folder, which goes with the deployment', async () => {
    const base = temporary('long')
    const state = join(base, 'a'.repeat(60), 'b'.repeat(60))
    mkdirSync(state, { recursive: true, mode: 0o700 })
    const deployment = await startDeployment({ ...stubs, state })
    const { controlSocket } = deployment.deployment
    expect(Buffer.byteLength(controlSocket)).toBeLessThan(108)
    expect(controlSocket.startsWith(state)).toBe(false)
    const bus = await worker(deployment)
    await ensured(bus)
    expect(await health(bus)).toMatchObject({ status: 'HEALTHY' })
    await bus.close()
    await deployment.stop()
    expect(existsSync(dirname(controlSocket))).toBe(false)
    rmSync(base, { recursive: true, force: true })
  })
})

describe('an ordinary user', () => {
  if (!isRoot) console.warn('skipped: not root, so every test here ran as an ordinary user')
  it.skipIf(!isRoot)('runs agents in rootless sandboxes that are as tight', async () => {
    const uid = 54_321
    const base = temporary('user')
    const state = join(base, 'state')
    mkdirSync(state, { mode: 0o700 })
    await prepareDeployment({ ...stubs, state })
    const programs = join(base, 'programs')
    const { node } = copyPrograms(programs)
    execFileSync('chown', ['-R', `${uid}:${uid}`, base])
    const deployment = await startDeployment({
      ...stubs,
      state,
      bundles: { test: join(state, 'test-agent.mjs') },
      wrapper: ['setpriv', '--reuid', String(uid), '--regid', String(uid), '--clear-groups'],
      env: { HOME: base, XDG_CACHE_HOME: join(base, 'cache'), BULKHEAD_TOOLS: programs },
      node,
    })
    const bus = await worker(deployment)
    await ensured(bus)
    expect(await health(bus)).toMatchObject({
      status: 'HEALTHY',
      sandbox: { seccomp: 2, noNewPrivs: true, capabilities: '0', rootReadOnly: true },
    })
    expect((await deployment.control('GET', '/agents/test')).body).toMatchObject({
      sandbox: {
        seccomp: 2,
        noNewPrivs: 1,
        capBnd: '0000000000000000',
        network: 'loopback',
        limits: 'rlimit',
      },
    })
    const { pid } = await processOf(deployment, 'agent test.0')
    expect(readFileSync(`/proc/${pid}/limits`, 'utf8')).toMatch(/^Max processes +64 +64/m)
    expect(deployment.said()).toContain('a compromised worker is not contained')
    expect(deployment.said()).toContain('no control groups here')
    expect(deployment.said()).toContain('no ledger volumes here (without root rights)')
    await bus.close()
    await deployment.stop()
    rmSync(base, { recursive: true, force: true })
  })
})

describe('stopping', () => {
  it('can be asked for over the control socket', async () => {
    const deployment = await startDeployment(stubs)
    const { controlSocket } = deployment.deployment
    expect((await callControl(controlSocket, 'POST', '/down')).status).toBe(202)
    await deployment.stop()
    expect(existsSync(join(deployment.state, 'run', 'deployment.json'))).toBe(false)
  })

  it('can be asked for while it still starts', async () => {
    const prepared = await prepareDeployment(stubs)
    const supervisor = spawnSupervisor(prepared)
    await until('the first server starts', () =>
      existsSync(join(prepared.state, 'run', 'control.sock')),
    )
    supervisor.process.kill('SIGTERM')
    expect(await supervisor.ended).toBe(0)
    expect(findLeftovers(prepared.state)).toEqual([])
    rmSync(prepared.state, { recursive: true, force: true })
  })
})

describe('a start that cannot succeed', () => {
  it('names the configured port that is taken', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : 0
    const yaml = `ports:\n  temporalUi: ${port}\nagents:\n  test:\n    folder: counts\n`
    const result = await startInVain({ home: { yaml } })
    server.close()
    expect(result).toMatchObject({ code: 1, left: [] })
    expect(result.said).toMatch(new RegExp(`PORT_TAKEN: .*${port} \\(ports.temporalUi\\)`))
    rmSync(result.state, { recursive: true, force: true })
  })

  it('names file and line of a broken configuration, and is a usage error', async () => {
    const yaml = 'agents:\n  test:\n    foldr: counts\n'
    const result = await startInVain({ home: { yaml } })
    expect(result.code).toBe(2)
    expect(result.said).toMatch(/CONFIG_INVALID: .*bulkhead.yaml:3: agents.test.foldr/)
    // Nothing was created for a configuration that is not one.
    expect(existsSync(join(result.state, 'deployment-id'))).toBe(false)
    rmSync(result.state, { recursive: true, force: true })
  })

  it('says how to get a program that has not been built', async () => {
    const empty = temporary('empty')
    const env = {
      BULKHEAD_TOOLS: empty,
      XDG_CACHE_HOME: empty,
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    }
    const result = await startInVain({ env })
    expect(result).toMatchObject({ code: 1, left: [] })
    expect(result.said).toMatch(/TOOL_MISSING: .*has not been built/)
    rmSync(result.state, { recursive: true, force: true })
    rmSync(empty, { recursive: true, force: true })
  })

  it('does not take a folder that is something else', async () => {
    const state = temporary('other')
    writeFileSync(join(state, 'thesis.txt'), 'mine')
    execFileSync('chmod', ['755', state])
    const configFile = join(temporary('config'), 'bulkhead.yaml')
    writeFileSync(configFile, '')
    const prepared = { state, configFile, agents: ['test'] }
    const supervisor = spawnSupervisor(prepared)
    expect(await supervisor.ended).toBe(1)
    expect(supervisor.said()).toContain('STATE_UNUSABLE')
    expect(readdirSync(state).toSorted((a, b) => a.localeCompare(b))).toEqual([
      'test-options.json',
      'thesis.txt',
    ])
    rmSync(state, { recursive: true, force: true })
    rmSync(dirname(configFile), { recursive: true, force: true })
  })

  it.skipIf(!isRoot)('says that the disk is full, and starts once there is room', async () => {
    const base = temporary('disk')
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=90m,mode=700', 'tmpfs', base])
    try {
      const state = join(base, 'state')
      mkdirSync(state, { mode: 0o700 })
      const ballast = join(base, 'ballast')
      writeFileSync(ballast, Buffer.alloc(60 * 1024 * 1024))
      const result = await startInVain({ state })
      expect(result.code).toBe(1)
      expect(result.said).toMatch(/DISK_FULL: only \d+ MB are free/)
      rmSync(ballast)
      const deployment = await startDeployment({ ...stubs, state })
      expect(await processOf(deployment, 'worker')).toMatchObject({ state: 'running' })
      deployment.process.kill('SIGTERM')
      await until('it has ended', () => deployment.process.exitCode === 0)
    } finally {
      execFileSync('umount', ['-l', base])
      rmSync(base, { recursive: true, force: true })
    }
  })
})

/** Started once more where it was idle for long enough between the two questions. */
async function healthOnceThere(bus: Awaited<ReturnType<typeof worker>>) {
  for (;;) {
    await ensured(bus)
    try {
      return await health(bus)
    } catch (error) {
      if (!(error instanceof BusError && error.code === 'NOT_DELIVERED')) throw error
    }
  }
}

describe('a ledger that was lost', () => {
  it('is not taken for a new one: the agent runs and refuses effects', async () => {
    const deployment = await startDeployment({ ...stubs, overrides: { test: { idleMs: 300 } } })
    const bus = await worker(deployment)
    expect(await healthOnceThere(bus)).toMatchObject({ sandbox: { ledger: 'OPEN' } })
    await until('it is stopped', async () => {
      return (await processOf(deployment, 'agent test.0')).state === 'stopped'
    })
    emptyLedger(deployment.state, 'test.0')
    expect(await healthOnceThere(bus)).toMatchObject({ sandbox: { ledger: 'MISSING' } })
    await bus.close()
    await deployment.stop()
  })
})
