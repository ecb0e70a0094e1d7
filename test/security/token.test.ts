import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../plan/limits.ts'
import { generateKeyPairJwk, thumbprint, toPublicJwk } from '../../security/verify/keys.ts'
import {
  createTokenKeys,
  tokenLifeSeconds,
  tokenSkewSeconds,
  VerifyError,
  verifyToken,
} from '../../security/verify/token.ts'
import {
  baseClaims,
  claimsWith,
  expectation,
  type Forgery,
  forge,
  goodHeader,
  notaryKey,
  tokenVectors,
} from './token-fixture.ts'

async function codeOf(token: string, now?: number): Promise<string> {
  try {
    await verifyToken(token, await expectation(now))
    return 'accepted'
  } catch (error) {
    if (error instanceof VerifyError) return error.code
    throw error
  }
}

const withHeader = (members: object): Forgery => ({ header: { ...goodHeader, ...members } })
const headerWithout = (name: string): Forgery => ({
  header: Object.fromEntries(Object.entries(goodHeader).filter(([member]) => member !== name)),
})

describe('the claims of a token', () => {
  it.each(tokenVectors.accepted)('are accepted: $name', async ({ set, now }) => {
    expect(await codeOf(forge({ payload: claimsWith(set) }), now)).toBe('accepted')
  })

  it.each(tokenVectors.refused)('are refused with $code: $name', async ({ set, now, code }) => {
    expect(await codeOf(forge({ payload: claimsWith(set) }), now)).toBe(code)
  })

  it('come back as they were signed', async () => {
    expect(await verifyToken(tokenVectors.token, await expectation())).toEqual(baseClaims)
  })

  it('have the life and the skew that the limits name', () => {
    expect([tokenLifeSeconds * 1_000, tokenSkewSeconds * 1_000]).toEqual([
      limits.tokenLifeMs,
      limits.tokenSkewMs,
    ])
  })
})

describe('the header of a token', () => {
  it.each<[string, string, Forgery]>([
    ['TOKEN_ALGORITHM', 'alg none', withHeader({ alg: 'none' })],
    ['TOKEN_ALGORITHM', 'alg in another case', withHeader({ alg: 'eddsa' })],
    ['TOKEN_ALGORITHM', 'another signature algorithm', withHeader({ alg: 'ES256' })],
    ['TOKEN_ALGORITHM', 'no alg', headerWithout('alg')],
    ['TOKEN_TYPE', 'the typ of an ordinary JWT', withHeader({ typ: 'JWT' })],
    ['TOKEN_TYPE', 'typ in another case', withHeader({ typ: 'CAP+JWT' })],
    ['TOKEN_TYPE', 'typ with its media type prefix', withHeader({ typ: 'application/cap+jwt' })],
    ['TOKEN_TYPE', 'the typ of a receipt', withHeader({ typ: 'bulkhead-receipt+jws' })],
    ['TOKEN_TYPE', 'no typ', headerWithout('typ')],
    ['TOKEN_HEADER', 'no kid, although there is one key only', headerWithout('kid')],
    ['TOKEN_HEADER', 'a kid that is no text', withHeader({ kid: [goodHeader.kid] })],
    ['TOKEN_HEADER', 'jku', withHeader({ jku: 'https://evil.example/keys' })],
    ['TOKEN_HEADER', 'x5u', withHeader({ x5u: 'https://evil.example/cert' })],
    ['TOKEN_HEADER', 'x5c', withHeader({ x5c: ['MIIB'] })],
    ['TOKEN_HEADER', 'crit', withHeader({ crit: ['exp'] })],
    ['TOKEN_HEADER', 'crit that names nothing', withHeader({ crit: [] })],
    ['TOKEN_HEADER', 'an unknown member', withHeader({ b64: true })],
    ['TOKEN_KEY_UNKNOWN', 'an unknown kid', withHeader({ kid: 'A'.repeat(43) })],
    ['TOKEN_KEY_UNKNOWN', 'a path as kid', withHeader({ kid: '../../../dev/null' })],
    ['TOKEN_KEY_UNKNOWN', "a prototype's member as kid", withHeader({ kid: 'constructor' })],
    ['TOKEN_KEY_UNKNOWN', 'an empty kid', withHeader({ kid: '' })],
    ['TOKEN_MALFORMED', 'an array', { header: '[]' }],
    ['TOKEN_MALFORMED', 'null', { header: 'null' }],
    ['TOKEN_MALFORMED', 'no JSON', { header: 'alg' }],
    [
      'TOKEN_MALFORMED',
      'a duplicate key, of which the last would win',
      { header: `{"alg":"none","alg":"EdDSA","typ":"cap+jwt","kid":"${goodHeader.kid}"}` },
    ],
  ])('is refused with %s: %s', async (code, _name, forgery) => {
    expect(await codeOf(forge(forgery))).toBe(code)
  })

  it('cannot bring its own key', async () => {
    const { privateJwk, publicJwk } = await generateKeyPairJwk()
    const header = { ...goodHeader, jwk: publicJwk, kid: await thumbprint(publicJwk) }
    expect(await codeOf(forge({ header, key: privateJwk }))).toBe('TOKEN_HEADER')
  })

  it('cannot turn the public key into a shared secret', async () => {
    const hmac = Buffer.from(notaryKey.x, 'base64url')
    expect(await codeOf(forge({ ...withHeader({ alg: 'HS256' }), hmac }))).toBe('TOKEN_ALGORITHM')
  })
})

