// A new agent in a copy of the project, as its author would make it: it passes its check, its own test and
// the linter before anybody has changed a line.

import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const project = join(import.meta.dirname, '..', '..')
const parts = [
  ...[
    'agents',
    'cli',
    'plan',
    'planner',
    'security',
    'egress',
    'supervisor',
    'seccomp',
    'examples',
  ],
  ...['temporal', 'workflows', 'activities', 'notary', 'tools', 'test/agents', 'test/support'],
  ...['package.json', 'biome.json', 'tsconfig.json', 'vitest.config.ts'],
]
let root: string

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'bulkhead-new-'))
  for (const part of parts) {
    const filter = (path: string) => !path.includes('node_modules')
    cpSync(join(project, part), join(root, part), { recursive: true, filter })
  }
  symlinkSync(join(project, 'node_modules'), join(root, 'node_modules'))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

function run(...args: string[]) {
  const env = { ...process.env, NO_COLOR: '1' }
  return spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', env, timeout: 100_000 })
}

describe('agent new', () => {
  it('makes an agent that the catalogue knows and that passes its check', () => {
    const made = run('cli/main.ts', 'agent', 'new', 'plant-care')
    expect(made.status).toBe(0)
    expect(made.stdout).toContain('agents/plant-care/manifest.ts')
    const checked = run('cli/main.ts', 'agent', 'check', 'plant-care', '--json')
    expect(JSON.parse(checked.stdout)).toMatchObject([
      { agent: 'plant-care', ok: true, findings: [] },
    ])
    expect(checked.status).toBe(0)
    expect(run('cli/main.ts', 'agent', 'check', 'plant-cares').stderr).toContain('plant-care')
  })

  it('whose test passes and which the linter takes as it is', () => {
    const tested = run('node_modules/vitest/vitest.mjs', 'run', '--project', 'unit', 'plant-care')
    expect(tested.stdout).toContain('3 passed')
    const biome = 'node_modules/@biomejs/biome/bin/biome'
    const files = ['agents/plant-care', 'agents/catalogue.ts', 'test/agents/plant-care.test.ts']
    const linted = run(biome, 'check', '--error-on-warnings', ...files)
    expect(linted.stderr + linted.stdout).toContain('No fixes applied')
    expect(linted.status).toBe(0)
  })

  it('and a second time makes nothing', () => {
    const again = run('cli/main.ts', 'agent', 'new', 'plant-care')
    expect(again.status).toBe(2)
    expect(again.stderr).toContain('agents/plant-care exists')
  })
})
