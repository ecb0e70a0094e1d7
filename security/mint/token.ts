// Makes capability tokens. Only the notary imports this file, after the audit row is on disk. It
// refuses claims that no agent would accept, so that a slip of the notary ends here and not as a
// token of the wrong width. Decides nothing: what may be minted is the notary's question.

import { canonicalJson } from '../verify/canonical-json.ts'
import {
  type CapabilityClaims,
  capabilityClaimsSchema,
  capabilityTokenType,
} from '../verify/claims.ts'
import { signJws } from '../verify/jws.ts'
import { importPrivateJwk } from '../verify/keys.ts'
import { tokenLifeSeconds } from '../verify/token.ts'

export interface Minter {
  /** Thumbprint of the public key, as the token's header names it. */
  readonly kid: string
  /**
   * @throws z.ZodError for claims of another shape, MintError for claims that are too wide
   */
  mint(claims: CapabilityClaims): Promise<string>
}

export class MintError extends Error {
  override readonly name = 'MintError'
}

/** @throws z.ZodError when the key is not an Ed25519 private JWK */
export async function createMinter(privateJwk: unknown): Promise<Minter> {
  const signer = await importPrivateJwk(privateJwk)
  return {
    kid: signer.kid,
    async mint(claims) {
      const parsed = capabilityClaimsSchema.parse(claims)
      const life = parsed.exp - parsed.iat
      if (life <= 0 || life > tokenLifeSeconds) {
        throw new MintError(`exp - iat is not within ${tokenLifeSeconds} s`)
      }
      if (parsed.authorization_details.length !== 1) {
        throw new MintError('not exactly one element of authorization_details')
      }
      if (parsed.authorization_details[0].effect === 'irreversible' && parsed.appr === undefined) {
        throw new MintError('an irreversible effect needs appr')
      }
      return signJws(capabilityTokenType, canonicalJson(parsed), signer)
    },
  }
}
