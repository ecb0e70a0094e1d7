// For loops, times and `join: any`: the check behind each refusal, removed alone from what is built,
// and the case that then comes to something else. A check that no case misses fails.

import { describeGuards } from '../support/guard-table.ts'
import { guards } from '../support/notary-guards-loops.ts'

describeGuards({
  title: 'the cases of the notary on loops and times',
  entry: 'test/support/notary-loop-case-runner.ts',
  guards,
})
