// Which check stands behind what a person decides, and what stands there when it is gone. `APPROVAL` is
// no refusal: the question must be asked, and without the check nobody asks it.

import type { NotaryCode } from '../../notary/codes.ts'
import { type Guard, gone } from './one-check-less.ts'

const admit = 'notary/admit.ts'
const approve = 'notary/approve.ts'
const ask = 'notary/ask.ts'
const cover = 'notary/cover.ts'
const deciding = 'notary/decide-approval.ts'
const expand = 'notary/expand.ts'
const grants = 'notary/grants.ts'
const questions = 'notary/questions.ts'
const table = 'notary/approval-state.ts'
const standing = 'notary/standing-approval.ts'
const statement = 'security/approval/verify.ts'
const jws = 'security/verify/jws.ts'

const signed: readonly Guard<NotaryCode>[] = [
  gone(
    'APPROVAL_UNSIGNED',
    jws,
    "payload = (await compactVerify(jws, key, { algorithms: ['EdDSA'] })).payload",
    "void compactVerify\n    payload = Buffer.from(jws.split('.')[1] ?? '', 'base64url')",
  ),
  gone(
    'APPROVAL_UNSIGNED',
    jws,
    "if (members.get('typ') !== type) throw",
    'if (Date.now() < 0) throw',
  ),
  gone('NOT_APPROVER', statement, 'keys.get(kid)?.key', '[...keys.values()][0]?.key'),
  gone('NOT_APPROVER', deciding, ' || statement.iss !== principal', ''),
  gone(
    'NOT_APPROVER',
    deciding,
    'return may ? undefined',
    'return may || Date.now() > 0 ? undefined',
  ),
  gone('UNKNOWN_APPROVAL', approve, 'mayDecideFor(user, each.user, context.users)', 'true'),
  gone(
    'UNKNOWN_APPROVAL',
    approve,
    'const all = one === undefined ? state.approvalsOfBatch(id) : [one]',
    "const all = one === undefined ? state.approvalsOf('user:owner', 0) : [one]",
  ),
  gone('APPROVAL_MOVED', deciding, ' || statement.apr !== id', ''),
  gone('APPROVAL_MOVED', deciding, 'statement.aud !== context.issuer || ', ''),
  gone(
    'APPROVAL_ALTERED',
    deciding,
    'if (statement.card_s256 !== (isBatch ? batchDigest(digests) : first.digest)) {',
  ),
  gone('APPROVAL_USED', deciding, 'if (open.length === 0) return over(first)', ''),
  gone('APPROVAL_DENIED', deciding, "if ('refusal' in answer) return answer\n", ''),
]

const answered: readonly Guard<NotaryCode>[] = [
  gone(
    'APPROVAL_DENIED',
    deciding,
    "statement.decision === 'approve' ? 'approved' : 'denied'",
    "'approved'",
  ),
  gone(
    'APPROVAL_DENIED',
    questions,
    "case 'denied':\n",
    "case 'denied':\n      if (statement !== null) return { approved: approval, statement }\n",
  ),
  gone(
    'APPROVAL_EXPIRED',
    questions,
    "if (approval.state !== 'open' || writer.now < approval.expires_at) return approval",
    'if (Date.now() > 0) return approval',
  ),
  gone('APPROVAL_EXPIRED', deciding, 'voidedAt !== null || ', ''),
  gone('APPROVAL_EXPIRED', deciding, ' || (cancelled ?? null) !== null', ''),
  gone('AUDIT_UNAVAILABLE', questions, 'if (sha256(text) !== digest) {'),
  gone(
    'APPROVAL_OPEN',
    admit,
    'if (unapproved !== undefined) return { refusal: unapproved }',
    'void unapproved',
  ),
  gone('APPROVAL_OPEN', standing, 'state.voidApprovals(id, now)', 'void now'),
  gone('UNKNOWN_GRANT', approve, ' || grant.user !== user', ''),
  gone('MALFORMED', deciding, "decision !== 'approve' || ", ''),
  gone('LIMIT', deciding, ' || until > now + limits.grantLifeMs', ''),
  gone('LIMIT', deciding, 'until <= now || ', ''),
  gone('LIMIT', questions, 'if (Buffer.byteLength(text) > limits.cardBytes) {'),
]

const asked: readonly Guard<'APPROVAL'>[] = [
  gone('APPROVAL', admit, "if (answer !== undefined && !('approved' in answer)) return answer", ''),
  gone('APPROVAL', ask, 'return rules.length > 0 ? [{ step, rules }] : []', 'return []'),
  gone(
    'APPROVAL',
    'notary/authorize.ts',
    'if (asked.rules.length === 0) return undefined',
    'return',
  ),
  gone('APPROVAL', expand, "if ('reply' in answer) return answer.reply", 'return undefined'),
  gone('APPROVAL', cover, 'address.rerun !== 0 || ', ''),
  gone('APPROVAL', cover, ' || address.rerun !== loop.rerun', ''),
  gone('APPROVAL', cover, ' || canonicalJson(one) !== canonicalJson(args)', ''),
  gone('APPROVAL', grants, 'usedInPeriod({ state, now }, grant) < grant.count', 'true'),
  gone('APPROVAL', grants, 'now < grant.expires_at', 'true'),
  gone('APPROVAL', approve, 'writer.state.revokeGrant(id, writer.now)', ''),
  gone('APPROVAL', table, 'user = ? AND recipe = ?', '(user = ? OR 1) AND recipe = ?'),
  gone('APPROVAL', table, 'AND recipe = ? AND', 'AND (recipe = ? OR 1) AND'),
  gone('APPROVAL', cover, ' || standing.content !== request.content', ''),
  gone('APPROVAL', cover, 'asked.asks.every((rule) => rules.includes(rule))', 'true'),
  gone(
    'APPROVAL',
    ask,
    'pieces?.every(({ argument }) => isWritten(argument)) === true',
    'pieces !== undefined',
  ),
  gone('APPROVAL', grants, 'grant.matter === asked.matter()', 'true'),
]

/** What agents decide on. */
const shown: readonly Guard<NotaryCode | 'APPROVAL'>[] = [
  gone(
    'APPROVAL',
    'notary/authorize.ts',
    'reasonsOf(answer.asks, flow, sources)',
    'reasonsOf(answer.asks, { ...flow, questions: [] }, sources)',
  ),
  gone(
    'APPROVAL',
    expand,
    'reasonsOf(policy.asks, flow)',
    'reasonsOf(policy.asks, { ...flow, questions: [] })',
  ),
  gone('APPROVAL', cover, 'if (rules.some(isOfFlow)) {'),
  gone(
    'APPROVAL',
    cover,
    'if (rules.some((rule) => ask?.rules.includes(rule) !== true)) return undefined',
    '',
  ),
  gone('APPROVAL', ask, 'conditions.length === 0 ? shown :', 'Date.now() > 0 ? shown :'),
  gone('MALFORMED', deciding, 'if (asks.some(({ rules }) => rules.some(isOfFlow))) {'),
]

export const guards: readonly Guard<NotaryCode | 'APPROVAL'>[] = [
  ...signed,
  ...answered,
  ...asked,
  ...shown,
]
