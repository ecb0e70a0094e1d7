// Programs that the sample home uses where the machine has them: which lines of its configuration they
// change, backups that are made once and whole or not at all, and what is said where there is no restic.

import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { catalogue } from '../../agents/catalogue.ts'
import type { Output } from '../../cli/output.ts'
import { findProgram, openSampleHome } from '../../cli/sample-home.ts'
import { BackupsError, backupDays, writeBackups } from '../../examples/home/backup.ts'
import { withPrograms } from '../../examples/home/configuration.ts'
import { generateHome } from '../../examples/home/generate.ts'
import { settingsOf } from '../../plan/agent-settings.ts'
import { parseConfiguration } from '../../plan/configuration.ts'
import type { InstalledName } from '../support/install-programs.ts'
import { installed, installTimeoutMs } from '../support/installed.ts'

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'bulkhead-programs-'))
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(home, { recursive: true, force: true })
})

const known = [...catalogue.values()].flatMap((manifest) =>
  settingsOf(manifest).map(({ name }) => `${manifest.name}.${name}`),
)
function agentsIn(text: string) {
  const parsed = parseConfiguration(text, 'bulkhead.yaml', known)
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join('; '))
  return parsed.configuration.agents ?? {}
}
const template = () => readFile('examples/home/bulkhead.yaml', 'utf8')

/** A program of three lines that stands for restic. */
async function pretend(name: string, text: string): Promise<string> {
  const folder = join(home, 'bin')
  mkdirSync(folder, { recursive: true })
  const file = join(folder, name)
  await writeFile(file, `#!/bin/sh\n${text}\n`)
  chmodSync(file, 0o755)
  return file
}

describe('the configuration of the sample home', () => {
  test('has backups and the journal only where their programs are', async () => {
    const text = await template()
    const without = agentsIn(text)
    expect(without['backup']).toBeUndefined()
    expect(without['finance']).not.toHaveProperty('hledger')
    const restic = '/opt/my programs/restic'
    const agents = agentsIn(withPrograms(text, { restic, hledger: '/usr/local/bin/hledger' }))
    expect(agents['backup']).toEqual({
      repositories: 'agents/backup/repositories',
      scratch: 'agents/backup/scratch',
      passwords: 'file://agents/backup/passwords',
      restic,
    })
    expect(agents).toEqual({
      ...without,
      backup: agents['backup'],
      finance: { ...without['finance'], hledger: '/usr/local/bin/hledger' },
    })
  })

  test('is changed once, and not where a person has written something of their own', async () => {
    const text = await template()
    const programs = { restic: '/a/restic', hledger: '/a/hledger' }
    const once = withPrograms(text, programs)
    expect(withPrograms(once, { restic: '/b/restic', hledger: '/b/hledger' })).toBe(once)
    const own = text
      .replace('    # hledger: /usr/bin/hledger', '    hledger: /home/me/hledger')
      .replace('  # backup:', '  backup:\n    restic: /home/me/restic\n  # was:')
    expect(withPrograms(own, programs)).toBe(own)
    expect(withPrograms(text, {})).toBe(text)
  })

  test('takes a path to the letter', async () => {
    const restic = '/x/$& $1 $\' #: "restic'
    expect(agentsIn(withPrograms(await template(), { restic }))['backup']?.['restic']).toBe(restic)
  })
})

describe('a program on the machine', () => {
  test('is the first that may be executed', async () => {
    const [first, second] = [join(home, 'one'), join(home, 'two')]
    for (const folder of [first, second]) mkdirSync(folder)
    mkdirSync(join(first, 'restic'))
    await writeFile(join(second, 'restic'), '', { mode: 0o644 })
    expect(findProgram('restic', [first, second, join(home, 'absent')])).toBeUndefined()
    const file = await pretend('restic', 'exit 0')
    expect(findProgram('restic', [first, second, join(home, 'bin')])).toBe(file)
  })
})

const names: readonly InstalledName[] = ['restic', 'restic-newer']
const input = { today: '2026-11-21', timeZone: 'Europe/Vienna', seed: 1 }
const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .toSorted((one, other) => one.localeCompare(other))

