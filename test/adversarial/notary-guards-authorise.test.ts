// For what may be asked of the notary, and whether a step may happen: the check behind each refusal,
// removed alone from what is built, and the case that then comes to something else. A check that no
// case misses fails.

import { describeGuards } from '../support/guard-table.ts'
import { guards } from '../support/notary-guards-authorise.ts'

describeGuards({
  title: 'the cases of the notary on requests and authorisations',
  entry: 'test/support/notary-authorise-case-runner.ts',
  guards,
})
