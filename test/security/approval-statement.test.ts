import { generateKeyPair, SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { signStatement } from '../../security/approval/sign.ts'
import {
  approvalType,
  batchDigest,
  maxStatementCharacters,
  type Statement,
} from '../../security/approval/statement.ts'
import {
  type KeptApproval,
  StatementError,
  verifyKeptApproval,
  verifyStatement,
} from '../../security/approval/verify.ts'
import { canonicalJson } from '../../security/verify/canonical-json.ts'
import { signDocument } from '../../security/verify/document.ts'
import { sha256 } from '../../security/verify/hash.ts'
import { generateKeyPairJwk, thumbprint, toPublicJwk } from '../../security/verify/keys.ts'
import { forge, notaryKey } from './token-fixture.ts'

const key = toPublicJwk(notaryKey)
const card = '{"any":"card"}'
const statement: Statement = {
  iss: 'user:owner',
  aud: 'notary:testtest',
  apr: 'a123456789',
  card_s256: sha256(card),
  decision: 'approve',
  iat: 1_800_000_000,
}
const header = { alg: 'EdDSA', typ: approvalType, kid: await thumbprint(key) }

async function codeOf(verified: Promise<unknown>): Promise<string> {
  try {
    await verified
    return 'accepted'
  } catch (error) {
    if (error instanceof StatementError) return error.code
    throw error
  }
}

const codeOfForged = (change: { readonly header?: object; readonly payload?: object }) =>
  codeOf(
    verifyStatement(
      forge({
        header: { ...header, ...change.header },
        payload: { ...statement, ...change.payload },
        key: notaryKey,
      }),
      [key],
    ),
  )

describe('a statement', () => {
  it('comes back as it was signed, with the thumbprint of its key', async () => {
    const granted = { ...statement, grant: { per: 'week', count: 3, exp: 1_900_000_000 } } as const
    for (const said of [statement, granted]) {
      const verified = await verifyStatement(await signStatement(said, notaryKey), [key])
      expect(verified).toEqual({ statement: said, kid: header.kid, key })
    }
  })

  it('is found among several keys, and unknown without its own', async () => {
    const other = await generateKeyPairJwk()
    const jws = await signStatement(statement, notaryKey)
    expect(await codeOf(verifyStatement(jws, [other.publicJwk, key]))).toBe('accepted')
    expect(await codeOf(verifyStatement(jws, [other.publicJwk]))).toBe('KEY_UNKNOWN')
    expect(await codeOf(verifyStatement(jws, []))).toBe('KEY_UNKNOWN')
  })

  it('with another header is refused, each for its reason', async () => {
    expect(await codeOfForged({})).toBe('accepted')
    expect(await codeOfForged({ header: { alg: 'none' } })).toBe('ALGORITHM')
    expect(await codeOfForged({ header: { alg: 'ES256' } })).toBe('ALGORITHM')
    expect(await codeOfForged({ header: { typ: 'cap+jwt' } })).toBe('TYPE')
    expect(await codeOfForged({ header: { kid: 'A'.repeat(43) } })).toBe('KEY_UNKNOWN')
    expect(await codeOfForged({ header: { kid: '__proto__' } })).toBe('KEY_UNKNOWN')
    expect(await codeOfForged({ header: { jwk: key } })).toBe('HEADER')
    expect(await codeOfForged({ header: { crit: ['exp'] } })).toBe('HEADER')
  })

  it('by a key of another curve is refused', async () => {
    const { privateKey } = await generateKeyPair('ES256')
    const jws = await new SignJWT({ ...statement })
      .setProtectedHeader({ ...header, alg: 'ES256' })
      .sign(privateKey)
    expect(await codeOf(verifyStatement(jws, [key]))).toBe('ALGORITHM')
  })

  it('by a key that only claims to be the known one is refused', async () => {
    const { privateJwk } = await generateKeyPairJwk()
    const jws = forge({ header, payload: statement, key: privateJwk })
    expect(await codeOf(verifyStatement(jws, [key]))).toBe('SIGNATURE')
  })

  it('altered after it was signed is refused', async () => {
    const [head, , signature] = (await signStatement(statement, notaryKey)).split('.')
    const denied = canonicalJson({ ...statement, decision: 'deny' })
    const jws = [head, Buffer.from(denied).toString('base64url'), signature].join('.')
    expect(await codeOf(verifyStatement(jws, [key]))).toBe('SIGNATURE')
    expect(await codeOf(verifyStatement(`${head}..${signature}`, [key]))).toBe('MALFORMED')
  })

  it.each([
    ['several audiences', { aud: ['notary:testtest'] }],
    ['a claim that nobody knows', { exp: 1 }],
    ['another decision', { decision: 'maybe' }],
    ['a fraction of a second', { iat: 1.5 }],
    ['a digest of another length', { card_s256: 'short' }],
    ['no user', { iss: 'owner' }],
    ['an unbounded grant', { grant: { per: 'day', count: 1_001, exp: 1 } }],
    ['a grant without an end', { grant: { per: 'day', count: 1 } }],
    ['a grant with more in it', { grant: { per: 'day', count: 1, exp: 1, step: 'any' } }],
  ])('with %s is none', async (_, payload) => {
    expect(await codeOfForged({ payload })).toBe('CLAIMS')
  })

  it('that is huge is not read', async () => {
    const payload = { apr: 'a'.repeat(maxStatementCharacters) }
    expect(await codeOfForged({ payload })).toBe('MALFORMED')
  })

  it('is not a document of another kind, nor one a statement', async () => {
    const document = await signDocument('receipt+jws', statement, notaryKey)
    expect(await codeOf(verifyStatement(document, [key]))).toBe('TYPE')
  })

  it('of another shape is not signed', async () => {
    const wrong = { ...statement, decision: 'maybe' } as unknown as Statement
    await expect(signStatement(wrong, notaryKey)).rejects.toThrow()
  })
})

describe('a kept approval', () => {
  it('is checked by card, statement and key alone', async () => {
    const kept = { card, statement: await signStatement(statement, notaryKey), key }
    expect((await verifyKeptApproval(kept)).statement).toEqual(statement)
    expect(await codeOf(verifyKeptApproval({ ...kept, card: '{"any":"other"}' }))).toBe('CARD')
    const other = await generateKeyPairJwk()
    expect(await codeOf(verifyKeptApproval({ ...kept, key: other.publicJwk }))).toBe('KEY_UNKNOWN')
  })

  it('of a batch is checked over the digests of all its cards', async () => {
    const batch = [sha256('one'), sha256(card)]
    const jws = await signStatement({ ...statement, card_s256: batchDigest(batch) }, notaryKey)
    const codeWith = (change: Partial<KeptApproval>) =>
      codeOf(verifyKeptApproval({ card, key, statement: jws, batch, ...change }))
    expect(await codeWith({})).toBe('accepted')
    expect(await codeWith({ batch: batch.toReversed() })).toBe('CARD')
    expect(await codeWith({ batch: undefined })).toBe('CARD')
    expect(await codeWith({ card: 'three' })).toBe('CARD')
  })
})
