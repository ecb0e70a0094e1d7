// Every stateless way to misuse a capability token, as data: which case, what is changed, which code
// must refuse it. One list for two tests: against a real sandboxed agent, and against a copy of the
// sources from which one check was removed. What an attacker could hold (its own keys, another agent's
// token) is told apart from what only a notary that errs could sign.

import { createHmac, createPrivateKey, sign } from 'node:crypto'
import { z } from 'zod'
import type { CapabilityCode } from '../../security/capability-codes.ts'
import {
  type CapabilityClaims,
  type CapabilityDetail,
  capabilityClaimsSchema,
} from '../../security/verify/claims.ts'
import { drawSalt, hashArgs, sha256 } from '../../security/verify/hash.ts'
import { type PrivateJwk, toPublicJwk } from '../../security/verify/keys.ts'

/** What a case starts from. */
export interface TokenBench {
  /** Of an honest token that was issued in this second. */
  readonly claims: CapabilityClaims
  /** Thumbprint of the notary's key. */
  readonly kid: string
  readonly notary: PrivateJwk
  /** The agent's own receipt key, and its thumbprint. */
  readonly own: { readonly key: PrivateJwk; readonly kid: string }
  /** Signs with the agent's own bus key. */
  readonly nkey: (input: Uint8Array) => Uint8Array
  /** Genuine, for another agent. */
  readonly foreign: string
  readonly args: Readonly<Record<string, unknown>>
  readonly salt: string
}

export interface TokenAttempt {
  readonly token: string
  readonly args?: Readonly<Record<string, unknown>>
  readonly salt?: string
}

export interface TokenCase {
  readonly id: string
  readonly name: string
  readonly code: CapabilityCode | 'DONE'
  make(bench: TokenBench): TokenAttempt
}

type Part = object | string
type Sign = (input: Buffer) => Uint8Array

const encode = (part: Part) =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')

