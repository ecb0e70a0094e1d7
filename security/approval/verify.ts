// Is this statement genuine, and is it about this card? A list of questions, each with a code of its
// own, asked by the notary and by whoever checks a kept approval with nothing but its three parts. Says
// who decided what; not whether they may, nor whether the approval is used, expired or revoked.

import type { CryptoKey } from 'jose'
import { sha256 } from '../verify/hash.ts'
import { type JwsCode, JwsError, openJws } from '../verify/jws.ts'
import { importPublicJwk, type PublicJwk } from '../verify/keys.ts'
import {
  approvalType,
  batchDigest,
  maxStatementCharacters,
  type Statement,
  statementSchema,
} from './statement.ts'

export type StatementCode =
  | JwsCode
  /** The payload is no statement. */
  | 'CLAIMS'
  /** It is about another card. */
  | 'CARD'

export class StatementError extends Error {
  override readonly name = 'StatementError'
  readonly code: StatementCode
  constructor(code: StatementCode, message: string) {
    super(message)
    this.code = code
  }
}

export interface Verified {
  readonly statement: Statement
  /** RFC 7638 thumbprint of the key that signed it. */
  readonly kid: string
  readonly key: PublicJwk
}

const maxDepth = 4

/**
 * The statement, if one of these keys signed it.
 * @throws StatementError; its message contains no part of the statement
 */
export async function verifyStatement(
  jws: string,
  approvers: readonly PublicJwk[],
): Promise<Verified> {
  const keys = new Map<string, { readonly jwk: PublicJwk; readonly key: CryptoKey }>()
  for (const jwk of approvers) {
    const { kid, key } = await importPublicJwk(jwk)
    keys.set(kid, { jwk, key })
  }
  let signedBy = ''
  const payload = await openStatement(jws, (kid) => {
    signedBy = kid
    return keys.get(kid)?.key
  })
  const parsed = statementSchema.safeParse(payload)
  if (!parsed.success) throw new StatementError('CLAIMS', 'the payload is no statement')
  const known = keys.get(signedBy)
  if (known === undefined) throw new StatementError('KEY_UNKNOWN', 'no such key')
  return { statement: parsed.data, kid: signedBy, key: known.jwk }
}

async function openStatement(
  jws: string,
  keyOf: (kid: string) => CryptoKey | undefined,
): Promise<unknown> {
  try {
    return await openJws(jws, {
      type: approvalType,
      maxCharacters: maxStatementCharacters,
      maxDepth,
      keyOf,
    })
  } catch (cause) {
    if (cause instanceof JwsError) throw new StatementError(cause.code, cause.message)
    throw cause
  }
}

export interface KeptApproval {
  /** RFC 8785 text, as it was shown. */
  readonly card: string
  readonly statement: string
  /** Public half of the approver's key. */
  readonly key: PublicJwk
  /** Digests of all the cards that were decided with it, where it was one of a batch. */
  readonly batch?: readonly string[] | undefined
}

/**
 * Checks a kept approval offline, with nothing but its parts.
 * @throws StatementError
 */
export async function verifyKeptApproval(kept: KeptApproval): Promise<Verified> {
  const { card, statement, key, batch } = kept
  const verified = await verifyStatement(statement, [key])
  const digest = sha256(card)
  const isListed = batch === undefined || batch.includes(digest)
  const signed = batch === undefined ? digest : batchDigest(batch)
  if (!isListed || verified.statement.card_s256 !== signed) {
    throw new StatementError('CARD', 'the statement is about another card')
  }
  return verified
}
