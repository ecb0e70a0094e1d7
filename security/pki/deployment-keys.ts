// The deployment's own name and every key that is not a bus identity, one owner each (architecture.md,
// "State, and who owns it"). Keys are drawn once and never written again here; replacing them is the
// supervisor's (supervisor/rotation). A lost private half is reported, because a new one in its place
// would quietly orphan audit, artifacts or ledgers.

import { randomBytes, randomInt } from 'node:crypto'
import { join } from 'node:path'
import type { z } from 'zod'
import { type KeyPeriod, parseTrustedKeys } from '../audit/key-chain.ts'
import { currentOf, parseKeyRing, type RingKey } from '../key-ring.ts'
import {
  generateKeyPairJwk,
  type PrivateJwk,
  privateJwkSchema,
  publicJwkSchema,
  thumbprint,
  toPublicJwk,
} from '../verify/keys.ts'
import { createTokenKeys } from '../verify/token.ts'
import { agentAccountName, personAccountName, type Replica } from './accounts.ts'
import { personFolder } from './identities.ts'
import { PkiError } from './pki-error.ts'
import {
  createOnce,
  ensureFolder,
  ensureStateFolder,
  readIfPresent,
  replaceFile,
} from './state-files.ts'

export interface KeysInput {
  /** The state folder. */
  readonly state: string
  readonly replicas: readonly Replica[]
  /** Ids of the people besides the owner; absent: nobody. */
  readonly users?: readonly string[]
}

/**
 * Creates what is missing of: `deployment-id`; the notary's signing and audit keys and their public
 * halves in `public/`; the worker's payload, artifact and sealing keys; each person's approver key and
 * copy of the payload key; each replica's ledger key and ledger id.
 * @throws PkiError UNREADABLE for a damaged file, MISMATCH when one half of a pair is lost or foreign
 */
export async function prepareKeys(input: KeysInput): Promise<{ readonly deployment: string }> {
  const { state, replicas, users = [] } = input
  const file = (...parts: readonly string[]) => join(state, ...parts)
  await ensureStateFolder(state)
  for (const folder of ['public', 'notary', 'worker', 'cli']) await ensureFolder(file(folder))
  const deployment = await prepareDeploymentId(file('deployment-id'), file('notary', signingFile))
  await prepareSigningKey(file('notary', signingFile), file('public', 'token-keys.json'))
  await prepareAuditKey(
    file('notary', 'audit.jwk.json'),
    file('public', 'audit-key.json'),
    file('public', 'audit-key.next.json'),
  )
  await prepareSharedRing(file('worker', 'payload.key'), file('cli', 'payload.key'))
  await prepareSecret(file('worker', 'artifact.key'))
  await prepareRing(file('worker', 'sealing.key'))
  await preparePrivateJwk(file('cli', 'approver.jwk.json'))
  for (const id of users) await preparePersonKeys(state, id)
  for (const replica of replicas) {
    // Names become folders here, so they pass the same check as account names.
    agentAccountName(replica)
    const folder = file('agents', `${replica.agent}.${replica.n}`)
    await ensureFolder(folder)
    await prepareSecret(join(folder, 'ledger.key'))
    await prepareLedgerId(join(folder, 'ledger.id'))
  }
  return { deployment }
}

/**
 * The keys of one person besides the owner: an approver key, drawn once, and the payload key as the
 * worker has it now. @throws PkiError
 */
export async function preparePersonKeys(state: string, id: string): Promise<void> {
  // The id becomes a folder here, so it passes the same check as account names.
  personAccountName(id)
  const person = join(state, personFolder(id))
  for (const folder of [join(state, 'users'), person, join(person, 'cli')]) {
    await ensureFolder(folder)
  }
  await preparePrivateJwk(join(person, 'cli', 'approver.jwk.json'))
  const ring = await readIfPresent(join(state, 'worker', 'payload.key'))
  if (ring === undefined) throw new PkiError('MISMATCH', 'the payload key is lost')
  await replaceFile(join(person, 'cli', 'payload.key'), ring)
}

const signingFile = 'signing.jwk.json'

async function prepareDeploymentId(path: string, laterFile: string): Promise<string> {
  // The id is the first file of a state folder: without it, later ones belong to a lost deployment.
  if ((await readIfPresent(path)) === undefined && (await readIfPresent(laterFile)) !== undefined) {
    throw new PkiError('MISMATCH', `${path} is lost: restore it from a backup`)
  }
  const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789'
  const id = await createOnce(path, () =>
    Array.from({ length: 8 }, () => alphabet.charAt(randomInt(alphabet.length))).join(''),
  )
  if (!/^[a-z0-9]{8}$/.test(id)) throw new PkiError('UNREADABLE', `${path} is not a deployment id`)
  return id
}

