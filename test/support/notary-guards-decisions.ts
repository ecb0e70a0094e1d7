// Which check gives which refusal of the notary, from an effect's second token to a person's decision
// on it, and for schedules, the audit and the clock: what stands there, and what instead when it is gone.

import type { NotaryCode } from '../../notary/codes.ts'
import { type Guard, gone, never } from './one-check-less.ts'

const authorize = 'notary/authorize.ts'
const chain = 'notary/chain.ts'
const firing = 'notary/firing.ts'
const forward = 'notary/forward.ts'
const follow = 'notary/follow.ts'
const pool = 'notary/pool.ts'
const receipts = 'notary/receipts.ts'
const recover = 'notary/recover.ts'
const rerun = 'notary/rerun.ts'
const settle = 'notary/settle.ts'
const alive = 'notary/tokens-alive.ts'
const standing = 'notary/standing.ts'

const neverAuthorised = (next: string) => `if (done === undefined || done.args_hash === null) {
    return { code: 'NEVER_AUTHORISED', message: 'the step was never authorised' }
  }
  ${next}`

const schedules: readonly Guard<NotaryCode>[] = [
  gone('UNKNOWN_SCHEDULE', firing, 'state.standing(firing.schedule)', 'state.standings()[0]'),
  gone('UNKNOWN_SCHEDULE', standing, 'record?.user === user', 'record !== undefined'),
  gone('SCHEDULE_CONFLICT', standing, 'if (known.content === content) {', '{'),
  gone('SCHEDULE_PAUSED', firing, 'if (standing.paused_at !== null) {'),
  gone(
    'SCHEDULE_PAUSED',
    standing,
    "if (standing.paused_at !== null) {\n    const message = 'the schedule is paused",
    `${never} {\n    const message = 'the schedule is paused`,
  ),
  gone('NOT_NOMINAL', firing, 'if (!isDue(standing.spec, at)) {'),
  gone('NOT_DUE', firing, 'if (at > now) ', 'if (Date.now() < 0) '),
  gone('NOT_DUE', firing, 'if (at < standing.active_since) {'),
  gone('NOT_DUE', standing, 'to > writer.now || ', ''),
  gone('NOT_DUE', standing, ' || from > to', ''),
  gone('FIRING_MISSED', firing, 'if (now - at > (catchUpSeconds + jitterSeconds) * second) {'),
]

