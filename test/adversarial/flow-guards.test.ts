// For every flow rule: its check, and each step by which a label gets worse, removed alone from what is
// built, and the plan that then comes to something else.

import { expect, it } from 'vitest'
import { issueCodes } from '../../plan/issues.ts'
import { guards, spoken } from '../support/flow-guards.ts'
import { describeGuards } from '../support/guard-table.ts'

describeGuards({
  title: 'the cases of the flow rules',
  entry: 'test/support/flow-case-runner.ts',
  guards: [...guards, ...spoken],
})

it('every flow rule has a check that a case misses', () => {
  const guarded = new Set<string>(guards.map(({ code }) => code))
  const rules = issueCodes.filter((code) => code.startsWith('FLOW_'))
  expect(rules.filter((code) => !guarded.has(code))).toEqual([])
})
