// The checks behind what the notary says of earlier results, each with what stands in its place when it is
// gone. notary-guards-handles.test.ts removes them one at a time. `ADMITTED` is no refusal: without the check
// nobody but the owner has earlier results.

import type { NotaryCode } from '../../notary/codes.ts'
import { type Guard, gone } from './one-check-less.ts'

const handles = 'notary/handles.ts'
const provenance = 'notary/provenance.ts'

const ownersUser = "handlesOf(context, context.store.state, 'user:owner')"

export const guards: readonly Guard<NotaryCode | 'ADMITTED'>[] = [
  gone('UNKNOWN_HANDLE', handles, 'if (request.user !== asked.user)'),
  gone('UNKNOWN_HANDLE', handles, "if (product.is !== 'result')"),
  gone(
    'UNKNOWN_HANDLE',
    handles,
    'found === undefined || canonicalJson(found.pin) !== canonicalJson(pin)',
    'found === undefined',
  ),
  gone('UNKNOWN_HANDLE', 'notary/admit.ts', 'if (foreign !== undefined)'),
  gone('UNKNOWN_HANDLE', provenance, 'if (isHandle(id) && product === undefined)'),
  gone(
    'UNKNOWN_HANDLE',
    'notary/request.ts',
    'handlesOf(context, context.store.state, user)',
    ownersUser,
  ),
  gone(
    'ADMITTED',
    'notary/propose.ts',
    'handlesOf(context, context.store.state, request.user)',
    ownersUser,
  ),
  gone(
    'UNKNOWN_HANDLE',
    handles,
    'handlesOf(context, state, request.user)',
    "handlesOf(context, state, 'user:owner')",
  ),
]
