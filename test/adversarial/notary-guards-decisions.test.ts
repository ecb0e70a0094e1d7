// For each refusal of the notary, from an effect's second token to a person's decision on it, and for
// schedules, the audit and the clock: the check that gives it, removed alone from what is built, and
// the case that then comes to something else. A check that no case misses fails.

import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { NotaryCode } from '../../notary/codes.ts'
import { printTable } from '../support/case-table.ts'
import type { NotaryCaseResult } from '../support/notary-case.ts'
import { guards } from '../support/notary-guards-decisions.ts'
import { buildWithout, type Guard } from '../support/one-check-less.ts'

const base = mkdtempSync(join(tmpdir(), 'bulkhead-notary-guards-'))
const rows: (readonly string[])[] = []
let builds = 0

async function failingCases(guard?: Guard<NotaryCode>): Promise<readonly NotaryCaseResult[]> {
  builds += 1
  const outfile = join(base, `cases-${builds}.mjs`)
  await buildWithout(guard, { entry: 'test/support/notary-decision-case-runner.ts', outfile })
  const cases = (await import(pathToFileURL(outfile).href)) as {
    runCases(wanted?: string): Promise<readonly NotaryCaseResult[]>
  }
  return (await cases.runCases(guard?.code)).filter(({ wanted, got }) => wanted !== got)
}

beforeAll(() => {
  const root = resolve(import.meta.dirname, '..', '..')
  symlinkSync(join(root, 'node_modules'), join(base, 'node_modules'))
})
afterAll(() => {
  rmSync(base, { recursive: true, force: true })
  printTable(
    "each check of the notary's decisions, removed alone",
    ['code', 'removed from', 'case that fails', 'it then comes to'],
    rows,
  )
})

describe('the cases of the notary', () => {
  it('all come to what they should as the sources are', async () => {
    expect(await failingCases()).toEqual([])
  })

  it.each(guards)('notice that $code is not asked any more: $check', async (guard) => {
    const [first] = await failingCases(guard)
    expect(first).toBeDefined()
    rows.push([guard.code, guard.file, first?.name ?? '', first?.got ?? ''])
  })
})