describe('the signature of a token', () => {
  it('by another key under our kid is refused', async () => {
    const { privateJwk } = await generateKeyPairJwk()
    expect(await codeOf(forge({ key: privateJwk }))).toBe('TOKEN_SIGNATURE')
  })

  it('does not carry over to another payload', async () => {
    const [header, , signature] = forge({}).split('.')
    const payload = Buffer.from(JSON.stringify(claimsWith({ sub: 'user:x' }))).toString('base64url')
    expect(await codeOf(`${header}.${payload}.${signature}`)).toBe('TOKEN_SIGNATURE')
  })

  it.each([
    ['nothing', ''],
    ['two parts', tokenVectors.token.split('.').slice(0, 2).join('.')],
    ['an empty signature', `${tokenVectors.token.split('.').slice(0, 2).join('.')}.`],
    ['four parts', `${tokenVectors.token}.AAAA`],
    ['padding', `${tokenVectors.token}==`],
    ['white space', ` ${tokenVectors.token}`],
    ['a line feed at the end', `${tokenVectors.token}\n`],
    ['more than 16 KiB', forge({ payload: claimsWith({ step: 'x'.repeat(16_000) }) })],
  ])('is refused as malformed with %s', async (_name, token) => {
    expect(await codeOf(token)).toBe('TOKEN_MALFORMED')
  })

  it('has alternate spellings, none of which changes a claim', async () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const body = tokenVectors.token.slice(0, -1)
    let accepted = 0
    for (const last of alphabet) {
      const verified = await verifyToken(body + last, await expectation()).catch(() => undefined)
      if (verified === undefined) continue
      accepted += 1
      // Replay is keyed on jti and idem, so a respelled token is the same token.
      expect(verified).toEqual(baseClaims)
    }
    expect(accepted).toBeGreaterThanOrEqual(1)
  })

  it('admits no token with any one character changed and another meaning', async () => {
    const { token } = tokenVectors
    const expected = await expectation()
    const place = fc.nat({ max: token.length - 1 })
    const character = fc.constantFrom(...'ABCDwxyz0189-_.=')
    await fc.assert(
      fc.asyncProperty(place, character, async (at, replacement) => {
        const changed = token.slice(0, at) + replacement + token.slice(at + 1)
        const verified = await verifyToken(changed, expected).catch(() => baseClaims)
        expect(verified).toEqual(baseClaims)
      }),
      { numRuns: 400 },
    )
  })
})

describe('the payload of a token', () => {
  const text = JSON.stringify(baseClaims)
  it.each<[string, string | Uint8Array]>([
    ['a duplicate claim, of which the last would win', text.replace('{', '{"aud":"agent:x.0:e",')],
    [
      'a duplicate key within the details',
      text.replace('"action":"append"', '"action":"read","action":"append"'),
    ],
    ['a prototype key', text.replace('{', '{"__proto__":{},')],
    ['bytes that are not UTF-8', Buffer.from(text.replace('user:owner', 'user:\u00ff'), 'latin1')],
    ['a byte order mark', `\ufeff${text}`],
    ['a second value', `${text}${text}`],
    ['deep nesting', text.replace('"act":{', `"act":{"x":${'['.repeat(40)}${']'.repeat(40)},`)],
  ])('is refused with %s', async (_name, payload) => {
    expect(payload).not.toBe(text)
    expect(await codeOf(forge({ payload }))).toBe('TOKEN_CLAIMS')
  })

  it('never shows in the error', async () => {
    const payload = claimsWith({ sub: 'user:canary', scope: 'canary' })
    const error: unknown = await verifyToken(forge({ payload }), await expectation()).catch(
      (reason: unknown) => reason,
    )
    expect(error).toBeInstanceOf(VerifyError)
    expect(String(error)).not.toMatch(/canary|eyJ/)
  })
})

describe('the token keys', () => {
  it('kill every token of a key that was removed, and spare the others', async () => {
    const next = await generateKeyPairJwk()
    const header = { ...goodHeader, kid: await thumbprint(next.publicJwk) }
    const [oldToken, newToken] = [forge({}), forge({ header, key: next.privateJwk })]
    const both = { keys: [toPublicJwk(notaryKey), next.publicJwk] }
    const accepts = async (jwks: unknown, token: string) =>
      verifyToken(token, { ...(await expectation()), keys: await createTokenKeys(jwks) }).then(
        () => true,
        () => false,
      )
    expect([await accepts(both, oldToken), await accepts(both, newToken)]).toEqual([true, true])
    const rotated = { keys: [next.publicJwk] }
    expect([await accepts(rotated, oldToken), await accepts(rotated, newToken)]).toEqual([
      false,
      true,
    ])
    expect(await accepts({ keys: [] }, oldToken)).toBe(false)
  })

  it.each([
    ['a private half', { keys: [notaryKey] }],
    ['another kind of key', { keys: [{ kty: 'oct', k: 'AAAA' }] }],
    ['a kid that is not the thumbprint', { keys: [{ ...toPublicJwk(notaryKey), kid: 'mine' }] }],
    ['no set', toPublicJwk(notaryKey)],
  ])('refuse a set with %s', async (_name, jwks) => {
    await expect(createTokenKeys(jwks)).rejects.toThrow()
  })

  it('name a key as RFC 8037 does', async () => {
    expect(await thumbprint(notaryKey)).toBe(tokenVectors.kid)
  })
})
