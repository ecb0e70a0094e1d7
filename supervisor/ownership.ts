// Who owns which file. As root every party has a user id of its own (ids.ts): what the supervisor
// writes for a party stays root's and is readable by that party's group, so that the party can
// neither change nor replace it; what the party writes itself is its own. Without ids of their own
// (`Owner` undefined) everything belongs to the one user and these functions only write.
// Invariant: root never follows a name that a party can choose. Links are not followed, and a file
// with a second name is not given away, because the other name may be anybody's.

import { randomUUID } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'

/** Host ids of one party; undefined where all parties are one user. */
export type Owner = { readonly uid: number; readonly gid: number } | undefined

export const partyNames = ['temporal', 'nats', 'notary', 'worker', 'gateway'] as const
export type Party = (typeof partyNames)[number]

export interface Owners {
  /** Undefined when each party has ids of its own; else why not, for people. */
  readonly weakness: string | undefined
  of(party: Party): Owner
  /** The ids that a replica's sandbox is mapped to. */
  agent(address: { readonly agent: string; readonly n: number }): Owner
  /** Root's, or that of a party of this deployment, also by the ids that it had before. */
  isOurs(uid: number): boolean
}

/** Everything belongs to the user who runs the supervisor. */
export function oneUser(weakness: string): Owners {
  return {
    weakness,
    of: () => undefined,
    agent: () => undefined,
    isOurs: (uid) => uid === process.getuid?.(),
  }
}

/** Makes a file, folder, socket or link the party's own. */
export function give(path: string, owner: Owner): void {
  if (owner !== undefined) lchownSync(path, owner.uid, owner.gid)
}

/**
 * Makes everything below a folder the party's own that is root's or another party's: what an earlier
 * version, a restored backup or the person as root put there. Other users' files are left alone.
 */
export function giveTree(
  folder: string,
  owner: Owner,
  choice: {
    /** `Owners.isOurs` */
    readonly isOurs: (uid: number) => boolean
    /** Names directly in the folder that stay as they are. */
    readonly keep?: (name: string) => boolean
  },
): void {
  if (owner === undefined) return
  for (const name of readdirSync(folder)) {
    if (choice.keep?.(name) === true) continue
    const path = join(folder, name)
    const facts = lstatSync(path)
    if (facts.isDirectory()) giveTree(path, owner, { isOurs: choice.isOurs })
    if (facts.uid === owner.uid && facts.gid === owner.gid) continue
    if (choice.isOurs(facts.uid) && (facts.isDirectory() || facts.nlink === 1)) give(path, owner)
  }
}

/** A folder that the supervisor fills and one party reads. An existing one gets these rights too. */
export function folderFor(owner: Owner, path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  if (owner === undefined) return
  lchownSync(path, 0, owner.gid)
  chmodSync(path, 0o2750)
}

/**
 * Writes a file that one party reads, in place of an older one in one step.
 * @param mode for one user, for example 0o600 or 0o400. With owners the group reads as root does
 */
export function writeFor(owner: Owner, path: string, content: string, mode: number): void {
  const work = `${path}.${randomUUID()}.tmp`
  const file = openSync(work, 'wx', mode)
  try {
    writeSync(file, content)
    if (owner !== undefined) {
      fchownSync(file, 0, owner.gid)
      fchmodSync(file, mode | ((mode & 0o400) >> 3))
    }
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(work, path)
}
