// The checks behind what the notary says of earlier results, each with what stands in its place when it is
// gone. notary-guards-handles.test.ts removes them one at a time. Two are no refusals: `ADMITTED`, a plan that
// builds on what was told, and `PRIVATE 0`, earlier words that no provider is told, without a result.

import type { NotaryCode } from '../../notary/codes.ts'
import type { IssueCode } from '../../plan/issues.ts'
import { type Guard, gone } from './one-check-less.ts'

const handles = 'notary/handles.ts'
const told = 'notary/told.ts'
const provenance = 'notary/provenance.ts'

const ownersUser = "handlesOf(context, context.store.state, 'user:owner')"

export const guards: readonly Guard<NotaryCode | IssueCode | 'ADMITTED' | 'PRIVATE 0'>[] = [
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
    'UNKNOWN_HANDLE',
    handles,
    'handlesOf(context, state, request.user)',
    "handlesOf(context, state, 'user:owner')",
  ),
  gone(
    'UNKNOWN_HANDLE',
    handles,
    '(told.has(handle) ? lookUp(handle) : undefined)',
    'told.size < 0 ? undefined : lookUp(handle)',
  ),
  gone(
    'ADMITTED',
    'notary/propose.ts',
    'handlesFor(context, context.store.state, request)',
    '() => undefined',
  ),
  gone(
    'PLAN_MISMATCH',
    'notary/consult.ts',
    'handlesFor(context, state, asked)',
    '() => undefined',
  ),
  gone('UNKNOWN_HANDLE', told, 'if (lookUp(handle) !== undefined) return []', 'return []'),
  gone(
    'UNKNOWN_HANDLE',
    told,
    'handlesOf(context, state, user)',
    "handlesOf(context, state, 'user:owner')",
  ),
  gone(
    'PRIVATE 0',
    told,
    'pinned(turn.handles, lookUp)',
    "pinned(turn.handles, handlesOf(context, state, 'user:owner'))",
  ),
  gone('PRIVATE 0', told, ' || earlier.words === null', ''),
  gone('PRIVATE 0', told, ' || earlier.user !== user', ''),
  gone('PRIVATE 0', told, 'return asTold(earlier.words) === words', 'return true'),
  gone('FLOW_R11', told, 'if (!holdsSecret(words)) return []', 'return []'),
  gone('INVALID_SHAPE', told, 'if (words !== asTold(words)) {'),
  gone('INVALID_ARGUMENT', told, "if (kind !== 'text') {"),
  gone('REQUEST_CONFLICT', 'notary/request.ts', '{ context: told }', '{}'),
  gone(
    'MALFORMED',
    'notary/handle-contract.ts',
    'handles).length <= limits.contextHandles',
    'handles).length >= 0',
  ),
]
