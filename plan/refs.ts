// Fills what a step or an answer builds on with what has been found meanwhile. Workflow and activity
// both do it when one local activity carries on from wave to wave, and must come to the same. Pure.

interface Referring {
  readonly step: string
  /** Where its result lies; null: nowhere, or not known yet. */
  readonly ref: string | null
}

/** `found`: by step, where its result lies. What is not in it stays as it is. */
export function withRefs<T extends Referring>(
  sources: readonly T[],
  found: ReadonlyMap<string, string | null>,
): readonly T[] {
  return sources.map((source) => {
    const ref = found.get(source.step)
    return ref === undefined ? source : { ...source, ref }
  })
}
