// `agent check` as a person types it: every agent of the catalogue passes, in its process, as a bundle and
// in a real sandbox; agents whose fault shows only there are found; the output is of use to programs.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { catalogue } from '../../agents/catalogue.ts'
import { agentReportSchema } from '../../agents/check/contract.ts'
import { brokenProcesses } from '../support/broken-agents/table.ts'
import { runCli } from '../support/cli.ts'

const root = join(import.meta.dirname, '..', '..')
const broken = relative(root, join(import.meta.dirname, '..', 'support', 'broken-agents'))

async function check(...args: string[]) {
  const ended = await runCli(['agent', 'check', ...args, '--json'])
  const [report] = z.array(agentReportSchema).parse(JSON.parse(ended.stdout))
  return { ...ended, report }
}

describe('an agent of the catalogue', () => {
  it.each([...catalogue.keys()])('%s is as its contract wants', async (name) => {
    const { report, code } = await check(name)
    expect(report?.findings).toEqual([])
    expect(report?.checks.filter(({ skipped }) => skipped !== undefined)).toEqual([])
    expect(report?.checks.find((one) => one.name === 'sandbox')?.tried).toBe(1)
    expect(code).toBe(0)
  })
})

describe('an agent that is not of the catalogue', () => {
  it('is checked in its folder', async () => {
    const { report, code } = await check(`${broken}/as-it-should-be`)
    expect(report).toMatchObject({ agent: 'as-it-should-be', ok: true, findings: [] })
    expect(code).toBe(0)
  })

  it.each(brokenProcesses)('%s is found: %s', async (folder, wanted) => {
    const { report, code, stderr } = await check(`${broken}/${folder}`)
    expect([...new Set(report?.findings.map((finding) => finding.code))]).toEqual([wanted])
    expect(report?.ok).toBe(false)
    expect(code).toBe(1)
    expect(stderr).toContain('next:')
  })
})

describe('what is built for the sandbox', () => {
  it('refuses to try anything outside of one', () => {
    const folder = mkdtempSync(join(tmpdir(), 'bulkhead-outside-'))
    try {
      const main = join(root, 'agents', 'check', 'bundle-main.ts')
      const args = [main, join(root, broken, 'as-it-should-be'), '--out', folder]
      expect(spawnSync(process.execPath, args, { encoding: 'utf8' }).stdout).toBe('[]\n')
      const { status, output } = spawnSync(process.execPath, [join(folder, 'check.mjs')], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
        timeout: 60_000,
      })
      expect(JSON.parse(output[3] ?? '')).toMatchObject({ ready: false, code: 'SANDBOX' })
      expect(status).toBe(1)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

describe('for people', () => {
  it('there is a line for every check, and one for every finding with its code', async () => {
    const { stdout, code } = await runCli(['agent', 'check', `${broken}/own-network`])
    expect(stdout).toMatch(/^own-network {2}egress +FAILED +1 finding$/m)
    expect(stdout).toMatch(/^own-network {2}manifest +ok +\d+ tried$/m)
    expect(stdout).toMatch(/^ {2}NETWORK {2}own-network\.ask: it opens a connection/m)
    expect(code).toBe(1)
  })

  it('a name that is none is a mistake of usage, with what was meant', async () => {
    const { stderr, code } = await runCli(['agent', 'check', 'calender'])
    expect(stderr).toContain('there is no agent calender')
    expect(stderr).toContain('calendar')
    expect(code).toBe(2)
  })

  it.each(['../../etc', '.', '..', 'check', '__proto__'])('%s is no agent', async (name) => {
    const { code, stdout } = await runCli(['agent', 'check', name])
    expect(code).toBe(2)
    expect(stdout).toBe('')
  })

  it('nothing to check is a mistake of usage', async () => {
    expect((await runCli(['agent', 'check'])).code).toBe(2)
  })
})
