// For each code of refusal: the check that gives it, removed alone from what is built, and the
// case of the token suite that then fails. A check whose removal no case notices fails this test.

import { expect, it } from 'vitest'
import { type CapabilityCode, capabilityCodes } from '../../security/capability-codes.ts'
import { describeGuards } from '../support/guard-table.ts'
import { type Guard, gone, never } from '../support/one-check-less.ts'

const jws = 'security/verify/jws.ts'
const token = 'security/verify/token.ts'
const clear = 'security/verify/clear.ts'
const admission = 'agents/admission.ts'

const guards: readonly Guard<CapabilityCode>[] = [
  gone('TOKEN_MALFORMED', jws, 'if (jws.length > expected.maxCharacters || !compact.test(jws))'),
  gone('TOKEN_ALGORITHM', jws, "if (members.get('alg') !== 'EdDSA')"),
  gone('TOKEN_TYPE', jws, "if (members.get('typ') !== type)"),
  gone('TOKEN_HEADER', jws, 'if (!headerNames.has(name))'),
  gone('TOKEN_HEADER', jws, "if (typeof kid !== 'string') throw", `${never} throw`),
  gone('TOKEN_KEY_UNKNOWN', jws, 'if (key === undefined) throw', `${never} throw`),
  gone(
    'TOKEN_SIGNATURE',
    jws,
    "payload = (await compactVerify(jws, key, { algorithms: ['EdDSA'] })).payload",
    "payload = Buffer.from(jws.split('.')[1] ?? '', 'base64url')",
  ),
  gone('TOKEN_AUDIENCE', token, 'if (audienceOf(payload) !== expected.audience)'),
  gone('TOKEN_CLAIMS', 'security/verify/claims.ts', 'z.strictObject({\n  iss', 'z.object({\n  iss'),
  gone('TOKEN_ISSUER', token, 'if (claims.iss !== expected.issuer)'),
  gone('TOKEN_LIFE', token, 'if (life <= 0 || life > tokenLifeSeconds)'),
  gone('TOKEN_LIFE', token, 'life <= 0 || ', ''),
  gone('TOKEN_EXPIRED', token, 'if (nowSeconds - tokenSkewSeconds >= claims.exp)'),
  gone('TOKEN_NOT_YET', token, 'if (nowSeconds + tokenSkewSeconds < claims.nbf)'),
  gone('TOKEN_NOT_YET', token, 'if (nowSeconds + tokenSkewSeconds < claims.iat)'),
  gone('TOKEN_BINDING', token, 'if (claims.cnf.nk_s256 !== sha256(expected.nkey))'),
  gone('WRONG_OPERATION', clear, 'if (claims.op !== access.op)'),
  gone('DETAILS_COUNT', clear, 'if (claims.authorization_details.length !== 1)'),
  gone('WRONG_ACTION', clear, 'detail.agent !== access.agent || ', ''),
  gone('WRONG_ACTION', admission, 'if (detail.effect !== action.declaration.effect)'),
  gone(
    'APPROVAL_MISSING',
    clear,
    "if (detail.effect === 'irreversible' && claims.appr === undefined)",
  ),
  gone('SALT_MISMATCH', clear, 'if (detail.salt !== access.salt)'),
  gone('ARGS_HASH', clear, 'if (detail.args_s256 !== hashOrRefuse(access))'),
  gone('UNKNOWN_ACTION', admission, 'if (action === undefined)'),
  gone('INVALID_ARGS', admission, 'run === undefined', 'run === null'),
  gone(
    'MALFORMED',
    admission,
    'parseStrictJson(canonicalJson(request.args), {',
    '((value: unknown, _: object) => value)(request.args, {',
  ),
  gone('EXPIRED_MESSAGE', 'security/message.ts', 'now > message.timestamp +', '0 > 1 +'),
  gone('REPLAY', 'agents/ledger.ts', 'if (changes === 0)'),
  gone('IDEM_CONFLICT', 'agents/ledger.ts', 'if (row.args_hash !== claim.argsHash)'),
  gone(
    'LEDGER_UNAVAILABLE',
    'agents/runtime.ts',
    "if (ledger === undefined) return refuse(self, 'LEDGER_UNAVAILABLE', idem)",
    'if (ledger === undefined) return { status: "UNKNOWN", receipt: "", envelope: "" }',
  ),
]

describeGuards({
  title: 'the cases of the token suite',
  entry: 'test/support/token-case-runner.ts',
  guards,
})

it('every code of a token is given by a check that a case misses', () => {
  expect(new Set(guards.map(({ code }) => code))).toEqual(new Set(capabilityCodes))
})
