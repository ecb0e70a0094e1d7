// What an agent returned, judged: each case is one thing that makes an otherwise good result unfit, and
// a twin beside it that is fit.

import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { limits } from '../../plan/limits.ts'
import {
  faultOfValue,
  judgeResult,
  type ResultDeclaration,
  type ResultFault,
  resultFaults,
} from '../../plan/result-rules.ts'
import { canonicalJson } from '../../security/verify/canonical-json.ts'

const action: ResultDeclaration = {
  output: z.strictObject({
    id: z.string(),
    from: z.string().optional(),
    cc: z.array(z.strictObject({ address: z.string(), name: z.string() })).optional(),
    body: z.string().optional(),
    count: z.number().optional(),
    more: z.unknown().optional(),
  }),
  maxResultBytes: 200_000,
  labels: { '/id': { readers: 'PUBLIC' } },
  addresses: ['/from', '/cc/*/address'],
  quotes: ['/body', '/cc/*/name'],
}
const text = (more: object = {}) => canonicalJson({ id: 'a1', ...more })
const nested = (depth: number): unknown => (depth === 0 ? 0 : [nested(depth - 1)])
const jwt = `${Buffer.from('{"alg":"EdDSA"}').toString('base64url')}.${Buffer.from('{"iss":"a"}').toString('base64url')}.AAAA`

const cases: readonly (readonly [string, ResultFault, unfit: string, fit: string])[] = [
  [
    'more bytes than the action may return',
    'TOO_LARGE',
    text({ body: 'x'.repeat(200_000) }),
    text({ body: 'x'.repeat(199_000) }),
  ],
  [
    'nested deeper than any result may be',
    'TOO_DEEP',
    text({ more: nested(limits.jsonDepth) }),
    text({ more: nested(limits.jsonDepth - 1) }),
  ],
  ['cut off', 'SYNTAX', '{"id":"a1"', '{"id":"a1"}'],
  ['a key twice', 'DUPLICATE_KEY', '{"id":"a1","id":"a2"}', '{"id":"a1"}'],
  [
    "a prototype's key",
    'FORBIDDEN_KEY',
    '{"id":"a1","more":{"__proto__":1}}',
    '{"id":"a1","more":{"proto":1}}',
  ],
  [
    'a number beyond all',
    'NUMBER_NOT_FINITE',
    '{"count":1e999,"id":"a1"}',
    text({ count: 1e300 / 1e290 }),
  ],
  [
    'an integer that a double cannot hold',
    'INTEGER_UNSAFE',
    '{"count":9007199254740993,"id":"a1"}',
    '{"count":9007199254740991,"id":"a1"}',
  ],
  ['half a character', 'LONE_SURROGATE', '{"id":"\\ud800"}', '{"id":"\u{1f600}"}'],
  ['white space', 'NOT_CANONICAL', '{"id": "a1"}', '{"id":"a1"}'],
  ['keys in another order', 'NOT_CANONICAL', '{"id":"a1","count":1}', '{"count":1,"id":"a1"}'],
  ['a field that is not declared', 'OFF_SCHEMA', text({ admin: true }), text()],
  ['another type', 'OFF_SCHEMA', '{"id":1}', '{"id":"1"}'],
  [
    'an address with a line break',
    'ADDRESS',
    text({ from: 'bob@example.org\n' }),
    text({ from: 'bob@example.org' }),
  ],
  [
    'an address that is turned around',
    'ADDRESS',
    text({ from: '\u202egro.elpmaxe@bob' }),
    text({ body: '\u202ea' }),
  ],
  [
    'an address with nothing in it',
    'ADDRESS',
    text({ from: 'bob\u200b@example.org' }),
    text({ body: 'a\u200bb' }),
  ],
  [
    'an address in another spelling',
    'ADDRESS',
    text({ from: 'ren\u0065\u0301@example.org' }),
    text({ from: 'ren\u00e9@example.org' }),
  ],
  [
    'an address with space around it',
    'ADDRESS',
    text({ from: ' bob@example.org' }),
    text({ body: ' a ' }),
  ],
  [
    'an address without end',
    'ADDRESS',
    text({ from: 'b'.repeat(2_049) }),
    text({ from: 'b'.repeat(2_048) }),
  ],
  [
    'an address in a list',
    'ADDRESS',
    text({
      cc: [
        { address: 'a@b', name: 'A' },
        { address: 'b@c\u0007', name: 'B' },
      ],
    }),
    text({ cc: [{ address: 'a@b', name: 'A\u0007' }] }),
  ],
  [
    'a page where anybody may read',
    'PUBLIC_TOO_LONG',
    canonicalJson({ id: 'x'.repeat(1_025) }),
    canonicalJson({ id: 'x'.repeat(1_024) }),
  ],
  ['a signed token', 'SECRET', text({ more: `see ${jwt}` }), text({ body: `see ${jwt}` })],
  [
    'a signed token behind a word',
    'SECRET',
    text({ more: [`token-${jwt}`] }),
    text({ more: jwt.split('.').slice(0, 2).join('.') }),
  ],
  [
    'a private key in its armour',
    'SECRET',
    text({ from: '-----BEGIN PRIVATE KEY-----' }),
    text({ from: '-----BEGIN PUBLIC KEY-----' }),
  ],
  [
    'a seed of a bus identity',
    'SECRET',
    text({ more: `SU${'A'.repeat(56)}` }),
    text({ more: `U${'A'.repeat(56)}` }),
  ],
  [
    "a service's key",
    'SECRET',
    text({ more: `rk_${'A'.repeat(41)}` }),
    // SHA-256 in base64url: of a digest its look says nothing.
    text({ more: `rk_${'A'.repeat(40)}` }),
  ],
  [
    "a private key's members, whoever wrote them",
    'SECRET',
    text({ more: { kty: 'OKP', crv: 'Ed25519', x: 'a', d: 'b' } }),
    text({ more: { kty: 'OKP', crv: 'Ed25519', x: 'a' } }),
  ],
  [
    'a password in an address',
    'SECRET',
    text({ more: 'https://bob:pass@example.org' }),
    text({ body: 'https://bob:pass@example.org' }),
  ],
]

