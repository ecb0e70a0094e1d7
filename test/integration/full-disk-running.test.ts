// A disk that others fill while the platform runs on it, through the real command: a clear refusal of
// what is new, an exactly-once end of what was under way, an audit that verifies. Needs a small file
// system of its own, so root and Linux.

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CliProcess, runCli, startCli } from '../support/cli.ts'
import { runSchema, statusSchema } from '../support/cli-shapes.ts'
import { findLeftovers } from '../support/deployment.ts'
import { appendStep, writePlan } from '../support/plan-files.ts'

const canMount = process.platform === 'linux' && process.getuid?.() === 0
if (!canMount) console.warn('skipped: a full disk while running (mounting needs root on Linux)')

const base = mkdtempSync(join(tmpdir(), 'bulkhead-full-'))
const disk = join(base, 'disk')

async function run(state: string, ...args: readonly string[]) {
  const { code, stdout, stderr } = await runCli(['run', ...args, '--state', state, '--json'])
  expect(code, stderr).toBe(0)
  return runSchema.parse(JSON.parse(stdout))
}

async function pidOf(state: string, name: string): Promise<number> {
  const { stdout } = await runCli(['status', '--state', state, '--json'])
  const { processes } = statusSchema.parse(JSON.parse(stdout))
  const pid = processes.find((process) => process.name === name)?.pid
  // Signals to 0 are for whoever sends them.
  if (pid === undefined || pid === null) throw new Error(`${name} does not run`)
  return pid
}

describe.skipIf(!canMount)('a disk that fills while the platform runs', () => {
  let platform: CliProcess | undefined
  const filler = join(disk, 'filler')
  const fill = () => {
    for (const [file, size] of [
      [filler, '1M'],
      [`${filler}2`, '1k'],
    ]) {
      execFileSync('sh', ['-c', `dd if=/dev/zero of=${file} bs=${size} 2>/dev/null || true`])
    }
  }
  const free = () => {
    for (const file of [filler, `${filler}2`]) rmSync(file, { force: true })
  }
  beforeAll(() => {
    mkdirSync(disk)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=600m', 'tmpfs', disk])
  })
  afterAll(async () => {
    if (platform?.child.exitCode === null) platform.child.kill('SIGTERM')
    await platform?.ended
    // Lazily: a mount namespace that somebody made meanwhile may hold a copy.
    execFileSync('umount', ['-l', disk])
    rmSync(base, { recursive: true, force: true })
  })

  it('refuses new runs clearly, keeps the one under way, and has lost nothing', async () => {
    const state = join(disk, 'state')
    platform = startCli(['start', '--state', state])
    await platform.says('Ctrl-C stops the platform')
    const plan = writePlan(
      base,
      'filled',
      `steps:\n${appendStep('one', 'filled', 'written-once')}answer: { from: [one] }\n`,
    )
    const agent = await pidOf(state, 'agent notes.0')
    process.kill(agent, 'SIGSTOP')
    const underWay = startCli(['run', plan, '--state', state, '--json'])
    await underWay.says('running')
    fill()
    process.kill(agent, 'SIGCONT')

    const refused = await runCli(['run', 'morning-briefing', '--state', state, '--json'])
    // Whichever of the two keepers met it first.
    expect(refused.stderr).toMatch(/STORAGE_FULL|AUDIT_UNAVAILABLE: the disk is full/)
    expect(refused.stderr).toContain('next: free some disk space')
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    const doctor = await runCli(['doctor', '--state', state])
    expect(doctor.stdout).toMatch(/FAIL {2}disk: \d+ MB free/)
    expect(doctor.code).toBe(1)

    free()
    const { code, stdout, stderr } = await underWay.ended
    expect(code, stderr).toBe(0)
    expect(runSchema.parse(JSON.parse(stdout))).toMatchObject({
      status: 'completed',
      steps: [{ outcome: 'settled' }],
      audit: { verified: true },
    })
    const note = readFileSync(join(state, 'agents', 'notes', 'data', 'filled.md'), 'utf8')
    expect(note.split('written-once').length).toBe(2)
    expect((await run(state, 'morning-briefing')).audit.verified).toBe(true)
    platform.child.kill('SIGTERM')
    expect((await platform.ended).code).toBe(0)
    expect((await runCli(['audit', 'verify', '--state', state])).code).toBe(0)
  })

  it('does not start on a disk without room, and says how much there is', async () => {
    const state = join(disk, 'other')
    const { bavail, bsize } = statfsSync(disk)
    const count = Math.floor((bavail * bsize) / 1024 / 1024) - 32
    execFileSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=1M', `count=${count}`])
    const { code, stderr } = await runCli(['start', '--once', '--state', state])
    expect(code).toBe(1)
    expect(stderr).toMatch(/DISK_FULL: only \d+ MB are free/)
    expect(stderr).toContain('next: free some space')
    free()
    expect(findLeftovers(state)).toEqual([])
  })
})
