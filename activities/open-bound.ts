// Opens what a run or a schedule says is its own. References come from Temporal, which asks nobody who they
// are: whoever starts a run by hand can name another's document, so what it was stored for is compared.

import { type Artifact, ArtifactError, type ArtifactKind, type ArtifactStore } from './artifacts.ts'

/** Undefined: it is gone, or is not what it is said to be. */
export async function openBound(
  ref: string,
  is: { readonly kind: ArtifactKind; readonly requestId: string },
  artifacts: Pick<ArtifactStore, 'get'>,
): Promise<Artifact | undefined> {
  try {
    const artifact = await artifacts.get(ref)
    const { kind, requestId } = artifact.meta
    return kind === is.kind && requestId === is.requestId ? artifact : undefined
  } catch (error) {
    if (error instanceof ArtifactError) return undefined
    throw error
  }
}
