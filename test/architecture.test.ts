// The import table of ARCHITECTURE, as the linter enforces it: each forbidden import is shown to the
// linter in a probe file of its own and must be refused; each allowed one must pass.

import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const biome = join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome')

interface Probe {
  readonly file: string
  readonly source: string
}

function toProbe([folder, target]: readonly [string, string], index: number): Probe {
  const up = '../'.repeat(folder.split('/').length)
  return {
    file: `${folder}/probe-${index}.ts`,
    source: `import { x } from '${up}${target}'\n\nx()\n`,
  }
}

/** Names of the probes that the linter refuses, all in one run of it. */
function lint(probes: readonly Probe[]): ReadonlySet<string> {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-architecture-'))
  try {
    copyFileSync(join(root, 'biome.json'), join(folder, 'biome.json'))
    for (const { file, source } of probes) {
      mkdirSync(dirname(join(folder, file)), { recursive: true })
      writeFileSync(join(folder, file), source)
    }
    const { stdout } = spawnSync(
      process.execPath,
      [
        biome,
        'lint',
        '--only=style/noRestrictedImports',
        '--reporter=json',
        '--max-diagnostics=500',
        '.',
      ],
      { cwd: folder, encoding: 'utf8', maxBuffer: 16 * 1024 * 1024 },
    )
    return new Set(probes.map((probe) => probe.file).filter((file) => stdout.includes(`"${file}"`)))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const forbidden: readonly (readonly [string, string])[] = [
  ['security/verify', 'plan/schema.ts'],
  ['security/audit', 'notary/contract.ts'],
  ['plan', 'agents/catalogue.ts'],
  ['plan', 'notary/contract.ts'],
  ['planner', 'temporal/client.ts'],
  ['planner', 'security/mint/token.ts'],
  ['notary', 'temporal/client.ts'],
  ['notary', 'agents/runtime.ts'],
  ['notary', 'activities/dispatch-step.ts'],
  ['workflows', 'security/verify/hash.ts'],
  ['workflows', 'notary/contract.ts'],
  ['agents/calendar', 'security/mint/token.ts'],
  ['agents/calendar', 'notary/contract.ts'],
  ['agents', 'security/audit/format.ts'],
  ['agents', 'temporal/client.ts'],
  ['activities', 'security/mint/token.ts'],
  ['activities', 'notary/store.ts'],
  ['activities', 'temporal/worker.ts'],
  ['activities', 'agents/runtime.ts'],
  ['temporal', 'notary/store.ts'],
  ['temporal', 'cli/session.ts'],
  ['temporal', 'security/mint/token.ts'],
  ['cli', 'supervisor/process.ts'],
  ['cli', 'notary/store.ts'],
  ['supervisor', 'notary/quarantine.ts'],
  ['cli', 'security/mint/token.ts'],
  ['egress', 'plan/manifest.ts'],
  ['egress', 'notary/contract.ts'],
  ['egress', 'security/mint/token.ts'],
  ['agents', 'egress/rules.ts'],
  ['agents', 'plan/compile.ts'],
  ['agents/check', 'egress/gateway.ts'],
  ['agents/check', 'notary/contract.ts'],
  ['agents/check', 'security/mint/token.ts'],
  ['agents/check', 'supervisor/process.ts'],
  ['cli', 'agents/check/check-agent.ts'],
  ['supervisor', 'egress/gateway.ts'],
  ['supervisor', 'cli/session.ts'],
  ['supervisor', 'notary/store.ts'],
  ['supervisor', 'security/mint/token.ts'],
]

const allowed: readonly (readonly [string, string])[] = [
  ['plan', 'security/verify/canonical-json.ts'],
  ['notary', 'security/mint/token.ts'],
  ['notary', 'agents/catalogue.ts'],
  ['agents/calendar', 'plan/manifest.ts'],
  ['agents/model', 'plan/model-prices.ts'],
  ['agents', 'security/verify/token.ts'],
  ['activities', 'notary/contract.ts'],
  ['activities', 'workflows/contract.ts'],
  ['activities', 'workflows/propose-contract.ts'],
  ['activities', 'workflows/consult-contract.ts'],
  ['cli', 'notary/contract.ts'],
  ['cli', 'notary/standing-contract.ts'],
  ['supervisor', 'agents/protocol.ts'],
  ['supervisor', 'egress/contract.ts'],
  ['supervisor', 'notary/quarantine-contract.ts'],
  ['agents', 'egress/contract.ts'],
  ['egress', 'security/host.ts'],
  ['agents/check', 'egress/rules.ts'],
  ['agents/check', 'plan/result-rules.ts'],
  ['cli', 'agents/check/contract.ts'],
]

describe('the import table', () => {
  it('refuses each import that the table forbids', () => {
    const probes = forbidden.map(toProbe)
    expect(lint(probes)).toEqual(new Set(probes.map((probe) => probe.file)))
  })

  it('lets through each import that the table allows', () => {
    expect([...lint(allowed.map(toProbe))]).toEqual([])
  })
})
