import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { digestOf, drawSalt, hashArgs, saltedHash, sha256 } from '../../security/verify/hash.ts'
import { parseStrictJson } from '../../security/verify/strict-json.ts'

const caseSchema = z.strictObject({
  name: z.string(),
  salt: z.string(),
  args: z.string(),
  hash: z.string(),
})
const vectors = z
  .strictObject({
    description: z.string(),
    accepted: z.array(caseSchema),
    refused: z.array(caseSchema),
  })
  .parse(JSON.parse(readFileSync(new URL('../vectors/salted-hash.json', import.meta.url), 'utf8')))

const parse = (text: string) => parseStrictJson(text, { maxBytes: 1_024, maxDepth: 8 })

describe('the hash of arguments', () => {
  it.each(vectors.accepted)('is the expected one: $name', ({ salt, args, hash }) => {
    expect(hashArgs(salt, parse(args))).toBe(hash)
  })

  it.each(vectors.refused)('is another one: $name', ({ salt, args, hash }) => {
    expect(hashArgs(salt, parse(args))).not.toBe(hash)
  })

  it('has as many vectors refused as accepted', () => {
    expect(vectors.refused.length).toBeGreaterThanOrEqual(vectors.accepted.length)
  })
})

describe('hashes', () => {
  it('are SHA-256 in base64url (FIPS 180-2, "abc")', () => {
    const expected = Buffer.from(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
      'hex',
    ).toString('base64url')
    expect(sha256('abc')).toBe(expected)
    expect(sha256(Buffer.from('abc'))).toBe(expected)
    expect(saltedHash('', 'abc')).toBe(expected)
    expect(saltedHash(Buffer.from('a').toString('base64url'), 'bc')).toBe(expected)
  })

  it('of a value are over its canonical text', () => {
    expect(digestOf({ b: 1, a: 2 })).toBe(sha256('{"a":2,"b":1}'))
  })

  it('take salts of 128 bits that do not repeat', () => {
    const salts = Array.from({ length: 1_000 }, drawSalt)
    expect(new Set(salts).size).toBe(1_000)
    expect(Buffer.from(salts[0] ?? '', 'base64url')).toHaveLength(16)
  })
})
