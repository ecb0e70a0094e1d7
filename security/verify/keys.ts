// Ed25519 keys as JWK, imported once into CryptoKeys (KeyObjects cost jose about twice as much). A
// public key here has exactly three members: whatever else a file says about it is not believed.

import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK } from 'jose'
import { z } from 'zod'

const bytes32 = z.string().regex(/^[A-Za-z0-9_-]{43}$/)

export const publicJwkSchema = z.strictObject({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: bytes32,
})
export type PublicJwk = z.infer<typeof publicJwkSchema>

export const privateJwkSchema = publicJwkSchema.extend({ d: bytes32 })
export type PrivateJwk = z.infer<typeof privateJwkSchema>

export interface SigningKey {
  /** RFC 7638 thumbprint of the public half. */
  readonly kid: string
  readonly key: CryptoKey
}

/** Draws a key pair. The caller stores the private half 0600 and gives away only the public one. */
export async function generateKeyPairJwk(): Promise<{
  readonly privateJwk: PrivateJwk
  readonly publicJwk: PublicJwk
}> {
  const pair = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true })
  const { kty, crv, x, d } = await exportJWK(pair.privateKey)
  const privateJwk = privateJwkSchema.parse({ kty, crv, x, d })
  return { privateJwk, publicJwk: toPublicJwk(privateJwk) }
}

/** The public half. */
export function toPublicJwk({ kty, crv, x }: PublicJwk): PublicJwk {
  return { kty, crv, x }
}

/** RFC 7638: what `kid` says everywhere. */
export function thumbprint(jwk: PublicJwk): Promise<string> {
  return calculateJwkThumbprint(toPublicJwk(jwk), 'sha256')
}

/** @throws z.ZodError when it is not an Ed25519 public JWK */
export async function importPublicJwk(jwk: unknown): Promise<SigningKey> {
  const parsed = publicJwkSchema.parse(jwk)
  return { kid: await thumbprint(parsed), key: await importKey(parsed) }
}

/** @throws z.ZodError when it is not an Ed25519 private JWK */
export async function importPrivateJwk(jwk: unknown): Promise<SigningKey> {
  const parsed = privateJwkSchema.parse(jwk)
  return { kid: await thumbprint(parsed), key: await importKey(parsed) }
}

async function importKey(jwk: PublicJwk | PrivateJwk): Promise<CryptoKey> {
  const key = await importJWK(jwk, 'EdDSA', { extractable: false })
  if (key instanceof Uint8Array) throw new Error('an octet-pair key was imported as a secret')
  return key
}
