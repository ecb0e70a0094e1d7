// R7 and R8: the check behind each thing that no planner is told, removed alone from what is built, and the
// case in which it is then told a stranger's words.

import { describeGuards } from '../support/guard-table.ts'
import { guards } from '../support/planner-guards.ts'

describeGuards({
  title: 'what a planner is told',
  entry: 'test/support/planner-case-runner.ts',
  guards,
})
