// What to answer when the notary has already settled a step: an earlier attempt did it and died
// before it could say so. The result is the stored one whose hash the notary names, or none.

import type { AuthorizeReply } from '../notary/contract.ts'
import type { StepInput } from '../workflows/contract.ts'
import type { ArtifactKind, ArtifactStore } from './artifacts.ts'
import type { Ended } from './settle-failure.ts'

export async function recallSettled(
  input: StepInput,
  settled: Extract<AuthorizeReply, { status: 'SETTLED' }>,
  artifacts: ArtifactStore,
): Promise<Ended> {
  const { outcome, code, resultHash, rerun } = settled
  const again = rerun === 0 ? {} : { rerun }
  if (outcome !== 'settled') {
    return { outcome, ...(code === undefined ? {} : { code }), resultRef: null, ...again }
  }
  // Somebody vouched that it happened; what it returned nobody has.
  if (resultHash === undefined) {
    return { outcome, ...(code === undefined ? {} : { code }), resultRef: null, ...again }
  }
  const { requestId, step, iteration } = input
  const kind = resultKindOf(input)
  const found = await artifacts.find({ requestId, step, iteration, rerun, kind })
  // It ran, and its result is gone: dependents must not go on as if it had none.
  if (found === undefined || found.artifact.meta.resultHash !== resultHash) {
    return { outcome: 'failed', code: 'NO_RESULT', resultRef: null, ...again }
  }
  return { outcome: 'already-settled', resultRef: found.ref, ...again }
}

export function resultKindOf({ kind }: StepInput): ArtifactKind {
  return kind === 'do' ? 'result' : 'undo-result'
}
