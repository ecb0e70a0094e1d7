// Enrolling a person of the household while everything runs, and ending it. The notary is told first
// and the bus second: who is removed is a stranger to the notary before the bus server has closed their
// connections, and who is added finds both. What an interruption leaves, the next start completes,
// because who is enrolled is on the disk before anything else.

import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { HouseholdRights } from '../plan/household-rights.ts'
import type { KnownNames } from '../plan/principals.ts'
import type { Deployment } from '../security/deployment.ts'
import type { HouseholdUser } from '../security/people.ts'
import { preparePersonKeys } from '../security/pki/deployment-keys.ts'
import { personFolder } from '../security/pki/identities.ts'
import type { BusServer } from './bus-server.ts'
import { SupervisorError } from './codes.ts'
import { householdOf, writeHousehold, writePersonFolder } from './household.ts'
import type { NotaryPort } from './notary-port.ts'
import type { Owner } from './ownership.ts'
import type { People } from './people.ts'
import type { Replica } from './replica.ts'
import { withAgentsDrained } from './rotation/drained.ts'
import type { StateLayout } from './state.ts'

export interface EnrolmentDeps {
  readonly layout: StateLayout
  readonly people: People
  readonly rights: HouseholdRights
  readonly names: KnownNames
  readonly deployment: Deployment
  readonly bus: BusServer
  readonly notary: NotaryPort
  /** Has the notary read its keys and people again. */
  readonly hangUpNotary: () => void
  /** Who may read what is written for the notary. */
  readonly notaryUser: Owner
  readonly replicas: () => readonly Pick<Replica, 'drain'>[]
  /** Keys are being replaced: of whom, was decided when that began. */
  readonly isRotating: () => boolean
  readonly now: () => number
}

export interface PersonView extends Pick<HouseholdUser, 'id' | 'approvesFor' | 'sees'> {
  /** Milliseconds since the epoch; 0: from the start. */
  readonly since: number
  /** Absolute path of what their commands need. */
  readonly folder: string
}

export interface Enrolment {
  list(): readonly PersonView[]
  /** @throws SupervisorError USAGE, ROTATION_RUNNING, BUS_NOT_RELOADED, STATE_UNUSABLE */
  add(id: string): Promise<PersonView>
  /** @throws SupervisorError USAGE, ROTATION_RUNNING, BUS_NOT_RELOADED */
  remove(id: string): Promise<void>
}

export function createEnrolment(deps: EnrolmentDeps): Enrolment {
  const { layout, people, rights, names, deployment, bus, notary } = deps
  const household = () => householdOf(layout, { ids: people.ids(), rights })
  const tellNotary = () => {
    writeHousehold(layout, household(), deps.notaryUser)
    deps.hangUpNotary()
  }
  /**
   * An account that is new to a running server has its imports from the reload after the one that made
   * it (nats-server 2.14, configureAccounts), and nobody would serve its calls until then.
   */
  const tellBus = (reloads: 1 | 2) =>
    withAgentsDrained(deps.replicas(), async () => {
      for (let done = 0; done < reloads; done += 1) await bus.reload()
    })
  const dropFolder = (id: string) =>
    rm(join(layout.root, personFolder(id)), { recursive: true, force: true })
  const record = (id: string, event: 'enrolled' | 'removed') =>
    notary.event({
      kind: 'security',
      subject: `user:${id}`,
      summary: { event, by: 'user:owner' },
    })
  const list = () =>
    household().map(({ id, approvesFor, sees }): PersonView => {
      const since = people.list().find((person) => person.id === id)?.since
      const folder = since === undefined ? layout.root : join(layout.root, personFolder(id))
      return { id, approvesFor, sees, since: since ?? 0, folder }
    })

  let last: Promise<unknown> = Promise.resolve()
  /** One after the other: each writes who there is as a whole. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(() => {
      if (deps.isRotating()) {
        throw new SupervisorError('ROTATION_RUNNING', 'keys are being replaced', {
          next: 'npx bulkhead keys list, and once more when that is over',
        })
      }
      return work()
    })
    last = mine.catch(() => undefined)
    return mine
  }
  return {
    list,
    add: (id) =>
      inTurn(async () => {
        people.add({ id, since: deps.now() })
        // What a removal left that could not end: somebody may have a copy of those keys.
        await dropFolder(id)
        await preparePersonKeys(layout.root, id)
        tellNotary()
        await tellBus(2)
        writePersonFolder(layout, id, { deployment, names })
        await record(id, 'enrolled')
        const added = list().find((person) => person.id === id)
        if (added === undefined) throw new Error('a person who was enrolled is not listed')
        return added
      }),
    remove: (id) =>
      inTurn(async () => {
        people.remove(id)
        tellNotary()
        await tellBus(1)
        await dropFolder(id)
        await record(id, 'removed')
      }),
  }
}
