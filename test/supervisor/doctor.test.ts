import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { examine, toText } from '../../supervisor/doctor.ts'
import { manifest } from '../support/test-agent/manifest.ts'

let base: string

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'bulkhead-doctor-'))
})
afterEach(() => rmSync(base, { recursive: true, force: true }))

async function look(yaml?: string) {
  const configFile = join(base, 'home.yaml')
  if (yaml !== undefined) writeFileSync(configFile, yaml)
  const report = await examine({
    state: join(base, 'state'),
    configFile,
    environment: {
      cacheFolder: join(base, 'cache'),
      toolsFolder: undefined,
      path: [],
      temporaryFolder: base,
      childEnvironment: {},
      variable: () => undefined,
    },
    catalogue: new Map([['test', manifest]]),
  })
  const check = (name: string) => report.checks.find((one) => one.name === name)
  return { report, check }
}

describe('doctor', () => {
  it('says for each missing program what to type', async () => {
    const { report, check } = await look('')
    expect(report.ok).toBe(false)
    expect(check('temporal')).toMatchObject({ ok: false, fix: 'npm run setup' })
    expect(check('nats-server')).toMatchObject({ ok: false, fix: 'npm run setup' })
    expect(check('runc')).toMatchObject({ ok: false })
    expect(check('runc')?.fix).toContain('apt-get install runc')
    expect(check('node')).toMatchObject({ ok: true })
    expect(toText(report)).toContain('next: npm run setup')
  })

  it('names file and line of a broken configuration', async () => {
    const { check } = await look('agents:\n  test: [\n')
    expect(check('configuration')).toMatchObject({ ok: false })
    expect(check('configuration')?.detail).toMatch(/home\.yaml:\d+: /)
  })

  it('asks for the folders that agents need', async () => {
    const { check } = await look('agents:\n  test:\n    folder: counts\n')
    expect(check('configuration')).toMatchObject({
      ok: false,
      detail: expect.stringContaining('counts is not a folder'),
    })
    mkdirSync(join(base, 'counts'))
    expect((await look()).check('configuration')).toMatchObject({ ok: true })
  })

  it('finds a configured port that is taken', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    const { check } = await look(`ports:\n  bus: ${port}\n`)
    server.close()
    expect(check('ports')).toMatchObject({ ok: false, detail: `port ${port} (ports.bus) is taken` })
  })

  it('refuses a state folder that others can read', async () => {
    mkdirSync(join(base, 'state'), { mode: 0o755 })
    expect((await look('')).check('state folder')).toMatchObject({
      ok: false,
      fix: `chmod 700 ${join(base, 'state')}`,
    })
  })
})
