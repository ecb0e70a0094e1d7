// For what one request may spend, and until when: the check behind each refusal removed alone from what is
// built, and the case that then comes to something else.

import { describeGuards } from '../support/guard-table.ts'
import { guards } from '../support/notary-guards-limits.ts'

describeGuards({
  title: 'the cases of the notary on the limits of a request',
  entry: 'test/support/notary-limit-case-runner.ts',
  guards,
})
