// Clear: does this genuine token allow this access? Pure; asked after verify, before the ledger. The
// hash is taken over the parsed object that will be executed, not over bytes that are parsed again.
// Not asked here: whether the agent has such an action, and whether the token was used before.

import type { ClearCode } from '../capability-codes.ts'
import { CanonicalJsonError } from './canonical-json.ts'
import type { CapabilityClaims } from './claims.ts'
import { hashArgs } from './hash.ts'

export class ClearError extends Error {
  override readonly name = 'ClearError'
  readonly code: ClearCode
  constructor(code: ClearCode, message: string) {
    super(message)
    this.code = code
  }
}

/** The attempted act. Following an effect executes nothing, so it brings no arguments. */
export type Access = Act | Following

interface Named {
  /** `<name>.<n>` of the agent that is about to act. */
  readonly agent: string
  readonly action: string
  readonly salt: string
}
interface Act extends Named {
  readonly op: 'run'
  /** The very object that will be executed. */
  readonly args: unknown
}
interface Following extends Named {
  readonly op: 'attach' | 'cancel'
}

/** @throws ClearError unless the token allows exactly this access */
export function clearAccess(claims: CapabilityClaims, access: Access): void {
  if (claims.op !== access.op)
    throw new ClearError('WRONG_OPERATION', 'op differs from the command')
  const [detail] = claims.authorization_details
  if (claims.authorization_details.length !== 1) {
    throw new ClearError('DETAILS_COUNT', 'not exactly one element of authorization_details')
  }
  if (detail.agent !== access.agent || detail.action !== access.action) {
    throw new ClearError('WRONG_ACTION', 'agent or action differs from the command')
  }
  if (detail.effect === 'irreversible' && claims.appr === undefined) {
    throw new ClearError('APPROVAL_MISSING', 'an irreversible effect needs an approval')
  }
  if (detail.salt !== access.salt) {
    throw new ClearError('SALT_MISMATCH', 'salt differs from the command')
  }
  if (access.op !== 'run') return
  if (detail.args_s256 !== hashOrRefuse(access)) {
    throw new ClearError('ARGS_HASH', 'arguments are not the authorised ones')
  }
}

function hashOrRefuse({ salt, args }: Act): string {
  try {
    return hashArgs(salt, args)
  } catch (cause) {
    if (cause instanceof CanonicalJsonError) {
      throw new ClearError('ARGS_HASH', `arguments have no canonical form: ${cause.code}`)
    }
    throw cause
  }
}
