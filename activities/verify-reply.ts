// Is a reply genuine? An ordered list of questions about untrusted bytes; pure but for the signature.
// Whether its result fits is plan/result-rules.ts's question. A receipt may be older than the replica's current key: then the
// envelope, signed now, vouches for its hash, and the notary, which keeps every key, for its
// signature. Says nothing about whether the result is true.

import {
  envelopeSchema,
  envelopeType,
  type Receipt,
  type Reply,
  receiptSchema,
  receiptType,
} from '../agents/protocol.ts'
import type { AuthorizeReply } from '../notary/contract.ts'
import { canonicalJson } from '../security/verify/canonical-json.ts'
import { verifyDocument } from '../security/verify/document.ts'
import { saltedHash, sha256 } from '../security/verify/hash.ts'
import { parseStrictJson } from '../security/verify/strict-json.ts'

export type Authorised = Extract<AuthorizeReply, { status: 'AUTHORISED' }>
/** Replies that carry a receipt, so that they can be settled. */
export type OutcomeReply = Extract<Reply, { status: 'DONE' | 'FAILED' | 'UNKNOWN' }>

export type ReplyFault =
  | 'ENVELOPE_SIGNATURE'
  | 'ENVELOPE_OF_ANOTHER_TOKEN'
  | 'ENVELOPE_OF_ANOTHER_RECEIPT'
  | 'RECEIPT_SIGNATURE'
  | 'RECEIPT_OF_ANOTHER_EFFECT'
  | 'RECEIPT_OF_ANOTHER_RESULT'

export class ReplyError extends Error {
  override readonly name = 'ReplyError'
  readonly code: ReplyFault
  constructor(code: ReplyFault, options?: ErrorOptions) {
    super(`reply refused: ${code}`, options)
    this.code = code
  }
}

/** The receipt, when it is the answer to this token. @throws ReplyError */
export async function verifyReply(reply: OutcomeReply, authorised: Authorised): Promise<Receipt> {
  const { receiptKey, jti, idem, bootEpoch } = authorised
  const envelope = await proven('ENVELOPE_SIGNATURE', async () =>
    envelopeSchema.parse(await verifyDocument(reply.envelope, envelopeType, receiptKey)),
  )
  if (envelope.jti !== jti || envelope.idem !== idem || envelope.bootEpoch !== bootEpoch) {
    throw new ReplyError('ENVELOPE_OF_ANOTHER_TOKEN')
  }
  if (envelope.receiptHash !== sha256(reply.receipt)) {
    throw new ReplyError('ENVELOPE_OF_ANOTHER_RECEIPT')
  }
  const receipt = await proven('RECEIPT_SIGNATURE', async () => {
    const claimed = readUnverified(reply.receipt)
    if (claimed.bootEpoch !== bootEpoch) return claimed
    return receiptSchema.parse(await verifyDocument(reply.receipt, receiptType, receiptKey))
  })
  const { argsHash, salt, agent } = authorised
  const own =
    receipt.idem === idem &&
    receipt.argsHash === argsHash &&
    receipt.salt === salt &&
    receipt.agent === agent
  if (!own) throw new ReplyError('RECEIPT_OF_ANOTHER_EFFECT')
  const text = hashedText(reply)
  if (receipt.status !== reply.status || receipt.resultHash !== saltedHash(salt, text)) {
    throw new ReplyError('RECEIPT_OF_ANOTHER_RESULT')
  }
  return receipt
}

function hashedText(reply: OutcomeReply): string {
  switch (reply.status) {
    case 'DONE':
      return reply.result
    case 'FAILED':
      return canonicalJson({ code: reply.code, retry: reply.retry })
    case 'UNKNOWN':
      return ''
  }
}

function readUnverified(jws: string): Receipt {
  const [, payload = ''] = jws.split('.')
  const text = Buffer.from(payload, 'base64url').toString('utf8')
  return receiptSchema.parse(parseStrictJson(text, { maxBytes: 16 * 1024, maxDepth: 4 }))
}

async function proven<T>(code: ReplyFault, prove: () => Promise<T>): Promise<T> {
  try {
    return await prove()
  } catch (cause) {
    throw new ReplyError(code, { cause })
  }
}
