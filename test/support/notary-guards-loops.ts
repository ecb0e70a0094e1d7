// The checks behind what the notary refuses to a loop, its iterations and what builds on it, and to
// steps that begin at a time or with the first of their needs. notary-guards-loops.test.ts removes them
// one at a time.

import type { NotaryCode } from '../../notary/codes.ts'
import { type Guard, gone } from './one-check-less.ts'

const expand = 'notary/expand.ts'
const forward = 'notary/forward.ts'
const locate = 'notary/locate.ts'
const loopState = 'notary/loop-state.ts'
const product = 'notary/product.ts'
const settle = 'notary/settle.ts'
const noIteration = 'if (missing !== undefined) return { refusal: missing }'

const counting: readonly Guard<NotaryCode>[] = [
  gone('UNKNOWN_STEP', expand, "if (step.forEach === undefined || address.kind !== 'do')"),
  gone('UNKNOWN_STEP', expand, " || address.kind !== 'do'", ''),
  gone('UNKNOWN_STEP', expand, 'if (step.forEach === undefined || loop === undefined)'),
  gone('LIMIT', expand, 'if (items.count > Math.min(forEach.max, limits.loopItems))'),
  gone('NO_ITERATION', locate, 'if (address.iteration < (loop?.count ?? 0)) return', 'return'),
  gone(
    'NO_ITERATION',
    loopState,
    'rerun >= present && loop?.rerun !== present ? undefined : loop',
    'loop',
  ),
  gone('NO_ITERATION', settle, `${noIteration}\n  const loaded`, 'const loaded'),
  gone('NO_ITERATION', settle, `${noIteration}\n  }`, '}'),
  gone('ARGS_MISMATCH', 'plan/loops.ts', '.at(iteration)', '.at(0)'),
]

const timely: readonly Guard<NotaryCode>[] = [
  gone('LIMIT', 'notary/start-times.ts', 'if (instant > createdAt + limits.runMs)'),
  gone('NOT_YET', forward, ' || now + limits.tokenSkewMs < at', ''),
  gone('NOT_YET', forward, 'at === undefined || now', 'now'),
  gone('REQUEST_CANCELLED', expand, 'if (untimely !== undefined)'),
  gone(
    'NEEDS_UNSETTLED',
    product,
    'return loop.settled + loop.skipped + (forgiven ? loop.failed : 0) === loop.count',
    'return true',
  ),
  gone('NEEDS_UNSETTLED', product, '(forgiven ? loop.failed : 0)', 'loop.failed'),
  gone('NEEDS_UNSETTLED', product, "return loop.outcome === 'skipped' || forgiven", 'return true'),
  gone('NEEDS_UNSETTLED', expand, 'if (!isLoopPassed(step, loop))'),
  gone(
    'NEEDS_UNSETTLED',
    forward,
    'if (needs.some((need) => hasSettled(about, need))) return',
    'return',
  ),
  gone('NEEDS_UNSETTLED', settle, 'if (waiting !== undefined)'),
  gone('NEEDS_UNSETTLED', forward, 'hasPassed(about, need) && !', '!'),
  gone('GUARD_TRUE', forward, 'hasPassed(about, need) && !hasSettled', 'hasPassed'),
  gone('GUARD_TRUE', forward, "step.join === 'any' && isOver", 'isOver'),
]

const results: readonly Guard<NotaryCode>[] = [
  gone('SOURCE_MISMATCH', product, ' && saltedHash(salt, text) === known', ''),
  gone('SOURCE_MISMATCH', product, 'if (found === undefined && element !== null)'),
  gone('SOURCE_MISMATCH', product, 'return digestOf(hashes) === hash ?', 'return true ?'),
  gone('SOURCE_MISMATCH', product, 'document?.value.every(fits) === true ? ', 'true ? '),
  gone('NO_RESULT', product, "results.some((one) => one.is === 'lost')", 'Date.now() < 0'),
]

export const guards: readonly Guard<NotaryCode>[] = [...counting, ...timely, ...results]
