// For what a worker may have a model asked: the check behind each refusal removed alone from what is built,
// and the case that then comes to something else.

import { describeGuards } from '../support/guard-table.ts'
import { guards } from '../support/notary-guards-consultations.ts'

describeGuards({
  title: 'the cases of the notary on asking models',
  entry: 'test/support/notary-consultation-case-runner.ts',
  guards,
})
