// Which numbers the replicas of each person's own agents have, as the supervisor remembers it. A slot is
// given at the start after somebody was enrolled, and stays that name's also when they are removed: under
// its numbers lie their ledgers, and nobody else must ever be given those.

import type { Catalogue } from '../plan/manifest.ts'
import {
  ownerAlone,
  personOfReplica,
  type Slots,
  slotsSchema,
  withSlots,
} from '../plan/replicas.ts'
import { ownerId } from '../security/people.ts'
import { readIfThere } from '../security/read-if-there.ts'
import { SupervisorError } from './codes.ts'
import type { Configuration, Settings } from './configuration.ts'
import { writeFor } from './ownership.ts'
import type { ReplicaAddress } from './state.ts'

export interface Whose {
  /** Of whoever is enrolled at this start. */
  readonly slots: Slots
  /** Id of the person whose replica it is; undefined: the household's. */
  personOf(address: ReplicaAddress): string | undefined
  /** What `bulkhead.yaml` sets for this replica, and for none of anybody else's. */
  settingsOf(address: ReplicaAddress): Settings
}

export function createWhose(
  slots: Slots,
  {
    catalogue,
    configuration,
  }: {
    readonly catalogue: Catalogue
    readonly configuration: Configuration
  },
): Whose {
  const personOf = ({ agent, n }: ReplicaAddress) => {
    const manifest = catalogue.get(agent)
    return manifest === undefined ? undefined : personOfReplica(manifest, n, slots)
  }
  const settingsOf = (address: ReplicaAddress) => {
    const person = personOf(address)
    return person === undefined ? configuration : configuration.of(person)
  }
  return { slots, personOf, settingsOf }
}

/**
 * Of the owner and of everybody enrolled; on the disk when it returns.
 * @throws SupervisorError STATE_UNUSABLE for a damaged file, or when no slot is left
 */
export function claimSlots(file: string, people: readonly string[]): Slots {
  const known = readSlots(file)
  const slots = withSlots(known, people)
  if (slots === undefined) {
    throw new SupervisorError('STATE_UNUSABLE', `${file} has given away all its slots`, {
      next: 'enrol somebody under a name that was used before',
    })
  }
  if (Object.keys(slots).length > Object.keys(known).length) {
    writeFor(undefined, file, `${JSON.stringify(slots)}\n`, 0o600)
  }
  const here = new Set([ownerId, ...people])
  return Object.fromEntries(Object.entries(slots).filter(([person]) => here.has(person)))
}

/** Everybody who ever had one. @throws SupervisorError STATE_UNUSABLE for a damaged file */
export function readSlots(file: string): Slots {
  const text = readIfThere(file)
  if (text === undefined) return ownerAlone
  try {
    return slotsSchema.parse(JSON.parse(text))
  } catch (cause) {
    throw new SupervisorError('STATE_UNUSABLE', `${file} does not say whose replicas are which`, {
      next: `restore ${file} from a backup: without it people would be given each other's ledgers`,
      cause,
    })
  }
}
