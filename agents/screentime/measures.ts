// Spans made into figures: by app, site or category, a day's limits, the hours of a day. Minutes have one
// decimal and are rounded last. Pure.

import { bar, sparkline } from '../text-charts.ts'
import { type Categorise, keyOf, suffixesOf } from './categories.ts'
import type { By } from './manifest.ts'
import {
  type Device,
  joinNeighbours,
  type Span,
  type Stretch,
  totalOf,
  type Use,
  union,
  within,
} from './spans.ts'

const minuteMs = 60_000
/** A pause that is shorter does not end a streak. */
const pauseMs = minuteMs
const barColumns = 20

export function toMinutes(milliseconds: number): number {
  // Plus zero: no result says minus zero.
  return Math.round(milliseconds / (minuteMs / 10)) / 10 + 0
}

export function spansOf({ devices }: Use): readonly Span[] {
  return devices.flatMap(({ spans }) => spans)
}

/** Two computers in use at once are one person at work. */
export function activeMs(use: Use): number {
  return totalOf(union(spansOf(use)))
}

/** `unknown` as soon as one computer did not watch for it. */
export function idleOf({ devices }: Use): 'subtracted' | 'unknown' {
  return devices.every(({ afkMs }) => afkMs !== null) ? 'subtracted' : 'unknown'
}

/** Milliseconds by key, the longest first, keys in order where they are alike. */
export function byKey(
  use: Use,
  by: By,
  categorise: Categorise,
): readonly (readonly [string, number])[] {
  const stretches = new Map<string, Stretch[]>()
  for (const span of spansOf(use)) {
    const key = keyFor(span, by, categorise)
    if (key === null) continue
    const known = stretches.get(key)
    if (known === undefined) stretches.set(key, [span])
    else known.push(span)
  }
  return [...stretches]
    .map(([key, all]) => [key, totalOf(union(all))] as const)
    .sort(([a, one], [b, other]) => other - one || (a < b ? -1 : 1))
}

function keyFor(span: Span, by: By, categorise: Categorise): string | null {
  if (by === 'app') return span.app
  return by === 'domain' ? span.domain : categorise(span)
}

export function topOf(
  use: Use,
  { by, limit, categorise }: { by: By; limit: number; categorise: Categorise },
) {
  const all = byKey(use, by, categorise)
  const active = activeMs(use)
  const most = all[0]?.[1] ?? 0
  return {
    count: all.length,
    items: all.slice(0, limit).map(([key, ms]) => ({
      key,
      minutes: toMinutes(ms),
      share: active === 0 ? 0 : Math.round((ms / active) * 1_000) / 1_000,
      bar: bar(ms, most, barColumns),
    })),
  }
}

/** @returns the longest streak as instants; switches between apps on one computer */
export function focusOf(use: Use): {
  longest: Span | undefined
  switches: number
  afkMs: number | null
} {
  let longest: Span | undefined
  let switches = 0
  for (const { spans } of use.devices) {
    const joined = joinNeighbours(spans, pauseMs, (one, other) => one.app === other.app)
    for (const [index, span] of joined.entries()) {
      const before = joined[index - 1]
      if (before !== undefined && before.app !== span.app) switches += 1
      if (longest === undefined || span.to - span.from > longest.to - longest.from) longest = span
    }
  }
  const known = use.devices.flatMap(({ afkMs }: Device) => afkMs ?? [])
  const afkMs = known.length < use.devices.length ? null : known.reduce((sum, ms) => sum + ms, 0)
  return { longest, switches, afkMs }
}

export interface Limit {
  readonly by: By
  readonly key: string
  readonly minutes: number
}

export function checkLimit(use: Use, { by, key, minutes }: Limit, categorise: Categorise) {
  const wanted = keyOf(key)
  const isMeant = (span: Span) => {
    if (by === 'app') return keyOf(span.app) === wanted
    return by === 'domain'
      ? suffixesOf(span.domain).includes(wanted)
      : keyOf(categorise(span)) === wanted
  }
  const usedMs = totalOf(union(spansOf(use).filter(isMeant)))
  const overMs = Math.max(0, usedMs - minutes * minuteMs)
  return {
    by,
    key,
    limitMinutes: minutes,
    usedMinutes: toMinutes(usedMs),
    over: overMs > 0,
    overMinutes: toMinutes(overMs),
    bar: bar(usedMs, Math.max(minutes, 1) * minuteMs, barColumns),
  }
}

/** One character an hour from `from` on: an hour is sixty minutes, whatever clocks say. */
export function hoursLine(use: Use, { from, to }: Stretch): string {
  const active = union(spansOf(use))
  const hours: number[] = []
  for (let at = from; at < to; at += 60 * minuteMs) {
    hours.push(totalOf(within(active, [{ from: at, to: Math.min(at + 60 * minuteMs, to) }])))
  }
  return hours.every((ms) => ms === 0) ? ' '.repeat(hours.length) : sparkline(hours)
}
