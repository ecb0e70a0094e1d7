// The ids of the attack cases that every build must face, and where each is tried. An id without a test
// fails here, unless it is listed as open with the reason; so does an open one that has a test.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { printTable } from '../support/case-table.ts'

const ids = (letter: string, numbers: readonly number[]): readonly string[] =>
  numbers.map((number) => `${letter}${String(number).padStart(2, '0')}`)

const required: readonly string[] = [
  ...ids('T', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 20, 22]),
  ...ids('N', [1, 2, 3, 4, 5, 8, 9, 10, 11, 13, 14]),
  ...ids('C', [1, 2, 3, 4, 5, 7]),
  ...ids('L', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
  ...ids('X', [2]),
]

/** Not tried yet, and why. */
const open: Readonly<Record<string, string>> = {}

/** Tried elsewhere: the file, and words of the test's name. */
const elsewhere: Readonly<Record<string, readonly [string, string]>> = {
  L08: ['test/integration/audit.test.ts', 'by run and step what was left out'],
  L09: ['test/integration/notary.test.ts', 'has every acknowledged row and an unbroken chain'],
}

const root = join(import.meta.dirname, '..', '..')
const sources = [
  ...readdirSync(import.meta.dirname)
    .filter((name) => name.endsWith('.test.ts') && name !== 'cases.test.ts')
    .map((name) => `test/adversarial/${name}`),
  'test/support/hostile-tokens.ts',
]

/** `it('N04 N05 ...`, `describe` names do not count; and the ids of cases that are data. */
function idsIn(file: string): readonly string[] {
  const text = readFileSync(join(root, file), 'utf8')
  const names = [...text.matchAll(/\bit(?:\.each\([\s\S]*?\))?\(\s*['"`]((?:[TNCLX]\d\d )+)/g)]
  const data = [...text.matchAll(/\bone\('([TNCLX]\d\d)'/g)]
  return [...names, ...data].flatMap(([, found = '']) => found.trim().split(' '))
}

const places = new Map<string, Set<string>>()
for (const file of sources) {
  for (const id of idsIn(file)) {
    const known = places.get(id) ?? new Set()
    places.set(
      id,
      known.add(file.replace('test/support/hostile-tokens.ts', 'test/adversarial/tokens.test.ts')),
    )
  }
}

afterAll(() => {
  const rows = required.map((id) => [
    id,
    [...(places.get(id) ?? []), ...(elsewhere[id]?.slice(0, 1) ?? [])].join(', ') || 'OPEN',
    open[id] ?? '',
  ])
  printTable('attack cases', ['case', 'tried in', 'open because'], rows)
})

describe('the attack cases', () => {
  it.each(required)('%s is tried, or open for a reason', (id) => {
    const isTried = places.has(id) || Object.hasOwn(elsewhere, id)
    expect(isTried).not.toBe(Object.hasOwn(open, id))
  })

  it.each(Object.entries(elsewhere))('%s is where it is said to be', (_id, [file, words]) => {
    expect(readFileSync(join(root, file), 'utf8')).toContain(words)
  })
})
