// How agents and the supervisor itself come to an end: idle, crashed, killed, told to stop; and what
// is left afterwards, which must be nothing.

import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { processStartTime } from '../../supervisor/lock.ts'
import { findLeftovers, processesOf, startDeployment } from '../support/deployment.ts'
import {
  boots,
  ensured,
  health,
  processOf,
  statusOf,
  stubs,
  until,
  worker,
} from '../support/observer.ts'

describe('an agent that nobody asks for', () => {
  it('is stopped when it is idle, and started again with another epoch', async () => {
    const deployment = await startDeployment({ ...stubs, overrides: { test: { idleMs: 700 } } })
    const bus = await worker(deployment)
    const first = await ensured(bus)
    await until('it is stopped', async () => {
      return (await processOf(deployment, 'agent test.0')).state === 'stopped'
    })
    await expect(health(bus)).rejects.toMatchObject({ code: 'NOT_DELIVERED' })
    expect(boots(deployment.state)).toEqual([
      { bootEpoch: first, running: true },
      { bootEpoch: first, running: false },
    ])
    expect(existsSync(join(deployment.state, 'agents', 'test.0', 'secrets'))).toBe(false)
    expect(await ensured(bus)).not.toBe(first)
    await bus.close()
    await deployment.stop()
  })

  it('is kept running where its manifest says so', async () => {
    const deployment = await startDeployment({
      ...stubs,
      overrides: { test: { alwaysOn: true, idleMs: 1 } },
    })
    await until('it runs', async () => {
      return (await processOf(deployment, 'agent test.0')).state === 'running'
    })
    const { pid } = await processOf(deployment, 'agent test.0')
    process.kill(pid ?? 0, 'SIGKILL')
    await until('it runs again', async () => {
      const now = await processOf(deployment, 'agent test.0')
      return now.state === 'running' && now.pid !== pid
    })
    await deployment.stop()
  })
})

describe('a killed supervisor', () => {
  it('leaves nothing running, not even an agent that does not want to leave', async () => {
    const stubborn = join(import.meta.dirname, '..', 'support', 'stubborn-agent.mjs')
    const deployment = await startDeployment({ ...stubs, bundles: { test: stubborn } })
    const { state } = deployment
    const bus = await worker(deployment)
    const epoch = await ensured(bus)
    const pids = (await statusOf(deployment)).processes.flatMap(({ pid }) => pid ?? [])
    expect(pids.length).toBe(5)
    await bus.close()
    await deployment.kill()
    const alive = () => pids.filter((pid) => processStartTime(pid) !== undefined)
    await expect.poll(alive).toEqual([])
    await expect.poll(() => processesOf(state)).toEqual([])
    const mounted = () => findLeftovers(state).filter((one) => one.startsWith('mount '))
    await expect.poll(mounted).toEqual([])

    const next = await startDeployment({ ...stubs, state })
    expect(boots(state)).toEqual([
      { bootEpoch: epoch, running: true },
      { bootEpoch: epoch, running: false },
    ])
    const again = await worker(next)
    expect(await ensured(again)).not.toBe(epoch)
    await again.close()
    await next.stop()
    rmSync(state, { recursive: true, force: true })
  })
})
