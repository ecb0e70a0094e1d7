// What a newcomer does: clone, `npm start`, with an empty home and empty caches. Builds everything
// from the registries, so it takes minutes; it is the only test that shows set-up as a whole.

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..', '..')
const base = mkdtempSync(join(tmpdir(), 'bulkhead-clone-'))
const clone = join(base, 'clone')

/** The environment of a new account: nothing of this one's home, caches or state. */
function emptyEnvironment(): NodeJS.ProcessEnv {
  const home = join(base, 'home')
  mkdirSync(home, { recursive: true })
  const kept = ['PATH', 'LANG', 'SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS', 'GOPROXY', 'GOFLAGS']
  const environment: NodeJS.ProcessEnv = { HOME: home }
  for (const name of kept) {
    if (process.env[name] !== undefined) environment[name] = process.env[name]
  }
  return environment
}

function npm(...args: string[]) {
  return spawnSync('npm', args, {
    cwd: clone,
    encoding: 'utf8',
    env: emptyEnvironment(),
    maxBuffer: 64 * 1024 * 1024,
  })
}

describe('a fresh clone with an empty home', () => {
  beforeAll(() => {
    const { status, stderr } = spawnSync('git', ['clone', '--quiet', '--no-local', root, clone])
    expect(status, String(stderr)).toBe(0)
  })

  afterAll(() => {
    rmSync(base, { recursive: true, force: true })
  })

  it('runs the briefing by `npm start` alone, with the run alone on standard output', () => {
    const { status, stdout, stderr } = npm('start', '--silent', '--', '--once', '--json')
    expect(status, stderr.slice(-4_000)).toBe(0)
    const run = JSON.parse(stdout)
    expect(run).toMatchObject({ status: 'completed', audit: { verified: true } })
    expect(run.steps.every((step: { outcome: string }) => step.outcome === 'settled')).toBe(true)
  })

  it('sets nothing up twice', () => {
    const { status, stdout, stderr } = npm('start', '--silent', '--', '--once', '--json')
    expect(status, stderr.slice(-4_000)).toBe(0)
    expect(stderr).not.toContain('set-up:')
    expect(JSON.parse(stdout).status).toBe('completed')
  })

  it('has the command in its root', () => {
    const { status, stdout, stderr } = spawnSync('npx', ['--no', 'bulkhead', 'recipes', '--json'], {
      cwd: clone,
      encoding: 'utf8',
      env: emptyEnvironment(),
    })
    expect(status, stderr).toBe(0)
    expect(JSON.parse(stdout)).toContainEqual(expect.objectContaining({ name: 'morning-briefing' }))
  })
})
