// For each refusal with which the notary keeps people from building on what is not theirs, or not there: the
// check that gives it, removed alone from what is built, and the case that then comes to something else.

import { describeGuards } from '../support/guard-table.ts'
import { guards } from '../support/notary-guards-handles.ts'

describeGuards({
  title: 'the cases of earlier results',
  entry: 'test/support/notary-handle-case-runner.ts',
  guards,
})
