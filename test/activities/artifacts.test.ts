// The artifact store: durable, keyed, sealed, and honest about what it cannot open.

import { createCipheriv, hkdfSync } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  ArtifactError,
  type ArtifactMeta,
  type ArtifactStore,
  openArtifactStore,
} from '../../activities/artifacts.ts'
import { createDurableFiles } from '../../activities/durable-files.ts'
import { oneKey } from '../../temporal/payload-keys.ts'

const key = Buffer.alloc(32, 7)
const meta: ArtifactMeta = {
  kind: 'result',
  requestId: 'r1',
  step: 'read',
  iteration: 0,
  readers: ['user:owner'],
  resultHash: 'hash',
  salt: 'salt',
  createdAt: 1_700_000_000_000,
}
const secret = 'Dentist on Harley Street'

let folder: string
let store: ArtifactStore
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bulkhead-artifacts-'))
  store = await openArtifactStore({ folder, key, sealing: oneKey(key) })
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const files = async (under: string) =>
  (await readdir(join(folder, under), { recursive: true, withFileTypes: true })).filter((entry) =>
    entry.isFile(),
  )
const pathOf = (ref: string) => join(folder, 'objects', ref.slice(0, 2), ref)
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'no error',
    (error: unknown) => (error instanceof ArtifactError ? error.code : error),
  )

describe('storing', () => {
  it('gives back the bytes and what was said about them', async () => {
    const ref = await store.put(Buffer.from(secret), meta)
    const { bytes, meta: stored } = await store.get(ref)
    expect(Buffer.from(bytes).toString()).toBe(secret)
    expect(stored).toEqual(meta)
  })

  it('has the same reference for the same content, and another for other readers', async () => {
    const ref = await store.put(Buffer.from(secret), meta)
    expect(await store.put(Buffer.from(secret), { ...meta, createdAt: 5 })).toBe(ref)
    expect(await store.put(Buffer.from(secret), { ...meta, readers: [] })).not.toBe(ref)
    expect(await store.put(Buffer.from(`${secret}!`), meta)).not.toBe(ref)
  })

  it('makes the entry of what is there already durable: who stored it may not have come to it', async () => {
    const done: string[] = []
    const files = createDurableFiles()
    const told = (what: string, work: Promise<void>) => work.then(() => void done.push(what))
    const watched = await openArtifactStore({
      ...{ folder, key, sealing: oneKey(key) },
      files: {
        ...files,
        write: (path, bytes) => told('written', files.write(path, bytes)),
        confirm: (path) => told('confirmed', files.confirm(path)),
      },
    })
    const ref = await store.put(Buffer.from(secret), meta)
    expect(await watched.put(Buffer.from(secret), meta)).toBe(ref)
    // The artifact's entry, and its place in the index.
    expect(new Set(done)).toEqual(new Set(['confirmed', 'written']))
  })

  it('leaves no content, name or id in clear on the disk, and no temporary file', async () => {
    await store.put(Buffer.from(secret), meta)
    for (const { name, parentPath } of [...(await files('objects')), ...(await files('index'))]) {
      const bytes = await readFile(join(parentPath, name), 'latin1')
      expect(name).toMatch(/^[0-9a-f]{64}$/)
      for (const word of [secret, 'user:owner', 'r1', 'read']) expect(bytes).not.toContain(word)
    }
  })

  it('names files by the key, so that another deployment names them otherwise', async () => {
    const other = await mkdtemp(join(tmpdir(), 'bulkhead-artifacts-'))
    const second = await openArtifactStore({
      folder: other,
      key: Buffer.alloc(32, 8),
      sealing: oneKey(Buffer.alloc(32, 8)),
    })
    expect(await second.put(Buffer.from(secret), meta)).not.toBe(
      await store.put(Buffer.from(secret), meta),
    )
    await rm(other, { recursive: true })
  })
})

