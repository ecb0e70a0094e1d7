// What the command remembers between two verifications: how far it has verified during this start of
// the platform, and the head it saw last, as a witness. Invariant: what it goes on from is signed
// with the owner's approver key, so whoever can write the file can only make it start from row 1.
// The worker's memory lies beside, and is read here too.

import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Checkpoint } from '../security/audit/checkpoint.ts'
import { keyPeriodsSchema } from '../security/audit/key-chain.ts'
import { treeSchema } from '../security/audit/tree.ts'
import type { LogEnd, WitnessMemory } from '../security/audit/verification.ts'
import { readWitness, witnessHead } from '../security/audit/witness.ts'
import { DocumentError, signDocument, verifyDocument } from '../security/verify/document.ts'
import { type PrivateJwk, privateJwkSchema, toPublicJwk } from '../security/verify/keys.ts'

const verifiedType = 'bulkhead-verified+jws'
const verifiedSchema = z.strictObject({
  /** Which start of the platform: the next one is verified from the first row again. */
  platform: z.string(),
  tree: treeSchema,
  prev: z.string(),
  keys: keyPeriodsSchema,
})

export interface AuditMemory {
  readonly witnesses: readonly WitnessMemory[]
  /** Where the last verification during this start of the platform ended. */
  verified(platform: string): Promise<LogEnd | undefined>
  /** Remembers a verification without a fault. */
  keep(platform: string | undefined, verified: { head: Checkpoint; end: LogEnd }): Promise<void>
}

/** Reads the witnesses at once: a head asked for later can only be larger. */
export function openAuditMemory(state: string): AuditMemory {
  const own = join(state, 'cli', 'witness.jsonl')
  const file = join(state, 'cli', 'verified.json')
  const key = readApproverKey(state)
  return {
    witnesses: [
      { name: 'cli', checkpoints: readOrNone(own) },
      { name: 'worker', checkpoints: readOrNone(join(state, 'worker', 'witness.jsonl')) },
    ],
    async verified(platform) {
      const known = key === undefined ? undefined : await readVerified(file, key)
      if (known?.platform !== platform) return undefined
      return { tree: known.tree, prev: known.prev, keys: known.keys }
    },
    async keep(platform, { head, end }) {
      // Nowhere to write is not a fault of the audit: the next verification just reads more.
      try {
        witnessHead(own, head)
        if (platform === undefined || key === undefined) return
        const jws = await signDocument(verifiedType, { platform, ...end }, key)
        writeFileSync(`${file}.${process.pid}`, JSON.stringify({ jws }), { mode: 0o600 })
        renameSync(`${file}.${process.pid}`, file)
      } catch (cause) {
        if (!isFileError(cause)) throw cause
      }
    },
  }
}

/** Of another user's worker: a witness that cannot be asked counts as none. */
function readOrNone(file: string): readonly Checkpoint[] {
  try {
    return readWitness(file)
  } catch (cause) {
    if (isFileError(cause)) return []
    throw cause
  }
}

function readApproverKey(state: string): PrivateJwk | undefined {
  const key = privateJwkSchema.safeParse(readJson(join(state, 'cli', 'approver.jwk.json')))
  return key.success ? key.data : undefined
}

async function readVerified(file: string, key: PrivateJwk) {
  const stored = z.strictObject({ jws: z.string() }).safeParse(readJson(file))
  if (!stored.success) return undefined
  try {
    const signed = await verifyDocument(stored.data.jws, verifiedType, toPublicJwk(key))
    return verifiedSchema.safeParse(signed).data
  } catch (cause) {
    if (cause instanceof DocumentError) return undefined
    throw cause
  }
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

function isFileError(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string'
}
