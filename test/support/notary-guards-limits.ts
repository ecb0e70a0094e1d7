// The checks behind what the notary refuses of a request that may spend so much, and only until then.

import type { NotaryCode } from '../../notary/codes.ts'
import { type Guard, gone } from './one-check-less.ts'

const admit = 'notary/admit.ts'
const authorize = 'notary/authorize.ts'
const estimate = 'plan/estimate.ts'
const limit = 'notary/request-limit.ts'
const request = 'notary/request.ts'

export const guards: readonly Guard<NotaryCode>[] = [
  gone(
    'REQUEST_LIMIT',
    limit,
    'if (reservedMicroUsd(state, owner, idem) + wanted > limit.max_micro_usd) {',
  ),
  gone('REQUEST_LIMIT', limit, 'reservedMicroUsd(state, owner, idem) + wanted', 'wanted'),
  gone('REQUEST_LIMIT', limit, '[owner, ...consultationsOf(owner)]', '[owner]'),
  gone('REQUEST_LIMIT', limit, 'parseConsultationId(request)?.of ?? request', 'request'),
  gone('REQUEST_LIMIT', request, 'keepLimits(writer, requestId, limits)', ''),
  gone('REQUEST_LIMIT', authorize, 'if (beyond !== undefined) ', 'if (Date.now() < 0) '),
  gone('REQUEST_LIMIT', 'plan/request-limits.ts', 'amount * microUsdPerCent', 'amount'),
  gone('REQUEST_LIMIT', 'plan/request-limits.ts', "unit.endsWith('.micro_usd') ? amount : 0", '0'),
  gone('DEADLINE_PASSED', limit, 'if (limit.deadline !== null && now > limit.deadline) {'),
  gone('DEADLINE_PASSED', limit, 'deadlineOf(given, now) ?? null', 'null'),
  gone('INFEASIBLE', admit, 'if (unfit !== undefined) ', 'if (Date.now() < 0) '),
  gone('INFEASIBLE', limit, "most - reservedMicroUsd(state, request.id, '')", 'most'),
  gone('INFEASIBLE', estimate, 'if (deadline !== undefined && now + leastMs > deadline) {'),
  gone('INFEASIBLE', estimate, 'if (maxMicroUsd !== undefined && microUsd.least > maxMicroUsd) {'),
  gone('INFEASIBLE', estimate, 'counted += stays', ''),
  gone('REQUEST_CONFLICT', request, '    ...limited,\n', ''),
]
