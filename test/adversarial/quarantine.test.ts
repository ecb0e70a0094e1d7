// N14: a stolen identity of an agent, key and certificate, used from outside its sandbox. X02: an agent
// shut out in the middle of a run. Real deployments; in both `notes` is the hostile bundle.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { connectionOptions } from '../../security/bus.ts'
import { runCli, startCli } from '../support/cli.ts'
import { startDeployment, type TestDeployment } from '../support/deployment.ts'
import {
  bundleHostile,
  type HostileDeployment,
  startHostileDeployment,
} from '../support/hostile-deployment.ts'

/** As a thief has it who copied the folder: all that the agent itself connects with. */
function enterAs(state: string, agent: string): Promise<NatsConnection> {
  return connect(connectionOptions(join(state, 'agents', agent, 'bus')))
}

const agentSchema = z.looseObject({
  state: z.string(),
  bootEpoch: z.string().nullable(),
  quarantine: z.array(z.looseObject({ code: z.string(), by: z.string() })),
  sandbox: z.unknown(),
  replicas: z.array(z.looseObject({ pid: z.number().nullable() })),
})

describe('a stolen identity', () => {
  let hostile: HostileDeployment
  const show = async (name: string) =>
    agentSchema.parse((await hostile.deployment.control('GET', `/agents/${name}`)).body)

  beforeAll(async () => {
    hostile = await startHostileDeployment()
  })
  afterAll(() => hostile.stop())

  it('N14 is not suspected when an agent is killed and started again, however often', async () => {
    const epochs = new Set<string>()
    for (let round = 0; round < 4; round += 1) {
      const pid = (await show('notes')).replicas[0]?.pid
      if (pid !== null && pid !== undefined) process.kill(pid, 'SIGKILL')
      await expect.poll(async () => (await show('notes')).state).not.toBe('running')
      epochs.add(await hostile.ensure('notes'))
    }
    expect(epochs.size).toBe(4)
    // Longer than the watch takes to look at everything again.
    await new Promise((resolve) => setTimeout(resolve, 4_000))
    expect(await show('notes')).toMatchObject({ state: 'running', quarantine: [] })
    expect(hostile.deployment.said()).not.toContain('somebody else')
  })

  it('N14 is noticed, named, and dead, and so is the sandbox it was taken from', async () => {
    const calendar = await show('calendar')
    const thief = await enterAs(hostile.state, 'notes.0')
    await thief.closed()
    await expect.poll(async () => (await show('notes')).state).toBe('quarantined')
    const notes = await show('notes')
    expect(notes.quarantine).toMatchObject([{ code: 'DUPLICATE_IDENTITY', by: 'notary' }])
    await expect.poll(async () => (await show('notes')).replicas[0]?.pid).toBeNull()
    await expect(enterAs(hostile.state, 'notes.0')).rejects.toThrow('Authorization Violation')
    await expect(hostile.ensure('notes')).rejects.toThrow('QUARANTINED')
    expect(hostile.deployment.said()).toContain('somebody else connected with the identity of')
    // Nobody else has noticed.
    const others = await show('calendar')
    expect(others).toMatchObject({
      state: 'running',
      bootEpoch: calendar.bootEpoch,
      quarantine: [],
    })
  })

  it('N14 is noticed when its agent does not even run, and while it stays for a moment only', async () => {
    await hostile.deployment.control('POST', '/agents/notes/restore')
    expect(await show('notes')).toMatchObject({ state: 'stopped', quarantine: [] })
    const thief = await enterAs(hostile.state, 'notes.0')
    await thief.close()
    await expect.poll(async () => (await show('notes')).state).toBe('quarantined')
  })

  it('is of use again to its agent once a person has restored it', async () => {
    const { status } = await hostile.deployment.control('POST', '/agents/notes/restore')
    expect(status).toBe(200)
    await hostile.ensure('notes')
    expect(await hostile.order('ping')).toBe('pong')
  })
})

