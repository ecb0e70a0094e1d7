import { describe, expect, it } from 'vitest'
import { DocumentError, signDocument, verifyDocument } from '../../security/verify/document.ts'
import { generateKeyPairJwk, toPublicJwk } from '../../security/verify/keys.ts'
import { forge, goodHeader, notaryKey, tokenVectors } from './token-fixture.ts'

const publicJwk = toPublicJwk(notaryKey)
const type = 'test-document+jws'

async function codeOf(jws: string, key: unknown = publicJwk): Promise<string> {
  try {
    await verifyDocument(jws, type, key)
    return 'accepted'
  } catch (error) {
    if (error instanceof DocumentError) return error.code
    throw error
  }
}

const header = { ...goodHeader, typ: type }

describe('a signed document', () => {
  it('gives back its payload', async () => {
    const payload = { status: 'DONE', n: 1, list: [null] }
    const jws = await signDocument(type, payload, notaryKey)
    expect(await verifyDocument(jws, type, publicJwk)).toEqual(payload)
  })

  it('is the same for the same value in another key order', async () => {
    expect(await signDocument(type, { a: 1, b: 2 }, notaryKey)).toBe(
      await signDocument(type, { b: 2, a: 1 }, notaryKey),
    )
  })

  it('of one kind is worthless as another', async () => {
    expect(await codeOf(await signDocument('other+jws', {}, notaryKey))).toBe('TYPE')
    expect(await codeOf(tokenVectors.token)).toBe('TYPE')
  })

  it('by another key is refused, whatever kid it claims', async () => {
    const other = await generateKeyPairJwk()
    expect(await codeOf(await signDocument(type, {}, other.privateJwk))).toBe('KEY_UNKNOWN')
    expect(await codeOf(forge({ header, payload: {}, key: other.privateJwk }))).toBe('SIGNATURE')
  })

  it('is judged by the key that is given, whichever was used before, and after any number', async () => {
    const first = await signDocument(type, {}, notaryKey)
    for (let count = 0; count < 70; count += 1) {
      const other = await generateKeyPairJwk()
      const jws = await signDocument(type, {}, other.privateJwk)
      expect(await codeOf(jws, other.publicJwk)).toBe('accepted')
      expect(await codeOf(first, other.publicJwk)).toBe('KEY_UNKNOWN')
      expect(await codeOf(first)).toBe('accepted')
      expect(await codeOf(jws)).toBe('KEY_UNKNOWN')
    }
  })

  it('is opened with no key that has members beyond those of one, also where that one is known', async () => {
    const jws = await signDocument(type, {}, notaryKey)
    expect(await codeOf(jws)).toBe('accepted')
    await expect(codeOf(jws, { ...publicJwk, use: 'enc' })).rejects.toThrow()
    await expect(codeOf(jws, notaryKey)).rejects.toThrow()
    await expect(codeOf(jws, null)).rejects.toThrow()
  })

  it.each([
    ['HEADER', { ...header, jwk: publicJwk }],
    ['HEADER', { alg: 'EdDSA', typ: type }],
    ['ALGORITHM', { ...header, alg: 'none' }],
  ])('is refused with %s for a header beyond the three members', async (code, changed) => {
    expect(await codeOf(forge({ header: changed, payload: {} }))).toBe(code)
  })

  it('with a duplicate key is refused', async () => {
    const payload = '{"status":"FAILED","status":"DONE"}'
    expect(await codeOf(forge({ header, payload }))).toBe('PAYLOAD')
  })

  // RFC 8037, appendix A.4: a good signature under a header that is not ours.
  it('in the form of the RFC is refused for lack of a type', async () => {
    const jws =
      'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg'
    expect(await codeOf(jws)).toBe('TYPE')
    expect(forge({ header: '{"alg":"EdDSA"}', payload: 'Example of Ed25519 signing' })).toBe(jws)
  })

  it('is not made or checked with anything but an Ed25519 key', async () => {
    await expect(signDocument(type, {}, publicJwk)).rejects.toThrow()
    await expect(signDocument(type, {}, { kty: 'oct', k: 'AAAA' })).rejects.toThrow()
    await expect(verifyDocument(tokenVectors.token, type, notaryKey)).rejects.toThrow()
  })
})
