// Children of a few lines of shell or Node stand for the servers.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { processStartTime } from '../../supervisor/lock.ts'
import { type LogFile, openLog } from '../../supervisor/log-file.ts'
import {
  backoffMs,
  createManagedProcess,
  type ManagedProcess,
  type ProcessPlan,
  type ProcessStatus,
} from '../../supervisor/process.ts'

let base: string
let log: LogFile
let started: ManagedProcess[]

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'bulkhead-process-'))
  log = openLog(join(base, 'log'))
  started = []
})
afterEach(async () => {
  await Promise.all(started.map((process) => process.stop()))
  log.close()
  rmSync(base, { recursive: true, force: true })
})

const sayReady = `require('fs').writeSync(3, '{"ready":true}\\n')`

function manage(source: string, change: Partial<ProcessPlan> = {}) {
  const file = join(base, 'program.cjs')
  writeFileSync(file, source)
  const states: string[] = []
  const process_ = createManagedProcess(
    {
      name: 'server',
      command: process.execPath,
      args: [file],
      folder: base,
      environment: { GIVEN: 'yes' },
      readiness: 'pipe',
      startTimeoutMs: 10_000,
      stopTimeoutMs: 500,
      ...change,
    },
    { log, now: Date.now, onChange: ({ state }: ProcessStatus) => states.push(state) },
  )
  started.push(process_)
  return { process: process_, states }
}

async function until(isSo: () => boolean) {
  for (let waited = 0; !isSo(); waited += 10) {
    if (waited > 10_000) throw new Error('not in time')
    await delay(10)
  }
}

describe('a managed process', () => {
  it('is running once it has said that it is ready', async () => {
    const { process: managed, states } = manage(`${sayReady}; setInterval(() => {}, 1000)`)
    await managed.start()
    expect(managed.status()).toMatchObject({ name: 'server', state: 'running', restarts: 0 })
    expect(states).toEqual(['starting', 'running'])
  })

  it('gets the environment that the plan names and nothing of ours', async () => {
    const out = join(base, 'environment')
    const { process: managed } = manage(
      `require('fs').writeFileSync(${JSON.stringify(out)}, Object.keys(process.env).join()); ${sayReady}; setInterval(() => {}, 1000)`,
    )
    await managed.start()
    expect(readFileSync(out, 'utf8')).toBe('GIVEN')
  })

  it('fails to start with what the program said of itself', async () => {
    const refusal = `{"ready":false,"code":"X","message":"no key"}`
    const { process: managed } = manage(`require('fs').writeSync(3, '${refusal}\\n')`)
    await expect(managed.start()).rejects.toMatchObject({
      code: 'START_FAILED',
      message: 'server: no key',
    })
  })

  it('fails to start with the end of its log when it ends without a word', async () => {
    const { process: managed } = manage(`console.error('out of luck'); process.exit(3)`)
    await expect(managed.start()).rejects.toMatchObject({
      code: 'START_FAILED',
      message: expect.stringMatching(/exit code 3.*out of luck/s),
    })
  })

  it('fails to start when it is not ready in time, and does not live on', async () => {
    const { process: managed } = manage('setInterval(() => {}, 1000)', { startTimeoutMs: 700 })
    const starting = managed.start()
    // Awaited below; that there is no process at all is told first.
    starting.catch(() => undefined)
    let pid: number | null = null
    await until(() => {
      pid ??= managed.status().pid
      return pid !== null
    })
    await expect(starting).rejects.toMatchObject({ code: 'START_TIMEOUT' })
    expect(processStartTime(pid ?? 0)).toBeUndefined()
  })

  it('cannot be started from a program that is not there', async () => {
    const { process: managed } = manage('', { command: join(base, 'absent') })
    await expect(managed.start()).rejects.toMatchObject({ code: 'START_FAILED' })
  })

  it('is started again when it ends, and counts it', async () => {
    const { process: managed, states } = manage(`${sayReady}; setInterval(() => {}, 1000)`)
    await managed.start()
    const { pid } = managed.status()
    process.kill(pid ?? 0, 'SIGKILL')
    await until(() => managed.status().restarts === 1 && managed.status().state === 'running')
    expect(managed.status().pid).not.toBe(pid)
    expect(states).toEqual(['starting', 'running', 'backing-off', 'starting', 'running'])
  })

  it('is ended hard when it does not heed SIGTERM', async () => {
    const { process: managed } = manage(
      `process.on('SIGTERM', () => {}); ${sayReady}; setInterval(() => {}, 1000)`,
    )
    await managed.start()
    const { pid } = managed.status()
    await managed.stop()
    expect(processStartTime(pid ?? 0)).toBeUndefined()
    expect(managed.status()).toMatchObject({ state: 'stopped', pid: null })
  })

  it('is not started again after it was stopped, not even when it was backing off', async () => {
    const marker = join(base, 'marker')
    const source = `const fs = require('fs'); if (fs.existsSync(${JSON.stringify(marker)})) process.exit(1); fs.writeFileSync(${JSON.stringify(marker)}, ''); ${sayReady}; setTimeout(() => process.exit(1), 100)`
    const { process: managed } = manage(source)
    await managed.start()
    await until(() => managed.status().state === 'backing-off')
    await managed.stop()
    rmSync(marker)
    await delay(700)
    expect(existsSync(marker)).toBe(false)
    expect(managed.status().state).toBe('stopped')
  })

  it('can be asked whether it is ready instead of saying so', async () => {
    let asked = 0
    const { process: managed } = manage('setInterval(() => {}, 1000)', {
      readiness: async () => {
        asked += 1
        if (asked === 1) throw new Error('not there yet')
        return asked > 2
      },
    })
    await managed.start()
    expect(asked).toBe(3)
  })
})

describe('backoffMs', () => {
  it('doubles from a quarter of a second to half a minute and stays there', () => {
    expect([1, 2, 3, 4, 8, 9, 1_000].map(backoffMs)).toEqual([
      250, 500, 1_000, 2_000, 30_000, 30_000, 30_000,
    ])
  })
})
