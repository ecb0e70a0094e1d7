// The `auditAnchor` workflow: a witness of the audit's signed heads with a history that the notary
// cannot touch. One per deployment, without end. Keeps the largest head in its state and its memo,
// where it is read without a worker; a smaller tree, or another root of the same size, changes
// nothing. Checks no signature: whoever verifies the audit does.

import {
  condition,
  defineSignal,
  makeContinueAsNewFunc,
  setHandler,
  upsertMemo,
  workflowInfo,
} from '@temporalio/workflow'
import { type AnchoredHead, type AnchorInput, witnessSignal } from './contract.ts'

const witness = defineSignal<[AnchoredHead]>(witnessSignal)

/** Heads of one run: some 2,500 events, well below what a history may hold. */
const headsPerRun = 500

export async function auditAnchor({ head = null }: AnchorInput = {}): Promise<never> {
  let largest = head
  let seen = 0
  setHandler(witness, (shown) => {
    seen += 1
    if (largest !== null && shown.size <= largest.size) return
    largest = shown
    upsertMemo({ head: shown })
  })
  await condition(() => seen >= headsPerRun || workflowInfo().continueAsNewSuggested)
  // A new run has no memo of its own, and may never be shown a larger head.
  const memo = largest === null ? {} : { memo: { head: largest } }
  return await makeContinueAsNewFunc<typeof auditAnchor>(memo)({ head: largest })
}
