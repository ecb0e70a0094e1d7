// For each way in which a person's decision could be none, be about something else or be asked of nobody:
// the check that notices, removed alone from what is built, and the case that then comes to something
// else. A check that no case misses fails.

import { describeGuards } from '../support/guard-table.ts'
import { guards } from '../support/notary-guards-approvals.ts'

describeGuards({
  title: "the cases of a person's decisions",
  entry: 'test/support/notary-approval-case-runner.ts',
  guards,
})
