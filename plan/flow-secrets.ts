// Rule R11: a secret is a reference that the configuration names, never a value in a plan, because plans
// are kept, shown and sent. Finds what looks like nothing else; a password that looks like a word passes.
// Pure.

import { isDigest } from '../security/verify/hash.ts'
import { escapeToken, isObject } from './pointer.ts'

/** A text that is one reference as a whole: where a plan is run there is nobody who would resolve it. */
const reference = /^(?:secret|env|vault|keychain|systemd-cred|sops):\/\/\S+$/

const looks: readonly RegExp[] = [
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  // nkey seeds, and the keys of services that give theirs a prefix.
  /\bS[ACNOUX][A-Z2-7]{50,}/,
  /\bAGE-SECRET-KEY-1[A-Z0-9]{20,}/,
  /\b(?:sk|rk)[-_][\w-]{16,}/,
  /\b(?:gh[pousr]_|github_pat_|glpat-|xox[abeprs]-|hvs\.)[\w-]{16,}/,
  /\bAKIA[A-Z0-9]{16}\b/,
  // A password inside an address.
  /:\/\/[^\s/@:]+:[^\s/@]+@/,
]

export function isSecret(text: string): boolean {
  return reference.test(text) || holdsSecret(text)
}

/** Whether something in the text is a secret's value; a reference is none. */
export function holdsSecret(text: string): boolean {
  if (isDigest(text)) return false
  return looks.some((look) => look.test(text)) || holdsToken(text)
}

/** A run of base64url before two more. Looks at each run twice: an agent's text may be half a megabyte. */
const beforeClaims = /(?<![\w-])([\w-]{9,})(?=\.eyJ[\w-]{6,}\.[\w-])/g

/** A signed token: header and claims are JSON objects in base64url. */
function holdsToken(text: string): boolean {
  return [...text.matchAll(beforeClaims)].some(([, header = '']) => header.includes('eyJ'))
}

/** Pointers of the texts in a value that are secrets, in the order of the value. */
export function secretsIn(value: unknown, path: string): readonly string[] {
  if (typeof value === 'string') return isSecret(value) ? [path] : []
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => secretsIn(item, `${path}/${index}`))
  }
  if (!isObject(value)) return []
  return Object.entries(value).flatMap(([name, item]) =>
    secretsIn(item, `${path}/${escapeToken(name)}`),
  )
}
