// The import table of ARCHITECTURE, as the linter enforces it: each forbidden import is shown to the
// linter in a probe file of its own and must be refused; each allowed one must pass.

import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'

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
  ['temporal', 'agents/runtime.ts'],
  ['temporal', 'cli/session.ts'],
  ['temporal', 'security/mint/token.ts'],
  ['cli', 'supervisor/process.ts'],
  ['cli', 'notary/store.ts'],
  ['cli', 'temporal/run-worker.ts'],
  ['cli/commands', 'temporal/payload-keys.ts'],
  ['cli', 'workflows/conversation.ts'],
  ['cli/chat', 'workflows/propose-contract.ts'],
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

const ruleSchema = z.object({
  options: z.object({ patterns: z.tuple([z.object({ group: z.array(z.string()) })]) }),
})
const overrideSchema = z.object({
  includes: z.array(z.string()),
  linter: z.object({
    rules: z.object({ style: z.object({ noRestrictedImports: ruleSchema.optional() }).optional() }),
  }),
})
const biomeSchema = z.object({ overrides: z.array(overrideSchema) })

/** `<folder> <- <file>` of each single file that the linter lets through. */
function lintedFiles(): readonly string[] {
  const text = readFileSync(join(root, 'biome.json'), 'utf8')
  const { overrides } = biomeSchema.parse(JSON.parse(text))
  return overrides.flatMap(({ includes, linter: { rules } }) => {
    const group = rules.style?.noRestrictedImports?.options.patterns[0].group ?? []
    const files = group.flatMap((one) => /^!\*\*\/(.+\.ts)$/.exec(one)?.[1] ?? [])
    return includes.flatMap((one) =>
      files.map((file) => `${one.replace(/\/\*\*$/, '')} <- ${file}`),
    )
  })
}

/** The same, as ADR 5 has it. */
function decidedFiles(): readonly string[] {
  const name = '0005-contract-files-may-be-imported-across-folders.md'
  const rows = readFileSync(join(root, 'docs', 'adr', name), 'utf8').matchAll(
    /^\| (`.+?) \| ([a-z/, ]+) \|$/gm,
  )
  return [...rows].flatMap(([, files = '', folders = '']) =>
    [...files.replace(/\(.*\)/, '').matchAll(/`([^`]+)`/g)].flatMap(([, file]) =>
      folders.split(', ').map((folder) => `${folder} <- ${file}`),
    ),
  )
}

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
  ['cli', 'temporal/client.ts'],
  ['cli/chat', 'temporal/turn-document.ts'],
  ['cli/chat', 'workflows/assistant-contract.ts'],
  ['temporal', 'agents/catalogue.ts'],
  ['temporal', 'workflows/progress.ts'],
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

  it('makes an exception of each file that ADR 5 names, for whom it names, and of no other', () => {
    expect(lintedFiles().toSorted()).toEqual(decidedFiles().toSorted())
  })
})
