// Instants as times of a place. A provider's own local times carry one offset for days on which the
// clocks change; therefore instants are asked for, and turned into local time here. Pure.

import { ActionFailure } from '../define-agent.ts'

/** Seconds since the epoch, as the provider sends them. */
export type InstantSeconds = number

export interface PlaceTime {
  readonly timeZone: string
  /** RFC 3339 with the offset that is in force then. */
  text(instant: InstantSeconds): string
  /** `HH:MM` */
  clock(instant: InstantSeconds): string
}

/** @throws ActionFailure CORRUPT_DATA when the zone is not an IANA name */
export function timeAt(timeZone: string): PlaceTime {
  const format = formatFor(timeZone)
  const offsetAt = (instant: InstantSeconds) => {
    const parts = new Map(
      format.formatToParts(instant * 1_000).map(({ type, value }) => [type, Number(value)]),
    )
    const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0
    const day = Date.UTC(part('year'), part('month') - 1, part('day'))
    const seconds = part('hour') * 3_600 + part('minute') * 60 + part('second')
    return day / 1_000 + seconds - instant
  }
  const reading = (instant: InstantSeconds) =>
    new Date((instant + offsetAt(instant)) * 1_000).toISOString()
  return {
    timeZone,
    text: (instant) => `${reading(instant).slice(0, 19)}${offsetText(offsetAt(instant))}`,
    clock: (instant) => reading(instant).slice(11, 16),
  }
}

/**
 * The date that a provider means by the first second of a day: local midnight, by the one offset
 * that its reply gives for all days.
 */
export function dateOf(dayStart: InstantSeconds, offsetSeconds: number): string {
  return new Date((dayStart + offsetSeconds) * 1_000).toISOString().slice(0, 10)
}

function formatFor(timeZone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-US-u-ca-iso8601', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  } catch (error) {
    throw new ActionFailure('CORRUPT_DATA', 'final', 'the zone is not an IANA name', error)
  }
}

function offsetText(offsetSeconds: number): string {
  const minutes = Math.round(Math.abs(offsetSeconds) / 60)
  const two = (value: number) => String(value).padStart(2, '0')
  return `${offsetSeconds < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
}
