// Looks for a text in bytes that others wrote, in the forms in which it would leak: as it is, in
// base64 at each of its three offsets, in hexadecimal, in UTF-16.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The text's bytes in every form that is looked for. At least 9 bytes, or base64 says too little. */
export function formsOf(canary: string): readonly Buffer[] {
  const bytes = Buffer.from(canary)
  const base64 = [0, 1, 2].map((offset) => {
    // Characters that depend on the bytes around it are left out.
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64')
    const whole = Math.floor((offset + bytes.length) / 3) * 4
    return encoded.slice(offset === 0 ? 0 : 4, whole)
  })
  return [
    bytes,
    ...base64.map((text) => Buffer.from(text)),
    Buffer.from(bytes.toString('hex')),
    Buffer.from(canary, 'utf16le'),
  ]
}

export function containsCanary(content: Buffer | string, canary: string): boolean {
  const bytes = Buffer.from(content)
  return formsOf(canary).some((form) => bytes.includes(form))
}

/** Files below the folder that hold it. */
export function filesWith(folder: string, canary: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => containsCanary(readFileSync(file), canary))
}
