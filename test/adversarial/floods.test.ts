// A hostile agent floods its platform with all that it has: messages, connections, files, memory, threads.
// Each flood ends at a bound of its own sandbox, and a run of the other agents finishes meanwhile.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { canMakeControlGroups } from '../../supervisor/sandbox/host.ts'
import { defaultLimits } from '../../supervisor/sandbox/oci-spec.ts'
import { mountPointsBelow } from '../../supervisor/sandbox/volume.ts'
import { createCaseTable } from '../support/case-table.ts'
import { runCli } from '../support/cli.ts'
import { runSchema } from '../support/cli-shapes.ts'
import { type HostileDeployment, startHostileDeployment } from '../support/hostile-deployment.ts'
import { until } from '../support/observer.ts'
import { appendStep, writePlan } from '../support/plan-files.ts'
import { replicaOf } from '../support/traces.ts'

const agent = 'feeds'
const mebibyte = 1024 * 1024
const base = mkdtempSync(join(tmpdir(), 'bulkhead-floods-'))
const table = createCaseTable('floods of a hostile agent, while others work')
let hostile: HostileDeployment
let runs = 0

beforeAll(async () => {
  hostile = await startHostileDeployment({ agent, isWhole: true })
}, 240_000)
afterAll(async () => {
  table.print()
  await hostile.stop()
  rmSync(base, { recursive: true, force: true })
})

/** Two other agents do something, and the audit of it verifies. */
async function othersFinish(): Promise<void> {
  runs += 1
  const name = `meanwhile-${runs}`
  const calendar = '  - { id: look, agent: calendar, action: list, args: { day: today } }\n'
  const keep = appendStep('keep', 'meanwhile', name, ', needs: [look]')
  const plan = writePlan(base, name, `steps:\n${calendar}${keep}answer: { from: [look] }\n`)
  const { code, stdout, stderr } = await runCli(['run', plan, '--state', hostile.state, '--json'])
  expect(code, stderr).toBe(0)
  const run = runSchema.parse(JSON.parse(stdout))
  expect(run.steps.map(({ outcome }) => outcome)).toEqual(['settled', 'settled'])
  expect(run.audit.verified).toBe(true)
}

const ended = 'the agent ended'

/** What the flood came to, or that nobody is there any more to say. */
async function flood(order: object): Promise<unknown> {
  const done = new AbortController()
  const gone = until(
    'it is stopped',
    async () => done.signal.aborted || (await stateOf()) === 'stopped',
    90_000,
  ).then(() => ended)
  const said = hostile.order('flood', order, 90_000).catch(() => ended)
  try {
    return await Promise.race([said, gone])
  } finally {
    done.abort()
  }
}
const stateOf = async () => (await replicaOf(hostile.deployment, agent)).state
const log = (name: string) => readFileSync(join(hostile.state, 'logs', `${name}.log`), 'utf8')

/** The flood goes on beside the run; what it comes to is returned. */
async function during(started: Promise<unknown>): Promise<unknown> {
  const [outcome] = await Promise.all([started, othersFinish()])
  return outcome
}

