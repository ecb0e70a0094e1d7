// As whom one agent's sandbox runs, and that everything it is shown belongs to that user. The data
// that the sample home made lies in the state folder and is given to the agent. A person's own folder
// is never given away: the agent runs with the ids of whoever owns it, so that what it writes is the
// person's, or, where root owns it, does not start and says what to type (docs/adr/0009).

import { chmodSync, lstatSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { SupervisorError } from './codes.ts'
import { give, giveTree, type Owner, type Owners } from './ownership.ts'
import type { GrantedFolder } from './sandbox/contents.ts'
import type { ReplicaAddress, ReplicaLayout } from './state.ts'

export interface AgentIds {
  readonly address: ReplicaAddress
  readonly owners: Owners
  /** The state folder. */
  readonly state: string
}

/**
 * The ids of the sandbox; undefined where everything is one user. Gives it the data folders that are
 * Bulkhead's own.
 * @throws SupervisorError NOT_CONFIGURED for a folder that this agent could not use
 */
export function prepareSandboxUser(granted: readonly GrantedFolder[], ids: AgentIds): Owner {
  const own = ids.owners.agent(ids.address)
  if (own === undefined) return undefined
  const persons = new Map<number, { readonly owner: typeof own; readonly source: string }>()
  for (const folder of granted) {
    const source = realpathSync(folder.source)
    const { uid, gid, mode } = statSync(source)
    if (isBelow(source, realpathSync(ids.state)) && ids.owners.isOurs(uid)) {
      giveTree(source, own, ids.owners)
      give(source, own)
    } else if (folder.mode === 'rw' || (mode & 0o005) !== 0o005) {
      if (uid === own.uid) continue
      if (ids.owners.isOurs(uid)) throw refuse(ids, source, own.uid)
      // Root's group would be a right that the folder's owner need not have.
      persons.set(uid, { source, owner: { uid, gid: gid === 0 ? uid : gid } })
    }
  }
  const [first, second] = persons.values()
  if (second !== undefined) throw refuse(ids, second.source, first?.owner.uid ?? own.uid)
  return first?.owner ?? own
}

const isBelow = (path: string, folder: string) => path.startsWith(`${folder}/`)

function refuse({ address }: AgentIds, folder: string, uid: number): SupervisorError {
  return new SupervisorError(
    'NOT_CONFIGURED',
    `${folder} belongs to another user than the agent ${address.agent} runs as`,
    { next: `chown -R ${uid}:${uid} ${folder}   (or give it to yourself, if you are not root)` },
  )
}

export interface AgentSockets {
  readonly bus: string
  /** The gateway's, in a folder that the gateway writes to. */
  readonly egress: string | undefined
}

/**
 * Gives a stopped replica's files to its user: what it is shown, no more. Its folder stays root's, and
 * only this user may pass through it.
 * @throws SupervisorError SANDBOX_FAILED when the gateway's socket is something else
 */
export function giveReplica(layout: ReplicaLayout, owner: Owner, sockets: AgentSockets): void {
  if (owner === undefined) return
  for (const folder of [layout.folder, layout.run]) {
    give(folder, { uid: 0, gid: owner.gid })
    chmodSync(folder, 0o710)
  }
  for (const folder of [layout.bundle, layout.secrets, layout.ledger]) {
    // No other user has ever been able to write there, so whatever it is, it is this replica's.
    giveTree(folder, owner, { isOurs: () => true })
    give(folder, owner)
  }
  give(sockets.bus, owner)
  if (sockets.egress === undefined) return
  if (!lstatSync(sockets.egress).isSocket()) {
    throw new SupervisorError('SANDBOX_FAILED', `${sockets.egress} is not a socket`)
  }
  give(sockets.egress, owner)
}

/** Lets a mapped user into the runtime's folder, where its root lies: empty but for mount points. */
export function openRuntimeFolder(folder: string): void {
  chmodSync(folder, 0o711)
  openFolders(join(folder, 'root'))
}

function openFolders(folder: string): void {
  chmodSync(folder, 0o755)
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) openFolders(join(folder, entry.name))
  }
}
