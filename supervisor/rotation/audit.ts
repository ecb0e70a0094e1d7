// Replaces the key that signs heads of the audit. The notary changes over with a row of the audit itself
// (security/audit/key-chain.ts); here the successor is announced, drawn and laid, and once it signs the
// published list is extended. There is no overlap: no head by the old key is good for a row after the
// change, and the old private key's file is gone with it. The announcement says where a rotation stands.

import { existsSync, readFileSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseTrustedKeys, toPublished } from '../../security/audit/key-chain.ts'
import { syncPath } from '../../security/sync-path.ts'
import { type PublicJwk, publicJwkSchema, thumbprint } from '../../security/verify/keys.ts'
import type { KeyRotation, ListedKey, RotatedKeys } from './contract.ts'
import {
  createNotaryKeys,
  drawKey,
  type NotaryKeys,
  type NotaryRotationInput,
} from './notary-keys.ts'
import { replaceFile } from './replace-file.ts'

export function createAuditRotation(input: NotaryRotationInput): KeyRotation {
  const folder = dirname(input.layout.tokenKeys)
  const self: Self = {
    ...input,
    published: join(folder, 'audit-key.json'),
    announced: join(folder, 'audit-key.next.json'),
    notary: createNotaryKeys(input),
  }
  return {
    kind: 'audit',
    async rotate(say, signal) {
      await resume(self, say, signal)
      signal.throwIfAborted()
      const { privateJwk, publicJwk } = await drawKey()
      const kid = await thumbprint(publicJwk)
      await self.record({ phase: 'announced', previous: await currentKid(self), current: kid })
      // Announced first: a key that signs and that nobody announced would look like a foreign one.
      replaceFile(self.announced, `${JSON.stringify(publicJwk)}\n`, self.published)
      self.notary.lay('audit', privateJwk)
      say(`new key ${kid} is announced`)
      return finish(self, say, signal)
    },
    resume: (say, signal) => resume(self, say, signal),
    list: () => list(self),
  }
}

interface Self extends NotaryRotationInput {
  readonly published: string
  readonly announced: string
  readonly notary: NotaryKeys
}

async function resume(
  self: Self,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<RotatedKeys | undefined> {
  const announced = readAnnounced(self)
  if (announced === undefined) return undefined
  const inUse = self.notary.inUse()?.audit.at(-1)?.key.x
  if (self.notary.isLaid('audit') || inUse === announced.x) return finish(self, say, signal)
  // Announced and never laid: its private half is lost, and nobody has signed with it.
  const kid = await thumbprint(announced)
  withdraw(self)
  await self.record({ phase: 'taken-back', previous: kid, current: await currentKid(self) })
  say(`new key ${kid} was never used and is taken back`)
  return undefined
}

async function finish(
  self: Self,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<RotatedKeys> {
  const announced = readAnnounced(self)
  if (announced === undefined) throw new Error('no audit key was announced')
  const { audit } = await self.notary.until(
    (inUse) => inUse.audit.at(-1)?.key.x === announced.x,
    signal,
  )
  const known = readPublished(self)
  const last = known.at(-1)
  const from = audit.at(-1)?.from ?? 0
  if (last !== undefined && last.key.x !== announced.x) {
    // Extended, never rewritten: what was published is what verifiers hold the log to.
    const text = JSON.stringify(toPublished([...known, { key: announced, from }]))
    replaceFile(self.published, `${text}\n`)
  }
  withdraw(self)
  const retired = await Promise.all(
    known
      .filter(({ key }) => key.x !== announced.x)
      .slice(-1)
      .map(({ key }) => thumbprint(key)),
  )
  const current = await thumbprint(announced)
  for (const previous of retired) await self.record({ phase: 'retired', previous, current })
  say(`the audit is signed with ${current} from row ${from + 1} on`)
  return { retired, current }
}

function withdraw({ announced }: Self): void {
  rmSync(announced, { force: true })
  syncPath(dirname(announced))
}

function readAnnounced({ announced }: Self): PublicJwk | undefined {
  if (!existsSync(announced)) return undefined
  return publicJwkSchema.parse(JSON.parse(readFileSync(announced, 'utf8')))
}

const readPublished = ({ published }: Self) =>
  parseTrustedKeys(JSON.parse(readFileSync(published, 'utf8')))

async function currentKid(self: Self): Promise<string> {
  const last = readPublished(self).at(-1)
  if (last === undefined) throw new Error('no audit key is published')
  return thumbprint(last.key)
}

async function list(self: Self): Promise<readonly ListedKey[]> {
  const announced = readAnnounced(self)
  const since = (file: string) => Math.round(statSync(file).mtimeMs)
  const current: ListedKey = {
    id: await currentKid(self),
    state: 'current',
    since: since(self.published),
  }
  if (announced === undefined) return [current]
  return [current, { id: await thumbprint(announced), state: 'next', since: since(self.announced) }]
}
