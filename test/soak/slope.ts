// How fast something grows, from samples of which any may be far off: a garbage collection, a burst.
// Theil-Sen: the median of the slopes between all pairs of samples; up to 29 % of them may lie
// anywhere. H. Theil, Proc. Kon. Ned. Akad. Wetensch. 53 (1950); P. K. Sen, JASA 63 (1968).

export interface Sample {
  /** Milliseconds, of any clock that only goes forward. */
  readonly at: number
  readonly value: number
}

const hourMs = 3_600_000

/** Per hour; undefined with fewer than two times. Quadratic: thin out what is long. */
export function slopePerHour(samples: readonly Sample[]): number | undefined {
  const slopes = samples.flatMap((one, index) =>
    samples
      .slice(index + 1)
      .filter(({ at }) => at !== one.at)
      .map((other) => ((other.value - one.value) / (other.at - one.at)) * hourMs),
  )
  return median(slopes)
}

/** Undefined of none. */
export function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((one, other) => one - other)
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]]
  return low === undefined || high === undefined ? undefined : (low + high) / 2
}

/** At most `most` of them, evenly spread, the first and the last among them. */
export function thinOut<T>(items: readonly T[], most: number): readonly T[] {
  if (items.length <= most) return items
  const step = (items.length - 1) / (most - 1)
  return Array.from({ length: most }, (_, index) => items[Math.round(index * step)]).filter(
    (item) => item !== undefined,
  )
}
