// What is made of measured times: medians, because a shared machine has outliers and no mean survives
// them, and the spread between the quartiles, which says whether a median may be believed. Pure.

export interface Summary {
  readonly median: number
  readonly p25: number
  readonly p75: number
  /** (p75 - p25) / median. */
  readonly spread: number
  readonly samples: number
}

/**
 * @param fraction 0 to 1; between two samples the value lies on the line between them (type 7 of
 *   Hyndman and Fan, "Sample Quantiles in Statistical Packages", 1996)
 * @throws RangeError without samples
 */
export function quantile(samples: readonly number[], fraction: number): number {
  const sorted = samples.toSorted((one, other) => one - other)
  const at = (sorted.length - 1) * fraction
  const [low, high] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]]
  if (low === undefined || high === undefined) throw new RangeError('no samples')
  return low + (high - low) * (at - Math.floor(at))
}

/** @throws RangeError without samples */
export function summarise(samples: readonly number[]): Summary {
  const median = quantile(samples, 0.5)
  const [p25, p75] = [quantile(samples, 0.25), quantile(samples, 0.75)]
  return { median, p25, p75, spread: (p75 - p25) / median, samples: samples.length }
}
