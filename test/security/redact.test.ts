import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { genesisHash, sealRow } from '../../security/audit/format.ts'
import { redact, redactText } from '../../security/redact.ts'
import { canonicalJson } from '../../security/verify/canonical-json.ts'
import { drawSalt, sha256 } from '../../security/verify/hash.ts'
import { tokenVectors } from './token-fixture.ts'

const text = (value: object) => JSON.stringify(redact(value))

describe('redaction by the look of a text', () => {
  it.each([
    ['a capability token', tokenVectors.token],
    [
      'a token whose header is spelled otherwise',
      `ewogImFsZyI.${'a'.repeat(30)}.${'b'.repeat(86)}`,
    ],
    ['a part of a token', tokenVectors.token.split('.')[1]?.slice(0, 200) ?? ''],
    ['an nkey seed', `SU${'A7'.repeat(28)}`],
    ['a private key', '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw\n-----END PRIVATE KEY-----'],
    ['a private key cut short', '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw'],
    ['a bearer header', 'Bearer 0123456789abcdef'],
    ['a basic header', 'basic dXNlcjpwYXNzd29yZA=='],
    ['a key of a model provider', `sk-${'fake'.repeat(8)}`],
    ['a key of a forge', 'ghp_0123456789abcdefghij'],
    ['an age key', `AGE-SECRET-KEY-1${'Q'.repeat(58)}`],
    ['credentials in an address', 'walter:hunter22'],
  ])('takes out %s, wherever it stands', (_name, secret) => {
    const carrier = secret === 'walter:hunter22' ? `https://${secret}@dav.example/` : secret
    const out = text({ a: { b: [`before ${carrier} after`] }, [carrier]: 1, c: carrier })
    expect(out).not.toContain(secret.slice(0, 12))
    expect(out).toMatch(/\[redacted\]|\[long: /)
  })

  it('takes out text that is too long to be a summary', () => {
    expect(redactText('x'.repeat(500))).toBe('x'.repeat(500))
    expect(redactText('x'.repeat(501))).toBe('[long: 501 characters]')
  })

  it('keeps what rows are made of', () => {
    const body = {
      argsHash: sha256('a'),
      jti: drawSalt(),
      plan: sha256('plan'),
      requestId: 'sched:morning:2026-01-01T07:00:00.000Z',
      step: 'write-note',
      code: 'PROVENANCE',
      rules: ['R1', 'R2'],
      type: 'notes.append',
      audience: 'agent:notes.0:c0ffee00c0ffee00',
      issuer: 'notary:k3v9x2ab',
      kid: tokenVectors.kid,
      attempts: 2,
      expiresAt: 1_767_225_600_000,
    }
    expect(redact(body)).toEqual(body)
  })
})

describe('a digest that looks like a key by chance', () => {
  // The first that there is of each look: SHA-256 of a number as text.
  const chance = firstDigests([/^[sr]k[-_]/, /^pk[-_]/, /^\w{1,20}-[srp]k_/])

  it.each(chance)('is kept, because rows are held against ledgers by it: %s', (digest) => {
    expect(redact({ receipt: digest, sources: { today: digest } })).toEqual({
      receipt: digest,
      sources: { today: digest },
    })
  })

  it.each(chance)('is taken out where it is a part of something longer: %s', (digest) => {
    expect(redactText(`-${digest}`)).toContain('[redacted]')
    expect(redactText(`${digest}A`)).toContain('[redacted]')
    expect(text({ token: digest })).not.toContain(digest)
  })
})

describe('a row of the audit', () => {
  const entry = {
    at: 1,
    kind: 'outcome',
    actor: 'user:sk-of-the-old-house',
    subject: 'rk-a-step-with-a-long-name',
    trace: '',
    body: {},
  } as const

  it('keeps ids whatever they look like, because what they name is found by them', () => {
    const run = 'sched:pk-list-of-the-week:2026-01-01t07:00:00.000z'
    expect(sealRow({ ...entry, correlation: run }, { seq: 1, prev: genesisHash })).toMatchObject({
      actor: entry.actor,
      subject: entry.subject,
      correlation: run,
    })
  })

  it('takes out what is no id', () => {
    const strange = { ...entry, correlation: `run ghp_0123456789abcdefghij` }
    const row = sealRow(strange, { seq: 1, prev: genesisHash })
    expect(row.correlation).toBe('run [redacted]')
  })
})

function firstDigests(looks: readonly RegExp[]): string[] {
  return looks.map((look) => {
    for (let number = 0; ; number += 1) {
      const digest = sha256(String(number))
      if (look.test(digest)) return digest
    }
  })
}

describe('redaction by the name of a member', () => {
  it.each([
    ...['token', 'accessToken', 'refresh_token', 'ID-Token', 'password', 'Authorization'],
    ...['apiKey', 'X-API-Key', 'clientSecret', 'private_key', 'set-cookie', 'seed', 'pin'],
    ...['prompt', 'args', 'arguments', 'content', 'text', 'result', 'credentials'],
  ])('takes out the value of %s', (name) => {
    expect(text({ deep: [{ [name]: 'canary' }] })).not.toContain('canary')
    expect(text({ [name]: { inner: ['canary'] } })).not.toContain('canary')
    expect(text({ [name]: 4711 })).not.toContain('4711')
  })

  it('takes out the private half of a JWK and keeps the public one', () => {
    const { d, ...publicJwk } = tokenVectors.key
    expect(redact({ key: { ...publicJwk, d } })).toEqual({ key: { ...publicJwk, d: '[redacted]' } })
  })

  it('keeps whether there was one', () => {
    expect(redact({ token: true, secret: null })).toEqual({ token: true, secret: null })
  })
})

describe('redaction', () => {
  it('bounds depth and width', () => {
    const deep: unknown = JSON.parse(`${'{"a":'.repeat(50)}"canary"${'}'.repeat(50)}`)
    expect(text({ deep })).not.toContain('canary')
    expect(text({ deep })).toContain('[too deep]')
    const wide = redact({ items: Array.from({ length: 1_000 }, (_, index) => index) })
    expect(wide['items']).toHaveLength(200)
  })

  it('ends on a cycle', () => {
    const cycle: Record<string, unknown> = {}
    cycle['self'] = cycle
    expect(text(cycle)).toContain('[too deep]')
  })

  it('takes out no prototype', () => {
    const out = redact(JSON.parse('{"__proto__":{"admin":true},"constructor":1}') as object)
    expect(Object.keys(out)).toEqual(['[redacted]'])
  })

  it('makes canonical JSON of anything, and the same when done again', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string(),
          fc.anything({ withBigInt: true, withDate: true, withSparseArray: true }),
        ),
        (value) => {
          const once = redact(value)
          const spelled = canonicalJson(once)
          expect(canonicalJson(redact(once))).toBe(spelled)
        },
      ),
    )
  })
})
