// Stretches of time and what was in use during each. Invariant: the spans of one device never overlap,
// so that no minute is counted twice, whatever its watchers recorded. Pure.

export interface Stretch {
  /** Milliseconds since the epoch. */
  readonly from: number
  /** Exclusive, after `from`. */
  readonly to: number
}

export interface Span extends Stretch {
  readonly app: string
  /** The site that a browser showed. */
  readonly domain: string | null
  readonly title: string | null
}

/** What one computer recorded in a range. */
export interface Device {
  /** In order, without overlaps. */
  readonly spans: readonly Span[]
  /** Milliseconds in which a window was open and nobody there; null where that was not recorded. */
  readonly afkMs: number | null
}

export interface Use {
  readonly devices: readonly Device[]
  /** Records that could not be meant. */
  readonly ignored: number
}

export function lengthOf({ from, to }: Stretch): number {
  return to - from
}

export function totalOf(stretches: readonly Stretch[]): number {
  return stretches.reduce((sum, one) => sum + lengthOf(one), 0)
}

/**
 * In order; of two at once the one that began later counts, because it came to the front, and the earlier
 * one again where it lasts longer. Covers what they cover, at most twice as many.
 */
export function withoutOverlaps<Kind extends Stretch>(stretches: readonly Kind[]): Kind[] {
  const pieces: Kind[] = []
  /** Those that have begun, the last one in front. */
  const begun: Kind[] = []
  let at = -Infinity
  const goOnUntil = (until: number) => {
    for (let one = begun.at(-1); one !== undefined && at < until; one = begun.at(-1)) {
      const to = Math.min(one.to, until)
      if (to > at) pieces.push(one.from === at && one.to === to ? one : { ...one, from: at, to })
      at = Math.max(at, to)
      if (one.to <= at) begun.pop()
    }
    at = until
  }
  for (const one of stretches.toSorted((a, b) => a.from - b.from || a.to - b.to)) {
    goOnUntil(one.from)
    begun.push(one)
  }
  goOnUntil(Infinity)
  return pieces
}

/** In order, those that touch or overlap made one. */
export function union(stretches: readonly Stretch[]): Stretch[] {
  const joined: Stretch[] = []
  for (const { from, to } of stretches.toSorted((a, b) => a.from - b.from)) {
    const last = joined.at(-1)
    if (last === undefined || from > last.to) joined.push({ from, to })
    else joined[joined.length - 1] = { from: last.from, to: Math.max(last.to, to) }
  }
  return joined
}

/** Parts of `pieces` that lie within `covers`; both in order, neither with overlaps. */
export function within<Kind extends Stretch>(
  pieces: readonly Kind[],
  covers: readonly Stretch[],
): Kind[] {
  return overlay(pieces, covers, (piece) => piece, 'drop')
}

/**
 * Cuts `pieces` at `covers` and changes what lies under one; what lies under none is kept as it is, or
 * dropped. Both in order and without overlaps: one walk over both.
 */
export function overlay<Kind extends Stretch, Cover extends Stretch>(
  pieces: readonly Kind[],
  covers: readonly Cover[],
  change: (piece: Kind, cover: Cover) => Kind,
  uncovered: 'keep' | 'drop',
): Kind[] {
  const result: Kind[] = []
  let first = 0
  for (const piece of pieces) {
    while ((covers[first]?.to ?? Infinity) <= piece.from) first += 1
    let at = piece.from
    const keep = (to: number) => {
      if (uncovered === 'keep' && to > at) result.push({ ...piece, from: at, to })
    }
    for (let index = first; at < piece.to; index += 1) {
      const cover = covers[index]
      if (cover === undefined || cover.from >= piece.to) break
      const from = Math.max(cover.from, at)
      const to = Math.min(cover.to, piece.to)
      keep(from)
      const changed = change(piece, cover)
      const isWhole = changed.from === from && changed.to === to
      result.push(isWhole ? changed : { ...changed, from, to })
      at = to
    }
    keep(piece.to)
  }
  return result
}

/** Makes one of neighbours that are no further apart than `gapMs` and alike; the first one's facts stay. */
export function joinNeighbours(
  spans: readonly Span[],
  gapMs: number,
  alike: (one: Span, other: Span) => boolean,
): Span[] {
  const joined: Span[] = []
  for (const span of spans) {
    const last = joined.at(-1)
    if (last !== undefined && span.from - last.to <= gapMs && alike(last, span)) {
      joined[joined.length - 1] = { ...last, to: span.to, title: last.title ?? span.title }
    } else joined.push(span)
  }
  return joined
}
