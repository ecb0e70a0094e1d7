// Every party's way onto the bus: certificate, nkey and address in a folder of its own, and the
// server's configuration that names exactly these parties. Idempotent: keys are kept, what is derived
// is written again only when it differs. Private keys never leave their party's folder; the server's
// configuration holds public ones only.

import { createHash } from 'node:crypto'
import { join, resolve } from 'node:path'
import { createUser, fromSeed } from '@nats-io/nkeys'
import {
  agentAccountName,
  deriveAccounts,
  personAccountName,
  type Replica,
  systemAccount,
} from './accounts.ts'
import { type Authority, prepareAuthority, prepareCertificate } from './certificates.ts'
import { renderNatsConfig } from './nats-config.ts'
import { PkiError } from './pki-error.ts'
import {
  createOnce,
  ensureFolder,
  ensureStateFolder,
  readIfPresent,
  replaceFile,
} from './state-files.ts'

export interface IdentitiesInput {
  /** The state folder. */
  readonly state: string
  readonly deployment: string
  readonly replicas: readonly Replica[]
  /** Some agent may ask the gateway, so it exists as a party; absent: it does not. */
  readonly gateway?: boolean
  /** Ids of the people besides the owner; absent: nobody. */
  readonly users?: readonly string[]
  /** Where the server will listen. Always this machine: TCP ports of loopback only. */
  readonly bus: { readonly host: string; readonly port: number }
  /** Milliseconds since the epoch; certificates near their end at this time are renewed. */
  readonly now?: number
  /** Public nkeys that the server takes besides a party's own, by account: keys are being rotated. */
  readonly accepted?: ReadonlyMap<string, readonly string[]>
  /** Accounts that keep their files and lose their users. */
  readonly shutOut?: ReadonlySet<string>
}

/** The credentials folder of each party in use, by account, relative to the state folder. */
export function credentialFolders(
  replicas: readonly Replica[],
  gateway = false,
  users: readonly string[] = [],
): ReadonlyMap<string, string> {
  const names = ['supervisor', 'notary', 'worker', 'cli', ...(gateway ? ['gateway'] : [])]
  const own = names.map((name) => [name, join(name, 'bus')] as const)
  const agents = replicas.map(
    (each) => [agentAccountName(each), join('agents', `${each.agent}.${each.n}`, 'bus')] as const,
  )
  const people = users.map(
    (id) => [personAccountName(id), join(personFolder(id), 'cli', 'bus')] as const,
  )
  return new Map([...own, ...people, ...agents, [systemAccount, join('supervisor', 'sys')]])
}

/** All that one person's commands need, laid out like a state folder; relative to the state folder. */
export function personFolder(id: string): string {
  return join('users', id)
}

/**
 * Creates or completes the authority, the server's certificate, all credentials folders and
 * `nats/nats.conf`. A replica that is no longer named loses its user; its folder stays.
 * @throws PkiError INVALID for names and addresses, UNREADABLE for a stored key that is damaged
 */
export async function prepareIdentities(input: IdentitiesInput): Promise<void> {
  const { deployment, replicas, bus, gateway = false, users = [] } = input
  // The server resolves relative names against its own working folder.
  const state = resolve(input.state)
  const now = input.now ?? Date.now()
  if (bus.host !== '127.0.0.1' && bus.host !== 'localhost') {
    throw new PkiError('INVALID', 'the bus listens on 127.0.0.1 only')
  }
  const accounts = deriveAccounts(replicas, { gateway, users })
  const pki = join(state, 'pki')
  const server = join(state, 'nats')
  await ensureStateFolder(state)
  await ensureFolder(pki)
  await ensureFolder(server)
  const authority = await prepareAuthority(
    { certificate: join(pki, 'ca.pem'), key: join(pki, 'ca.key.pem') },
    now,
  )
  const tls = {
    // A copy: the server's user may not look into the authority's folder.
    ca: join(server, 'ca.pem'),
    cert: join(server, 'server.pem'),
    key: join(server, 'server.key.pem'),
  }
  await replaceFile(tls.ca, authority.certificatePem)
  await prepareCertificate(
    { certificate: tls.cert, key: tls.key },
    { name: 'nats-server', purpose: 'server' },
    authority,
    now,
  )
  const nkeys = new Map<string, readonly string[]>()
  for (const [account, folder] of credentialFolders(replicas, gateway, users)) {
    const own = await prepareParty({ state, folder, account, authority, bus, now })
    const accepted = new Set([own, ...(input.accepted?.get(account) ?? [])])
    nkeys.set(account, input.shutOut?.has(account) === true ? [] : [...accepted])
  }
  const config = renderNatsConfig({ deployment, port: bus.port, accounts, nkeys, tls })
  await replaceFile(join(server, 'nats.conf'), config)
}

interface PartyInput {
  readonly state: string
  readonly folder: string
  readonly account: string
  readonly authority: Authority
  readonly bus: IdentitiesInput['bus']
  readonly now: number
}

/** Fills one credentials folder as security/bus.ts reads it; returns the public nkey. */
async function prepareParty(party: PartyInput): Promise<string> {
  const folder = join(party.state, party.folder)
  // Each level below the state folder is closed, not only the last.
  await ensureFolder(join(folder, '..'))
  await ensureFolder(folder)
  await prepareCertificate(
    { certificate: join(folder, 'cert.pem'), key: join(folder, 'key.pem') },
    { name: party.account, purpose: 'client' },
    party.authority,
    party.now,
  )
  await replaceFile(join(folder, 'ca.pem'), party.authority.certificatePem)
  const nkey = await preparePublicNkey(join(folder, 'nkey.seed'))
  const { host, port } = party.bus
  const certificate = await readIfPresent(join(folder, 'cert.pem'))
  const identity = createHash('sha256').update(`${certificate}${nkey}`).digest('hex').slice(0, 16)
  const address = { host, port, account: party.account, identity }
  // Last: who is connected takes its change for the sign to connect anew (security/bus-connection.ts).
  await replaceFile(join(folder, 'bus.json'), `${JSON.stringify(address)}\n`)
  return nkey
}

/** The public half of the seed in a file, which is made when there is none. @throws PkiError */
export async function preparePublicNkey(path: string): Promise<string> {
  const seed = await createOnce(path, () => new TextDecoder().decode(createUser().getSeed()))
  try {
    return fromSeed(new TextEncoder().encode(seed)).getPublicKey()
  } catch (cause) {
    throw new PkiError('UNREADABLE', `${path} is not the seed of an nkey`, { cause })
  }
}
