// Who may enter which folder of the state when each process has a user of its own. The folders stay
// root's: what the supervisor writes for a party is readable by that party's group and not its to
// change or replace; where a party stores files of its own, the folder is sticky, so that it can only
// touch those. Run at each start, once all keys are there and before the first process, so that new
// files, a state folder of an earlier version and a restored backup end with the same owners.

import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { folderFor, give, giveTree, type Owner, type Owners } from './ownership.ts'
import type { StateLayout } from './state.ts'

/**
 * Written by the supervisor, read by the party. Everything else in its folder is the party's: also the
 * notary's keys, because it puts a new one in the place of the old one itself (notary/keys.ts).
 */
const supervisorsOwn = {
  notary: /^(bus|(config|users|policy)\.json)$/,
  worker: /^(bus|(config|policy)\.json|[a-z.-]+\.keys?(\.[a-z]+)*)$/,
} as const

/** Without ids of their own nothing is changed: every folder is 0700 of the one user. */
export function openPartyFolders(
  layout: StateLayout,
  owners: Owners,
  { gateway }: { readonly gateway: boolean },
): void {
  if (owners.weakness !== undefined) return
  const agents = join(layout.root, 'agents')
  // Passed through by the parties on the way to their own; nobody can list them.
  for (const folder of [layout.root, layout.run, agents]) chmodSync(folder, 0o711)
  storesItsOwn('notary', layout.notary, owners)
  storesItsOwn('worker', layout.worker, owners)
  readsOnly(join(layout.root, 'nats'), owners.of('nats'))
  const reader = gateway ? owners.of('gateway') : ({ uid: 0, gid: 0 } as const)
  readsOnly(join(layout.root, 'public'), reader)
  if (gateway || existsSync(layout.gateway)) readsOnly(layout.gateway, reader)
  const temporal = join(layout.root, 'temporal')
  mkdirSync(temporal, { recursive: true, mode: 0o700 })
  giveTree(temporal, owners.of('temporal'), owners)
  give(temporal, owners.of('temporal'))
}

function readsOnly(folder: string, owner: Owner): void {
  folderFor(owner, folder)
  for (const name of readdirSync(folder)) readableBy(join(folder, name), owner)
}

function storesItsOwn(party: 'notary' | 'worker', folder: string, owners: Owners): void {
  const owner = owners.of(party)
  const isKept = (name: string) => supervisorsOwn[party].test(name)
  folderFor(owner, folder)
  chmodSync(folder, 0o3770)
  giveTree(folder, owner, { isOurs: owners.isOurs, keep: isKept })
  for (const name of readdirSync(folder).filter(isKept)) readableBy(join(folder, name), owner)
}

/** Root's and readable by the party's group, with everything below. */
function readableBy(path: string, owner: Owner): void {
  const facts = lstatSync(path)
  if (owner === undefined || facts.isSymbolicLink()) return
  if (facts.isDirectory()) {
    readsOnly(path, owner)
  } else if (facts.nlink === 1) {
    give(path, { uid: 0, gid: owner.gid })
    chmodSync(path, 0o640)
  }
}
