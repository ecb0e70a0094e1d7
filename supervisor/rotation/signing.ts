// Replaces the key that signs capability tokens. Where a rotation stands is what the published set and
// the notary's folder say, so whoever starts after a crash goes on from there: keys before the one that
// signs are retiring, one behind it has not signed yet. Invariant: a key is in every verifier's set
// before the first token by it, and for the overlap after the last.

import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { privateJwkSchema, publicJwkSchema, thumbprint } from '../../security/verify/keys.ts'
import type { ReplicaAddress, StateLayout } from '../state.ts'
import type { KeyRotation, ListedKey, RotatedKeys } from './contract.ts'
import {
  createNotaryKeys,
  drawKey,
  type NotaryKeys,
  type NotaryRotationInput,
  pause,
} from './notary-keys.ts'
import { replaceFile } from './replace-file.ts'

export interface SigningRotationInput extends NotaryRotationInput {
  readonly replicas: readonly ReplicaAddress[]
  /** Convention of contract.ts. */
  readonly overlapMs: number
}

const publishedSchema = z.strictObject({
  keys: z
    .array(publicJwkSchema.extend({ kid: z.string(), alg: z.string(), use: z.string() }))
    .min(1),
})
type PublishedKey = z.infer<typeof publishedSchema>['keys'][number]

export function createSigningRotation(input: SigningRotationInput): KeyRotation {
  const notary = createNotaryKeys(input)
  const self: Self = { ...input, notary }
  return {
    kind: 'token',
    async rotate(say, signal) {
      await resume(self, say, signal)
      signal.throwIfAborted()
      const before = readPublished(self)
      const { privateJwk, publicJwk } = await drawKey()
      const kid = await thumbprint(publicJwk)
      const previous = await currentKid(self)
      publish(self, [...before, { ...publicJwk, kid, alg: 'EdDSA', use: 'sig' }])
      await self.record({ phase: 'published', previous, current: kid })
      say(`new key ${kid} is known to every agent`)
      signal.throwIfAborted()
      notary.lay('signing', privateJwk)
      await notary.until(({ signing }) => signing === kid, signal)
      return retire(self, say, signal)
    },
    resume: (say, signal) => resume(self, say, signal),
    list: () => list(self),
  }
}

interface Self extends SigningRotationInput {
  readonly notary: NotaryKeys
}

async function resume(
  self: Self,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<RotatedKeys | undefined> {
  const { notary } = self
  if (notary.isLaid('signing')) {
    const next = readPublished(self).at(-1)?.kid
    await notary.until(({ signing }) => signing === next, signal)
  }
  const published = readPublished(self)
  if (published.length === 1) return undefined
  const current = await currentKid(self)
  const at = published.findIndex(({ kid }) => kid === current)
  const unused = published.slice(at + 1)
  if (unused.length > 0) {
    publish(self, published.slice(0, at + 1))
    for (const { kid } of unused) {
      await self.record({ phase: 'taken-back', previous: kid, current })
      say(`new key ${kid} was never used and is taken back`)
    }
  }
  return at === 0 ? undefined : retire(self, say, signal)
}

/** The overlap, counted from now, then every key but the one that signs is dead. */
async function retire(
  self: Self,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<RotatedKeys> {
  const current = await currentKid(self)
  say(`tokens are signed with ${current}; older ones are good for ${self.overlapMs / 1_000} s more`)
  await pause(self.overlapMs, signal)
  const published = readPublished(self)
  const kept = published.filter(({ kid }) => kid === current)
  const retired = published.filter(({ kid }) => kid !== current).map(({ kid }) => kid)
  publish(self, kept)
  for (const previous of retired) await self.record({ phase: 'retired', previous, current })
  say(`retired: ${retired.join(', ')}`)
  return { retired, current }
}

function readPublished({ layout }: Self): readonly PublishedKey[] {
  return publishedSchema.parse(JSON.parse(readFileSync(layout.tokenKeys, 'utf8'))).keys
}

/**
 * To the gateway and to the sandboxes that run: a rename inside a mounted folder is seen inside.
 * Without waiting in between, so that a sandbox which starts meanwhile copies either set whole.
 */
function publish({ layout, replicas }: Self, keys: readonly PublishedKey[]): void {
  const text = `${JSON.stringify({ keys })}\n`
  replaceFile(layout.tokenKeys, text)
  for (const address of replicas) {
    const copy = join(layout.replica(address).secrets, 'token-keys.json')
    if (existsSync(copy)) replaceFile(copy, text)
  }
}

/** Of the key's file: true also while no notary runs. */
async function currentKid({ layout }: Self): Promise<string> {
  return thumbprint(privateJwkSchema.parse(JSON.parse(readFileSync(signingFile(layout), 'utf8'))))
}

const signingFile = (layout: StateLayout) => join(layout.notary, 'signing.jwk.json')

async function list(self: Self): Promise<readonly ListedKey[]> {
  const published = readPublished(self)
  const current = await currentKid(self)
  const at = published.findIndex(({ kid }) => kid === current)
  // The file that signs was laid when it began to sign.
  const switchedAt = Math.round(statSync(signingFile(self.layout)).mtimeMs)
  const publishedAt = Math.round(statSync(self.layout.tokenKeys).mtimeMs)
  return published.map(({ kid }, index) => {
    if (index === at) return { id: kid, state: 'current', since: switchedAt }
    return index < at
      ? { id: kid, state: 'retiring', since: switchedAt }
      : { id: kid, state: 'next', since: publishedAt }
  })
}
