// Reports to the notary what has become of a step, and turns its answer into the step's outcome. The
// notary's word is final: where it has recorded another outcome than the one reported, that one is
// returned. Failures without a receipt are settle-failure.ts's.

import { isOutage } from '../notary/codes.ts'
import type { SettleCall, SettleReply, Source } from '../notary/contract.ts'
import type { ResultFault } from '../plan/result-rules.ts'
import type { StepInput } from '../workflows/contract.ts'
import { addressOf, toSources } from './authorise-step.ts'
import { AttemptFailure } from './failure.ts'
import type { SourceDocument } from './load-step.ts'
import type { NotaryCalls } from './notary-calls.ts'
import { type AskProbe, type Ended, endedAs } from './settle-failure.ts'
import type { OutcomeReply } from './verify-reply.ts'

type Settled = Extract<SettleReply, { status: 'SETTLED' }>

/**
 * @throws AttemptFailure NOTARY_UNAVAILABLE, REPLY_INVALID when the notary refuses the receipt, or
 * EFFECT_ABSENT while what has not happened still may
 */
export async function settleReceipt(
  input: StepInput,
  reply: OutcomeReply,
  options: {
    /** Of a result that is refused although its receipt is genuine. */
    readonly fault?: ResultFault
    /** What its receipt hashes, where the notary reads in it what was spent. */
    readonly result?: string
    readonly notary: NotaryCalls
    readonly probe: AskProbe
  },
): Promise<Settled> {
  const { fault, notary, result } = options
  const { receipt, envelope } = reply
  const refused = { invalidResult: fault !== undefined, ...(fault === undefined ? {} : { fault }) }
  const read = result === undefined ? {} : { result }
  const documents = { receipt, envelope, ...refused, ...read }
  const call = { type: 'receipt', ...addressOf(input), ...documents } as const
  let answer = await notary.settle(call)
  if (answer.status === 'PROBE') {
    await options.probe(answer.idem)
    answer = await notary.settle(call)
  }
  if (answer.status === 'SETTLED') return answer
  // It did not happen so far, and still may: the ledger has the last word when no token is left.
  const early = answer.status === 'REFUSED' && answer.code === 'TOKENS_ALIVE'
  if (early) throw new AttemptFailure('EFFECT_ABSENT')
  const isRefused =
    answer.status === 'REFUSED' &&
    (answer.code === 'RECEIPT_INVALID' || answer.code === 'RECEIPT_CONFLICT')
  throw new AttemptFailure(isRefused ? 'REPLY_INVALID' : 'NOTARY_UNAVAILABLE')
}

/**
 * Tells the notary that this attempt's token is used up and did nothing. Best effort: untold, the end of
 * the step waits until the token has expired.
 */
export async function noteAbsent(
  input: StepInput,
  { receipt, envelope }: OutcomeReply,
  { notary }: { readonly notary: NotaryCalls },
): Promise<void> {
  const call = { type: 'receipt', ...addressOf(input), receipt, envelope } as const
  await notary.settle({ ...call, invalidResult: false, again: true }).catch(() => undefined)
}

/** Reports a false guard; the notary evaluates it again. */
export async function settleSkip(
  input: StepInput,
  documents: readonly SourceDocument[],
  notary: NotaryCalls,
): Promise<Ended> {
  const answer = await settleFrom(documents, notary, (sources) => ({
    type: 'skip',
    ...addressOf(input),
    sources,
  }))
  if (answer === 'LIMIT') return { outcome: 'denied', code: answer, resultRef: null }
  if (answer.status === 'SETTLED') return endedAs(answer)
  if (answer.status === 'REFUSED' && !isOutage(answer.code)) {
    return { outcome: 'denied', code: answer.code, resultRef: null }
  }
  // Of a skip there is nothing to ask a probe about.
  throw new AttemptFailure('NOTARY_UNAVAILABLE')
}

/**
 * Settles what the notary works out from results: named by hash first, then with the contents that it
 * does not have. LIMIT where these do not fit one message.
 */
export async function settleFrom(
  documents: readonly SourceDocument[],
  notary: NotaryCalls,
  callOf: (sources: Source[]) => SettleCall,
): Promise<SettleReply | 'LIMIT'> {
  const settle = async (brought: ReadonlySet<string>) => {
    const sources = toSources(documents, brought)
    return sources === 'LIMIT' ? sources : await notary.settle(callOf(sources))
  }
  const answer = await settle(new Set())
  if (answer === 'LIMIT' || answer.status !== 'NEED_SOURCES') return answer
  return await settle(new Set(answer.steps.map(({ step }) => step)))
}
