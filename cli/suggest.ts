// "Did you mean": the nearest known name, where it is near enough to be a slip of the finger.

import { closest, distance } from 'fastest-levenshtein'

/** ` (did you mean x?)`, or nothing. */
export function suggest(given: string, known: readonly string[]): string {
  if (known.length === 0) return ''
  const nearest = closest(given, [...known])
  const near = distance(given, nearest) <= Math.max(2, Math.floor(given.length / 3))
  return near ? ` (did you mean ${nearest}?)` : ''
}
