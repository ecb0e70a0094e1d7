// The real programs that agents use, each in a sandbox as the supervisor makes it: found, started, and
// asked for their versions. What an agent does with them is test/agents/backup-*.test.ts's, among others.

import { expect, it } from 'vitest'
import { locateAddon } from '../../supervisor/sandbox/contents.ts'
import { resolveProgram } from '../../supervisor/sandbox/programs.ts'
import type { InstalledName } from '../support/install-programs.ts'
import { installed, installTimeoutMs } from '../support/installed.ts'
import { runProbe } from '../support/probed-sandbox.ts'

const programs: readonly (readonly [InstalledName, string, 'elf' | 'python'])[] = [
  ['restic', 'restic', 'elf'],
  ['restic-newer', 'restic', 'elf'],
  ['hledger', 'hledger', 'elf'],
  ['borg', 'borg', 'python'],
]

for (const [name, program, kind] of programs) {
  it(`${name} runs in a sandbox`, { timeout: installTimeoutMs }, async (context) => {
    const real = await installed(name)
    if ('missing' in real) return context.skip(real.missing)
    const from = { config: `agent.${program}` }
    const granted = await resolveProgram({ name: program, kind, from }, real.command)
    // The script loads nothing in the place of SQLite's addon.
    const { walls } = await runProbe(locateAddon(), 0, {
      ...{ programs: [granted], script: 'ask-versions.mjs' },
    })
    console.info(`${name} in a sandbox: ${walls[program]}`)
    expect(walls[program]).toContain(real.version)
  })
}
