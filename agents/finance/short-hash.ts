// A name for a text that is the same wherever the text is. Pure.

import { createHash } from 'node:crypto'

/** 22 characters of base64url: the first 132 bits of SHA-256. */
export function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22)
}
