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

/** Keys of replicas change with every start of one: these are more than are in use at once. */
const maxVerifiers = 64
const verifiers = new Map<string, Promise<VerifyDocument>>()

/**
 * The payload, when `publicJwk` signed it as a document of this type. Keeps the keys it has imported,
 * by their whole text, because a replica signs many documents with one.
 * @throws DocumentError, z.ZodError for a key that is not Ed25519
 */
export async function verifyDocument(
  jws: string,
  type: string,
  publicJwk: unknown,
): Promise<unknown> {
  const text = String(JSON.stringify(publicJwk))
  const verifier = verifiers.get(text) ?? createDocumentVerifier(publicJwk)
  verifiers.delete(text)
  verifiers.set(text, verifier)
  const [oldest] = verifiers.keys()
  if (verifiers.size > maxVerifiers && oldest !== undefined) verifiers.delete(oldest)
  try {
    return await (await verifier)(jws, type)
  } catch (cause) {
    if (!(cause instanceof DocumentError)) verifiers.delete(text)
    throw cause
  }
}
