// The notary's public keys as a file that is replaced while it is read from: looked at before each
// verification, so that a key that was removed kills its tokens at once and a new one counts at once.
// Fails closed: while the file is gone or is not a key set, no key is known and every token is refused.

import { closeSync, fstatSync, openSync, readFileSync, statSync } from 'node:fs'
import { createTokenKeys, type TokenKeys } from './token.ts'

/** One public key has about 150 bytes, a set at most 16 of them. */
const maxBytes = 64 * 1024
const none: TokenKeys = { keyOf: () => undefined }

/**
 * @throws z.ZodError or Error when the file is no key set now; later that is a refusal
 */
export async function openTokenKeyFile(path: string): Promise<TokenKeys> {
  const first = readSet(path)
  // Kept as promises: of two verifications at once, neither sees the set before the last.
  let current = { version: first.version, keys: createTokenKeys(JSON.parse(first.text)) }
  await current.keys
  return {
    async keyOf(kid) {
      const version = versionOf(path)
      if (version !== current.version) current = reread(path)
      return (await current.keys).keyOf(kid)
    },
  }
}

function reread(path: string): { readonly version: string; readonly keys: Promise<TokenKeys> } {
  try {
    const { version, text } = readSet(path)
    return { version, keys: createTokenKeys(JSON.parse(text)).catch(() => none) }
  } catch {
    // No version: it is read again for the next token.
    return { version: '', keys: Promise.resolve(none) }
  }
}

/** Never empty for a file that is there; a rename changes it, and so does writing in place. */
function versionOf(path: string): string {
  try {
    return toVersion(statSync(path, { bigint: true }))
  } catch {
    return 'none'
  }
}

interface Facts {
  readonly dev: bigint
  readonly ino: bigint
  readonly size: bigint
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
}

const toVersion = ({ dev, ino, size, mtimeNs, ctimeNs }: Facts) =>
  [dev, ino, size, mtimeNs, ctimeNs].join('/')

/** The version of exactly the file that was read. */
function readSet(path: string): { readonly version: string; readonly text: string } {
  const handle = openSync(path, 'r')
  try {
    const facts = fstatSync(handle, { bigint: true })
    if (facts.size > maxBytes) throw new Error('too large for a token key set')
    return { version: toVersion(facts), text: readFileSync(handle, 'utf8') }
  } finally {
    closeSync(handle)
  }
}
