// The checks behind what the notary refuses to a request and to a step, each with what stands in its
// place when it is gone. notary-guards-authorise.test.ts removes them one at a time.

import type { NotaryCode } from '../../notary/codes.ts'
import { type Guard, gone, never } from './one-check-less.ts'

const admitFile = 'notary/admit.ts'
const authorizeFile = 'notary/authorize.ts'
const bootFile = 'notary/boot.ts'
const bus = 'security/bus.ts'
const eventSource = 'notary/event-source.ts'
const forwardFile = 'notary/forward.ts'
const locateFile = 'notary/locate.ts'
const notary = 'notary/notary.ts'
const policy = 'notary/policy.ts'
const product = 'notary/product.ts'
const provenance = 'notary/provenance.ts'
const recoverFile = 'notary/recover.ts'
const requestFile = 'notary/request.ts'
const resolve = 'notary/resolve.ts'
const results = 'plan/result-rules.ts'
const settleFile = 'notary/settle.ts'
const standing = 'notary/standing.ts'

const shape: readonly Guard<NotaryCode>[] = [
  gone(
    'MALFORMED',
    notary,
    '? served.schema.safeParse(payload)',
    '? { success: true as const, data: payload as never }',
  ),
  gone('MALFORMED', bus, "parsed.success ? 'EXPIRED_MESSAGE' : 'MALFORMED'", "'EXPIRED_MESSAGE'"),
  gone('MALFORMED', admitFile, 'if (digest === undefined)'),
  gone('MALFORMED', settleFile, 'if (!failureCode.test(code))'),
  gone(
    'MALFORMED',
    bootFile,
    'if (manifest === undefined || !numbersOf(manifest, context.slots ?? {}).includes(call.n))',
  ),
  gone('MALFORMED', bootFile, 'if (!publicJwkSchema.safeParse(call.receiptKey).success)'),
  gone(
    'MALFORMED',
    'notary/quarantine.ts',
    'if (manifest === undefined || !numbersOf(manifest, context.slots ?? {}).includes(n))',
  ),
  gone('MALFORMED', 'notary/event.ts', ' || call.data.correlation !== undefined', ''),
  gone('MALFORMED', eventSource, 'if (account !== gateway)'),
  gone('EXPIRED_MESSAGE', bus, ' || isExpired(parsed.data, Date.now())', ''),
  gone('NOT_PERMITTED', notary, 'mayCall(name, account, context.users)', 'true'),
  gone('NOT_PERMITTED', requestFile, ' || isFiring', ''),
]

const requests: readonly Guard<NotaryCode>[] = [
  gone(
    'UNKNOWN_REQUEST',
    locateFile,
    "if (request === undefined) return refuse('UNKNOWN_REQUEST', 'nobody registered this request')",
    '',
  ),
  gone(
    'UNKNOWN_REQUEST',
    admitFile,
    'return { refusal: unknownRequest }',
    'return { request: undefined as never }',
  ),
  gone(
    'UNKNOWN_REQUEST',
    'notary/cancel.ts',
    ' || request.user !== userOf(account, context.users)',
    '',
  ),
  gone('UNKNOWN_REQUEST', recoverFile, ' && request.user === userOf(account, context.users)', ''),
  gone('UNKNOWN_REQUEST', 'notary/query.ts', 'if (request === undefined)'),
  gone(
    'UNKNOWN_REQUEST',
    eventSource,
    'store.state.request(requestId) === undefined',
    'Date.now() < 0',
  ),
  gone('REQUEST_CONFLICT', requestFile, 'if (registered.content === content)', ''),
  gone('REQUEST_CONFLICT', bootFile, 'known.nkey !== call.nkey || ', ''),
  gone('REQUEST_CONFLICT', bootFile, ' || known.receiptKey.x !== call.receiptKey.x', ''),
  gone('REQUEST_CONFLICT', bootFile, 'current?.boot_epoch !== call.bootEpoch || ', ''),
  gone('REQUEST_CONFLICT', bootFile, ' || current.running === 0', ''),
  gone('REQUEST_CANCELLED', forwardFile, 'if (request.cancelled_at !== null)'),
  gone(
    'REQUEST_CANCELLED',
    admitFile,
    'if (request.admitted_at === null && request.cancelled_at !== null)',
  ),
  gone(
    'REQUEST_CANCELLED',
    recoverFile,
    "if (step === undefined) return refuse('UNKNOWN_STEP', 'the plan has no such step')\n  if (request.cancelled_at !== null)",
  ),
  gone(
    'REQUEST_CANCELLED',
    recoverFile,
    "if (request.cancelled_at !== null) return refuse('REQUEST_CANCELLED', 'the run was cancelled')\n  if (request.aborted_by !== null) return { reruns: [] }",
    '',
  ),
  gone('PLAN_INVALID', requestFile, 'if (!compiled.ok)'),
  gone('PLAN_INVALID', admitFile, 'if (!compiled.ok)'),
  gone(
    'PLAN_INVALID',
    standing,
    "if (!compiled.ok) {\n      const message = 'the plan does not compile'",
    `${never} {\n      const message = ''`,
  ),
  gone(
    'PLAN_INVALID',
    standing,
    "if (!compiled.ok) {\n      const message = 'the plan does not compile any more'",
    `${never} {\n      const message = ''`,
  ),
  gone('PLAN_MISMATCH', admitFile, 'if (digest !== request.digest)'),
  gone('PLAN_MISMATCH', admitFile, 'if (compiled.digest !== digest)'),
  gone('ALREADY_ADMITTED', admitFile, 'if (digest !== request.digest)'),
  gone('NOT_ADMITTED', locateFile, 'request.admitted_at === null || ', ''),
  gone('NOT_ADMITTED', locateFile, ' || request.digest !== planDigest', ''),
]

