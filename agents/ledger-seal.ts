// Results at rest: AES-256-GCM with the ledger's key, a nonce a record, and the record's own id as
// associated data, so that a result cannot be moved to another effect. Protects content from whoever
// copies the volume; it does not protect against someone who holds the agent.

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

/** Exactly 32 bytes; made by `parseSealingKey`. */
export type SealingKey = Uint8Array & { readonly sealing: unique symbol }

const nonceBytes = 12
const tagBytes = 16

/**
 * Reads a key file's text: 32 bytes as base64url.
 * @throws Error when it is anything else; the text is not quoted
 */
export function parseSealingKey(text: string): SealingKey {
  const bytes = Buffer.from(text.trim(), 'base64url')
  if (bytes.length !== 32 || !/^[A-Za-z0-9_-]{43}$/.test(text.trim())) {
    throw new Error('a sealing key is 32 bytes of base64url')
  }
  return bytes as Uint8Array as SealingKey
}

/** nonce, ciphertext and tag in one piece. */
export function seal(key: SealingKey, id: string, text: string): Buffer {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes })
  cipher.setAAD(Buffer.from(id, 'utf8'))
  return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
}

/** The text, or undefined when key, id or bytes are not the ones it was sealed with. */
export function openSealed(key: SealingKey, id: string, sealed: Uint8Array): string | undefined {
  if (sealed.length < nonceBytes + tagBytes) return undefined
  const nonce = sealed.subarray(0, nonceBytes)
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes })
  decipher.setAAD(Buffer.from(id, 'utf8'))
  decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes))
  try {
    const text = decipher.update(sealed.subarray(nonceBytes, sealed.length - tagBytes))
    return Buffer.concat([text, decipher.final()]).toString('utf8')
  } catch {
    return undefined
  }
}
