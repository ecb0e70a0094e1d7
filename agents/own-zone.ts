// Which time zone a person's days are in: what was asked for, else the one line of the file `timezone` in
// an agent's folder, else UTC. Invariant: a name that the IANA database does not have is an error, never
// UTC. Reads that one file.

import { Temporal } from 'temporal-polyfill'
import { readStored } from './data-folder.ts'
import { ActionFailure } from './define-agent.ts'

const zoneFile = 'timezone'
const maxFileBytes = 1_024

/**
 * @param asked an argument of the command
 * @returns an IANA name
 * @throws ActionFailure INVALID_INPUT for an argument that is none, CORRUPT_DATA for such a file
 */
export function ownZone(folder: string, asked: string | undefined): string {
  if (asked !== undefined) {
    const known = knownZone(asked)
    if (known !== undefined) return known
    throw new ActionFailure(
      'INVALID_INPUT',
      'final',
      'timeZone is not an IANA name such as Europe/Vienna',
    )
  }
  const line = readStored(folder, zoneFile, maxFileBytes)?.bytes.toString('utf8').trim()
  const own = line === undefined ? 'UTC' : knownZone(line)
  if (own !== undefined) return own
  throw new ActionFailure('CORRUPT_DATA', 'final', `the file ${zoneFile} holds no IANA name`)
}

/** Temporal takes offsets and whole timestamps for a zone too. */
function knownZone(name: string): string | undefined {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/.test(name)) return undefined
  try {
    return new Temporal.ZonedDateTime(0n, name).timeZoneId
  } catch {
    return undefined
  }
}
