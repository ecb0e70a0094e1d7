// A checkpoint: the audit key says that the tree of this size has this root. Who keeps one can tell
// later whether the log was cut or rewritten before that point. It says nothing about rows after it,
// and its time is the notary's own claim.

import { createPrivateKey, sign } from 'node:crypto'
import { z } from 'zod'
import { canonicalJson } from '../verify/canonical-json.ts'
import {
  createDocumentVerifier,
  DocumentError,
  type SignDocument,
  type VerifyDocument,
} from '../verify/document.ts'
import { privateJwkSchema, thumbprint } from '../verify/keys.ts'

export const checkpointType = 'bulkhead-checkpoint+jws'

export interface Checkpoint {
  readonly size: number
  /** Base64url root of the tree of that size. */
  readonly root: string
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Compact JWS over the other three. */
  readonly jws: string
}

export type CheckpointHead = Omit<Checkpoint, 'jws'>

const headSchema = z.strictObject({
  size: z.number().int().min(0),
  root: z.string(),
  at: z.number().int(),
})

export const checkpointSchema = headSchema.extend({ jws: z.string().max(4_096) })

/** `sign` comes from createDocumentSigner with the audit key. */
export async function signCheckpoint(
  head: CheckpointHead,
  sign: SignDocument,
): Promise<Checkpoint> {
  const { size, root, at } = head
  return { size, root, at, jws: await sign(checkpointType, { size, root, at }) }
}

export type SealHead = (head: CheckpointHead) => Checkpoint

/**
 * Signs without waiting, so that a checkpoint can be part of the transaction whose rows it covers;
 * jose can only promise a signature. The bytes are the same as signCheckpoint's: Ed25519 draws nothing.
 * @throws z.ZodError for a key that is not Ed25519
 */
export async function createHeadSealer(privateJwk: unknown): Promise<SealHead> {
  const jwk = privateJwkSchema.parse(privateJwk)
  const key = createPrivateKey({ key: { ...jwk }, format: 'jwk' })
  const header = { alg: 'EdDSA', typ: checkpointType, kid: await thumbprint(jwk) }
  const start = Buffer.from(JSON.stringify(header)).toString('base64url')
  return ({ size, root, at }) => {
    const payload = Buffer.from(canonicalJson({ size, root, at })).toString('base64url')
    const signature = sign(null, Buffer.from(`${start}.${payload}`), key).toString('base64url')
    return { size, root, at, jws: `${start}.${payload}.${signature}` }
  }
}

/** True when the audit key signed exactly these fields. */
export async function isGenuineCheckpoint(
  checkpoint: Checkpoint,
  verify: VerifyDocument,
): Promise<boolean> {
  try {
    const signed = headSchema.safeParse(await verify(checkpoint.jws, checkpointType))
    return (
      signed.success &&
      signed.data.size === checkpoint.size &&
      signed.data.root === checkpoint.root &&
      signed.data.at === checkpoint.at
    )
  } catch (cause) {
    if (cause instanceof DocumentError) return false
    throw cause
  }
}

/** @throws DocumentError SIGNATURE unless the audit key signed exactly these fields */
export async function verifyCheckpoint(checkpoint: Checkpoint, auditKey: unknown): Promise<void> {
  const verify = await createDocumentVerifier(auditKey)
  if (!(await isGenuineCheckpoint(checkpoint, verify))) {
    throw new DocumentError('SIGNATURE', 'the checkpoint is not signed by the audit key')
  }
}