describe('an agent that is shut out in the middle of a run', () => {
  let folder: string
  let deployment: TestDeployment

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'bulkhead-shut-'))
    // It takes commands and never replies, so that a step of it is under way for as long as it likes.
    const notes = await bundleHostile(folder)
    deployment = await startDeployment({ home: 'sample', bundles: { notes } })
  })
  afterAll(async () => {
    await deployment.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const planOf = (...steps: readonly string[]) => {
    const file = join(folder, `${steps.length}-steps.yaml`)
    const lines = [
      'version: 1',
      'goal: Look at the day',
      'steps:',
      ...steps,
      'answer: { from: [see] }',
    ]
    writeFileSync(file, `${lines.join('\n')}\n`)
    return file
  }
  const see = '  - { id: see, agent: calendar, action: list, args: { day: today } }'
  const ask = '  - { id: ask, agent: notes, action: list, args: { limit: 1 }, onError: continue }'
  const cli = (...args: readonly string[]) =>
    runCli([...args, '--json', '--state', deployment.state])
  const stepsOf = (text: string) => {
    const step = z.looseObject({ id: z.string(), outcome: z.string(), code: z.string().optional() })
    return z.looseObject({ status: z.string(), steps: z.array(step) }).parse(JSON.parse(text))
  }

  it('X02 fails its step by its onError, while every other step and run finishes', async () => {
    const run = startCli(['run', planOf(ask, see), '--json', '--state', deployment.state])
    // Its sandbox runs and the command is in it: calendar has answered, notes never will.
    await expect
      .poll(async () => JSON.stringify((await deployment.control('GET', '/agents')).body), {
        timeout: 60_000,
      })
      .toMatch(/"name":"notes"[^}]*"state":"running"/)
    await run.says('see')
    const shut = await cli('agents', 'quarantine', 'notes', '--reason', 'says nothing')
    expect(shut.code, shut.stderr).toBe(0)
    expect(JSON.parse(shut.stdout)).toMatchObject({
      busRefuses: true,
      held: [{ agent: 'notes', n: 0, recorded: true, code: 'OWNER', reason: 'says nothing' }],
    })
    const status = await cli('status')
    expect(status.stdout).toContain('"state":"quarantined"')

    const other = await cli('run', planOf(see))
    expect(other.code, other.stderr).toBe(0)
    expect(stepsOf(other.stdout).status).toBe('completed')

    const later = await cli('run', planOf(ask, see))
    expect(stepsOf(later.stdout)).toMatchObject({
      status: 'completed',
      steps: [
        { id: 'ask', outcome: 'denied', code: 'QUARANTINED' },
        { id: 'see', outcome: 'settled' },
      ],
    })

    const { code, stdout, stderr } = await run.ended
    expect(code, stderr).toBe(0)
    expect(stepsOf(stdout)).toMatchObject({
      status: 'completed',
      steps: [
        { id: 'ask', outcome: 'failed', code: 'QUARANTINED' },
        { id: 'see', outcome: 'settled' },
      ],
    })
    const rows = await cli('audit', 'query', '--kind', 'security', '--agent', 'notes')
    expect(rows.stdout).toContain('says nothing')
    expect(rows.stdout).toContain('user:owner')
  })

  it('stays so over a restart of the platform, and can be restored', async () => {
    await deployment.kill()
    const { state } = deployment
    deployment = await startDeployment({ state, bundles: { notes: join(folder, 'hostile.mjs') } })
    expect(deployment.said()).toContain('agent notes.0 is quarantined since')
    await expect(enterAs(state, 'notes.0')).rejects.toThrow('Authorization Violation')
    const restored = await cli('agents', 'restore', 'notes')
    expect(restored.code, restored.stderr).toBe(0)
    expect(restored.stderr).toContain('look first: npx bulkhead audit query --agent notes')
    const thief = await enterAs(state, 'notes.0')
    await thief.closed()
    const listed = async () => (await cli('agents', 'list')).stdout
    await expect.poll(listed, { timeout: 30_000 }).toContain('DUPLICATE_IDENTITY')
    // A folder that was given is kept by those who were given it.
    await deployment.stop()
    rmSync(state, { recursive: true, force: true })
    deployment = await startDeployment({ home: 'sample', bundles: {} })
  })
})
