// Signs a decision on a card with an approver's own key. Whoever calls it has shown the card.

import { canonicalJson } from '../verify/canonical-json.ts'
import { signJws } from '../verify/jws.ts'
import { importPrivateJwk } from '../verify/keys.ts'
import { approvalType, type Statement, statementSchema } from './statement.ts'

/**
 * Compact JWS over the RFC 8785 text of the statement.
 * @throws z.ZodError for a statement of another shape, or a key that is not an Ed25519 private JWK
 */
export async function signStatement(statement: Statement, privateJwk: unknown): Promise<string> {
  const signer = await importPrivateJwk(privateJwk)
  return signJws(approvalType, canonicalJson(statementSchema.parse(statement)), signer)
}
