// What to answer when the notary has already settled a step: an earlier attempt did it and died
// before it could say so. The result is the stored one whose hash the notary names, or none.

import type { AuthorizeReply } from '../notary/contract.ts'
import type { StepInput } from '../workflows/contract.ts'
import type { ArtifactKind, ArtifactStore } from './artifacts.ts'
import type { Ended } from './settle-step.ts'

export async function recallSettled(
  input: StepInput,
  settled: Extract<AuthorizeReply, { status: 'SETTLED' }>,
  artifacts: ArtifactStore,
): Promise<Ended> {
  const { outcome, code, resultHash } = settled
  if (outcome !== 'settled') {
    return { outcome, ...(code === undefined ? {} : { code }), resultRef: null }
  }
  const { requestId, step, iteration } = input
  const found = await artifacts.find({ requestId, step, iteration, kind: resultKindOf(input) })
  // It ran, and its result is gone: dependents must not go on as if it had none.
  if (found === undefined || found.artifact.meta.resultHash !== resultHash) {
    return { outcome: 'failed', code: 'NO_RESULT', resultRef: null }
  }
  return { outcome: 'already-settled', resultRef: found.ref }
}

export function resultKindOf({ kind }: StepInput): ArtifactKind {
  return kind === 'do' ? 'result' : 'undo-result'
}
