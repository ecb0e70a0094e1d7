// The identities that follow the present ones, drawn beside them in `pki/next` before anything goes by
// them: all certificates with new keys from a new authority, or all nkeys. With the old authority its
// certificates die, which nothing else could do: there are no revocation lists. A change that is
// complete on disk is always carried through, one that is not never was.

import { createHash, X509Certificate } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { prepareAuthority, prepareCertificate, splitPem } from './certificates.ts'
import { preparePublicNkey } from './identities.ts'
import { PkiError } from './pki-error.ts'
import { ensureFolder, readIfPresent, replaceFile } from './state-files.ts'

const nkeysSchema = z.record(z.string(), z.string()).readonly()
const planSchema = z.strictObject({
  kind: z.enum(['certificates', 'nkeys']),
  /** Milliseconds since the epoch. */
  since: z.number().int(),
  /** Ids of the keys that end, and of what follows. */
  retired: z.array(z.string()).readonly(),
  current: z.string(),
  /** Public nkeys by account before and after; empty for certificates. */
  before: nkeysSchema,
  after: nkeysSchema,
})
/** What is about to change, without a secret. */
export type Successor = Readonly<z.infer<typeof planSchema>>
export type SuccessorKind = Successor['kind']

export interface SuccessorInput {
  /** The state folder. */
  readonly state: string
  /** Credentials folders by account (`credentialFolders`). */
  readonly folders: ReadonlyMap<string, string>
}

const nextOf = (state: string) => join(state, 'pki', 'next')
const planOf = (state: string) => join(nextOf(state), 'plan.json')
const caNames = ['ca.pem', 'ca.key.pem'] as const
const serverNames = ['server.pem', 'server.key.pem'] as const
const partyNames = { certificates: ['key.pem', 'cert.pem'], nkeys: ['nkey.seed'] } as const

/** Draws the identities that follow. What an unfinished attempt left is drawn anew. */
export async function drawSuccessor(
  kind: SuccessorKind,
  input: SuccessorInput & { readonly now: number },
): Promise<Successor> {
  const { state, folders, now } = input
  await dropSuccessor(state)
  const next = nextOf(state)
  await ensureFolder(next)
  for (const account of folders.keys()) await ensureFolder(join(next, account))
  const drawn =
    kind === 'certificates' ? await drawCertificates(input) : await drawNkeys(state, folders)
  const plan: Successor = { kind, since: now, ...drawn }
  // Last: from here on it will be carried through.
  await replaceFile(planOf(state), `${JSON.stringify(plan)}\n`)
  return plan
}

async function drawCertificates({
  state,
  folders,
  now,
}: SuccessorInput & { readonly now: number }) {
  const next = nextOf(state)
  const authority = await prepareAuthority(pair(next, caNames), now)
  await prepareCertificate(
    pair(next, serverNames),
    { name: 'nats-server', purpose: 'server' },
    authority,
    now,
  )
  for (const account of folders.keys()) {
    const files = pair(join(next, account), ['cert.pem', 'key.pem'])
    await prepareCertificate(files, { name: account, purpose: 'client' }, authority, now)
  }
  const present = await read(join(state, 'pki', 'ca.pem'))
  return {
    retired: [authorityId(present)],
    current: authorityId(authority.certificatePem),
    before: {},
    after: {},
  }
}

async function drawNkeys(state: string, folders: ReadonlyMap<string, string>) {
  const before: Record<string, string> = {}
  const after: Record<string, string> = {}
  for (const [account, folder] of folders) {
    before[account] = await preparePublicNkey(join(state, folder, 'nkey.seed'))
    after[account] = await preparePublicNkey(join(nextOf(state), account, 'nkey.seed'))
  }
  const retired = [nkeysId(Object.values(before))]
  return { retired, current: nkeysId(Object.values(after)), before, after }
}

/** What was drawn completely and is not in force everywhere yet. */
export async function readSuccessor(state: string): Promise<Successor | undefined> {
  const text = await readIfPresent(planOf(state))
  if (text === undefined) return undefined
  const plan = planSchema.safeParse(parseJson(text))
  if (!plan.success) throw new PkiError('UNREADABLE', `${planOf(state)} is damaged`)
  return plan.data
}

/** Both authorities are trusted, the present one still issues. Nothing to do for nkeys. */
export async function trustSuccessor(state: string): Promise<void> {
  const next = await readIfPresent(join(nextOf(state), 'ca.pem'))
  if (next === undefined) return
  const file = join(state, 'pki', 'ca.pem')
  await replaceFile(file, unique([...splitPem(await read(file)), next]))
}

/** Puts the new identities of these accounts in place of the old ones. */
export async function installParties({ state, folders }: SuccessorInput): Promise<void> {
  const plan = await readSuccessor(state)
  if (plan === undefined) return
  for (const [account, folder] of folders) {
    for (const name of partyNames[plan.kind]) {
      const text = await readIfPresent(join(nextOf(state), account, name))
      // A replica that came after it was drawn has an identity of its own, of either authority.
      if (text !== undefined) await replaceFile(join(state, folder, name), text)
    }
  }
}

/** The new authority issues from now on, the old one is still trusted; the server has its new files. */
export async function installAuthority(state: string): Promise<void> {
  const next = await readIfPresent(join(nextOf(state), 'ca.pem'))
  if (next === undefined) return
  for (const name of serverNames) {
    await replaceFile(join(state, 'nats', name), await read(join(nextOf(state), name)))
  }
  const file = join(state, 'pki', 'ca.pem')
  const trusted = unique([next, ...splitPem(await read(file))])
  await replaceFile(join(state, 'pki', 'ca.key.pem'), await read(join(nextOf(state), 'ca.key.pem')))
  await replaceFile(file, trusted)
}

/** Nobody trusts the old authority any more. */
export async function distrustPredecessor(state: string): Promise<void> {
  const next = await readIfPresent(join(nextOf(state), 'ca.pem'))
  if (next !== undefined) await replaceFile(join(state, 'pki', 'ca.pem'), next)
}

/** Forgets what was drawn: it is in force, or never will be. */
export async function dropSuccessor(state: string): Promise<void> {
  await rm(planOf(state), { force: true })
  await rm(nextOf(state), { recursive: true, force: true })
}

/**
 * For a start, while nothing runs: what a killed supervisor had drawn completely is put in force at
 * once, because nobody is connected with the old identities; what it had not is forgotten.
 */
export async function finishSuccessor(input: SuccessorInput): Promise<Successor | undefined> {
  const plan = await readSuccessor(input.state)
  if (plan !== undefined) {
    await installParties(input)
    await installAuthority(input.state)
    await distrustPredecessor(input.state)
  }
  await dropSuccessor(input.state)
  return plan
}

/** Short and public: enough to tell two apart, in a list and in the audit. */
export function authorityId(certificatePem: string): string {
  return new X509Certificate(certificatePem).fingerprint256.replaceAll(':', '').slice(0, 16)
}

/** One name for a generation of nkeys. */
export function nkeysId(nkeys: readonly string[]): string {
  return createHash('sha256').update(nkeys.toSorted().join(' ')).digest('hex').slice(0, 16)
}

function pair(folder: string, [certificate, key]: readonly [string, string]) {
  return { certificate: join(folder, certificate), key: join(folder, key) }
}

async function read(path: string): Promise<string> {
  const text = await readIfPresent(path)
  if (text === undefined) throw new PkiError('MISMATCH', `${path} is lost`)
  return text
}

const unique = (certificates: readonly string[]) => [...new Set(certificates)].join('')

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
