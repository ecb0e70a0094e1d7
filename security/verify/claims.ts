// The claims of a capability token (security.md, section 2): their shape and nothing else. Shared by
// the minter and every verifier, so that nothing can be minted that no agent would read. Audience
// and times are judged in token.ts, with a code each.

import { z } from 'zod'

const hash = z.string().regex(/^[A-Za-z0-9_-]{43}$/)
/** At least 128 bits as base64url. */
const random = z.string().regex(/^[A-Za-z0-9_-]{22,64}$/)
const name = z.string().min(1).max(160)
/** NumericDate in whole seconds; a fraction would blur the edges of the skew. */
const seconds = z.number().int().min(0)

export const capabilityTokenType = 'cap+jwt'

export const capabilityDetailSchema = z.strictObject({
  type: z.literal('agent_action'),
  /** `<name>.<n>` */
  agent: name,
  action: name,
  kind: z.enum(['do', 'undo', 'probe']),
  effect: z.enum(['read', 'write', 'egress', 'irreversible']),
  /** hashArgs of hash.ts. */
  args_s256: hash,
  salt: random,
  limits: z.strictObject({
    resultBytes: z.number().int().positive(),
    timeoutMs: z.number().int().positive(),
  }),
})
export type CapabilityDetail = z.infer<typeof capabilityDetailSchema>

export const capabilityClaimsSchema = z.strictObject({
  iss: name,
  aud: name,
  sub: name,
  act: z.strictObject({ sub: name }),
  jti: random,
  idem: hash,
  /** One literal or another is genuine; which one is allowed is a question for clear. */
  op: z.enum(['run', 'attach', 'cancel']),
  iat: seconds,
  nbf: seconds,
  exp: seconds,
  /** Exactly one; clear refuses more, so that the refusal has its own code. */
  authorization_details: z.tuple([capabilityDetailSchema], capabilityDetailSchema).readonly(),
  /** sha256 of the agent's public nkey text. */
  cnf: z.strictObject({ nk_s256: hash }),
  /** Digest of the approval record. */
  appr: hash.exactOptional(),
  plan: hash,
  step: name,
  pol: name,
  lbl: name,
})
export type CapabilityClaims = Readonly<z.infer<typeof capabilityClaimsSchema>>