describe('a flood hurts only the agent that makes it', () => {
  it.each([
    ['events', 'evt', 20_000, 200],
    ['large events', 'evt', 15, mebibyte],
    ['messages to others', 'agent.notes.0.exec', 20_000, 200],
    ['messages larger than the bus takes', 'evt', 8, 3 * mebibyte],
  ])('N09 of %s', async (what, subject, count, bytes) => {
    await hostile.ensure(agent)
    const outcome = await during(flood({ of: 'messages', subject, count, bytes }))
    expect(outcome).not.toBe(ended)
    expect(outcome).toMatchObject({ sent: count })
    table.add('N09', `${count} ${what}`, 'its own account and event limit', 'others finish')
  })

  it('N09 of connections', async () => {
    await hostile.ensure(agent)
    const outcome = z
      .object({ opened: z.number(), failed: z.array(z.string()) })
      .parse(await during(flood({ of: 'connections' })))
    expect(outcome.failed).toContain('EMFILE')
    expect(outcome.opened).toBeLessThan(defaultLimits.openFiles)
    table.add('N09', `${outcome.opened} connections`, 'open files, bus account', 'EMFILE')
  })

  it('C03 of bytes in its ledger', async () => {
    await hostile.ensure(agent)
    const outcome = await during(
      flood({ of: 'files', folder: '/ledger', bytes: mebibyte, count: 500 }),
    )
    const hasVolume =
      mountPointsBelow(hostile.state, readFileSync('/proc/self/mountinfo', 'utf8')).length > 0
    // Without a volume the supervisor stops it, sooner or later.
    if (hasVolume) expect(outcome).toMatchObject({ failed: 'ENOSPC' })
    const { written } = z.object({ written: z.number() }).parse(outcome)
    if (hasVolume) expect(written).toBeLessThan(64)
    table.add('C03', `${written} MiB in /ledger`, hasVolume ? 'ledger volume' : 'quota', 'ENOSPC')
  })

  it('C03 of empty files in its ledger', async () => {
    await hostile.ensure(agent)
    const order = { of: 'files', folder: '/ledger', bytes: 0, count: 50_000 }
    const outcome = await during(flood(order))
    expect(outcome).not.toMatchObject({ failed: 'none' })
    table.add('C03', 'empty files in /ledger', 'ledger volume', 'ENOSPC')
    rmSync(join(hostile.state, 'agents', `${agent}.0`, 'ledger', 'flood'), { recursive: true })
  })

  it('C03 of bytes in a folder of the person’s ends the agent, which stays away until they are gone', async () => {
    await hostile.ensure(agent)
    const folder = `/data/${agent}`
    await during(flood({ of: 'files', folder, bytes: mebibyte, count: 120 }))
    await until('it is stopped', async () => (await stateOf()) === 'stopped')
    expect(log('supervisor')).toContain('agent over its quota')
    await expect(hostile.ensure(agent)).rejects.toThrow('OVER_QUOTA')
    removeFlood()
    await hostile.ensure(agent)
    table.add('C03', `bytes in ${folder}`, 'quota', 'OVER_QUOTA')
  })

  it('C03 of empty files in a folder of the person’s ends the agent', async () => {
    await hostile.ensure(agent)
    const folder = `/data/${agent}`
    await during(flood({ of: 'files', folder, bytes: 0, count: 15_000 }))
    await until('it is stopped', async () => (await stateOf()) === 'stopped')
    removeFlood()
    table.add('C03', `empty files in ${folder}`, 'quota', 'OVER_QUOTA')
  })

  it.skipIf(!canMakeControlGroups())(
    'C03 of memory ends the agent',
    async () => {
      await hostile.ensure(agent)
      expect(await during(flood({ of: 'memory' }))).toBe(ended)
      table.add('C03', 'memory', 'control group', 'killed by the kernel')
    },
    120_000,
  )

  it('C03 of processor time', async () => {
    await hostile.ensure(agent)
    const { pid } = await replicaOf(hostile.deployment, agent)
    expect(await during(flood({ of: 'processor' }))).not.toBe(ended)
    if (canMakeControlGroups()) expect(throttled(pid ?? 0)).toBeGreaterThan(0)
    table.add('C03', 'processor time of all its threads', 'control group', 'throttled')
  })

  it('C03 of threads ends the agent', async () => {
    await hostile.ensure(agent)
    const outcome = await during(flood({ of: 'threads', count: 500 }))
    expect(outcome).not.toMatchObject({ failed: 'none' })
    table.add('C03', 'threads', 'pids, memory', JSON.stringify(outcome))
  })

  it('C03 leaves the platform as it was: a briefing without the agent, and the audit whole', async () => {
    const cli = (...args: readonly string[]) => runCli([...args, '--state', hostile.state])
    // Shut out, because it never answers: its step would be waited for until its tokens are dead.
    const shut = await cli('agents', 'quarantine', agent, '--reason', 'it floods')
    expect(shut.code, shut.stderr).toBe(0)
    const { code, stdout } = await cli('run', 'morning-briefing', '--json')
    expect(code).toBe(0)
    const { steps } = runSchema.parse(JSON.parse(stdout))
    expect(steps.find((step) => step.agent === agent)).toMatchObject({ outcome: 'denied' })
    const others = steps.filter((step) => step.agent === 'calendar' || step.agent === 'notes')
    expect(new Set(others.map(({ outcome }) => outcome))).toEqual(new Set(['settled']))
    expect((await cli('audit', 'verify')).code).toBe(0)
    const { restarts } = z
      .object({ processes: z.array(z.looseObject({ name: z.string(), restarts: z.number() })) })
      .parse((await hostile.deployment.control('GET', '/status')).body)
      .processes.filter(({ name }) => name !== `agent ${agent}.0`)
      .reduce((sum, one) => ({ restarts: sum.restarts + one.restarts }), { restarts: 0 })
    expect(restarts).toBe(0)
  }, 180_000)
})

function removeFlood(): void {
  const data = join(hostile.state, 'agents', agent)
  const found = readdirSync(data, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name === 'flood')
    .map((entry) => join(entry.parentPath, entry.name))
  for (const folder of found) rmSync(folder, { recursive: true })
}

/** How often the kernel made the group wait, by either version of control groups. */
function throttled(pid: number): number {
  const groups = readFileSync(`/proc/${pid}/cgroup`, 'utf8').split('\n')
  const own =
    groups.find((line) => /:(cpu|cpu,cpuacct|cpuacct,cpu):/.test(line)) ??
    groups.find((line) => line.startsWith('0::'))
  const path = own?.split(':')[2] ?? ''
  const file = ['/sys/fs/cgroup/cpu', '/sys/fs/cgroup/cpu,cpuacct', '/sys/fs/cgroup']
    .map((folder) => join(folder, path, 'cpu.stat'))
    .find((candidate) => existsSync(candidate))
  return Number(
    /nr_throttled (\d+)/.exec(file === undefined ? '' : readFileSync(file, 'utf8'))?.[1],
  )
}
