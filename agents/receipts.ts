// The two signatures of a reply (contracts.md, "Receipt"): the receipt says what became of an effect
// and is made once; the envelope binds it to the token that asked this time. Both are made with the
// replica's receipt key, never with its bus key, whose challenge the server chooses.

import { canonicalJson } from '../security/verify/canonical-json.ts'
import type { SignDocument } from '../security/verify/document.ts'
import { saltedHash, sha256 } from '../security/verify/hash.ts'
import type { Command } from './admission.ts'
import type { Outcome } from './execution.ts'
import { type Envelope, envelopeType, type Receipt, receiptType } from './protocol.ts'

/** Which effect, under which token. */
type Named = Pick<Command, 'claims' | 'detail'>

export interface Receipts {
  receipt(command: Named, outcome: Outcome): Promise<string>
  envelope(command: Named, receipt: string): Promise<string>
}

export interface ReceiptOptions {
  readonly sign: SignDocument
  /** `<name>.<n>` */
  readonly agent: string
  readonly bootEpoch: string
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

export function createReceipts({ sign, agent, bootEpoch, now }: ReceiptOptions): Receipts {
  return {
    receipt({ claims, detail }, outcome) {
      const receipt: Receipt = {
        idem: claims.idem,
        argsHash: detail.args_s256,
        resultHash: saltedHash(detail.salt, hashedText(outcome)),
        status: outcome.status,
        ...(outcome.status === 'FAILED' ? { code: outcome.code, retry: outcome.retry } : {}),
        agent,
        bootEpoch,
        salt: detail.salt,
      }
      return sign(receiptType, receipt)
    },
    envelope({ claims }, receipt) {
      const envelope: Envelope = {
        jti: claims.jti,
        idem: claims.idem,
        receiptHash: sha256(receipt),
        bootEpoch,
        at: now(),
      }
      return sign(envelopeType, envelope)
    },
  }
}

/** What a receipt's `resultHash` is taken over; protocol.ts says the same of every status. */
function hashedText(outcome: Outcome): string {
  switch (outcome.status) {
    case 'DONE':
      return outcome.result
    case 'FAILED':
      return canonicalJson({ code: outcome.code, retry: outcome.retry })
    case 'UNKNOWN':
      return ''
  }
}
