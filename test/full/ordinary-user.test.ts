// The thread as an ordinary user, with a rootless sandbox. Run as root it becomes a user without an
// account for the time of the test; run as an ordinary user it is what the other suites show anyway.

import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { copyPrograms } from '../support/programs.ts'

const root = join(import.meta.dirname, '..', '..')
const uid = 54_321
const isRoot = process.getuid?.() === 0
if (!isRoot) console.warn('skipped: not root, so every suite has run as an ordinary user already')

describe.skipIf(!isRoot)('as an ordinary user', () => {
  const base = mkdtempSync(join(tmpdir(), 'bulkhead-user-'))

  afterAll(() => {
    rmSync(base, { recursive: true, force: true })
  })

  it('runs the briefing in rootless sandboxes', () => {
    const programs = join(base, 'programs')
    const { node } = copyPrograms(programs)
    const home = join(base, 'home')
    mkdirSync(home)
    for (const folder of [base, home]) {
      chmodSync(folder, 0o755)
      chownSync(folder, uid, uid)
    }
    const { status, stdout, stderr } = spawnSync(
      'setpriv',
      [
        ...['--reuid', String(uid), '--regid', String(uid), '--clear-groups', '--'],
        ...[node, 'cli/main.ts', 'start', '--state', join(home, 'state'), '--once', '--json'],
      ],
      {
        cwd: root,
        encoding: 'utf8',
        env: { HOME: home, PATH: process.env['PATH'], BULKHEAD_TOOLS: programs },
      },
    )
    expect(status, stderr.slice(-4_000)).toBe(0)
    const run = JSON.parse(stdout)
    expect(run).toMatchObject({ status: 'completed', audit: { verified: true } })
  })
})
