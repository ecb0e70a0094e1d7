// The small pure parts: what they turn text and numbers into.

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { limits } from '../../plan/limits.ts'
import { explainSystemError, SupervisorError, toExitCode } from '../../supervisor/codes.ts'
import { parseReadyLine } from '../../supervisor/launch.ts'
import { openLog } from '../../supervisor/log-file.ts'
import { isIdle, listReplicas } from '../../supervisor/pool.ts'
import { choosePorts, portNames } from '../../supervisor/ports.ts'
import { isRootReadOnly, parseStatus } from '../../supervisor/sandbox/facts.ts'
import { parseLdd } from '../../supervisor/sandbox/shared-libraries.ts'
import { temporalPlan } from '../../supervisor/servers.ts'
import { stateLayout } from '../../supervisor/state.ts'
import { createUnwind } from '../../supervisor/unwind.ts'
import { manifest } from '../support/test-agent/manifest.ts'

describe('isIdle', () => {
  const agent = { alwaysOn: false, idleMs: 1_000 }
  const running = { state: 'running', idleMs: 1_000, pendingMs: 0 } as const

  it('is true after the idle time of the manifest', () => {
    expect(isIdle(agent, running)).toBe(true)
    expect(isIdle(agent, { ...running, idleMs: 999 })).toBe(false)
  })

  it('is never true for an agent that is always on, or does not run', () => {
    expect(isIdle({ ...agent, alwaysOn: true }, running)).toBe(false)
    for (const state of ['stopped', 'starting', 'stopping'] as const) {
      expect(isIdle(agent, { ...running, state })).toBe(false)
    }
    expect(isIdle(agent, { ...running, idleMs: undefined })).toBe(false)
  })

  it('is false while a command waits for its reply, until any reply would be late', () => {
    expect(isIdle(agent, { ...running, pendingMs: limits.replyMs })).toBe(false)
    expect(isIdle(agent, { ...running, pendingMs: limits.replyMs + 1 })).toBe(true)
  })
})

describe('listReplicas', () => {
  it('numbers the replicas of each agent from 0', () => {
    const catalogue = new Map([['test', { ...manifest, replicas: 2 }]])
    expect(listReplicas(catalogue)).toEqual([
      { agent: 'test', n: 0 },
      { agent: 'test', n: 1 },
    ])
  })
})

describe('parseLdd', () => {
  it('takes the paths of libraries and of the loader, and not the vdso', () => {
    const text = [
      '\tlinux-vdso.so.1 (0x00007ffd)',
      '\tlibstdc++.so.6 => /lib/x86_64-linux-gnu/libstdc++.so.6 (0x00007f77)',
      '\tlibmissing.so => not found',
      '\t/lib64/ld-linux-x86-64.so.2 (0x00007f78)',
    ].join('\n')
    expect(parseLdd(text)).toEqual([
      '/lib/x86_64-linux-gnu/libstdc++.so.6',
      '/lib64/ld-linux-x86-64.so.2',
    ])
  })
})

describe('facts of a process', () => {
  it('are read by name', () => {
    const status = parseStatus('Name:\tnode\nSeccomp:\t2\nCapBnd:\t0000000000000000\n')
    expect(status.get('Seccomp')).toBe('2')
    expect(status.get('CapBnd')).toBe('0000000000000000')
  })

  it('say that the root is read-only only when its own mount says so', () => {
    const line = (at: string, options: string) =>
      `1 2 0:3 / ${at} ${options} shared:1 - ext4 dev rw`
    expect(isRootReadOnly(line('/', 'ro,relatime'))).toBe(true)
    expect(isRootReadOnly(line('/', 'rw,relatime'))).toBe(false)
    expect(isRootReadOnly(line('/agent', 'ro'))).toBe(false)
    expect(isRootReadOnly([line('/', 'ro'), line('/', 'rw')].join('\n'))).toBe(false)
    expect(isRootReadOnly('')).toBe(false)
  })
})

describe('parseReadyLine', () => {
  it('takes ready and not ready, and nothing else', () => {
    expect(parseReadyLine('{"ready":true,"sandbox":{}}\n', 'x')).toMatchObject({ ready: true })
    expect(parseReadyLine('{"ready":false,"code":"A","message":"b"}\n', 'x').ready).toBe(false)
    for (const text of ['', 'yes', '{}', '{"ready":"true"}', '{"ready":false}']) {
      expect(() => parseReadyLine(text, 'x')).toThrow('x did not say that it is ready')
    }
  })
})