describe('the backups of the sample home', { timeout: installTimeoutMs }, () => {
  for (const name of names)
    test(`are a month of ${name}, once more with one byte changed, and made once`, async (context) => {
      const real = await installed(name)
      if ('missing' in real) return context.skip(real.missing)
      const folder = mkdtempSync(join(home, 'backup-'))
      await writeBackups({ folder, restic: real.command, ...input })
      const [sound, damaged] = ['home', 'damaged'].map((one) => join(folder, 'repositories', one))
      if (sound === undefined || damaged === undefined) throw new Error('no repositories')
      expect(filesIn(join(sound, 'snapshots'))).toHaveLength(backupDays.length)
      const files = filesIn(sound)
      expect(filesIn(damaged)).toEqual(files)
      const changed = files.filter(
        (file) => !readFileSync(join(sound, file)).equals(readFileSync(join(damaged, file))),
      )
      expect(changed).toEqual([expect.stringMatching(/^data\//)])
      const [before, after] = [sound, damaged].map((one) =>
        readFileSync(join(one, changed[0] ?? '')),
      )
      expect(after?.length).toBe(before?.length)
      const bytes = [...(before ?? [])].filter((byte, at) => byte !== after?.[at])
      expect(bytes).toHaveLength(1)
      // A restic that would fail is not asked a second time.
      await writeBackups({ folder, restic: await pretend('restic', 'exit 1'), ...input })
      expect(filesIn(sound)).toEqual(files)
      expect(readdirSync(folder).toSorted()).toEqual(['passwords', 'repositories', 'scratch'])
    })

  test.each([
    ['fails', 'exit 3'],
    ['writes nothing and says that it went well', 'exit 0'],
  ])('are not there where restic %s, and nothing half-made is', async (_what, text) => {
    const restic = await pretend('restic', text)
    const making = writeBackups({ folder: join(home, 'backup'), restic, ...input })
    await expect(making).rejects.toThrow(BackupsError)
    expect(readdirSync(join(home, 'backup')).toSorted()).toEqual(['passwords', 'scratch'])
  })
})

describe('opening the sample home', () => {
  /** The lines that it says. */
  async function open(): Promise<readonly string[]> {
    const said: string[] = []
    const output = { json: false, talk: (line: string) => said.push(line) } as unknown as Output
    const opened = await openSampleHome(join(home, 'state'), output)
    await opened.close()
    return said
  }
  const isWhole = async () => {
    const agents = agentsIn(await readFile(join(home, 'state', 'bulkhead.yaml'), 'utf8'))
    expect(Object.keys(agents)).toEqual(expect.arrayContaining(['calendar', 'finance', 'health']))
    return Object.hasOwn(agents, 'backup')
  }

  test('without restic leaves it without backups, and says in one line what to type', async () => {
    vi.stubEnv('PATH', 'relative:')
    const said = await open()
    expect(said).toEqual([
      'the sample home has no backups; to have them: sudo apt-get install restic, then npm start',
    ])
    expect(await isWhole()).toBe(false)
    expect(existsSync(join(home, 'state', 'agents', 'backup'))).toBe(false)
  })

  test('with a restic that fails says so, and the rest is there', async () => {
    vi.stubEnv('PATH', join(home, 'bin'))
    await pretend('restic', 'echo "no room" >&2; exit 3')
    const [making, failed] = await open()
    expect(making).toMatch(/^making a month of backups/)
    expect(failed).toMatch(/^no backups in the sample home: restic init did not go well: /)
    expect(await isWhole()).toBe(false)
  })

  test(
    'sets backups up once restic is there, and says no more of it then',
    async (context) => {
      const real = await installed('restic')
      if ('missing' in real) return context.skip(real.missing)
      vi.stubEnv('PATH', '')
      await open()
      expect(await isWhole()).toBe(false)
      vi.stubEnv('PATH', join(real.command, '..'))
      expect(await open()).toEqual([expect.stringMatching(/^making a month of backups/)])
      expect(await isWhole()).toBe(true)
      expect(await open()).toEqual([])
    },
    installTimeoutMs,
  )
})

test('a home that is generated without programs looks at no machine', async () => {
  vi.stubEnv('PATH', join(home, 'bin'))
  await pretend('restic', 'exit 0')
  await generateHome({ folder: join(home, 'state'), ...input, web: 'http://127.0.0.1:9' })
  expect(existsSync(join(home, 'state', 'agents', 'backup'))).toBe(false)
})
