// One artifact as the bytes of its file, and back: closed with the sealing key of the day, bound to the
// reference under which it lies, opened with whichever key it was closed with. Sealing keys can be
// rotated; the key of the names cannot, because a name is how an artifact is found again.

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { z } from 'zod'

export type ArtifactErrorCode = 'BAD_REFERENCE' | 'MISSING' | 'CORRUPT' | 'STORAGE_FULL'

export class ArtifactError extends Error {
  override readonly name = 'ArtifactError'
  readonly code: ArtifactErrorCode
  constructor(code: ArtifactErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

export const artifactKinds = [
  'request',
  /** What a planner made of a request's words. */
  'proposal',
  'plan',
  'result',
  'undo-result',
  /** What the iterations of a loop returned, as one list. */
  'loop-result',
  'effect',
  'answer',
  /** What was said in a conversation, or made of it (temporal/turn-document.ts). */
  'turn',
] as const
export type ArtifactKind = (typeof artifactKinds)[number]

const metaSchema = z.strictObject({
  kind: z.enum(artifactKinds),
  requestId: z.string(),
  step: z.string().optional(),
  iteration: z.number().int().optional(),
  /** Which rerun of the step; left out for the first. */
  rerun: z.number().int().optional(),
  /** Principals that may read it, e.g. `user:owner`. */
  readers: z.array(z.string()),
  /** Salted hash that the receipt carries, and its salt: how the notary knows the result. */
  resultHash: z.string().optional(),
  salt: z.string().optional(),
  /** Milliseconds since the epoch. */
  createdAt: z.number().int(),
  expiresAt: z.number().int().optional(),
})
export type ArtifactMeta = Readonly<z.infer<typeof metaSchema>>

export interface Artifact {
  readonly bytes: Uint8Array
  readonly meta: ArtifactMeta
}

/** Keys as the process sees them now (temporal/payload-keys.ts). */
export interface SealingKeys {
  current(): { readonly id: string; readonly key: Uint8Array }
  find(id: string): { readonly key: Uint8Array } | undefined
}

export interface Seal {
  close(artifact: Artifact, ref: string): Buffer
  /** @throws ArtifactError CORRUPT */
  open(sealed: Buffer, ref: string): Artifact
}

/** Closed with a key derived from that of the names: what was stored before there were others. */
const firstVersion = 1
/** The id of the key follows. */
const version = 2
const keyIdBytes = 8
const ivBytes = 12
const tagBytes = 16

/** `first` is the key of the first version, 32 bytes: opens only. */
export function createSeal(options: {
  readonly sealing: SealingKeys
  readonly first: Uint8Array
}): Seal {
  const { sealing, first } = options
  const keyOf = (sealed: Buffer): { readonly key: Uint8Array; readonly head: number } => {
    if (sealed[0] === firstVersion) return { key: first, head: 1 }
    if (sealed[0] !== version) throw new Error('unknown version')
    const head = 1 + keyIdBytes
    const known = sealing.find(sealed.subarray(1, head).toString('hex'))
    if (known === undefined) throw new Error('unknown key')
    return { key: known.key, head }
  }
  return {
    close({ bytes, meta }, ref) {
      const { id, key } = sealing.current()
      const text = Buffer.from(JSON.stringify(meta))
      const length = Buffer.alloc(4)
      length.writeUInt32BE(text.length)
      const iv = randomBytes(ivBytes)
      const head = Buffer.concat([Buffer.from([version]), Buffer.from(id, 'hex')])
      const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(bind(head, ref))
      return Buffer.concat([
        head,
        iv,
        ...[length, text, bytes].map((part) => cipher.update(part)),
        cipher.final(),
        cipher.getAuthTag(),
      ])
    },
    open(sealed, ref) {
      try {
        const { key, head } = keyOf(sealed)
        const iv = sealed.subarray(head, head + ivBytes)
        const cipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: tagBytes })
        const bound = head === 1 ? Buffer.from(ref) : bind(sealed.subarray(0, head), ref)
        cipher.setAAD(bound).setAuthTag(sealed.subarray(-tagBytes))
        const plain = Buffer.concat([
          cipher.update(sealed.subarray(head + ivBytes, -tagBytes)),
          cipher.final(),
        ])
        const textEnd = 4 + plain.readUInt32BE(0)
        const meta = metaSchema.parse(JSON.parse(plain.subarray(4, textEnd).toString('utf8')))
        return { bytes: plain.subarray(textEnd), meta }
      } catch (cause) {
        throw new ArtifactError('CORRUPT', 'an artifact cannot be opened', { cause })
      }
    },
  }
}

const bind = (head: Buffer, ref: string) => Buffer.concat([head, Buffer.from(ref)])
