// Which identities are in force, and which follow: for a person who asks. Public ids only.

import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { issuedAt, splitPem } from './certificates.ts'
import { preparePublicNkey } from './identities.ts'
import { readIfPresent } from './state-files.ts'
import {
  authorityId,
  type Successor,
  type SuccessorInput,
  type SuccessorKind,
} from './successor.ts'

export interface PresentIdentity {
  /** Of an authority, its fingerprint; of an nkey, `<account>:<public nkey>`. */
  readonly id: string
  readonly state: 'current' | 'next' | 'retiring'
  /** Milliseconds since the epoch. */
  readonly since: number
}

export async function readPresent(
  kind: SuccessorKind,
  input: SuccessorInput & { readonly plan: Successor | undefined },
): Promise<readonly PresentIdentity[]> {
  const plan = input.plan?.kind === kind ? input.plan : undefined
  return kind === 'certificates' ? readAuthorities(input.state, plan) : readNkeys(input, plan)
}

async function readAuthorities(state: string, plan: Successor | undefined) {
  const trusted = splitPem((await readIfPresent(join(state, 'pki', 'ca.pem'))) ?? '')
  return trusted.map((pem, index): PresentIdentity => {
    const id = authorityId(pem)
    const others = id === plan?.current ? 'next' : 'retiring'
    return { id, state: index === 0 ? 'current' : others, since: issuedAt(pem) }
  })
}

async function readNkeys({ state, folders }: SuccessorInput, plan: Successor | undefined) {
  const listed: PresentIdentity[] = []
  for (const [account, folder] of folders) {
    const file = join(state, folder, 'nkey.seed')
    const since = Math.floor((await stat(file)).mtimeMs)
    const nkey = await preparePublicNkey(file)
    listed.push({ id: `${account}:${nkey}`, state: 'current', since })
    const [before, after] = [plan?.before[account], plan?.after[account]]
    if (plan === undefined || before === undefined || after === undefined) continue
    if (nkey === after) listed.push({ id: `${account}:${before}`, state: 'retiring', since })
    else listed.push({ id: `${account}:${after}`, state: 'next', since: plan.since })
  }
  return listed
}
