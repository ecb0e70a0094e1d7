import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { claimLock, processStartTime } from '../../supervisor/lock.ts'

let folder: string
let file: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-lock-'))
  file = join(folder, 'supervisor.lock')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('the lock of a state folder', () => {
  it('is refused while its holder lives, naming the holder', () => {
    const lock = claimLock(file, '/the/state')
    expect(() => claimLock(file, '/the/state')).toThrow(
      expect.objectContaining({
        code: 'ALREADY_RUNNING',
        message: `a supervisor (process ${process.pid}) is already running on /the/state`,
      }),
    )
    lock.release()
    expect(readdirSync(folder)).toEqual([])
  })

  it('is taken over from a process that is gone', async () => {
    const child = spawn('sleep', ['30'])
    const startTime = processStartTime(child.pid ?? 0)
    expect(startTime).toBeDefined()
    writeFileSync(file, `${child.pid} ${startTime}`)
    expect(() => claimLock(file, '/the/state')).toThrow(/already running/)
    child.kill('SIGKILL')
    await once(child, 'exit')
    claimLock(file, '/the/state').release()
    expect(existsSync(file)).toBe(false)
  })

  it('is taken over when the id belongs to another process by now', () => {
    writeFileSync(file, `${process.pid} 1`)
    claimLock(file, '/the/state').release()
  })

  it('is taken over when it is damaged', () => {
    for (const text of ['', 'x', '-1 5', '999999999 7']) {
      writeFileSync(file, text)
      claimLock(file, '/the/state').release()
    }
  })

  it('does not remove the lock of a successor', () => {
    const lock = claimLock(file, '/the/state')
    writeFileSync(file, '1 1')
    lock.release()
    expect(existsSync(file)).toBe(true)
  })
})

describe('processStartTime', () => {
  it('is the same for a process as long as it lives, and absent for none', () => {
    expect(processStartTime(process.pid)).toBe(processStartTime(process.pid))
    expect(processStartTime(999_999_999)).toBeUndefined()
  })
})
