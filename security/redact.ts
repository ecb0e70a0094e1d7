// Takes secrets and personal text out of a value before it is recorded: by the name of a member and
// by the look of a text, recursively, with bounds. What is left is always canonical JSON, so that a
// strange value can be recorded rather than refused. A second line: callers should not pass content
// in the first place, because a secret that looks like nothing passes every pattern.

import type { JsonObject, JsonValue } from './verify/canonical-json.ts'
import { isDigest } from './verify/hash.ts'

const redacted = '[redacted]'
/** Deeper structure is content, not a summary. */
const maxDepth = 8
/** Members of one object or array. */
const maxMembers = 200
/** Longer text is content. Hashes have 43 characters, ids at most 120. */
const maxCharacters = 500

// Compared without case and separators. Content words too: their values are what a person wrote.
const secretNames: ReadonlySet<string> = new Set(
  `accesskey apikey answer args arguments auth authorization content cookies credential credentials
  jwt otp passcode passphrase passwd password pin prompt result secrets seed text tokens`.split(
    /\s+/,
  ),
)
const secretSuffixes = [
  'token',
  'secret',
  'password',
  'apikey',
  'privatekey',
  'secretkey',
  'cookie',
]

const secretPatterns: readonly RegExp[] = [
  /-----BEGIN [A-Z0-9 ]+-----[\s\S]*?(?:-----END [A-Z0-9 ]+-----|$)/g,
  // Every JSON object in base64url begins so: JWS, JWE, and any part of one.
  /\beyJ[\w-]{6,}(?:\.[\w-]*)*/g,
  // Three parts of which the last is as long as a signature.
  /[\w-]{8,}\.[\w-]{2,}\.[\w-]{40,}/g,
  // nkey seeds.
  /\bS[ACNOUX][A-Z2-7]{50,}/g,
  /\bAGE-SECRET-KEY-1[A-Z0-9]{20,}/g,
  /\b(?:sk|pk|rk)[-_][\w-]{16,}/g,
  /\b(?:gh[pousr]_|github_pat_|glpat-|xox[abeprs]-|hvs\.|AKIA|AIza)[\w-]{10,}/g,
  /\b(?:bearer|basic)\s+[\w+/=.~-]{8,}/gi,
  // Credentials inside an address.
  /(?<=:\/\/)[^\s/@:]+:[^\s/@]+(?=@)/g,
]
const prototypeNames: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

/**
 * A copy that may be recorded. Redacting it again changes nothing. Booleans and null stay whatever
 * their name: they are facts about a secret, not the secret.
 */
export function redact(value: object): JsonObject {
  return redactMembers(value, 1)
}

/**
 * The same for one text, e.g. an identifier that came from outside. A digest stays: rows are held against
 * ledgers and against each other by theirs, and no service gives out keys of that form.
 */
export function redactText(text: string): string {
  if (isDigest(text)) return text
  // Before the patterns: a pattern cut in half by the limit would leave half a secret.
  if (text.length > maxCharacters) return `[long: ${text.length} characters]`
  return secretPatterns.reduce(
    (rest, pattern) => rest.replace(pattern, redacted),
    text.toWellFormed(),
  )
}

function redactValue(value: unknown, depth: number): JsonValue {
  switch (typeof value) {
    case 'string':
      return redactText(value)
    case 'number':
      return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))
        ? value
        : `[number: ${value}]`
    case 'boolean':
      return value
    case 'object':
      if (value === null) return null
      if (depth >= maxDepth) return '[too deep]'
      return Array.isArray(value) ? redactItems(value, depth + 1) : redactMembers(value, depth + 1)
    default:
      return `[${typeof value}]`
  }
}

function redactItems(items: readonly unknown[], depth: number): JsonValue {
  // Array.from sees a hole as undefined; map would leave it.
  const kept = Array.from(items.slice(0, maxMembers), (item) => redactValue(item, depth))
  return items.length > maxMembers ? [...kept.slice(0, -1), '[more]'] : kept
}

function redactMembers(value: object, depth: number): JsonObject {
  // In a key's JWK the private half has a name of one letter.
  const isKey = 'kty' in value
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .slice(0, maxMembers)
    .map(([name, member]): [string, JsonValue] => [
      prototypeNames.has(name) ? redacted : redactText(name),
      isSecretName(name, isKey) && member !== null && typeof member !== 'boolean'
        ? redacted
        : redactValue(member, depth),
    ])
  return Object.fromEntries(members)
}

function isSecretName(name: string, isKey: boolean): boolean {
  const plain = name.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
  return (
    (isKey && (plain === 'd' || plain === 'k')) ||
    secretNames.has(plain) ||
    secretSuffixes.some((suffix) => plain.endsWith(suffix))
  )
}