describe('a result is refused that', () => {
  it.each(cases)('is or has %s: %s', (_, fault, unfit, fit) => {
    expect(judgeResult(unfit, action)).toEqual({ ok: false, fault })
    expect(judgeResult(fit, action)).toEqual({ ok: true, value: JSON.parse(fit) })
  })

  it('has a case for each fault', () => {
    expect(new Set(cases.map(([, fault]) => fault))).toEqual(new Set(resultFaults))
  })

  it('is larger than any may be, whatever its manifest allows', () => {
    const generous = { ...action, maxResultBytes: 10 * limits.resultBytes }
    expect(judgeResult(text({ body: 'x'.repeat(limits.resultBytes) }), generous)).toEqual({
      ok: false,
      fault: 'TOO_LARGE',
    })
  })
})

describe('an element of a list', () => {
  it('is judged as the result that it is', () => {
    expect(faultOfValue({ id: 'a1' }, action)).toBeUndefined()
    expect(faultOfValue({ id: 'a1', from: 'a\nb' }, action)).toBe('ADDRESS')
    expect(faultOfValue({}, action)).toBe('OFF_SCHEMA')
  })
})

describe('a hostile text', () => {
  // Of patterns that begin to match in many places, each to the end, this takes minutes.
  it.each(['eyJ-', 'eyJaaaaaa.x.', '-----BEGIN ', '://a:'])('of repeated %s is judged', (part) => {
    const large = { ...action, maxResultBytes: limits.resultBytes, quotes: [] }
    const size = limits.resultBytes - 100
    const body = part.repeat(Math.floor(size / part.length))
    expect(judgeResult(text({ body }), large)).toMatchObject({ ok: true })
  })
})