const authorising: readonly Guard<NotaryCode>[] = [
  gone('RUN_ABORTING', forward, 'if (request.aborted_by !== null) {'),
  gone('RUN_ABORTING', recover, 'if (request.aborted_by !== null) {'),
  gone('RUN_ABORTING', settle, 'writer.state.abortRequest(request.id, step.id)', ''),
  gone('RUN_ABORTING', authorize, 'writer.state.abortRequest(request.id, step.id)', ''),
  gone('RUN_ABORTING', recover, 'writer.state.abortRequest(request.id, held.id)', ''),
  gone('RUN_ABORTING', settle, "return outcome === 'unknown'\n", 'return false\n'),
  gone(
    'NOT_ABORTING',
    authorize,
    'if (request.cancelled_at === null && request.aborted_by === null) {',
  ),
  gone(
    'NEVER_AUTHORISED',
    authorize,
    neverAuthorised('// A ledger'),
    'if (done === undefined) return undefined\n  // A ledger',
  ),
  gone(
    'NEVER_AUTHORISED',
    authorize,
    neverAuthorised('if (done.outcome'),
    'if (done === undefined) return undefined\n  if (done.outcome',
  ),
  gone(
    'NEVER_AUTHORISED',
    follow,
    `const { effect, request, address } = located
  if (effect === undefined || effect.args_hash === null || effect.salt === null) {`,
    `const { request, address, idem } = located
  const effect = located.effect ??
    { ...address, idem, args_hash: 'A'.repeat(43), salt: 'A'.repeat(22), attempts: 0, n: 0 }
  ${never} {`,
  ),
  gone('NEVER_AUTHORISED', settle, 'if (effect === undefined || effect.args_hash === null) {'),
  gone('ATTEMPTS_USED_UP', authorize, 'if ((effect?.attempts ?? 0) >= located.maxAttempts) {'),
  gone(
    'ATTEMPTS_USED_UP',
    follow,
    'if (state.followingTokens(effect.idem) >= limits.followingTokens) {',
  ),
  gone('NOT_DECIDED', 'notary/locate.ts', 'if (rerun > decided) ', 'if (Date.now() < 0) '),
  gone('NOT_CANCELLED', follow, 'request.cancelled_at === null || ', ''),
  gone('NOT_CANCELLED', follow, " || address.kind !== 'do'", ''),
  gone('QUARANTINED', pool, 'state.quarantine(agent, n) === undefined\n', 'true\n'),
  gone('QUARANTINED', pool, '.every(({ answered }) => answered === 2)', '.length > 0'),
  gone(
    'QUARANTINED',
    pool,
    '.every(({ answered }) => answered === 2)',
    '.some((one) => one.answered === 2)',
  ),
  gone('TOKENS_ALIVE', pool, 'return !canStillBegin(effect, present)', 'return true'),
  gone('TOKENS_ALIVE', pool, "if (!isFree(before) && located.action.effect === 'read') {"),
  gone(
    'QUARANTINED',
    'notary/boot.ts',
    'if (call.running && state.quarantine(call.agent, call.n) !== undefined) {',
  ),
  gone('QUARANTINED', 'notary/quarantine.ts', "if (action === 'quarantine') ", 'if (false) '),
  gone('QUARANTINED', settle, "if (proven === 'FORGED') raiseForgery(job.writer, effect)", ''),
]

const settling: readonly Guard<NotaryCode>[] = [
  gone('RECEIPT_INVALID', receipts, ' || token.idem !== idem', ''),
  gone('RECEIPT_INVALID', receipts, 'envelope.data.idem === idem &&', ''),
  gone('RECEIPT_INVALID', receipts, 'envelope.data.bootEpoch === token.boot_epoch &&', ''),
  gone('RECEIPT_INVALID', receipts, 'envelope.data.receiptHash === digest', 'true'),
  gone('RECEIPT_INVALID', receipts, 'receipt.idem === idem &&', ''),
  gone('RECEIPT_INVALID', receipts, 'receipt.argsHash === args_hash &&', ''),
  gone('RECEIPT_INVALID', receipts, 'receipt.salt === salt &&', ''),
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of the source
  gone('RECEIPT_INVALID', receipts, 'receipt.agent === `${agent}.${n}`', 'true'),
  gone(
    'RECEIPT_INVALID',
    receipts,
    'await verified(documents.envelope, envelopeType, keyOf(token.boot_epoch))',
    'claimed.data',
  ),
  gone('RECEIPT_INVALID', receipts, 'keyOf(token.boot_epoch)', "keyOf('epoch-0001')"),
  gone(
    'RECEIPT_INVALID',
    receipts,
    'await verified(documents.receipt, receiptType, keyOf(named.data.bootEpoch))',
    'named.data',
  ),
  gone(
    'RECEIPT_INVALID',
    settle,
    'result === undefined || !isHashed(result, ended)',
    'result === undefined',
  ),
  gone('RECEIPT_INVALID', settle, 'if (!isHashed(result, ended)) return notHashed', ''),
  gone('RECEIPT_CONFLICT', settle, 'if (effect.receipt === proven.digest) ', ''),
  gone(
    'RECEIPT_CONFLICT',
    settle,
    'if (effect.outcome !== null) {\n    if (effect.receipt',
    `${never} {\n    if (effect.receipt`,
  ),
  gone(
    'TOKENS_ALIVE',
    authorize,
    'const mayStillRun = outcome === null || ',
    'const mayStillRun = ',
  ),
  gone('TOKENS_ALIVE', authorize, "outcome === null || outcome === 'unknown'", 'outcome === null'),
  gone('TOKENS_ALIVE', settle, 'if (mayHaveBegunSince(effect, proven.jti, present)) {'),
  gone('TOKENS_ALIVE', alive, 'expires_at + limits.tokenSkewMs < mintedAt', 'answered === 0'),
  gone(
    'TOKENS_ALIVE',
    alive,
    'const isNow = !isOfEndedProcess(asked, effect, state)',
    'const isNow = true',
  ),
  gone('TOKENS_ALIVE', alive, 'token.answered === 1 || ', ''),
  gone('TOKENS_ALIVE', authorize, 'if (mayStillRun && ', 'if (Date.now() < 0 && '),
  gone('TOKENS_ALIVE', authorize, 'if (canStillBegin(done, present)) {'),
  gone(
    'TOKENS_ALIVE',
    settle,
    'if (canStillBegin(effect, { ...writer, catalogue: job.context.catalogue })) {',
  ),
  gone('TOKENS_ALIVE', settle, 'if (effect.attempts < maxAttempts) {'),
  gone(
    'TOKENS_ALIVE',
    rerun,
    'if (canStillBegin(effect, { catalogue: job.context.catalogue, state, now })) {',
  ),
  gone('TOKENS_ALIVE', recover, 'if (canStillBegin(effect, { ...writer, catalogue })) {'),
]

