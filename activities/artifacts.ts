// The store of everything that must not lie in Temporal's history: requests, plans, results,
// answers. One encrypted file each, below the worker's folder; its name is keyed, so that neither
// name nor bytes tell what is inside, and the file of one reference cannot stand in for another's.
// Invariant: a reference is returned only after its bytes and its folder entry are on the disk.

import { createHmac, hkdfSync, randomUUID } from 'node:crypto'
import { mkdir, open as openFile, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  type Artifact,
  ArtifactError,
  type ArtifactKind,
  type ArtifactMeta,
  createSeal,
  type SealingKeys,
} from './artifact-seal.ts'

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
}): Promise<ArtifactStore> {
  const { folder, key, sealing } = options
  await makeFolder(join(folder, 'objects'))
  await makeFolder(join(folder, 'index'))
  const derive = (use: string) => Buffer.from(hkdfSync('sha256', key, '', `bulkhead-${use}`, 32))
  const keys = { first: derive('seal'), address: derive('address'), index: derive('index') }
  const { close, open } = createSeal({ sealing, first: keys.first })
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
      const stored = (await readOrUndefined(path)) !== undefined
      // Side by side: an index entry whose artifact is missing counts as no entry.
      await Promise.all([
        stored ? undefined : writeDurably(path, close({ bytes, meta }, ref)),
        step === undefined || iteration === undefined
          ? undefined
          : writeDurably(indexPath({ requestId, step, iteration, rerun, kind }), Buffer.from(ref)),
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

function keyed(key: Uint8Array, ...parts: readonly (string | Uint8Array)[]): string {
  const mac = createHmac('sha256', key)
  // Lengths first, so that no part can run over into the next.
  for (const part of parts) mac.update(`${Buffer.byteLength(part)}:`).update(part)
  return mac.digest('hex')
}

/** Times are left out, so that a resend finds what it stored before. */
function referenceOf(key: Uint8Array, { bytes, meta }: Artifact): string {
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

/** Temporary file, fsync, rename, fsync of the folder: whole and durable, or not there. */
async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const folder = dirname(path)
  const temporary = join(folder, `.${randomUUID()}.tmp`)
  try {
    await makeFolder(folder)
    await withFile(temporary, 'wx', async (file) => {
      await file.writeFile(bytes)
      await file.sync()
    })
    await rename(temporary, path)
    await syncFolder(folder)
  } catch (error) {
    await rm(temporary, { force: true })
    const code = codeOf(error)
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      throw new ArtifactError('STORAGE_FULL', 'no space left for artifacts', { cause: error })
    }
    throw error
  }
}

async function makeFolder(folder: string): Promise<void> {
  const created = await mkdir(folder, { recursive: true, mode: 0o700 })
  if (created !== undefined) await syncFolder(dirname(folder))
}

async function syncFolder(folder: string): Promise<void> {
  await withFile(folder, 'r', (handle) => handle.sync())
}

async function withFile(
  path: string,
  flags: 'r' | 'wx',
  work: (file: Awaited<ReturnType<typeof openFile>>) => Promise<void>,
): Promise<void> {
  const file = await openFile(path, flags, 0o600)
  try {
    await work(file)
  } finally {
    await file.close()
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
