// Which time zone the times are meant in that a person types without one: the house's, wherever the
// command is typed.

import { findDeployment } from './session.ts'

/** `timezone` of the running deployment's bulkhead.yaml; without one the machine's. */
export function zoneOf(state: string): string {
  return findDeployment(state)?.timezone ?? Intl.DateTimeFormat().resolvedOptions().timeZone
}
