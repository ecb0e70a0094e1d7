// Reports to the notary what has become of a step, and turns its answer into the step's outcome. The
// notary's word is final: where it has recorded another outcome than the one reported, that one is
// returned. Failures without a receipt are settle-failure.ts's.

import { isOutage } from '../notary/codes.ts'
import type { SettleReply } from '../notary/contract.ts'
import type { StepInput } from '../workflows/contract.ts'
import { addressOf, toSources } from './authorise-step.ts'
import { AttemptFailure } from './failure.ts'
import type { SourceDocument } from './load-step.ts'
import type { NotaryCalls } from './notary-calls.ts'
import { type AskProbe, type Ended, endedAs } from './settle-failure.ts'
import type { OutcomeReply } from './verify-reply.ts'

type Settled = Extract<SettleReply, { status: 'SETTLED' }>

/** @throws AttemptFailure NOTARY_UNAVAILABLE, or REPLY_INVALID when the notary refuses the receipt */
export async function settleReceipt(
  input: StepInput,
  reply: OutcomeReply,
  options: {
    readonly invalidResult: boolean
    readonly notary: NotaryCalls
    readonly probe: AskProbe
  },
): Promise<Settled> {
  const { invalidResult, notary } = options
  const { receipt, envelope } = reply
  const call = { type: 'receipt', ...addressOf(input), receipt, envelope, invalidResult } as const
  let answer = await notary.settle(call)
  if (answer.status === 'PROBE') {
    await options.probe(answer.idem)
    answer = await notary.settle(call)
  }
  if (answer.status === 'SETTLED') return answer
  const refused =
    answer.status === 'REFUSED' &&
    (answer.code === 'RECEIPT_INVALID' || answer.code === 'RECEIPT_CONFLICT')
  throw new AttemptFailure(refused ? 'REPLY_INVALID' : 'NOTARY_UNAVAILABLE')
}

/** Reports a false guard; the notary evaluates it again. */
export async function settleSkip(
  input: StepInput,
  documents: readonly SourceDocument[],
  notary: NotaryCalls,
): Promise<Ended> {
  let brought: ReadonlySet<string> = new Set()
  // Twice: once by hash, once with the contents it asks for.
  for (let round = 0; round < 2; round += 1) {
    const sources = toSources(documents, brought)
    if (sources === 'LIMIT') return { outcome: 'denied', code: 'LIMIT', resultRef: null }
    const answer = await notary.settle({ type: 'skip', ...addressOf(input), sources })
    if (answer.status === 'SETTLED') return endedAs(answer)
    if (answer.status === 'REFUSED') {
      if (isOutage(answer.code)) throw new AttemptFailure('NOTARY_UNAVAILABLE')
      return { outcome: 'denied', code: answer.code, resultRef: null }
    }
    // Of a skip there is nothing to ask a probe about.
    if (answer.status === 'PROBE') break
    brought = new Set(answer.steps.map(({ step }) => step))
  }
  throw new AttemptFailure('NOTARY_UNAVAILABLE')
}
