// The store of everything that must not lie in Temporal's history: requests, plans, results,
// answers. One encrypted file each, below the worker's folder; its name is keyed, so that neither
// name nor bytes tell what is inside, and the file of one reference cannot stand in for another's.
// Invariant: a reference is returned only after its bytes and its folder entry are on the disk.

import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type Artifact,
  ArtifactError,
  type ArtifactKind,
  type ArtifactMeta,
  createSeal,
  type SealingKeys,
} from './artifact-seal.ts'
import { createDurableFiles, type DurableFiles } from './durable-files.ts'

export {
  type Artifact,
  ArtifactError,
  type ArtifactErrorCode,
  type ArtifactKind,
  type ArtifactMeta,
  artifactKinds,
} from './artifact-seal.ts'

/** Where a step's artifact is looked for when its reference was lost in a crash. */
export interface ArtifactAddress {
  readonly requestId: string
  readonly step: string
  readonly iteration: number
  /** Left out, or 0: the first. */
  readonly rerun?: number | undefined
  readonly kind: ArtifactKind
}

export interface ArtifactStore {
  /**
   * Stores durably and returns the reference. The same bytes with the same meta (times apart) have
   * the same reference, so that a repeated put is one artifact.
   * @throws ArtifactError STORAGE_FULL; nothing half-written stays
   */
  put(bytes: Uint8Array, meta: ArtifactMeta): Promise<string>
  /** @throws ArtifactError BAD_REFERENCE, MISSING or CORRUPT */
  get(ref: string): Promise<Artifact>
  /** The newest artifact stored for that step, or undefined. @throws ArtifactError CORRUPT */
  find(
    address: ArtifactAddress,
  ): Promise<{ readonly ref: string; readonly artifact: Artifact } | undefined>
}

const refPattern = /^[0-9a-f]{64}$/

/** `key`, 32 bytes, is that of the names; `folder` is created when missing. */
export async function openArtifactStore(options: {
  readonly folder: string
  readonly key: Uint8Array
  readonly sealing: SealingKeys
  readonly files?: DurableFiles
}): Promise<ArtifactStore> {
  const { folder, key, sealing, files = createDurableFiles() } = options
  await files.makeFolder(join(folder, 'objects'))
  await files.makeFolder(join(folder, 'index'))
  const derive = (use: string) => Buffer.from(hkdfSync('sha256', key, '', `bulkhead-${use}`, 32))
  // As objects: made of bytes anew for each name, they cost more than the name.
  const keys = {
    address: createSecretKey(derive('address')),
    index: createSecretKey(derive('index')),
  }
  const { close, open } = createSeal({ sealing, first: derive('seal') })
  const pathOf = (kind: 'objects' | 'index', name: string) =>
    join(folder, kind, name.slice(0, 2), name)
  const indexPath = (address: ArtifactAddress) =>
    pathOf('index', keyed(keys.index, indexName(address)))

  const get = async (ref: string): Promise<Artifact> => {
    // Before the reference touches a path: it may come from a message.
    if (!refPattern.test(ref)) throw new ArtifactError('BAD_REFERENCE', 'not an artifact reference')
    const sealed = await readOrUndefined(pathOf('objects', ref))
    if (sealed === undefined) throw new ArtifactError('MISSING', 'no such artifact')
    const artifact = open(sealed, ref)
    if (referenceOf(keys.address, artifact) !== ref) {
      throw new ArtifactError('CORRUPT', 'an artifact does not hash to its reference')
    }
    return artifact
  }

  const getOrUndefined = async (ref: string): Promise<Artifact | undefined> => {
    try {
      return await get(ref)
    } catch (error) {
      if (error instanceof ArtifactError && error.code === 'MISSING') return undefined
      throw error
    }
  }

  return {
    get,
    async put(bytes, meta) {
      const ref = referenceOf(keys.address, { bytes, meta })
      const path = pathOf('objects', ref)
      const { step, iteration, rerun, requestId, kind } = meta
      // Side by side: an index entry whose artifact is missing counts as no entry.
      await orFull([
        existsSync(path) ? files.confirm(path) : files.write(path, close({ bytes, meta }, ref)),
        step === undefined || iteration === undefined
          ? undefined
          : files.write(indexPath({ requestId, step, iteration, rerun, kind }), Buffer.from(ref)),
      ])
      return ref
    },
    async find(address) {
      const stored = await readOrUndefined(indexPath(address))
      if (stored === undefined) return undefined
      const ref = stored.toString('utf8')
      const artifact = await getOrUndefined(ref)
      if (artifact === undefined) return undefined
      const { requestId, step, iteration, rerun, kind } = artifact.meta
      if (
        indexName({ requestId, step: step ?? '', iteration: iteration ?? -1, rerun, kind }) !==
        indexName(address)
      ) {
        throw new ArtifactError('CORRUPT', 'the index names an artifact of another step')
      }
      return { ref, artifact }
    },
  }
}

function indexName({ requestId, step, iteration, rerun = 0, kind }: ArtifactAddress): string {
  return JSON.stringify([requestId, step, iteration, kind, ...(rerun === 0 ? [] : [rerun])])
}

function keyed(key: KeyObject, ...parts: readonly (string | Uint8Array)[]): string {
  const mac = createHmac('sha256', key)
  // Lengths first, so that no part can run over into the next.
  for (const part of parts) mac.update(`${Buffer.byteLength(part)}:`).update(part)
  return mac.digest('hex')
}

/** Times are left out, so that a resend finds what it stored before. */
function referenceOf(key: KeyObject, { bytes, meta }: Artifact): string {
  const { kind, requestId, step, iteration, rerun = 0, readers, resultHash, salt } = meta
  const first = [kind, requestId, step, iteration, readers, resultHash, salt]
  const identity = rerun === 0 ? first : [...first, rerun]
  return keyed(key, JSON.stringify(identity.map((part) => part ?? null)), bytes)
}

async function readOrUndefined(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

async function orFull(writes: readonly (Promise<void> | undefined)[]): Promise<void> {
  try {
    await Promise.all(writes)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      throw new ArtifactError('STORAGE_FULL', 'no space left for artifacts', { cause: error })
    }
    throw error
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