describe('a log file', () => {
  it('is bounded to twice its limit, private, and keeps the latest lines', () => {
    const folder = mkdtempSync(join(tmpdir(), 'bulkhead-log-'))
    const file = join(folder, 'x.log')
    const log = openLog(file, 1_000)
    for (let line = 0; line < 500; line++) log.write(`line ${line}\n`)
    expect(readdirSync(folder)).toEqual(['x.log', 'x.log.1'])
    expect(statSync(file).size + statSync(`${file}.1`).size).toBeLessThanOrEqual(2_000)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readFileSync(file, 'utf8')).toMatch(/line 499\n$/)
    expect(log.tail()).toMatch(/line 499$/)
    log.close()
    rmSync(folder, { recursive: true })
  })
})

describe('unwinding', () => {
  it('undoes in reverse, goes on after a failure, and undoes at once what comes late', async () => {
    const undone: string[] = []
    const failed: string[] = []
    const unwind = createUnwind((what) => failed.push(what))
    unwind.add('first', () => void undone.push('first'))
    unwind.add('second', () => {
      throw new Error('no')
    })
    unwind.add('third', async () => void undone.push('third'))
    const running = unwind.run()
    unwind.add('late', () => void undone.push('late'))
    await Promise.all([running, unwind.run()])
    expect(undone.toSorted((a, b) => a.localeCompare(b))).toEqual(['first', 'late', 'third'])
    expect(undone.indexOf('third')).toBeLessThan(undone.indexOf('first'))
    expect(failed).toEqual(['second'])
  })
})

describe('choosePorts', () => {
  it('takes the configured ones and free, different ones for the rest', async () => {
    const ports = await choosePorts({})
    expect(new Set(Object.values(ports)).size).toBe(portNames.length)
    const again = await choosePorts({ bus: ports.bus })
    expect(again.bus).toBe(ports.bus)
  })

  it('names the key of a configured port that is taken', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    await expect(choosePorts({ temporalUi: port })).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      message: `port ${port} (ports.temporalUi) is taken`,
    })
    server.close()
  })
})

describe('the plan of Temporal', () => {
  it('has durability, loopback and the measured settings', () => {
    const { args } = temporalPlan({
      program: '/temporal',
      layout: stateLayout('/state'),
      ports: { temporal: 1, temporalUi: 2, temporalHttp: 3, temporalMetrics: 4, bus: 5 },
      environment: {},
      as: { user: undefined, surroundings: { view: undefined, scratch: '/nowhere' } },
    })
    const text = args.join(' ')
    for (const wanted of [
      '--ip 127.0.0.1 --ui-ip 127.0.0.1',
      '--db-filename /state/temporal/temporal.db',
      '--sqlite-pragma journal_mode=WAL --sqlite-pragma synchronous=FULL',
      '--dynamic-config-value history.transferProcessorMaxPollRPS=2000',
      '--dynamic-config-value system.enableActivityEagerExecution=true',
    ]) {
      expect(text).toContain(wanted)
    }
  })
})

describe('errors', () => {
  it('explain a full disk and a folder that is not ours to write, and nothing else', () => {
    const full = Object.assign(new Error('write'), { code: 'ENOSPC' })
    expect(explainSystemError(full, '/state')).toMatchObject({
      code: 'DISK_FULL',
      next: expect.stringContaining('df -h /state'),
    })
    const denied = Object.assign(new Error('no'), { code: 'EACCES', path: '/state/run' })
    expect(explainSystemError(denied, '/state')).toMatchObject({ code: 'STATE_UNUSABLE' })
    expect(explainSystemError(denied, '/elsewhere')).toBe(denied)
    const other = new Error('else')
    expect(explainSystemError(other, '/state')).toBe(other)
    expect(explainSystemError(new SupervisorError('START_FAILED', 'x'), '/')).toMatchObject({
      code: 'START_FAILED',
    })
  })

  it('are usage errors only where the person can write something else', () => {
    expect(toExitCode('USAGE')).toBe(2)
    expect(toExitCode('CONFIG_INVALID')).toBe(2)
    expect(toExitCode('ALREADY_RUNNING')).toBe(1)
  })
})
