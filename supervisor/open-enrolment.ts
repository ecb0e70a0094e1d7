// The people of a household in a deployment that starts: told to the notary before it runs, and each
// person's folder completed once there is something to find.

import type { Deployment } from '../security/deployment.ts'
import { ownerId } from '../security/people.ts'
import { createEnrolment, type Enrolment } from './enrolment.ts'
import { householdOf, removeDeploymentOf, writeHousehold, writePersonFolder } from './household.ts'
import type { Live } from './live.ts'
import type { NotaryPort } from './notary-port.ts'
import type { Preparation } from './prepare.ts'

/** Before the notary starts. @throws SupervisorError STATE_UNUSABLE */
export function writePeople({ layout, people, configuration, owners, journal }: Preparation): void {
  const ids = people.ids()
  const { users: rights } = configuration
  for (const id of Object.keys(rights).filter((id) => id !== ownerId && !ids.includes(id))) {
    journal.say(
      `users.${id} of the configuration is nobody yet; next: npx bulkhead users add ${id}`,
    )
  }
  writeHousehold(layout, householdOf(layout, { ids, rights }), owners.of('notary'))
}

export function openEnrolment(
  live: Live,
  { notary, deployment }: { readonly notary: NotaryPort; readonly deployment: Deployment },
): Enrolment | undefined {
  const { busServer: bus, prepared, unwind } = live
  if (bus === undefined) return undefined
  const { layout, people, configuration, owners } = prepared
  const { names, users: rights } = configuration
  unwind.add("people's deployment files", () => {
    for (const id of people.ids()) removeDeploymentOf(layout, id)
  })
  for (const id of people.ids()) writePersonFolder(layout, id, { deployment, names })
  return createEnrolment({
    ...{ layout, people, rights, names, deployment, bus, notary },
    notaryUser: owners.of('notary'),
    hangUpNotary: () => live.processes.get('notary')?.hangUp(),
    replicas: () => (live.pool?.members() ?? []).map(({ replica }) => replica),
    isRotating: () => live.rotations?.view()?.running === true,
    now: Date.now,
  })
}
