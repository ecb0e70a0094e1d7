// For words and what is proposed for them: the check behind each refusal, and behind what a person is
// asked, removed alone from what is built, and the case that then comes to something else.

import { describeGuards } from '../support/guard-table.ts'
import { guards } from '../support/notary-guards-proposals.ts'

describeGuards({
  title: 'the cases of the notary on words and proposals',
  entry: 'test/support/notary-proposal-case-runner.ts',
  guards,
})
