// Is a receipt genuine, and is it the answer to one of our tokens? The envelope is signed with the key
// of the epoch its token was made for; the receipt may be older, from an epoch before a restart, and
// is checked with that epoch's key. Says nothing about whether the result is true.

import {
  envelopeSchema,
  envelopeType,
  type Receipt,
  receiptSchema,
  receiptType,
} from '../agents/protocol.ts'
import { DocumentError, verifyDocument } from '../security/verify/document.ts'
import { sha256 } from '../security/verify/hash.ts'
import { parseStrictJson, StrictJsonError } from '../security/verify/strict-json.ts'
import type { EffectRecord, State } from './state.ts'

export interface ProvenReceipt {
  readonly receipt: Receipt
  /** SHA-256 of the compact receipt: which of several receipts this is. */
  readonly digest: string
  /** The token that the envelope answers. */
  readonly jti: string
}

type Keys = Pick<State, 'token' | 'epoch'>

/**
 * `FORGED`: the replica's own key signed the envelope, over a receipt that is not genuine or not of
 * this effect. `UNPROVEN`: nobody's signature vouches for it, so it may be the work of who brought it.
 */
export type ReceiptProof = ProvenReceipt | 'FORGED' | 'UNPROVEN'

/** Proven only when both are genuine and speak of exactly this effect. */
export async function proveReceipt(
  documents: { readonly receipt: string; readonly envelope: string },
  effect: EffectRecord,
  state: Keys,
): Promise<ReceiptProof> {
  const { agent, n, idem } = effect
  if (agent === null || n === null) return 'UNPROVEN'
  const keyOf = (bootEpoch: string) => state.epoch(agent, n, bootEpoch)?.receiptKey
  const digest = sha256(documents.receipt)

  const claimed = envelopeSchema.safeParse(readUnverified(documents.envelope))
  const token = claimed.success ? state.token(claimed.data.jti) : undefined
  if (token === undefined || token.idem !== idem) return 'UNPROVEN'
  const envelope = envelopeSchema.safeParse(
    await verified(documents.envelope, envelopeType, keyOf(token.boot_epoch)),
  )
  const answers =
    envelope.success &&
    envelope.data.jti === token.jti &&
    envelope.data.idem === idem &&
    envelope.data.bootEpoch === token.boot_epoch &&
    envelope.data.receiptHash === digest
  if (!answers) return 'UNPROVEN'

  const named = receiptSchema.safeParse(readUnverified(documents.receipt))
  if (!named.success) return 'FORGED'
  const receipt = receiptSchema.safeParse(
    await verified(documents.receipt, receiptType, keyOf(named.data.bootEpoch)),
  )
  if (!receipt.success || !isOf(receipt.data, effect)) return 'FORGED'
  return { receipt: receipt.data, digest, jti: token.jti }
}

function isOf(receipt: Receipt, { idem, args_hash, salt, agent, n }: EffectRecord): boolean {
  return (
    receipt.idem === idem &&
    receipt.argsHash === args_hash &&
    receipt.salt === salt &&
    receipt.agent === `${agent}.${n}`
  )
}

async function verified(jws: string, type: string, key: unknown): Promise<unknown> {
  if (key === undefined) return undefined
  try {
    return await verifyDocument(jws, type, key)
  } catch (cause) {
    if (cause instanceof DocumentError) return undefined
    throw cause
  }
}

/** What a document claims, to know which key to ask; believed only after `verified`. */
function readUnverified(jws: string): unknown {
  const [, payload = ''] = jws.split('.')
  try {
    const text = Buffer.from(payload, 'base64url').toString('utf8')
    return parseStrictJson(text, { maxBytes: 16 * 1024, maxDepth: 4 })
  } catch (cause) {
    if (cause instanceof StrictJsonError) return undefined
    throw cause
  }
}
