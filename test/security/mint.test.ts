import { describe, expect, it } from 'vitest'
import { createMinter } from '../../security/mint/token.ts'
import type { CapabilityClaims } from '../../security/verify/claims.ts'
import { toPublicJwk } from '../../security/verify/keys.ts'
import { verifyToken } from '../../security/verify/token.ts'
import { baseClaims, expectation, notaryKey, tokenVectors } from './token-fixture.ts'

const [detail] = baseClaims.authorization_details

describe('the minter', () => {
  it('makes the very token of the vector', async () => {
    const minter = await createMinter(notaryKey)
    expect(minter.kid).toBe(tokenVectors.kid)
    expect(await minter.mint(baseClaims)).toBe(tokenVectors.token)
  })

  it('makes tokens that verify', async () => {
    const minter = await createMinter(notaryKey)
    const claims = { ...baseClaims, appr: baseClaims.plan }
    expect(await verifyToken(await minter.mint(claims), await expectation())).toEqual(claims)
  })

  it.each<[string, CapabilityClaims]>([
    ['a life beyond 30 s', { ...baseClaims, exp: baseClaims.iat + 31 }],
    ['no life at all', { ...baseClaims, exp: baseClaims.iat }],
    ['two details', { ...baseClaims, authorization_details: [detail, detail] }],
    [
      'an irreversible effect and no approval',
      { ...baseClaims, authorization_details: [{ ...detail, effect: 'irreversible' }] },
    ],
    ['a jti that can be guessed', { ...baseClaims, jti: '1' }],
    ['no audience', { ...baseClaims, aud: '' }],
  ])('refuses claims with %s', async (_name, claims) => {
    const minter = await createMinter(notaryKey)
    await expect(minter.mint(claims)).rejects.toThrow()
  })

  it('cannot be made with a public key', async () => {
    await expect(createMinter(toPublicJwk(notaryKey))).rejects.toThrow()
  })
})
