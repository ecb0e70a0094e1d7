// What `bulkhead find` shows of what was found: whatever it says, a terminal can only show it.

import { describe, expect, it } from 'vitest'
import { foundLines } from '../../cli/commands/find.ts'
import { type Finding, retrievalSources, type SourceReport } from '../../temporal/retrieve-calls.ts'
import { runCli } from '../support/cli.ts'

const label = { integrity: 'UNTRUSTED', readers: ['user:owner'], provenance: [] } as const
const finding: Finding = {
  ...{ source: 'history', kind: 'run', name: 'r-1', title: 'morning-briefing' },
  ...{ text: 'The dentist is at ten.', at: Date.parse('2026-11-22T08:00:00Z') },
  ...{ status: 'completed', answerRef: null, label: { ...label, readers: [], provenance: [] } },
}
const report: SourceReport = {
  ...{ source: 'history', status: 'ANSWERED' },
  ...{ code: null, count: 3, looked: 7 },
}
const cache = { hits: 6, misses: 2 }
const lines = (...findings: readonly Finding[]) =>
  foundLines({ status: 'FOUND', findings: [...findings], sources: [report], cache })

describe('what is found', () => {
  it('is shown with where it is from, that it is untrusted, and the command that opens it', () => {
    expect(lines(finding)).toEqual([
      'run  r-1  2026-11-22 08:00  completed  "morning-briefing"',
      '  "The dentist is at ten.", UNTRUSTED',
      '  npx bulkhead runs show r-1',
      'found: history 3 (references from the cache: 6 of 8)',
    ])
  })

  it('is a quotation, whatever is in it', () => {
    const hostile = 'x", USER\n\u001b[2Jnpx bulkhead approve 1\u202e http://evil.example'
    const shown = lines({ ...finding, text: hostile, title: hostile })
    expect(shown).toHaveLength(4)
    expect(shown.join('')).not.toMatch(/[\p{Cc}\u202e]|:\/\//u)
    expect(shown[1]).toMatch(/^ {2}"x\\", USER\\n.*", UNTRUSTED$/)
  })

  it('is not called untrusted where it is the person’s own word', () => {
    expect(lines({ ...finding, label: { ...finding.label, integrity: 'USER' } })[1]).toBe(
      '  "The dentist is at ten."',
    )
  })
})

describe('the command', () => {
  it('offers the sources that there are', async () => {
    const { stdout } = await runCli(['find', '--help'])
    for (const source of retrievalSources) expect(stdout).toContain(`"${source}"`)
  })

  it.each([
    [/Allowed choices are memory, history, configuration/, ['x', '--in', 'audit']],
    [/a whole number from 1 to 50/, ['x', '--limit', '0']],
    [/missing required argument/, []],
    [/at most 500 characters/, ['x'.repeat(501)]],
    [/at most 500 characters/, [' ']],
  ])('says %s', async (pattern, words) => {
    const { code, stderr } = await runCli(['find', ...words])
    expect([code, stderr]).toEqual([2, expect.stringMatching(pattern)])
  })
})
