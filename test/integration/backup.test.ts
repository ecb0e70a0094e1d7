// The two recipes for backups through a whole deployment: the agent in its sandbox, the real program in the
// same sandbox, the repositories mounted where nothing can write to them. One after the other for both
// generations of restic and for borg.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { borgOf, openBackups, password, resticOf, stateOf } from '../support/backup-world.ts'
import { runCli } from '../support/cli.ts'
import { startDeployment, type TestDeployment } from '../support/deployment.ts'
import type { InstalledName } from '../support/install-programs.ts'
import { type Installed, installed, installTimeoutMs } from '../support/installed.ts'

const programs: readonly (readonly [InstalledName, 'restic' | 'borg'])[] = [
  ['restic', 'restic'],
  ['restic-newer', 'restic'],
  ['borg', 'borg'],
]
const canary = 'canary-of-backups-9c17'

/** A house with one repository, `home`, of this program. */
async function openHouse(program: 'restic' | 'borg', real: Installed) {
  const world = openBackups({ [program]: real })
  const maker = program === 'borg' ? borgOf(world, real) : resticOf(world, real)
  for (let n = 0; n < 12; n++) world.put(`letters/${n}.txt`, `letter ${n} ${canary}`)
  maker.init('home')
  maker.backup('home')
  // What lies in the state folder is given to the agent's user.
  const state = world.folder
  writeFileSync(join(world.folder, 'passwords'), `home: ${password}\n`, { mode: 0o600 })
  const settings = {
    repositories: join(world.folder, 'repositories'),
    scratch: join(world.folder, 'scratch'),
    passwords: `file://${join(world.folder, 'passwords')}`,
    [program]: real.command,
  }
  const lines = Object.entries(settings).map(([name, value]) => `    ${name}: ${value}\n`)
  writeFileSync(
    join(state, 'bulkhead.yaml'),
    `timezone: UTC\nagents:\n  backup:\n${lines.join('')}`,
  )
  return { world, state }
}

const answered = z.object({ answer: z.string() })

async function answerOf(state: string, recipe: string): Promise<string> {
  const { code, stdout, stderr } = await runCli(['run', recipe, '--state', state, '--json'])
  expect(code, `${stdout}\n${stderr}`).toBe(0)
  return answered.parse(JSON.parse(stdout)).answer
}

describe('the recipes for backups', { timeout: installTimeoutMs }, () => {
  for (const [name, program] of programs) {
    it(`answer for ${name}, in its sandbox`, async (context) => {
      const real = await installed(name)
      if ('missing' in real) return context.skip(real.missing)
      console.info(`${name} ${real.version}`)
      const { world, state } = await openHouse(program, real)
      const before = stateOf(join(world.folder, 'repositories'))
      let deployment: TestDeployment | undefined
      try {
        deployment = await startDeployment({ state })
        const check = await answerOf(state, 'nightly-backup-check')
        expect(check).toContain('Every backup is recent.')
        expect(check).toMatch(new RegExp(`home is sound.*\\(${program} ${real.version}`))
        const drill = await answerOf(state, 'monthly-restore-drill')
        expect(drill).toContain('5 of 5 restored files are what was backed up')
        expect(drill).toContain('letters/')
        expect(stateOf(join(world.folder, 'repositories'))).toEqual(before)
        expect(readdirSync(join(world.folder, 'scratch'))).toEqual([])
        const reach = readFileSync(join(state, 'public', 'reach.json'), 'utf8')
        expect(reach).toContain(`"programs":[{"file":"${real.command}","name":"${program}"}]`)
        // Neither the password nor what is in a file goes further than the agent.
        expect(`${deployment.said()}${check}${drill}`).not.toMatch(
          new RegExp(`${password}|${canary}`),
        )
      } finally {
        await deployment?.stop()
        world.remove()
      }
    })
  }

  it('say that a program is not set up, and the agent starts all the same', async () => {
    const state = mkdtempSync(join(tmpdir(), 'bulkhead-backup-'))
    const repository = join(state, 'all', 'home')
    for (const part of ['keys', 'snapshots', 'index', 'data']) {
      mkdirSync(join(repository, part), { recursive: true })
    }
    for (const file of [join(repository, 'config'), join(state, 'passwords')]) {
      writeFileSync(file, 'home: x\n', { mode: 0o600 })
    }
    mkdirSync(join(state, 'scratch'))
    writeFileSync(
      join(state, 'bulkhead.yaml'),
      `timezone: UTC\nagents:\n  backup:\n    repositories: all\n    scratch: scratch\n    passwords: file://${join(state, 'passwords')}\n`,
    )
    const deployment = await startDeployment({ state })
    try {
      const check = await answerOf(state, 'nightly-backup-check')
      expect(check).toContain('NOT EVERY BACKUP IS AS IT SHOULD BE.')
      expect(check).toContain('NO_PROGRAM  home (restic)')
      expect(check).toContain('could not be checked')
    } finally {
      await deployment.stop()
      rmSync(state, { recursive: true, force: true })
    }
  })
})