describe('reading', () => {
  it('refuses what is no reference before it reaches a path', async () => {
    await writeFile(join(folder, 'outside'), 'x')
    for (const ref of ['../outside', 'A'.repeat(64), '', 'a'.repeat(63), `${'a'.repeat(64)}\n`]) {
      expect(await codeOf(store.get(ref))).toBe('BAD_REFERENCE')
    }
  })

  it('tells a missing artifact from a damaged one', async () => {
    expect(await codeOf(store.get('a'.repeat(64)))).toBe('MISSING')
    const ref = await store.put(Buffer.from(secret), meta)
    const sealed = await readFile(pathOf(ref))
    for (const at of [0, 5, 40, sealed.length - 1]) {
      const damaged = Buffer.from(sealed)
      damaged[at] = (damaged[at] ?? 0) ^ 1
      await writeFile(pathOf(ref), damaged)
      expect(await codeOf(store.get(ref))).toBe('CORRUPT')
    }
    await writeFile(pathOf(ref), sealed.subarray(0, 10))
    expect(await codeOf(store.get(ref))).toBe('CORRUPT')
  })

  it('does not take the file of one artifact for another', async () => {
    const first = await store.put(Buffer.from('one'), meta)
    const second = await store.put(Buffer.from('two'), meta)
    await rename(pathOf(second), pathOf(first))
    expect(await codeOf(store.get(first))).toBe('CORRUPT')
  })

  it('hashes what it reads: even a genuine seal is no proof that the name is right', async () => {
    const ref = 'ab'.repeat(32)
    const head = Buffer.from(JSON.stringify(meta))
    const length = Buffer.alloc(4)
    length.writeUInt32BE(head.length)
    const seal = Buffer.from(hkdfSync('sha256', key, '', 'bulkhead-seal', 32))
    const iv = Buffer.alloc(12)
    const cipher = createCipheriv('aes-256-gcm', seal, iv).setAAD(Buffer.from(ref))
    const body = Buffer.concat([cipher.update(Buffer.concat([length, head])), cipher.final()])
    await mkdir(join(folder, 'objects', 'ab'))
    const sealed = Buffer.concat([Buffer.from([1]), iv, body, cipher.getAuthTag()])
    await writeFile(pathOf(ref), sealed)
    expect(await codeOf(store.get(ref))).toBe('CORRUPT')
  })

  it('cannot be opened with another key', async () => {
    const ref = await store.put(Buffer.from(secret), meta)
    const other = await openArtifactStore({
      folder,
      key: Buffer.alloc(32, 8),
      sealing: oneKey(Buffer.alloc(32, 8)),
    })
    expect(await codeOf(other.get(ref))).toBe('CORRUPT')
  })
})

describe('rotating the key that seals', () => {
  const former = oneKey(key)
  const latter = oneKey(Buffer.alloc(32, 11))
  const both = {
    current: latter.current,
    find: (id: string) => latter.find(id) ?? former.find(id),
  }

  it('opens what was sealed before, and seals with the new one', async () => {
    const old = await store.put(Buffer.from(secret), meta)
    const rotated = await openArtifactStore({ folder, key, sealing: both })
    expect(Buffer.from((await rotated.get(old)).bytes).toString()).toBe(secret)
    const fresh = await rotated.put(Buffer.from('fresh'), meta)
    expect((await readFile(pathOf(fresh))).subarray(1, 9).toString('hex')).toBe(latter.current().id)
    expect(await codeOf(store.get(fresh))).toBe('CORRUPT')
  })

  it('keeps every name, so that a resend finds what it stored before', async () => {
    const ref = await store.put(Buffer.from(secret), meta)
    const rotated = await openArtifactStore({ folder, key, sealing: both })
    expect(await rotated.put(Buffer.from(secret), meta)).toBe(ref)
  })

  it('does not open what names another key than the one that sealed it', async () => {
    const ref = await store.put(Buffer.from(secret), meta)
    const sealed = await readFile(pathOf(ref))
    sealed.write(latter.current().id, 1, 'hex')
    await writeFile(pathOf(ref), sealed)
    const rotated = await openArtifactStore({ folder, key, sealing: both })
    expect(await codeOf(rotated.get(ref))).toBe('CORRUPT')
  })
})

describe('finding', () => {
  const address = { requestId: 'r1', step: 'read', iteration: 0, kind: 'result' } as const

  it('finds the newest artifact of a step, and nothing for another step', async () => {
    await store.put(Buffer.from('one'), meta)
    const ref = await store.put(Buffer.from('two'), meta)
    expect((await store.find(address))?.ref).toBe(ref)
    expect(await store.find({ ...address, iteration: 1 })).toBeUndefined()
    expect(await store.find({ ...address, kind: 'undo-result' })).toBeUndefined()
  })

  it('keeps what it found after a restart', async () => {
    const ref = await store.put(Buffer.from(secret), meta)
    const again = await openArtifactStore({ folder, key, sealing: oneKey(key) })
    expect((await again.find(address))?.ref).toBe(ref)
  })

  it('refuses an index that names an artifact of another step', async () => {
    await store.put(Buffer.from(secret), meta)
    const [entry] = await files('index')
    const ref = await store.put(Buffer.from('x'), { ...meta, step: 'other' })
    await writeFile(join(entry?.parentPath ?? '', entry?.name ?? ''), ref)
    expect(await codeOf(store.find(address))).toBe('CORRUPT')
  })
})
