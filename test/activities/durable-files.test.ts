// What a promise of the durable files stands for: which syncs were over when it resolved. The disk is
// held still, so that the test decides when a sync ends.

import { fstatSync, mkdirSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createDurableFiles } from '../../activities/durable-files.ts'

interface HeldSync {
  readonly of: 'file' | 'folder'
  readonly end: (error?: Error) => void
}

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bulkhead-durable-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** Files whose syncs end when the test says so, in a folder that is known to be durable. */
async function heldFiles() {
  const held: HeldSync[] = []
  const files = createDurableFiles(
    (handle) =>
      new Promise((resolve, reject) => {
        const of = fstatSync(handle).isDirectory() ? 'folder' : 'file'
        held.push({ of, end: (error) => (error === undefined ? resolve() : reject(error)) })
      }),
  )
  const shard = join(folder, 'ab')
  const made = files.makeFolder(shard)
  await nextTurn()
  held.splice(0).forEach((sync) => {
    sync.end()
  })
  await made
  const settled: string[] = []
  const write = (name: string) => {
    const done = files.write(join(shard, name), Buffer.from(name))
    done.then(
      () => settled.push(name),
      () => settled.push(`${name} failed`),
    )
    return done
  }
  return { held, settled, write, quiet: nextTurn, shard, files }
}

/** By then, everything that can go on without a sync has gone on. */
const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

/** A second file is written and named while the folder is being synced for the first one. */
async function overtaken() {
  const files = await heldFiles()
  const { held, write, quiet } = files
  const first = write('one')
  await quiet()
  held[0]?.end()
  await quiet()
  const second = write('two')
  await quiet()
  held[2]?.end()
  await quiet()
  return { ...files, first, second }
}

it('resolves no write before the sync of the file and then of its folder', async () => {
  const { held, settled, write, quiet, shard } = await heldFiles()
  const done = write('one')
  await quiet()
  expect(held.map(({ of }) => of)).toEqual(['file'])
  expect(await readdir(shard)).not.toContain('one')
  held[0]?.end()
  await quiet()
  expect(held.map(({ of }) => of)).toEqual(['file', 'folder'])
  expect(settled).toEqual([])
  held[1]?.end()
  await done
  expect(await readFile(join(shard, 'one'), 'utf8')).toBe('one')
})

it('has one sync of the folder for all that were named before it began', async () => {
  const { held, settled, write, quiet } = await heldFiles()
  const both = [write('one'), write('two')]
  await quiet()
  for (const sync of held) sync.end()
  await quiet()
  expect(held.map(({ of }) => of)).toEqual(['file', 'file', 'folder'])
  expect(settled).toEqual([])
  held[2]?.end()
  await Promise.all(both)
})

it('has who comes during a sync of the folder wait for the next one', async () => {
  const { held, settled, quiet, first, second } = await overtaken()
  // The sync under way may have passed over the second name.
  expect(held.map(({ of }) => of)).toEqual(['file', 'folder', 'file'])
  held[1]?.end()
  await first
  await quiet()
  expect(settled).toEqual(['one'])
  expect(held.map(({ of }) => of)).toEqual(['file', 'folder', 'file', 'folder'])
  held[3]?.end()
  await second
})

it('fails those whom a sync failed, and nobody after them', async () => {
  const { held, settled, quiet, first, second } = await overtaken()
  held[1]?.end(new Error('disk'))
  await expect(first).rejects.toThrow('disk')
  await quiet()
  held[3]?.end()
  await second
  expect(settled).toEqual(['one failed', 'two'])
})

it('leaves no temporary file when the file cannot be synced', async () => {
  const { held, write, quiet, shard } = await heldFiles()
  const done = write('one')
  await quiet()
  held[0]?.end(new Error('disk'))
  await expect(done).rejects.toThrow('disk')
  expect(await readdir(shard)).toEqual([])
})

it('relies on no folder whose own entry is still being synced', async () => {
  const { held, settled, quiet, files } = await heldFiles()
  const shard = join(folder, 'cd')
  const path = (name: string) => join(shard, name)
  const both = ['one', 'two'].map(async (name) => {
    await files.write(path(name), Buffer.from(name))
    settled.push(name)
  })
  await quiet()
  expect(held.map(({ of }) => of)).toEqual(['folder'])
  expect(await readdir(shard)).toEqual([])
  for (let ended = 0; settled.length < 2; ended += 1) {
    held[ended]?.end()
    await quiet()
  }
  await Promise.all(both)
})

it('confirms a name by a sync of its own, because who gave it may not have come to that', async () => {
  const { held, quiet, files, shard } = await heldFiles()
  mkdirSync(join(shard, 'there'))
  const done = files.confirm(join(shard, 'there'))
  await quiet()
  expect(held.map(({ of }) => of)).toEqual(['folder'])
  held[0]?.end()
  await done
})