function seal(header: Part, payload: Part, signer: Sign): string {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${Buffer.from(signer(Buffer.from(input))).toString('base64url')}`
}

const by =
  (key: PrivateJwk): Sign =>
  (input) =>
    sign(null, input, createPrivateKey({ key: { ...key }, format: 'jwk' }))

const headerOf = (bench: TokenBench, change: object = {}) => ({
  alg: 'EdDSA',
  typ: 'cap+jwt',
  kid: bench.kid,
  ...change,
})

/** A use of its own: nothing that the ledger remembers. */
const fresh = ({ claims }: TokenBench) => {
  const jti = drawSalt()
  return { ...claims, jti, idem: sha256(jti) }
}

/** What only the notary could sign: these claims and this header. */
export const signed = (bench: TokenBench, claims: object = {}, header: object = {}): string =>
  seal(headerOf(bench, header), { ...fresh(bench), ...claims }, by(bench.notary))

/** The same with one changed detail. */
export const detailed = (bench: TokenBench, change: Partial<CapabilityDetail>): string => {
  const [detail] = bench.claims.authorization_details
  return signed(bench, { authorization_details: [{ ...detail, ...change }] })
}

/** A genuine token for these arguments. */
export const tokenFor = (bench: TokenBench, args: object): string =>
  detailed(bench, { args_s256: hashArgs(bench.salt, args) })

type Make = (bench: TokenBench) => string | TokenAttempt

const one = (id: string, code: TokenCase['code'], name: string, make: Make): TokenCase => ({
  id,
  code,
  name,
  make(bench) {
    const made = make(bench)
    return typeof made === 'string' ? { token: made } : made
  },
})

const signatures: readonly TokenCase[] = [
  one('T01', 'TOKEN_ALGORITHM', 'alg none without a signature', (bench) => {
    const header = headerOf(bench, { alg: 'none' })
    return seal(header, fresh(bench), () => Buffer.from('x'))
  }),
  one('T01', 'TOKEN_MALFORMED', 'alg none with an empty third part', (bench) =>
    seal(headerOf(bench, { alg: 'none' }), fresh(bench), () => Buffer.alloc(0)),
  ),
  one('T02', 'TOKEN_ALGORITHM', 'HS256 keyed with the public key', (bench) =>
    seal(headerOf(bench, { alg: 'HS256' }), fresh(bench), (input) =>
      createHmac('sha256', Buffer.from(bench.notary.x, 'base64url')).update(input).digest(),
    ),
  ),
  one('T03', 'TOKEN_HEADER', 'an embedded jwk of its own', (bench) => {
    const header = headerOf(bench, { jwk: toPublicJwk(bench.own.key), kid: bench.own.kid })
    return seal(header, fresh(bench), by(bench.own.key))
  }),
  ...['jku', 'x5u'].map((name) =>
    one('T03', 'TOKEN_HEADER', `a ${name} under the true signature`, (bench) =>
      signed(bench, {}, { [name]: 'https://keys.example/set' }),
    ),
  ),
  one('T03', 'TOKEN_HEADER', 'a crit member', (bench) => signed(bench, {}, { crit: ['exp'] })),
  one('T04', 'TOKEN_KEY_UNKNOWN', 'its own receipt key under its own kid', (bench) =>
    seal(headerOf(bench, { kid: bench.own.kid }), fresh(bench), by(bench.own.key)),
  ),
  one('T04', 'TOKEN_KEY_UNKNOWN', 'a path as kid', (bench) =>
    signed(bench, {}, { kid: '../../secrets/token-keys.json' }),
  ),
  one('T04', 'TOKEN_HEADER', 'no kid', (bench) => signed(bench, {}, { kid: undefined })),
  one('T04', 'TOKEN_SIGNATURE', "its own receipt key under the notary's kid", (bench) =>
    seal(headerOf(bench), fresh(bench), by(bench.own.key)),
  ),
  one('T04', 'TOKEN_SIGNATURE', "its own bus key under the notary's kid", (bench) =>
    seal(headerOf(bench), fresh(bench), bench.nkey),
  ),
  one('T04', 'TOKEN_SIGNATURE', 'altered claims under a genuine signature', (bench) => {
    const [header, , signature] = signed(bench).split('.')
    return `${header}.${encode({ ...fresh(bench), sub: 'user:other' })}.${signature}`
  }),
  one('T04', 'TOKEN_MALFORMED', 'padding behind the signature', (bench) => `${signed(bench)}=`),
  ...['JWT', 'bulkhead-approval+jws', 'bulkhead-receipt+jws'].map((typ) =>
    one('T05', 'TOKEN_TYPE', `typ ${typ}`, (bench) => signed(bench, {}, { typ })),
  ),
  one('T05', 'TOKEN_ALGORITHM', 'a user JWT of the bus, signed with its bus key', (bench) =>
    seal({ typ: 'JWT', alg: 'ed25519-nkey' }, fresh(bench), bench.nkey),
  ),
]

const addressed: readonly TokenCase[] = [
  one('T06', 'TOKEN_AUDIENCE', 'an array of audiences', (bench) =>
    signed(bench, { aud: [bench.claims.aud] }),
  ),
  one('T06', 'TOKEN_AUDIENCE', 'a genuine token for another agent', (bench) => bench.foreign),
  one('T06', 'TOKEN_AUDIENCE', 'an old boot epoch', (bench) =>
    signed(bench, { aud: bench.claims.aud.replace(/:[^:]*$/, ':0123456789abcdef01234567') }),
  ),
  one('T06', 'TOKEN_AUDIENCE', 'the audience with something behind it', (bench) =>
    signed(bench, { aud: `${bench.claims.aud}0` }),
  ),
  one('T06', 'TOKEN_ISSUER', 'another deployment', (bench) =>
    signed(bench, { iss: 'notary:foreign1' }),
  ),
  one('T06', 'TOKEN_BINDING', "another agent's bus key", (bench) =>
    signed(bench, { cnf: { nk_s256: sha256('UOTHER') } }),
  ),
  one('T06', 'TOKEN_CLAIMS', 'a claim that is not ours', (bench) => signed(bench, { admin: true })),
  one('T07', 'DONE', 'exp one second inside the skew', (bench) => lasting(bench, -21, -1)),
  one('T07', 'TOKEN_EXPIRED', 'exp at the edge of the skew', (bench) => lasting(bench, -22, -2)),
  one('T07', 'TOKEN_EXPIRED', 'exp one second beyond it', (bench) => lasting(bench, -23, -3)),
  one('T07', 'DONE', 'nbf and iat inside the skew', (bench) => lasting(bench, 2, 22, 2)),
  one('T07', 'TOKEN_NOT_YET', 'nbf beyond the skew', (bench) => lasting(bench, 0, 20, 4)),
  one('T07', 'TOKEN_NOT_YET', 'iat beyond the skew', (bench) => lasting(bench, 4, 24, 0)),
  one('T08', 'DONE', 'a life of thirty seconds', (bench) => lasting(bench, 0, 30)),
  one('T08', 'TOKEN_LIFE', 'a life of thirty-one seconds', (bench) => lasting(bench, 0, 31)),
  one('T08', 'TOKEN_LIFE', 'a life until the year 2100', (bench) =>
    signed(bench, { exp: 4_102_444_800 }),
  ),
  one('T08', 'TOKEN_LIFE', 'a life of nothing', (bench) => lasting(bench, 0, 0)),
]

/** Seconds from the current one. The edges hold within the first half of a second. */
function lasting(bench: TokenBench, iat: number, exp: number, nbf = iat): string {
  const now = Math.floor(Date.now() / 1_000)
  return signed(bench, { iat: now + iat, nbf: now + nbf, exp: now + exp })
}

const reversed = (args: object) => Object.fromEntries(Object.entries(args).toReversed())

const cleared: readonly TokenCase[] = [
  one('T09', 'DONE', 'the keys of the arguments in another order', (bench) => ({
    token: signed(bench),
    args: reversed(bench.args),
  })),
  one('T09', 'ARGS_HASH', 'one value changed', (bench) => ({
    token: signed(bench),
    args: changeOne(bench.args),
  })),
  one('T09', 'ARGS_HASH', 'a number as text', (bench) => ({
    token: signed(bench),
    args: Object.fromEntries(Object.entries(bench.args).map(([key, value]) => [key, `${value}`])),
  })),
  one('T09', 'ARGS_HASH', 'one more argument', (bench) => ({
    token: signed(bench),
    args: { ...bench.args, more: true },
  })),
  one('T09', 'SALT_MISMATCH', 'another salt', (bench) => ({
    token: signed(bench),
    salt: drawSalt(),
  })),
  one('T09', 'MALFORMED', "an argument named like a prototype's member", (bench) => {
    const args = { ...bench.args, constructor: 1 }
    return { token: tokenFor(bench, args), args }
  }),
  one('T09', 'MALFORMED', 'an integer that no double holds', (bench) => {
    const args = { ...bench.args, more: 2 ** 53 }
    return { token: signed(bench), args }
  }),
  one('T09', 'INVALID_ARGS', 'authorised arguments that the action does not take', (bench) => {
    const args = { ...bench.args, more: true }
    return { token: tokenFor(bench, args), args }
  }),
  one('T10', 'TOKEN_SIGNATURE', 'another action under a genuine signature', (bench) => {
    const [header, payload = '', signature] = signed(bench).split('.')
    const text = Buffer.from(payload, 'base64url').toString()
    const [detail] = bench.claims.authorization_details
    const other = text.replace(`"action":"${detail.action}"`, '"action":"append"')
    return `${header}.${encode(other)}.${signature}`
  }),
  one('T10', 'WRONG_ACTION', "another agent's action", (bench) =>
    detailed(bench, { agent: 'other.0' }),
  ),
  one('T10', 'WRONG_ACTION', 'a read that is authorised as a write', (bench) =>
    detailed(bench, { effect: 'write' }),
  ),
  one('T10', 'UNKNOWN_ACTION', 'an action that the agent does not have', (bench) =>
    detailed(bench, { action: 'absent' }),
  ),
  one('T10', 'WRONG_OPERATION', 'a token for attaching', (bench) =>
    signed(bench, { op: 'attach' }),
  ),
  one('T10', 'APPROVAL_MISSING', 'an irreversible effect without an approval', (bench) =>
    detailed(bench, { effect: 'irreversible' }),
  ),
  one('T11', 'DETAILS_COUNT', 'two authorization details', (bench) => {
    const [detail] = bench.claims.authorization_details
    return signed(bench, { authorization_details: [detail, detail] })
  }),
]

function changeOne(args: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const [[name, value] = ['', 0], ...rest] = Object.entries(args)
  return {
    ...Object.fromEntries(rest),
    [name]: typeof value === 'number' ? value + 1 : `${value}!`,
  }
}

export const tokenCases: readonly TokenCase[] = [...signatures, ...addressed, ...cleared]

const partOf = (token: string, index: 0 | 1): unknown =>
  JSON.parse(Buffer.from(token.split('.')[index] ?? '', 'base64url').toString())

export const claimsOf = (token: string) => capabilityClaimsSchema.parse(partOf(token, 1))
export const kidOf = (token: string) =>
  z.looseObject({ kid: z.string() }).parse(partOf(token, 0)).kid

/** Waits for the first half of a second, in which the edges of times are what they say. */
export async function untilEarlyInSecond(): Promise<void> {
  const into = Date.now() % 1_000
  if (into > 400) await new Promise((resolve) => setTimeout(resolve, 1_000 - into + 5))
}
