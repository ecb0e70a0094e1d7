// The checks behind what the notary refuses of words and proposals, each with what stands in its place when
// it is gone. `APPROVAL` is no refusal: without the check nobody is asked.

import type { NotaryCode } from '../../notary/codes.ts'
import { type Guard, gone } from './one-check-less.ts'

const admit = 'notary/admit.ts'
const admission = 'notary/admission-contract.ts'
const compile = 'plan/compile-proposal.ts'
const propose = 'notary/propose.ts'

export const guards: readonly Guard<NotaryCode | 'APPROVAL'>[] = [
  gone('MALFORMED', admission, '.max(limits.proposalBytes)', ''),
  gone('MALFORMED', 'notary/standing-contract.ts', "kind: z.enum(['recipe', 'plan']),", ''),
  gone('PLAN_INVALID', compile, 'if (words.length > limits.wordsCharacters) {'),
  gone(
    'PLAN_INVALID',
    compile,
    "!words.isWellFormed() || goalOf(words) === ''",
    "goalOf(words) === ''",
  ),
  gone('PLAN_INVALID', compile, " || goalOf(words) === ''", ''),
  gone('PLAN_INVALID', compile, 'if (Object.keys(inputs).length > 0)'),
  gone('PLAN_INVALID', compile, 'if (holdsSecret(words))'),
  gone('PLAN_INVALID', propose, 'if (!compiled.ok) {'),
  gone('UNKNOWN_REQUEST', propose, 'if (request === undefined) {'),
  gone('PLAN_MISMATCH', propose, 'if (compiled === undefined || request.words === null) {'),
  gone('PLAN_MISMATCH', admit, 'if (request.words !== null) {'),
  gone(
    'REQUEST_CANCELLED',
    propose,
    'if (request.admitted_at === null && request.cancelled_at !== null) {',
  ),
  gone('ALREADY_PROPOSED', propose, 'if (accepted !== undefined) {'),
  gone('ALREADY_PROPOSED', propose, 'if (accepted.hash === hash) return', 'return'),
  gone('PROPOSALS_USED_UP', propose, 'if (!isKnown && judged.length >= limits.proposals) {'),
  gone('PROPOSALS_USED_UP', propose, 'if (isKnown) return', 'if (Date.now() < 0) return'),
  gone('APPROVAL', 'notary/flow.ts', 'return words === null ?', 'return words !== undefined ?'),
]
