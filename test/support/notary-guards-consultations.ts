// The checks behind what the notary refuses where a model may be asked for a plan. `APPROVAL` is no refusal:
// without the check a plan begins that nobody has seen.

import type { NotaryCode } from '../../notary/codes.ts'
import { type Guard, gone } from './one-check-less.ts'

const consult = 'notary/consult.ts'

export const guards: readonly Guard<NotaryCode | 'APPROVAL'>[] = [
  gone('UNKNOWN_REQUEST', consult, 'if (consultation === undefined || asked === undefined) {'),
  gone('PLAN_MISMATCH', consult, 'if (words === null) return', 'if (Date.now() < 0) return'),
  gone('PLAN_MISMATCH', consult, 'if (model === undefined) return', 'if (Date.now() < 0) return'),
  gone('PLAN_MISMATCH', consult, 'call.at < asked.created_at - slackMs || ', ''),
  gone('PLAN_MISMATCH', consult, ' || call.at > writer.now + slackMs', ''),
  gone('PLAN_MISMATCH', consult, 'return faults ?? { code', 'return faults ?? [] ?? { code'),
  gone(
    'REQUEST_CANCELLED',
    consult,
    'if (asked.cancelled_at !== null) return',
    'if (Date.now() < 0) return',
  ),
  gone('REQUEST_CANCELLED', 'notary/cancel.ts', 'if (isOpen) writer', 'if (Date.now() < 0) writer'),
  gone(
    'ALREADY_PROPOSED',
    consult,
    'if (state.proposalsOf(asked.id).some(({ accepted }) => accepted === 1)) {',
  ),
  gone('SOURCE_MISMATCH', consult, 'return saltedHash(salt, result) === hash', 'return true'),
  gone('SOURCE_MISMATCH', consult, 'result === undefined || !isAnswerTo(', '!isAnswerTo('),
  gone('PLAN_INVALID', consult, 'if (!compiled.ok) {'),
  gone(
    'APPROVAL',
    'notary/cover.ts',
    '{ args, rules: rules.filter(isOfFlow) }',
    '{ args, rules: [] }',
  ),
  gone('NOT_PERMITTED', 'notary/request.ts', ' || isConsultation', ''),
  gone(
    'APPROVAL',
    'notary/ask-proposed.ts',
    'return words !== null && planner.length > 0',
    'return words === null && planner.length > 0',
  ),
]
