// "Did you mean": the nearest known name, where it is near enough to be a slip.

import { closest, distance } from 'fastest-levenshtein'

/** `did you mean x?` where a known name is near. */
export function nearest(name: string, known: Iterable<string>): { readonly fix?: string } {
  const names = [...known]
  if (names.length === 0) return {}
  const best = closest(name, names)
  const slips = distance(name, best)
  // Two letters of a two-letter name are no slip: any name would be near.
  const isNear = slips < name.length && slips <= Math.max(2, name.length / 3)
  return isNear ? { fix: `did you mean ${best}?` } : {}
}
