// What `.ci/run` says at its end, with stand-ins for npm: whatever failed in any phase stands there, in
// plain text and within bounds, before the one line that a program reads. What a failed test looks like
// comes from a real run of a suite of its own.

import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..', '..')
const path = `${dirname(process.execPath)}${delimiter}/usr/bin:/bin`

let base: string

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'bulkhead-ci-'))
  for (const folder of ['bin', 'suite', 'tmp']) mkdirSync(join(base, folder))
  cpSync(join(root, '.ci'), join(base, '.ci'), { recursive: true })
})

afterEach(() => {
  expect(readdirSync(join(base, 'tmp'))).toEqual([])
  rmSync(base, { recursive: true, force: true })
})

/** The phases as cases of a shell script: `test`, `run check:static`, `run test:full`. */
function runAll(phases: string): { readonly code: number | null; readonly lines: string[] } {
  const script = `#!/bin/sh\ncase "$*" in\n${phases}\nesac\n`
  writeFileSync(join(base, 'bin', 'npm'), script, { mode: 0o755 })
  const { status, stdout } = spawnSync(join(base, '.ci', 'run'), {
    encoding: 'utf8',
    env: { PATH: `${join(base, 'bin')}${delimiter}${path}`, TMPDIR: join(base, 'tmp') },
  })
  return { code: status, lines: stdout.trimEnd().split('\n') }
}

const count = (line: string) => `echo '${line}' >> "$BULKHEAD_TEST_SUMMARY"`
const allPass = `test) ${count('3 0 1')};;\n'run test:full') ${count('2 0 0')};;`

/** A suite with these files, run as `npm test` runs one. */
function suite(files: Readonly<Record<string, string>>): string {
  const folder = join(base, 'suite')
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const config = `export default { test: { globals: true, projects: [{ extends: true, test: { name: 'unit' } }] } }`
  writeFileSync(join(folder, 'vitest.config.mjs'), config)
  const test = join(root, 'setup', 'test.mjs')
  const own = `--root ${folder} --config ${join(folder, 'vitest.config.mjs')}`
  return `${process.execPath} ${test} unit ${own}`
}

describe('the end of what continuous integration says', () => {
  it('is one line when nothing failed', () => {
    expect(runAll(allPass)).toEqual({ code: 0, lines: ['5 passed, 0 failed, 1 skipped'] })
  })

  it('names each failed test of an early phase, and what it said in the first place', () => {
    const failing = suite({
      'good.test.mjs': `it('holds', () => {})`,
      'bad.test.mjs': `describe('a sum', () => {
        it('adds', () => { expect(1 + 1, '\\u001b[31mthe sum\\u001b[0m').toBe(3) })
        it('says much', () => { throw new Error(Array(99).fill('much'.repeat(99)).join('\\n')) })
      })`,
      'broken.test.mjs': `throw new Error('not even loaded')`,
    })
    const { code, lines } = runAll(
      `test) ${failing};;\n'run test:full') echo later; ${count('2 0 0')};;`,
    )
    const end = lines.slice(lines.indexOf('later') + 1)
    expect(code).toBe(1)
    expect(end.at(-1)).toBe('3 passed, 2 failed, 0 skipped')
    expect(end.filter((line) => !line.startsWith('    ')).slice(0, -1)).toEqual([
      expect.stringMatching(/^FAILED unit: .*bad\.test\.mjs > a sum > adds$/),
      expect.stringMatching(/^FAILED unit: .*bad\.test\.mjs > a sum > says much$/),
      expect.stringMatching(/^FAILED unit: .*broken\.test\.mjs$/),
    ])
    expect(end[1]).toBe('    AssertionError: the sum: expected 2 to be 3 // Object.is equality')
    expect(end.filter((line) => line.includes('much')).length).toBe(16)
    expect(end.join('\n')).toContain('not even loaded')
    expect(Math.max(...end.map((line) => line.length))).toBeLessThanOrEqual(304)
  })

  it('shows the end of a phase that failed without a failed test', () => {
    const lint = `seq 99; printf '\\033[31mnot formatted\\033[0m\\n' >&2; exit 1`
    const { code, lines } = runAll(`${allPass}\n'run check:static') ${lint};;`)
    const end = lines.slice(
      lines.indexOf('FAILED npm run check:static: no single test; it ended with'),
    )
    expect(code).toBe(1)
    expect(end.length).toBe(17)
    expect(end[1]).toBe('    86')
    expect(end.slice(-2)).toEqual(['    not formatted', '5 passed, 1 failed, 1 skipped'])
  })

  it('names an error that belongs to no test', () => {
    const failing = suite({
      'good.test.mjs': `it('holds', async () => {
        Promise.reject(new Error('nobody waited for this'))
        await new Promise((resolve) => setTimeout(resolve, 50))
      })`,
    })
    const { code, lines } = runAll(`test) ${failing};;\n'run test:full') ${count('2 0 0')};;`)
    expect(code).toBe(1)
    expect(lines.slice(lines.findIndex((line) => line.startsWith('FAILED')))).toContainEqual(
      '    Error: nobody waited for this',
    )
    expect(lines.at(-1)).toBe('3 passed, 1 failed, 0 skipped')
  })

  it('says how many more there are than it shows', () => {
    const many = `seq -f 'FAILED unit: test %g' 40 >> "$BULKHEAD_TEST_FAILURES"; ${count('0 40 0')}; exit 1`
    const { code, lines } = runAll(`test) ${many};;`)
    expect(code).toBe(1)
    expect(lines.length).toBe(32)
    expect(lines.slice(-3)).toEqual([
      'FAILED unit: test 30',
      'and 10 more',
      '0 passed, 40 failed, 0 skipped',
    ])
  })
})
