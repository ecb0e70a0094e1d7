// Names of time zones, as schedules and the configuration give them. Pure.

const namePattern = /^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/

/** Whether it is an IANA name that this machine's zone database knows. */
export function isTimeZone(name: string): boolean {
  // Some runtimes also take offsets such as `+01:00`, which follow no change of clocks.
  if (!namePattern.test(name)) return false
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}
