// The words of a request that came in words, from what its entry point has stored.

import type { Artifact, ArtifactMeta } from './artifacts.ts'
import { parseJson } from './compile-plan.ts'
import { AttemptFailure } from './failure.ts'
import { requestDocumentSchema } from './request-document.ts'

/** @throws AttemptFailure PLAN_MISMATCH where it is another request's, or brought a plan */
export function wordsIn(
  { bytes, meta }: Artifact,
  requestId: string,
): { readonly words: string; readonly meta: ArtifactMeta } {
  if (meta.kind !== 'request' || meta.requestId !== requestId) {
    throw new AttemptFailure('PLAN_MISMATCH')
  }
  const document = requestDocumentSchema.safeParse(parseJson(bytes))
  if (document.data?.kind !== 'text') throw new AttemptFailure('PLAN_MISMATCH')
  return { words: document.data.source, meta }
}
