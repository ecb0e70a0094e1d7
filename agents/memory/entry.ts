// One entry, and the sealed bytes it is kept as: AES-256-GCM under a key of its own, which is never used for
// anything else, so that destroying the key destroys the entry wherever a copy of its bytes lies. Pure but
// for drawing keys.

import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import { z } from 'zod'
import { kinds, labels } from './manifest.ts'

/** Sixteen hexadecimal digits. */
export type EntryId = string

const entrySchema = z.strictObject({
  kind: z.enum(kinds),
  text: z.string(),
  label: z.enum(labels),
  source: z.string().nullable(),
  /** Milliseconds since the epoch. */
  remembered: z.number(),
  expires: z.number().nullable(),
  /** Of the text: sealed with it, and gone with it. */
  embedding: z.strictObject({ model: z.string(), vector: z.string() }).optional(),
})
export type Entry = Readonly<z.infer<typeof entrySchema>>

/** An entry as the results of actions show it. */
export interface ShownEntry {
  readonly id: EntryId
  readonly kind: Entry['kind']
  readonly text: string
  readonly label: Entry['label']
  readonly source: string | null
  readonly remembered: string
  readonly expires: string | null
}

export const keyBytes = 32
const nonceBytes = 12
const tagBytes = 16
const cipher = 'aes-256-gcm'

/** The same for every attempt at one effect, so that an entry is written once. */
export function idOf(idem: string): EntryId {
  return createHash('sha256').update(`memory ${idem}`).digest('hex').slice(0, 16)
}

/** Nonce, ciphertext, tag. Bound to the id: sealed bytes moved to another entry do not open. */
export function sealEntry(id: EntryId, entry: Entry): { key: Uint8Array; sealed: Uint8Array } {
  const key = randomBytes(keyBytes)
  const nonce = randomBytes(nonceBytes)
  const sealing = createCipheriv(cipher, key, nonce, { authTagLength: tagBytes })
  sealing.setAAD(Buffer.from(aad(id)))
  const parts = [nonce, sealing.update(JSON.stringify(entry), 'utf8'), sealing.final()]
  return { key, sealed: Buffer.concat([...parts, sealing.getAuthTag()]) }
}

/** @returns undefined for bytes that this key did not seal for this id, or that hold no entry */
export function openEntry(
  id: EntryId,
  { key, sealed }: { readonly key: Uint8Array; readonly sealed: Uint8Array },
): Entry | undefined {
  if (sealed.length < nonceBytes + tagBytes) return undefined
  const nonce = sealed.subarray(0, nonceBytes)
  const opening = createDecipheriv(cipher, key, nonce, { authTagLength: tagBytes })
  opening.setAAD(Buffer.from(aad(id)))
  opening.setAuthTag(sealed.subarray(-tagBytes))
  try {
    const text = opening.update(sealed.subarray(nonceBytes, -tagBytes), undefined, 'utf8')
    const parsed = entrySchema.safeParse(JSON.parse(text + opening.final('utf8')))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}

const aad = (id: EntryId) => `bulkhead memory entry 1 ${id}`

export function toShown(id: EntryId, entry: Entry): ShownEntry {
  const { kind, text, label, source, remembered, expires } = entry
  return {
    ...{ id, kind, text, label, source },
    remembered: new Date(remembered).toISOString(),
    expires: expires === null ? null : new Date(expires).toISOString(),
  }
}
