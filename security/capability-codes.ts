// Why an agent refuses a command: the closed union of token and ledger codes (security.md,
// sections 2 and 3). "Wrong bytes" and "not allowed" are different codes, so that a test can tell
// which check refused. Every code has a case in the adversarial suite.

/** The token is not what it claims to be. */
export const verifyCodes = [
  'TOKEN_MALFORMED',
  'TOKEN_ALGORITHM',
  'TOKEN_TYPE',
  'TOKEN_HEADER',
  'TOKEN_KEY_UNKNOWN',
  'TOKEN_SIGNATURE',
  'TOKEN_ISSUER',
  'TOKEN_AUDIENCE',
  'TOKEN_EXPIRED',
  'TOKEN_NOT_YET',
  'TOKEN_LIFE',
  'TOKEN_BINDING',
  'TOKEN_CLAIMS',
] as const
export type VerifyCode = (typeof verifyCodes)[number]

/** The token is genuine and does not allow this access. */
export const clearCodes = [
  'DETAILS_COUNT',
  'WRONG_ACTION',
  'WRONG_OPERATION',
  'ARGS_HASH',
  'SALT_MISMATCH',
  'APPROVAL_MISSING',
] as const
export type ClearCode = (typeof clearCodes)[number]

/** The ledger has seen this token or effect before, or cannot record it. */
export const ledgerCodes = ['REPLAY', 'IDEM_CONFLICT', 'LEDGER_UNAVAILABLE'] as const
export type LedgerCode = (typeof ledgerCodes)[number]

/** The command itself is not one that this agent understands. */
export const commandCodes = [
  'MALFORMED',
  'EXPIRED_MESSAGE',
  'UNKNOWN_ACTION',
  'INVALID_ARGS',
] as const
export type CommandCode = (typeof commandCodes)[number]

export const capabilityCodes = [
  ...verifyCodes,
  ...clearCodes,
  ...ledgerCodes,
  ...commandCodes,
] as const
export type CapabilityCode = (typeof capabilityCodes)[number]
