import { describe, expect, it } from 'vitest'
import { type CapabilityClaims, capabilityClaimsSchema } from '../../security/verify/claims.ts'
import { type Access, ClearError, clearAccess } from '../../security/verify/clear.ts'
import { drawSalt, hashArgs } from '../../security/verify/hash.ts'
import { parseStrictJson } from '../../security/verify/strict-json.ts'
import { baseClaims, claimsWith } from './token-fixture.ts'

const [detail] = baseClaims.authorization_details
const access: Access = {
  op: 'run',
  agent: 'notes.0',
  action: 'append',
  salt: detail.salt,
  args: { to: 'notes', body: 'Buy milk', tags: ['home'] },
}

function codeOf(claims: CapabilityClaims, attempted: Access): string {
  try {
    clearAccess(claims, attempted)
    return 'cleared'
  } catch (error) {
    if (error instanceof ClearError) return error.code
    throw error
  }
}

const claims = (set: Readonly<Record<string, unknown>>) =>
  capabilityClaimsSchema.parse(claimsWith(set))
const detailWith = (set: object) => claims({ authorization_details: [{ ...detail, ...set }] })

describe('a genuine token', () => {
  it('clears the access that it names', () => {
    expect(codeOf(baseClaims, access)).toBe('cleared')
  })

  it('clears arguments whose key order changed on the way', () => {
    const args = parseStrictJson('{"tags":["home"],"body":"Buy milk","to":"notes"}', {
      maxBytes: 1_024,
      maxDepth: 8,
    })
    expect(codeOf(baseClaims, { ...access, args })).toBe('cleared')
  })

  it.each([
    ['one byte changed', { to: 'notes', body: 'Buy Milk', tags: ['home'] }],
    ['a member more', { to: 'notes', body: 'Buy milk', tags: ['home'], extra: null }],
    ['a member less', { to: 'notes', body: 'Buy milk' }],
    ['another order in a list', { to: 'notes', body: 'Buy milk', tags: ['home', ''].reverse() }],
    ['text of another normal form', { to: 'notes', body: 'Buy milk\u0301', tags: ['home'] }],
    ['an unsafe integer', { to: 2 ** 53 }],
    ['undefined', undefined],
    ['a hole', { to: 'notes', body: undefined }],
  ])('does not clear arguments with %s', (_name, args) => {
    expect(codeOf(baseClaims, { ...access, args })).toBe('ARGS_HASH')
  })

  it('judges the object that will run, not bytes that were right once', () => {
    const args = { to: 'notes', body: 'Buy milk', tags: ['home'] }
    expect(codeOf(baseClaims, { ...access, args })).toBe('cleared')
    args.tags.push('work')
    expect(codeOf(baseClaims, { ...access, args })).toBe('ARGS_HASH')
  })

  it('does not clear another action', () => {
    expect(codeOf(baseClaims, { ...access, action: 'retract' })).toBe('WRONG_ACTION')
  })

  it('does not clear another agent or replica', () => {
    expect(codeOf(baseClaims, { ...access, agent: 'calendar.0' })).toBe('WRONG_ACTION')
    expect(codeOf(baseClaims, { ...access, agent: 'notes.1' })).toBe('WRONG_ACTION')
  })

  it('does not clear another operation', () => {
    expect(codeOf(claims({ op: 'cancel' }), access)).toBe('WRONG_OPERATION')
    expect(codeOf(claims({ op: 'attach' }), access)).toBe('WRONG_OPERATION')
  })

  it('does not clear a command with another salt', () => {
    expect(codeOf(baseClaims, { ...access, salt: drawSalt() })).toBe('SALT_MISMATCH')
  })

  it('does not clear another salt even where the hash over it is right', () => {
    const salt = drawSalt()
    const token = detailWith({ args_s256: hashArgs(salt, access.args) })
    expect(codeOf(token, { ...access, salt })).toBe('SALT_MISMATCH')
  })

  it('clears nothing when it carries two details', () => {
    const token = claims({ authorization_details: [detail, { ...detail, action: 'retract' }] })
    expect(codeOf(token, access)).toBe('DETAILS_COUNT')
    expect(codeOf(token, { ...access, action: 'retract' })).toBe('DETAILS_COUNT')
  })

  it('clears an irreversible effect only with an approval', () => {
    const details = [{ ...detail, effect: 'irreversible' }]
    expect(codeOf(claims({ authorization_details: details }), access)).toBe('APPROVAL_MISSING')
    const approved = claims({ authorization_details: details, appr: baseClaims.plan })
    expect(codeOf(approved, access)).toBe('cleared')
  })
})