const deciding: readonly Guard<NotaryCode>[] = [
  gone(
    'NOT_HELD',
    rerun,
    'if (effect === undefined || effect.outcome === null) {',
    `if (effect === undefined) return undefined\n  ${never} {`,
  ),
  gone(
    'NOT_HELD',
    rerun,
    "if (isCause && effect.outcome !== 'failed' && effect.outcome !== 'denied') {",
  ),
  gone('NOT_HELD', recover, ' && hasFailed(job, step)', ''),
  gone('NOT_HELD', recover, "step.onError === 'hold' && ", ''),
  gone('NOT_UNKNOWN', authorize, 'if (done.outcome !== null) {'),
  gone('NOT_UNKNOWN', recover, "if (effect?.outcome === 'unknown') ", 'if (effect !== undefined) '),
  gone('UNRESOLVED', forward, "if (state.effect({ ...address, kind: 'probe' }) !== undefined) {"),
  gone('UNRESOLVED', rerun, "if (effect.outcome === 'unknown') {"),
]

const recording: readonly Guard<NotaryCode>[] = [
  gone(
    'AUDIT_UNAVAILABLE',
    'notary/store.ts',
    "if (purpose === 'effect' && !space.isThere()) return refuse()",
    '',
  ),
  gone('AUDIT_UNAVAILABLE', 'notary/plan-cache.ts', 'sha256(text) !== digest', 'text === digest'),
  gone('AUDIT_UNAVAILABLE', chain, 'tree.size !== size || ', ''),
  gone('AUDIT_UNAVAILABLE', chain, ' || Math.max(kept ?? 0, signed) > size', ''),
  gone('AUDIT_UNAVAILABLE', chain, 'if (signed < size) {'),
  gone('AUDIT_UNAVAILABLE', chain, 'if (!intact && !vouched) {'),
  gone('CLOCK_BACKWARDS', chain, 'if (now < head.at - clockToleranceMs) {'),
  gone('CLOCK_MOVED', 'notary/store.ts', 'if (!isSteady()) ', 'if (Date.now() < 0) '),
  gone('CLOCK_MOVED', 'notary/steady-clock.ts', 'return false', 'return true'),
  gone('CLOCK_MOVED', 'notary/steady-clock.ts', ' && now - moved.since >= believedAfterMs', ''),
]

export const guards: readonly Guard<NotaryCode>[] = [
  ...[...schedules, ...authorising, ...settling, ...deciding, ...recording],
]