/** The public set may hold older and newer keys too (rotation), but always the one that signs. */
async function prepareSigningKey(privatePath: string, publicPath: string): Promise<void> {
  await refuseOrphan(privatePath, publicPath)
  const jwk = toPublicJwk(await preparePrivateJwk(privatePath))
  const kid = await thumbprint(jwk)
  const set = await createOnce(publicPath, () =>
    toText({ keys: [{ ...jwk, kid, alg: 'EdDSA', use: 'sig' }] }),
  )
  let published: boolean
  try {
    const keys = await createTokenKeys(JSON.parse(set))
    published = keys.keyOf(kid) !== undefined
  } catch (cause) {
    throw new PkiError('UNREADABLE', `${publicPath} is not a public key set`, { cause })
  }
  if (!published) throw new PkiError('MISMATCH', `${publicPath} lacks the key that signs`)
}

/**
 * The published key is one JWK, or all there were, the last one signing. While it is being replaced its
 * announced successor may sign already.
 */
async function prepareAuditKey(
  privatePath: string,
  publicPath: string,
  announcedPath: string,
): Promise<void> {
  await refuseOrphan(privatePath, publicPath)
  const jwk = toPublicJwk(await preparePrivateJwk(privatePath))
  const text = await createOnce(publicPath, () => toText(jwk))
  const published = parsePublished(text, publicPath).at(-1)?.key.x
  const announced = await readIfPresent(announcedPath)
  const next =
    announced === undefined ? undefined : parseKey(publicJwkSchema, announced, announcedPath).x
  if (jwk.x !== published && jwk.x !== next) {
    throw new PkiError('MISMATCH', `${publicPath} is not the public half of ${privatePath}`)
  }
}

async function refuseOrphan(privatePath: string, publicPath: string): Promise<void> {
  if ((await readIfPresent(privatePath)) !== undefined) return
  if ((await readIfPresent(publicPath)) === undefined) return
  throw new PkiError('MISMATCH', `${privatePath} is lost and ${publicPath} is still here`)
}

async function preparePrivateJwk(path: string): Promise<PrivateJwk> {
  const text = await createOnce(path, async () => toText((await generateKeyPairJwk()).privateJwk))
  return parseKey(privateJwkSchema, text, path)
}

/** Keys in two folders, because two processes under different users read them. */
async function prepareSharedRing(path: string, copyPath: string): Promise<void> {
  const ring = await prepareRing(path, () => readIfPresent(copyPath))
  const copy = await prepareRing(copyPath, async () => ring)
  if (copy === ring) return
  // The worker's is written first: a rotation that was interrupted between the two goes on from it.
  if (!isStepApart(parseRing(ring, path), parseRing(copy, copyPath))) {
    throw new PkiError('MISMATCH', `${copyPath} differs from ${path}`)
  }
  await replaceFile(copyPath, ring)
}

/** A file of keys (security/key-ring.ts); one that was never rotated is a bare key. */
async function prepareRing(
  path: string,
  existing: () => Promise<string | undefined> = async () => undefined,
): Promise<string> {
  const text = await createOnce(
    path,
    async () => (await existing()) ?? randomBytes(32).toString('base64url'),
  )
  parseRing(text, path)
  return text
}

function parseRing(text: string, path: string): readonly RingKey[] {
  try {
    return parseKeyRing(text)
  } catch {
    // No cause: nothing of a key may get into a message.
    throw new PkiError('UNREADABLE', `${path} is not a file of keys`)
  }
}

/** The worker's is what one step of a rotation makes of the copy: lay, use, or forget. */
function isStepApart(ring: readonly RingKey[], copy: readonly RingKey[]): boolean {
  const [current, before] = [currentOf(ring).id, currentOf(copy).id]
  const next = copy.find(({ state }) => state === 'next')?.id
  const kept = new Set(ring.map(({ id }) => id))
  const lost = copy.filter(({ id }) => !kept.has(id))
  const added = ring.filter(({ id }) => !copy.some((key) => key.id === id))
  const isUsed = current === next && kept.has(before)
  const isForgotten = current === before && next === undefined
  return (
    (isUsed || isForgotten) &&
    lost.every(({ state }) => state === 'retiring') &&
    added.every(({ state }) => state === 'next')
  )
}

/** 32 bytes as base64url text: an AES-256 key. */
async function prepareSecret(path: string): Promise<string> {
  const text = await createOnce(path, () => randomBytes(32).toString('base64url'))
  if (!/^[A-Za-z0-9_-]{43}$/.test(text)) throw new PkiError('UNREADABLE', `${path} is not a key`)
  return text
}

/** Given from outside, so that an empty ledger is either new or missing, never both. */
async function prepareLedgerId(path: string): Promise<void> {
  const id = await createOnce(path, () => randomBytes(16).toString('base64url'))
  if (!/^[A-Za-z0-9_-]{22}$/.test(id)) throw new PkiError('UNREADABLE', `${path} is not an id`)
}

function parsePublished(text: string, path: string): readonly KeyPeriod[] {
  try {
    return parseTrustedKeys(JSON.parse(text))
  } catch {
    throw new PkiError('UNREADABLE', `${path} is no public audit key and no list of them`)
  }
}

function parseKey<T>(schema: z.ZodType<T>, text: string, path: string): T {
  try {
    return schema.parse(JSON.parse(text))
  } catch {
    // No cause: a parser's message may quote what it read.
    throw new PkiError('UNREADABLE', `${path} is not the key that its name says`)
  }
}

function toText(value: unknown): string {
  return `${JSON.stringify(value)}\n`
}
