// Signed documents other than tokens: receipts, envelopes, checkpoints. The typ names the domain, so
// that a signature made for one kind is worthless as another. Says who signed which value, not when
// and not whether it is the latest.

import { canonicalJson } from './canonical-json.ts'
import { type JwsCode, JwsError, openJws, signJws } from './jws.ts'
import { importPrivateJwk, importPublicJwk } from './keys.ts'

export class DocumentError extends Error {
  override readonly name = 'DocumentError'
  readonly code: JwsCode
  constructor(code: JwsCode, message: string) {
    super(message)
    this.code = code
  }
}

/** Characters, as the schemas of notary and agents bound a JWS. */
const maxCharacters = 16 * 1024
const maxDepth = 8

export type SignDocument = (type: string, payload: unknown) => Promise<string>
export type VerifyDocument = (jws: string, type: string) => Promise<unknown>

/** Imports the key once; for those who sign many. */
export async function createDocumentSigner(privateJwk: unknown): Promise<SignDocument> {
  const signer = await importPrivateJwk(privateJwk)
  return (type, payload) => signJws(type, canonicalJson(payload), signer)
}

/** Imports the key once; for those who verify many. The function throws DocumentError. */
export async function createDocumentVerifier(publicJwk: unknown): Promise<VerifyDocument> {
  const { kid, key } = await importPublicJwk(publicJwk)
  const keyOf = (claimed: string) => (claimed === kid ? key : undefined)
  return async (jws, type) => {
    try {
      return await openJws(jws, { type, maxCharacters, maxDepth, keyOf })
    } catch (cause) {
      if (cause instanceof JwsError) throw new DocumentError(cause.code, cause.message)
      throw cause
    }
  }
}

/**
 * Compact JWS over the RFC 8785 text of `payload`.
 * @throws CanonicalJsonError, z.ZodError for a key that is not Ed25519
 */
export async function signDocument(
  type: string,
  payload: unknown,
  privateJwk: unknown,
): Promise<string> {
  return (await createDocumentSigner(privateJwk))(type, payload)
}

/**
 * The payload, when `publicJwk` signed it as a document of this type.
 * @throws DocumentError
 */
export async function verifyDocument(
  jws: string,
  type: string,
  publicJwk: unknown,
): Promise<unknown> {
  return (await createDocumentVerifier(publicJwk))(jws, type)
}
