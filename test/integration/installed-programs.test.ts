// The programs that agents are tested against are the generations that the tests mean: restic before and
// after its machine-readable checks, borg of the 1 series.

import { expect, test } from 'vitest'
import type { InstalledName } from '../support/install-programs.ts'
import { installed, installTimeoutMs } from '../support/installed.ts'

const generations: Readonly<Record<InstalledName, RegExp>> = {
  radicale: /^3\.9\./,
  'aw-server': /^0\.12\./,
  restic: /^0\.14\./,
  'restic-newer': /^0\.18\./,
  borg: /^1\.2\./,
  hledger: /^1\.25/,
}

for (const name of Object.keys(generations) as InstalledName[]) {
  test(`${name} runs and says its version`, { timeout: installTimeoutMs }, async (context) => {
    const program = await installed(name)
    if ('missing' in program) return context.skip(program.missing)
    console.info(`${name} ${program.version}`)
    expect(program.version).toMatch(generations[name])
  })
}
