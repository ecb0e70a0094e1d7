// The part of `doctor` that looks at who is shut out: not a fault of the machine, but something that a
// person must decide, and might otherwise learn of only when a run fails.

import { SupervisorError } from './codes.ts'
import { readHeld } from './quarantine.ts'
import { stateLayout } from './state.ts'

/** @throws SupervisorError QUARANTINED naming every replica that is shut out, STATE_UNUSABLE */
export function checkQuarantine(state: string): string {
  const held = readHeld(stateLayout(state).quarantineFile)
  const [first] = held
  if (first === undefined) return 'no agent is shut out'
  const words = held.map(({ agent, n, code, reason, since }) => {
    const why = reason === '' ? code : `${code}, ${reason}`
    return `${agent}.${n} since ${new Date(since).toISOString()} (${why})`
  })
  throw new SupervisorError('QUARANTINED', `shut out: ${words.join('; ')}`, {
    next: `npx bulkhead agents show ${first.agent}; then npx bulkhead agents restore ${first.agent}`,
  })
}
