// When a delayed step may begin: from what the plan says to an instant. Asked once for a run, by the
// notary, which keeps the answer. Over a change of clocks: a time that the zone leaves out is the one
// that its clocks then show instead, and of a time that comes twice the first that is not over. Pure.

import { Temporal } from 'temporal-polyfill'
import type { StartTime } from './schema.ts'

/** What `HH:MM` is counted from, and the zone of a time that names none. */
export interface StartBase {
  /** Milliseconds since the epoch: when the run was asked for, or was due. */
  readonly base: number
  /** IANA name. */
  readonly zone: string
}

/**
 * Milliseconds since the epoch; of a day and a time it may have passed already.
 * @throws RangeError when `local` is not of the form that plan/written.ts lets through
 */
export function startInstant({ local, zone }: StartTime, { base, zone: own }: StartBase): number {
  const place = zone ?? own
  if (local.includes('T')) {
    return instantsOf(Temporal.PlainDateTime.from(local), place)[0]
  }
  const time = Temporal.PlainTime.from(local)
  let day = Temporal.Instant.fromEpochMilliseconds(base).toZonedDateTimeISO(place).toPlainDate()
  for (;;) {
    const found = instantsOf(day.toPlainDateTime(time), place).find((at) => at >= base)
    if (found !== undefined) return found
    day = day.add({ days: 1 })
  }
}

/** One instant, or the two that have the same time of day, the earlier first. */
function instantsOf(local: Temporal.PlainDateTime, zone: string): readonly [number, number] {
  const earlier = local.toZonedDateTime(zone, { disambiguation: 'earlier' })
  const later = local.toZonedDateTime(zone, { disambiguation: 'later' })
  // In a gap the earlier reading is before the wanted time, which nothing may begin.
  const isGap = !earlier.toPlainDateTime().equals(local)
  const last = later.epochMilliseconds
  return [isGap ? last : earlier.epochMilliseconds, last]
}
