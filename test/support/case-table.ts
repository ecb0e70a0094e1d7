// What each attack met, collected while a suite runs and printed at its end, so that a reader of the
// output sees who refused what with which code.

import { writeSync } from 'node:fs'

export interface CaseTable {
  /** `by`: who refused it, as seen by the test. `code`: the refusal's own code, or what happened. */
  add(id: string, what: string, by: string, code: string): void
  print(): void
  readonly ids: ReadonlySet<string>
  readonly codes: ReadonlySet<string>
}

export function createCaseTable(title: string): CaseTable {
  const rows: (readonly string[])[] = []
  const ids = new Set<string>()
  const codes = new Set<string>()
  return {
    ids,
    codes,
    add(id, what, by, code) {
      ids.add(id)
      codes.add(code)
      rows.push([id, what, by, code])
    },
    print() {
      const sorted = rows.toSorted(([a = ''], [b = '']) => a.localeCompare(b))
      printTable(title, ['case', 'attack', 'refused by', 'code'], sorted)
    },
  }
}

/** Straight to standard output: vitest would put a heading before every line. */
export function printTable(
  title: string,
  heads: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => (row[column] ?? '').length)),
  )
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  writeSync(1, `\n${[title, line(heads), ...rows.map(line)].join('\n')}\n`)
}
