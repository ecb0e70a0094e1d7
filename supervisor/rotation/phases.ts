// Every phase of a rotation is a row of the audit: which kind of key, which one ends, which one
// follows, and how far it is. Ids only.

import type { NotaryPort } from '../notary-port.ts'
import type { RotationKind } from './contract.ts'

export type RecordPhase = (summary: Readonly<Record<string, string>>) => Promise<void>

/** Told once: a rotation does not wait for a notary that is being restarted. */
export function recordPhases(notary: Pick<NotaryPort, 'event'>, kind: RotationKind): RecordPhase {
  return async (summary) => {
    const event = { event: 'keys', ...summary }
    await notary.event({ kind: 'life-cycle', subject: `keys:${kind}`, summary: event })
  }
}
