// For each refusal of the notary, from an effect's second token to a person's decision on it, and for
// schedules, the audit and the clock: the check that gives it, removed alone from what is built, and
// the case that then comes to something else. A check that no case misses fails.

import { describeGuards } from '../support/guard-table.ts'
import { guards } from '../support/notary-guards-decisions.ts'

describeGuards({
  title: "the cases of the notary's decisions",
  entry: 'test/support/notary-decision-case-runner.ts',
  guards,
})
