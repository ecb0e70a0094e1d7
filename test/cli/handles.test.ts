// How a person learns what a later plan can build on, and what such a plan does.

import { describe, expect, it } from 'vitest'
import { catalogue } from '../../agents/catalogue.ts'
import { planWords } from '../../cli/plan-words.ts'
import { issueLines, refused } from '../../cli/request-refusal.ts'
import { handleLines } from '../../cli/run-view.ts'
import { compileSource } from '../../plan/compile.ts'
import type { StepSummary } from '../../workflows/contract.ts'
import { decide } from '../support/policy.ts'
import { shown } from './shown-run.ts'

const step = (id: string, change: Partial<StepSummary>): StepSummary => ({
  ...{ id, type: 'notes.append', effect: 'write', outcome: 'settled', attempts: 1, durationMs: 5 },
  ...change,
})
const handlesOf = (...steps: readonly StepSummary[]) =>
  shown('completed', ...steps).steps.map(({ handle }) => handle)

describe('a run that is shown', () => {
  it('names what each step has returned', () => {
    expect(handlesOf(step('a', {}), step('b', { outcome: 'already-settled' }))).toEqual([
      'r-1/a/0',
      'r-1/b/0',
    ])
  })

  it('names nothing of steps without a result: skipped, failed, or said to have happened', () => {
    const happened = step('c', { code: 'PROBE_YES' })
    expect(
      handlesOf(step('a', { outcome: 'skipped' }), step('b', { outcome: 'failed' }), happened),
    ).toEqual([undefined, undefined, undefined])
  })

  it('says how an iteration of a loop is named, where one has a result', () => {
    const loop = (settled: number) => ({ total: 3, outcomes: { settled }, failed: [] })
    const lines = handleLines(
      shown('completed', step('a', {}), step('b', { loop: loop(2) }), step('c', { loop: loop(0) })),
    )
    expect(lines.slice(1)).toEqual(['  a  r-1/a/0', '  b  r-1/b/<iteration>'])
    expect(handleLines(shown('failed', step('a', { outcome: 'failed' })))).toEqual([])
  })
})

describe('a plan that builds on an earlier run', () => {
  const source = `
version: 1
goal: note it
steps:
  - id: keep
    agent: notes
    action: append
    args: { note: daily, text: { $handle: briefing-1/read/0, pointer: /timeZone } }
answer: { from: [] }
`
  it('says in words what it takes from where', () => {
    const compiled = compileSource({
      ...{ kind: 'plan', source, inputs: {}, catalogue, decide },
      handles: 'later',
    } as const)
    if (!compiled.ok) throw new Error(issueLines(compiled.issues).join('\n'))
    expect(planWords(compiled).join('\n')).toContain('what "briefing-1/read/0" found')
  })

  it('tells what the notary alone can refuse, with the command that helps', () => {
    const issue = { code: 'UNKNOWN_HANDLE', path: '/steps/0/args/text', message: 'none of yours' }
    const { message, next } = refused('the notary', 'r-2', {
      ...{ status: 'REFUSED', code: 'PLAN_INVALID', message: 'the plan does not compile' },
      issues: [issue],
    })
    expect(message).toContain('UNKNOWN_HANDLE /steps/0/args/text: none of yours')
    expect(next).toContain('runs list')
  })
})
