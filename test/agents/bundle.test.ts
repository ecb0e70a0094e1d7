// What a bundle contains and what it must not: it is the agent's whole world of code.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundleAgent } from '../../agents/bundle.ts'

const entry = fileURLToPath(new URL('../support/test-agent/agent.ts', import.meta.url))
let folder: string
let bundle: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-bundle-'))
  await bundleAgent(entry, join(folder, 'agent.mjs'))
  bundle = readFileSync(join(folder, 'agent.mjs'), 'utf8')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Every module that the bundle loads at run time. */
const imports = (): readonly string[] => {
  const specifiers = bundle.matchAll(/(?:\bfrom |\bimport\(|require\()"([^"\n]+)"/g)
  return [...new Set([...specifiers].map(([, name]) => (name ?? '').replace(/^node:/, '')))]
}
/** Every source file in it: esbuild writes its path above its code. */
const sources = (): readonly string[] =>
  [...bundle.matchAll(/^ *\/\/ ((?:[\w@.-]+\/)+[\w.-]+\.[cm]?[jt]s)$/gm)].map(
    ([, path]) => path ?? '',
  )

describe('the bundle of an agent', () => {
  it('loads modules of Node and nothing else', () => {
    const builtin = new Set(builtinModules)
    expect(imports()).toContain('fs')
    expect(imports()).toContain('tls')
    expect(imports().filter((name) => !builtin.has(name))).toEqual([])
  })

  it('loads nothing that starts processes, threads, debuggers or machines', () => {
    const never = ['child_process', 'cluster', 'worker_threads', 'vm', 'inspector', 'repl', 'wasi']
    expect(imports().filter((name) => never.includes(name))).toEqual([])
  })

  it('can start processes only where the agent declares programs', async () => {
    const file = join(folder, 'backup.mjs')
    await bundleAgent(fileURLToPath(new URL('../../agents/backup/agent.ts', import.meta.url)), file)
    expect(readFileSync(file, 'utf8')).toContain('from "node:child_process"')
  })

  it('contains its agent and the runtime', () => {
    expect(sources()).toContain('agents/runtime.ts')
    expect(sources()).toContain('test/support/test-agent/agent.ts')
    expect(sources()).toContain('node_modules/better-sqlite3/lib/database.js')
  })

  it('contains nothing that mints, decides, orchestrates or supervises', () => {
    const foreign =
      /^(?:(?:security\/(?:mint|audit|pki|policy)|notary|temporal|workflows|activities|planner|supervisor|cli)\/|egress\/(?!co(?:ntract|des)\.ts$))|@temporalio/
    expect(sources().filter((path) => foreign.test(path))).toEqual([])
  })

  it('is small enough to start in a moment', () => {
    expect(bundle.length).toBeLessThan(1_500_000)
  })

  it('names no path of the machine that built it', () => {
    expect(bundle).not.toContain(fileURLToPath(new URL('../..', import.meta.url)))
  })

  it('is the same bytes each time, from wherever it is built', async () => {
    const elsewhere = process.cwd()
    try {
      process.chdir(folder)
      await bundleAgent(entry, join(folder, 'again.mjs'))
    } finally {
      process.chdir(elsewhere)
    }
    expect(readFileSync(join(folder, 'again.mjs'), 'utf8')).toBe(bundle)
  })
})
