// The checks that keep the people of a household apart, each with what stands in its place when it is
// gone. notary-guards-people.test.ts removes them one at a time.

import type { NotaryCode } from '../../notary/codes.ts'
import { type Guard, gone } from './one-check-less.ts'

const admit = 'notary/admit.ts'
const flow = 'notary/flow.ts'
const pool = 'notary/pool.ts'
const query = 'notary/query.ts'

export const guards: readonly Guard<NotaryCode>[] = [
  gone('UNKNOWN_REQUEST', query, ' && maySee(user, request.user, users)', ''),
  gone('UNKNOWN_REQUEST', query, 'if (requestOf(correlation) === undefined)'),
  gone(
    'UNKNOWN_REQUEST',
    'notary/state.ts',
    'WHERE user IN (SELECT value FROM json_each(?))',
    'WHERE ? IS NOT NULL',
  ),
  gone('NOT_PERMITTED', query, 'if (!mayReadAllRows(user)) {'),
  gone('NOT_PERMITTED', 'notary/permissions.ts', ' && userOf(account, users) !== undefined', ''),
  gone('NOT_PERMITTED', 'notary/users.ts', 'accounts.includes(account)', 'true'),
  gone('NOT_PERMITTED', admit, 'departedRefusal(request.user, context.users) ?? ', ''),
  gone('NOT_PERMITTED', admit, 'if (departed !== undefined) return { refusal: departed }', ''),
  gone(
    'NOT_PERMITTED',
    'notary/authorize.ts',
    'departedRefusal(located.request.user, users) ?? ',
    '',
  ),
  gone(
    'NOT_PERMITTED',
    'notary/expand.ts',
    'departedRefusal(located.request.user, context.users) ?? ',
    '',
  ),
  gone(
    'PLAN_INVALID',
    'notary/request.ts',
    'const names = namesOf(context, user)',
    'const names = context.names',
  ),
  gone('NOT_PERMITTED', pool, "numbersFor(manifest, user.slice('user:'.length), slots)", '[0, 8]'),
  gone('NOT_PERMITTED', pool, '(before !== undefined && !all.includes(before))', 'false'),
  gone(
    'NOT_PERMITTED',
    pool,
    'if (all.length === 0 || (before !== undefined && !all.includes(before))) return nobodys(agent)',
    'if (all.length === 0) return { n: 0 }',
  ),
  gone('PLAN_INVALID', 'notary/propose.ts', 'namesOf(context, request.user)', 'context.names'),
  gone('PLAN_INVALID', 'notary/standing.ts', 'namesOf(context, user)', 'context.names'),
  gone('PLAN_INVALID', 'notary/firing.ts', 'namesOf(context, user)', 'context.names'),
  gone(
    'FLOW',
    flow,
    'namesOf(context, request.user) ?? nobody\n  const { violations }',
    'context.names ?? nobody\n  const { violations }',
  ),
  gone(
    'FLOW',
    flow,
    'namesOf(context, request.user) ?? nobody\n  const known',
    'context.names ?? nobody\n  const known',
  ),
]
