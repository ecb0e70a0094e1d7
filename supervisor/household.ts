// The people of a household as others get them: the notary who is enrolled, with the public halves of
// their keys as they lie in the state folder and what the configuration lets them do for each other;
// each person's commands what they need to find a running deployment.

import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { HouseholdRights } from '../plan/household-rights.ts'
import { type KnownNames, namesFor } from '../plan/principals.ts'
import type { Deployment } from '../security/deployment.ts'
import { accountsOf, type HouseholdUser, ownerId } from '../security/people.ts'
import { personFolder } from '../security/pki/identities.ts'
import { policyFileName } from '../security/policy/in-use.ts'
import { privateJwkSchema, toPublicJwk } from '../security/verify/keys.ts'
import { SupervisorError } from './codes.ts'
import { type Owner, writeFor } from './ownership.ts'
import type { StateLayout } from './state.ts'

/**
 * The owner and everybody enrolled. Who is only named in the configuration is nobody.
 * @throws SupervisorError STATE_UNUSABLE when a person's approver key cannot be read
 */
export function householdOf(
  layout: StateLayout,
  { ids, rights }: { readonly ids: readonly string[]; readonly rights: HouseholdRights },
): readonly HouseholdUser[] {
  return [ownerId, ...ids].map((id) => {
    const { approvesFor = [], sees = [] } = Object.hasOwn(rights, id) ? (rights[id] ?? {}) : {}
    const approvers = [readApprover(join(commandsOf(layout, id), 'approver.jwk.json'))]
    return { id, accounts: accountsOf(id), approvers, approvesFor, sees }
  })
}

const commandsOf = (layout: StateLayout, id: string) =>
  id === ownerId ? layout.cli : join(layout.root, personFolder(id), 'cli')

/** Where the commands of everybody but the owner look; absolute. */
export function personCommands({ root }: StateLayout): readonly string[] {
  const people = join(root, 'users')
  return existsSync(people) ? readdirSync(people).map((id) => join(people, id, 'cli')) : []
}

/** Public half. The file is named, and no cause: a parser's message may quote what it read. */
export function readApprover(file: string) {
  try {
    return toPublicJwk(privateJwkSchema.parse(JSON.parse(readFileSync(file, 'utf8'))))
  } catch {
    throw new SupervisorError('STATE_UNUSABLE', `${file} is missing or not an approver key`, {
      next: 'restore it from a backup; where it is lost, remove the file: the next start draws a new one',
    })
  }
}

/** In the notary's folder, where it is read at its start and whenever it is told to. */
export function writeHousehold(
  layout: StateLayout,
  users: readonly HouseholdUser[],
  notary: Owner,
): void {
  writeFor(notary, join(layout.notary, 'users.json'), `${JSON.stringify(users)}\n`, 0o600)
}

/** Beside the person's keys: where the deployment is, whom it knows, its policy, its audit's key. */
export function writePersonFolder(
  layout: StateLayout,
  id: string,
  { deployment, names }: { readonly deployment: Deployment; readonly names: KnownNames },
): void {
  const folder = join(layout.root, personFolder(id))
  for (const name of ['run', 'public']) {
    mkdirSync(join(folder, name), { recursive: true, mode: 0o700 })
  }
  const write = (name: string, value: unknown) =>
    writeFor(undefined, join(folder, name), `${JSON.stringify(value)}\n`, 0o600)
  write(join('cli', 'names.json'), namesFor(id, names))
  const policy = join(layout.cli, policyFileName)
  copyFileSync(policy, join(folder, 'cli', policyFileName))
  copyFileSync(layout.auditKey, join(folder, 'public', 'audit-key.json'))
  // The platform itself is the owner's to look after.
  write(join('run', 'deployment.json'), { ...deployment, controlSocket: '' })
}

export function removeDeploymentOf(layout: StateLayout, id: string): void {
  rmSync(join(layout.root, personFolder(id), 'run', 'deployment.json'), { force: true })
}
