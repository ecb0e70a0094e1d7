// The minute of the day where a person lives, for rules about hours. Pure.

const formats = new Map<string, Intl.DateTimeFormat>()

/**
 * Minutes since local midnight as a clock there shows them, 0 to 1439.
 * @param now milliseconds since the epoch
 * @param zone IANA name
 */
export function localMinute(now: number, zone: string): number {
  const [hour = '', minute = ''] = formatOf(zone).format(now).split(':')
  return Number(hour) * 60 + Number(minute)
}

/** Making one takes far longer than using it. */
function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone)
  if (known !== undefined) return known
  const clock = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const
  const made = new Intl.DateTimeFormat('en-GB', { timeZone, ...clock })
  formats.set(timeZone, made)
  return made
}
