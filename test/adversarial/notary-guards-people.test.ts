// For each refusal with which the notary keeps the people of a household apart: the check that gives it,
// removed alone from what is built, and the case that then comes to something else.

import { describeGuards } from '../support/guard-table.ts'
import { guards } from '../support/notary-guards-people.ts'

describeGuards({
  title: 'the cases of a household',
  entry: 'test/support/notary-people-case-runner.ts',
  guards,
})
