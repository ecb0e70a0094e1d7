// A suite for each list of guards: the cases come to what they should as the sources are, and with any
// one check removed from what is built, a case comes to something else. Prints which case that was.

import { afterAll, describe, expect, it } from 'vitest'
import { builtWithout } from './built-without.ts'
import { printTable } from './case-table.ts'
import type { Guard } from './one-check-less.ts'

export interface CaseResult {
  readonly name: string
  readonly wanted: string
  readonly got: string
}

/** What the module `entry` exports: runs all cases, or those that must come to `wanted`. */
export interface CaseRunner {
  runCases(wanted?: string): Promise<readonly CaseResult[]>
}

export interface GuardSuite<Code extends string> {
  readonly title: string
  /** Module of the cases, relative to the sources. */
  readonly entry: string
  readonly guards: readonly Guard<Code>[]
}

export function describeGuards<Code extends string>(suite: GuardSuite<Code>): void {
  const rows: (readonly string[])[] = []

  describe(suite.title, () => {
    const build = builtWithout<CaseRunner>(suite.entry)
    const failingCases = async (guard?: Guard<Code>): Promise<readonly CaseResult[]> => {
      const cases = await (guard === undefined ? build() : build(guard))
      return (await cases.runCases(guard?.code)).filter(({ wanted, got }) => wanted !== got)
    }

    afterAll(() => {
      const heads = ['code', 'removed from', 'case that fails', 'it then comes to']
      printTable(`${suite.title}, each check removed alone`, heads, rows)
    })

    it('all come to what they should as the sources are', async () => {
      expect(await failingCases()).toEqual([])
    })

    it.each(suite.guards)('notice that $code is not asked any more: $check', async (guard) => {
      // The most telling first: that it was carried out.
      const [first] = (await failingCases(guard)).toSorted(
        (one, other) => Number(other.got === 'DONE') - Number(one.got === 'DONE'),
      )
      expect(first).toBeDefined()
      rows.push([guard.code, guard.file, first?.name ?? '', first?.got ?? ''])
    })
  })
}
