// One answer out of what several devices say of the same time. A phone and a watch both count one's steps:
// added up they are twice as many. So for every moment the best source that says anything of it counts,
// and of a worse one's sample only the part of its time that no better one covers, in proportion. Sums
// that Health Auto Export made of all devices hold what the devices said: of them only what is missing
// is added. Pure; amounts are exact as long as they divide evenly.

import { type InstantSeconds, maxSampleSeconds, type Sample } from './samples.ts'

/** Samples of one source, sorted by start. */
export interface Voice {
  /** Lower is believed first. Sources of one rank are believed in the order of their ids. */
  readonly rank: number
  readonly id: number
  /** Holds sums of what other sources said too. */
  readonly isTotal: boolean
  readonly samples: readonly Sample[]
}

export interface Amount {
  readonly start: InstantSeconds
  readonly end: InstantSeconds
  readonly value: number
}

type Interval = readonly [InstantSeconds, InstantSeconds]

export function sortVoices(voices: readonly Voice[]): readonly Voice[] {
  return [...voices].sort((a, b) => a.rank - b.rank || a.id - b.id)
}

/** What counts of amounts (steps, energy), each at its time. */
export function combineAmounts(voices: readonly Voice[]): readonly Amount[] {
  let covered: readonly Interval[] = []
  let counted: readonly Amount[] = []
  for (const { samples, isTotal } of sortVoices(voices)) {
    const own = isTotal
      ? remainders(samples, covered, counted)
      : samples.flatMap(uncoveredParts(covered))
    counted = [...counted, ...own].sort((a, b) => a.start - b.start)
    covered = union([...covered, ...samples.map(({ start, end }): Interval => [start, end])])
  }
  return counted
}

/** Distributes amounts over consecutive buckets, given their boundaries, in proportion to time. */
export function bucketAmounts(
  amounts: readonly Amount[],
  boundaries: readonly InstantSeconds[],
): readonly { readonly value: number; readonly n: number }[] {
  const buckets = boundaries.slice(1).map(() => ({ value: 0, n: 0 }))
  for (const { start, end, value } of amounts) {
    for (let index = indexOf(boundaries, start); index < buckets.length; index += 1) {
      const [from = 0, to = 0] = [boundaries[index], boundaries[index + 1]]
      if (from > start && from >= end) break
      const bucket = buckets[index]
      const share = Math.min(end, to) - Math.max(start, from)
      if (bucket === undefined || (start !== end && share <= 0)) continue
      bucket.value += start === end ? value : (value * share) / (end - start)
      bucket.n += 1
    }
  }
  return buckets.map(({ value, n }) => ({ value: rounded(value), n }))
}

/** Of readings: within each slot those of the best source that has any there. */
export function combineReadings(
  voices: readonly Voice[],
  slotOf: (start: InstantSeconds) => number,
): readonly Sample[] {
  const best = new Map<number, number>()
  const ordered = sortVoices(voices)
  for (const [index, { samples }] of ordered.entries()) {
    for (const { start } of samples) {
      const slot = slotOf(start)
      if (!best.has(slot)) best.set(slot, index)
    }
  }
  return ordered
    .flatMap(({ samples }, index) =>
      samples.filter(({ start }) => best.get(slotOf(start)) === index),
    )
    .sort((a, b) => a.start - b.start)
}

/** What each list adds to those before it: for stages of sleep, best source and stage first. */
export function claimInOrder(claims: readonly (readonly Interval[])[]): readonly Interval[][] {
  let covered: readonly Interval[] = []
  return claims.map((claim) => {
    const own = union(claim).flatMap((interval) => uncovered(interval, covered))
    covered = union([...covered, ...claim])
    return own
  })
}

/** Sorted and disjoint; what touches is joined. */
export function union(intervals: readonly Interval[]): readonly Interval[] {
  const joined: [InstantSeconds, InstantSeconds][] = []
  for (const [start, end] of [...intervals].sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
    const last = joined.at(-1)
    if (last === undefined || start > last[1]) joined.push([start, end])
    else last[1] = Math.max(last[1], end)
  }
  return joined
}

export const lengthOf = (intervals: readonly Interval[]) =>
  intervals.reduce((sum, [start, end]) => sum + end - start, 0)

/** Enough for what is shown, and rid of the last bits of a division. */
export const rounded = (value: number) => Math.round(value * 1_000) / 1_000

function uncoveredParts(covered: readonly Interval[]): (sample: Sample) => readonly Amount[] {
  return ({ start, end, value }) => {
    if (start === end) return isInside(start, covered) ? [] : [{ start, end, value }]
    return uncovered([start, end], covered).map(([from, to]) => ({
      start: from,
      end: to,
      value: (value * (to - from)) / (end - start),
    }))
  }
}

/** Of each total what the better sources did not say, in its uncovered time, or if none is, throughout. */
function remainders(
  totals: readonly Sample[],
  covered: readonly Interval[],
  counted: readonly Amount[],
): readonly Amount[] {
  return totals.flatMap(({ start, end, value }) => {
    const known = bucketAmounts(nearby(counted, start, end), [start, end])[0]?.value ?? 0
    const rest = value - known
    if (rest <= 0) return []
    const free = uncovered([start, end], covered)
    const places = lengthOf(free) > 0 ? free : [[start, end] as const]
    const total = lengthOf(places)
    return places.map(([from, to]) => ({
      start: from,
      end: to,
      value: total === 0 ? rest : (rest * (to - from)) / total,
    }))
  })
}

/** No amount lasts longer than a sample may, so only those that begin by then can reach in. */
function nearby(counted: readonly Amount[], start: number, end: number): readonly Amount[] {
  const first = lowerBound(
    counted.length,
    (index) => (counted[index]?.start ?? 0) >= start - maxSampleSeconds,
  )
  const last = lowerBound(counted.length, (index) => (counted[index]?.start ?? 0) >= end)
  return counted.slice(first, last).filter((amount) => amount.end > start || amount.start >= start)
}

/** The parts of an interval that lie in none of a disjoint, sorted list. */
function uncovered([start, end]: Interval, covered: readonly Interval[]): readonly Interval[] {
  const parts: Interval[] = []
  let at = start
  const first = lowerBound(covered.length, (index) => (covered[index]?.[1] ?? 0) > start)
  for (let index = first; index < covered.length && at < end; index += 1) {
    const [from, to] = covered[index] ?? [end, end]
    if (from >= end) break
    if (from > at) parts.push([at, from])
    at = Math.max(at, to)
  }
  if (at < end) parts.push([at, end])
  return parts
}

function isInside(instant: InstantSeconds, covered: readonly Interval[]): boolean {
  const at = lowerBound(covered.length, (index) => (covered[index]?.[1] ?? 0) > instant)
  return (covered[at]?.[0] ?? Number.POSITIVE_INFINITY) <= instant
}

/** The bucket in which an instant lies, or the first that it could reach. */
function indexOf(boundaries: readonly InstantSeconds[], instant: InstantSeconds): number {
  const after = lowerBound(boundaries.length, (index) => (boundaries[index] ?? 0) > instant)
  return Math.max(0, after - 1)
}

/** The first index below `length` for which it is so; `length` when there is none. */
function lowerBound(length: number, isSo: (index: number) => boolean): number {
  let [low, high] = [0, length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isSo(middle)) high = middle
    else low = middle + 1
  }
  return low
}

/** In the order in which the keys first occur. */
export function groupBy<Item, Key>(
  items: readonly Item[],
  keyOf: (item: Item) => Key,
): ReadonlyMap<Key, readonly Item[]> {
  const groups = new Map<Key, Item[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return groups
}
