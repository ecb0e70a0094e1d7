// Every hash that crosses a boundary: SHA-256, base64url without padding, 43 characters. Salted where
// the value is small enough to be guessed from a dictionary. Pure but for drawing a salt.

import { createHash, hash, randomBytes } from 'node:crypto'
import { canonicalJson } from './canonical-json.ts'

/** SHA-256 of bytes, or of a text's UTF-8. */
export function sha256(data: string | Uint8Array): string {
  return hash('sha256', data, 'base64url')
}

/**
 * SHA-256 of a value's RFC 8785 text.
 * @throws CanonicalJsonError
 */
export function digestOf(value: unknown): string {
  return sha256(canonicalJson(value))
}

/** SHA-256 of the salt's bytes followed by the text's UTF-8. `salt` is base64url. */
export function saltedHash(salt: string, text: string): string {
  return createHash('sha256').update(salt, 'base64url').update(text, 'utf8').digest('base64url')
}

/**
 * `args_s256` of a token: the salted hash of the RFC 8785 text of the parsed arguments, so that key
 * order and number spelling do not matter and everything else does.
 * @throws CanonicalJsonError
 */
export function hashArgs(salt: string, args: unknown): string {
  return saltedHash(salt, canonicalJson(args))
}

// Of the last character only some of the bits are used, so only some characters end either.
const digestForm = /^(?:[\w-]{42}[AEIMQUYcgkosw048]|[\w-]{21}[AQgw])$/

/**
 * Whether a text is, as a whole, what `sha256` or `drawSalt` may have made. Of those about one in fifty
 * thousand looks like a service's key by chance (`pk_`, `sk-`), so that is asked before the look is.
 */
export function isDigest(text: string): boolean {
  return digestForm.test(text)
}

/** 128 random bits, base64url: a salt, a `jti`. */
export function drawSalt(): string {
  return randomBytes(16).toString('base64url')
}