const steps: readonly Guard<NotaryCode>[] = [
  gone('UNKNOWN_STEP', locateFile, 'step === undefined || ', ''),
  gone('UNKNOWN_STEP', locateFile, ' || (step.forEach === undefined && iteration !== 0)', ''),
  gone('UNKNOWN_STEP', recoverFile, 'if (step === undefined)'),
  gone('UNKNOWN_STEP', recoverFile, 'if (!registered.steps.has(step))'),
  gone('NEEDS_UNSETTLED', forwardFile, 'if (open === undefined) return', 'return'),
  gone('NEEDS_UNSETTLED', provenance, "if (product === undefined || product.is === 'open')"),
  gone('NEEDS_UNSETTLED', product, "case 'unknown':", "case 'unknown':\n      return true"),
  gone('NEEDS_UNSETTLED', product, "return step.onError === 'continue'", 'return true'),
  gone('GUARD_FALSE', authorizeFile, "if (guard !== 'TRUE')"),
  gone('GUARD_FALSE', resolve, "return 'FAILED'", "return 'TRUE'"),
  gone('GUARD_TRUE', settleFile, "if (guardOf(step, loaded.sources) !== 'FALSE')"),
  gone(
    'GUARD_TRUE',
    settleFile,
    "call.kind !== 'do' || effect !== undefined",
    'effect !== undefined',
  ),
  gone(
    'GUARD_TRUE',
    settleFile,
    "call.kind !== 'do' || effect !== undefined",
    "call.kind !== 'do'",
  ),
]

const values: readonly Guard<NotaryCode>[] = [
  gone('ARGS_MISMATCH', resolve, 'if (canonicalOrUndefined(claimed) !== text)'),
  gone(
    'ARGS_MISMATCH',
    authorizeFile,
    "if (effect !== undefined && hashArgs(effect.salt ?? '', args) !== effect.args_hash)",
  ),
  gone('ARGS_INVALID', resolve, 'if (!parsed.success)'),
  gone(
    'SOURCE_MISSING',
    provenance,
    'if (named === undefined) {',
    "if (named === undefined) return 'ABSENT'\n  if (Date.now() < 0) {",
  ),
  gone('SOURCE_MISMATCH', provenance, 'if (named.hash !== hash)'),
  gone('SOURCE_MISMATCH', product, 'saltedHash(salt, content) === hash ? ', 'true ? '),
  gone(
    'SOURCE_MISMATCH',
    provenance,
    "if (named === undefined) return 'ABSENT'",
    "return 'ABSENT'",
  ),
  gone('SOURCE_MISMATCH', results, 'canonicalJson(value) === text ? ', 'true ? '),
  gone('SOURCE_MISMATCH', results, 'if (!action.output.safeParse(value).success)'),
  gone(
    'SOURCE_MISMATCH',
    results,
    'if (cause instanceof StrictJsonError) return',
    'if (!cause) return',
  ),
  gone('NO_RESULT', provenance, "if (product.is === 'lost')"),
  gone(
    'NO_RESULT',
    resolve,
    "if (args !== 'NO_RESULT') return { args }",
    'return { args: args as never }',
  ),
  gone('NO_RESULT', resolve, "sources.incomplete ? 'NO_RESULT' : ", ''),
  gone('LIMIT', provenance, 'if (bytes > limits.sourceBytes)'),
  gone('LIMIT', resolve, 'if (Buffer.byteLength(text) > limits.argumentBytes)'),
  gone('LIMIT', resolve, 'if (cause instanceof TextError)'),
  gone('LIMIT', 'notary/rerun.ts', 'if (nextRerun(job, unit) > limits.reruns)'),
  gone('LIMIT', standing, 'if (times.length > maxBackfill)'),
  gone('FLOW', admitFile, ' ?? refuseFlow(context, request)', ''),
  gone(
    'FLOW',
    'notary/flow.ts',
    'return refusal === undefined ? { followed, questions } : { refusal }',
    'void refusal\n  return { followed, questions }',
  ),
  gone('POLICY', policy, "if (decision.verdict === 'deny')"),
  gone('POLICY', policy, "if (effect === 'irreversible')"),
  gone('POLICY', admitFile, 'if (forbidden !== undefined)'),
]

export const guards: readonly Guard<NotaryCode>[] = [...shape, ...requests, ...steps, ...values]
