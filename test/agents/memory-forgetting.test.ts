// Forgetting destroys the key, whatever happens meanwhile: kills between the two files, a second process, a
// full disk, a damaged row. Half an entry never counts, and what was forgotten is in no byte that is left.

import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Entry, idOf, openEntry, sealEntry } from '../../agents/memory/entry.ts'
import { openMemory } from '../../agents/memory/memory.ts'
import { failureOf, idemOf } from './action-context.ts'
import { createMemoryFolder, dayMs, keysIn, type MemoryFolder, now } from './memory-folder.ts'

const text = 'The cellar key hangs in the hall.'
const entryOf = (more: Partial<Entry> = {}): Entry => ({
  ...{ kind: 'fact', text, label: 'UNTRUSTED', source: null, remembered: now, expires: null },
  ...more,
})

let memory: MemoryFolder
let scratch: string
beforeEach(() => {
  memory = createMemoryFolder()
  scratch = mkdtempSync(join(tmpdir(), 'bulkhead-memory-copy-'))
})
afterEach(() => {
  memory.remove()
  rmSync(scratch, { recursive: true, force: true })
})

const copy = (name: string): string => {
  const to = join(scratch, name)
  cpSync(memory.folder, to, { recursive: true })
  return to
}
const sealedIn = (folder: string): ReadonlyMap<string, Uint8Array> => {
  const database = new DatabaseSync(join(folder, 'memory.db'))
  try {
    const rows = database.prepare('SELECT id, sealed FROM entries').all()
    return new Map(rows.map(({ id, sealed }) => [String(id), sealed as Uint8Array]))
  } finally {
    database.close()
  }
}
const readIn = (folder: string, at = now) =>
  openMemory(folder).look(at, ({ words }) => words.all().map(({ entry }) => entry.text))

describe('the files', () => {
  it('hold neither text nor source in clear, and a key of its own for each entry', async () => {
    const { id } = await memory.remember(text, { source: 'a neighbour' })
    const other = await memory.remember(text)
    for (const word of [text, 'cellar', 'neighbour'])
      expect(memory.raw().includes(word)).toBe(false)
    const [keys, sealed] = [keysIn(memory.folder), sealedIn(memory.folder)]
    expect(keys.size).toBe(2)
    expect(keys.get(id)?.equals(keys.get(other.id) ?? Buffer.alloc(0))).toBe(false)
    const bytes = sealed.get(id) ?? new Uint8Array()
    const open = (asId: string, key: Uint8Array = keys.get(id) ?? new Uint8Array(32)) =>
      openEntry(asId, { key, sealed: bytes })?.text
    expect(open(id)).toBe(text)
    expect(open(other.id)).toBeUndefined()
    expect(open(id, keys.get(other.id))).toBeUndefined()
  })

  it('lose the key with forgetting, also for a copy of the entries made before', async () => {
    const { id } = await memory.remember(text)
    const before = copy('before')
    const key = keysIn(before).get(id) ?? Buffer.alloc(0)
    expect(memory.raw().includes(key)).toBe(true)
    await memory.call('forget', { id })
    expect(memory.raw().includes(key)).toBe(false)
    // As a backup without keys.db is put back.
    cpSync(join(before, 'memory.db'), join(memory.folder, 'memory.db'))
    expect(readIn(memory.folder)).toEqual([])
    expect(sealedIn(memory.folder).size).toBe(0)
    // With the key of that day it opens still: that is what leaving keys.db out of backups is for.
    expect(readIn(before)).toEqual([text])
  })

  it('lose each key of many that are forgotten or expire, and none of the others', async () => {
    const one = openMemory(memory.folder)
    const ids = Array.from({ length: 160 }, (_, index) => idOf(`entry ${index}`))
    for (const [index, id] of ids.entries()) {
      const expires = index % 5 === 0 ? now + dayMs : null
      one.remember(id, { entry: entryOf({ text: `number ${index}`, expires }), dryRun: false })
    }
    const keys = keysIn(copy('before'))
    for (const id of ids.filter((_, index) => index % 3 === 0)) {
      one.forget(id, { by: idOf('me'), now, dryRun: false })
    }
    const left = ids.filter((_, index) => index % 3 !== 0 && index % 5 !== 0)
    expect(one.look(now + 2 * dayMs, ({ words }) => words.size)).toBe(left.length)
    const raw = memory.raw()
    const found = ids.filter((id) => raw.includes(keys.get(id) ?? ''))
    expect(keys.size).toBe(160)
    expect(found).toEqual(left)
  }, 180_000)
})

describe('a process killed between the two files', () => {
  const killed = (command: 'remember' | 'forget', idem: string, point: string) => {
    const program = join(import.meta.dirname, '..', 'support', 'forgetting-memory.ts')
    const words = [program, memory.folder, command, idem, point]
    return spawnSync(process.execPath, words, { encoding: 'utf8' })
  }

  it('with a key and no entry has remembered nothing, and may do so again', async () => {
    await memory.remember('Something else.')
    expect(killed('remember', 'k', 'key-written').signal).toBe('SIGKILL')
    expect(keysIn(copy('after')).size).toBe(2)
    expect(readIn(memory.folder)).toEqual(['Something else.'])
    expect(keysIn(copy('swept')).size).toBe(1)
    const one = openMemory(memory.folder)
    expect(killed('remember', 'k', 'key-written').signal).toBe('SIGKILL')
    one.remember(idOf('k'), { entry: entryOf(), dryRun: false })
    expect(readIn(memory.folder)).toEqual(['Something else.', text])
    expect(keysIn(copy('again')).size).toBe(2)
  })

  it('with an entry and no key has forgotten, and says so when it is asked again', async () => {
    const one = openMemory(memory.folder)
    one.remember(idOf('k'), { entry: entryOf(), dryRun: false })
    one.remember(idOf('other'), { entry: entryOf({ text: 'Something else.' }), dryRun: false })
    const before = copy('before')
    expect(killed('forget', 'k', 'key-destroyed').signal).toBe('SIGKILL')
    const key = keysIn(before).get(idOf('k')) ?? ''
    expect([memory.raw().includes(key), sealedIn(copy('after')).size]).toEqual([false, 2])
    // A process that has had it in memory all the while.
    expect(one.look(now, ({ words }) => words.all().map(({ entry }) => entry.text))).toEqual([
      'Something else.',
    ])
    const again = { by: idOf('killed'), now, dryRun: false }
    expect(openMemory(memory.folder).forget(idOf('k'), again)).toMatchObject({
      ...{ there: true, before: 2, after: 1 },
    })
    expect(sealedIn(memory.folder).size).toBe(1)
  })

  it('before any of it has done nothing', () => {
    const { status } = killed('remember', 'k', 'no such point')
    expect([status, readIn(memory.folder)]).toEqual([3, [text]])
  })
})

describe('two processes', () => {
  it('see what the other remembers, and nothing that it has forgotten', () => {
    const [one, other] = [openMemory(memory.folder), openMemory(memory.folder)]
    const seen = (of: typeof one) => of.look(now, ({ words }) => words.size)
    expect([seen(one), seen(other)]).toEqual([0, 0])
    one.remember(idOf('k'), { entry: entryOf(), dryRun: false })
    expect(seen(other)).toBe(1)
    other.forget(idOf('k'), { by: idOf('other'), now, dryRun: false })
    expect(one.look(now, ({ words }) => [words.get(idOf('k')), words.size])).toEqual([undefined, 0])
    const found = one.look(now, ({ words }) =>
      words.search({ query: 'cellar', kinds: undefined, limit: 9 }),
    )
    expect(found.count).toBe(0)
  })

  it('write one entry for one effect', () => {
    const [one, other] = [openMemory(memory.folder), openMemory(memory.folder)]
    one.remember(idOf('k'), { entry: entryOf(), dryRun: false })
    const second = other.remember(idOf('k'), { entry: entryOf({ text: 'later' }), dryRun: false })
    expect([second.entry.text, second.entries]).toEqual([text, 0])
  })
})

describe('a memory that is full', () => {
  it.each([{ mostEntries: 2 }, { mostBytes: 2 * text.length }])(
    'takes no more, but what it has already, and has room after forgetting: %j',
    (bounds) => {
      const one = openMemory(memory.folder, bounds)
      const remember = (idem: string) =>
        one.remember(idOf(idem), { entry: entryOf(), dryRun: false }).entries
      expect([remember('a'), remember('b'), remember('a')]).toEqual([0, 1, 1])
      expect(() => remember('c')).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }))
      expect(keysIn(copy('refused')).size).toBe(2)
      one.forget(idOf('a'), { by: idOf('me'), now, dryRun: false })
      expect(remember('c')).toBe(1)
    },
  )

  const script = 'mount -t tmpfs -o size="$4" tmpfs "$1" && exec "$2" "$3" "$1"'
  const namespaces = spawnSync('unshare', ['-rm', 'true'])
  if (namespaces.status !== 0) console.log('skipped: a full disk (no user namespaces here)')
  it.skipIf(namespaces.status !== 0).each(['300k', '312k', '324k'])(
    'because its disk of %s is, says so and loses nothing',
    (size) => {
      const program = join(import.meta.dirname, '..', 'support', 'full-memory.ts')
      const args = ['-rm', 'sh', '-c', script, 'sh', scratch, process.execPath, program, size]
      const { stdout, stderr } = spawnSync('unshare', args, { encoding: 'utf8' })
      expect(stderr).toBe('')
      const { whileFull, ...told } = JSON.parse(stdout)
      expect(['done', 'STORAGE_FULL absent']).toContain(whileFull)
      expect(told).toEqual({
        ...{ kept: true, refusal: 'STORAGE_FULL absent', isWhole: true },
        ...{ withRoom: ['done', 'done'], isRight: true },
      })
    },
    180_000,
  )
})

describe('what was forgotten', () => {
  it('is not brought back by the command that had remembered it', async () => {
    const { id, idem } = await memory.remember(text)
    await memory.call('forget', { id })
    const again = memory.call('remember', { text }, { idem })
    expect((await failureOf(again)).code).toBe('CONFLICT')
    expect(await memory.texts()).toEqual([])
  })

  it('is told to the same command as before, and to another that it is not there', async () => {
    const { id } = await memory.remember(text)
    const first = await memory.call('forget', { id }, { idem: 'forget' })
    const files = memory.raw()
    expect(await memory.call('forget', { id }, { idem: 'forget' })).toEqual(first)
    expect(memory.raw().equals(files)).toBe(true)
    expect((await failureOf(memory.call('forget', { id }))).code).toBe('NOT_FOUND')
    expect((await memory.call('retract', { entry: idemOf('x') })).outcome).toBe('not-there')
  })
})

describe('a damaged memory', () => {
  it('names the entry that cannot be read, serves the others, and can forget it', async () => {
    const { id } = await memory.remember(text)
    await memory.remember('Something else.')
    const database = new DatabaseSync(join(memory.folder, 'memory.db'))
    const { sealed } = sealEntry(id, entryOf())
    database.prepare('UPDATE entries SET sealed = ? WHERE id = ?').run(sealed, id)
    database.exec('UPDATE meta SET changes = changes + 1')
    database.close()
    // As after a new start.
    const damaged = openMemory(memory.folder).look(now, (seen) => seen.damaged)
    expect(damaged).toEqual([id])
    const moved = createMemoryFolder()
    cpSync(memory.folder, moved.folder, { recursive: true })
    try {
      expect(await moved.call('list', {})).toMatchObject({ count: 1, damaged: [id] })
      expect((await failureOf(moved.call('show', { id }))).code).toBe('CORRUPT_DATA')
      expect((await moved.call('recall', { query: 'something' })).count).toBe(1)
      await moved.call('forget', { id })
      expect((await moved.call('list', {})).damaged).toEqual([])
    } finally {
      moved.remove()
    }
  })

  it.each(['memory.db', 'keys.db'])(
    'without its %s refuses, and sweeps nothing away',
    async (name) => {
      await memory.remember(text)
      const file = join(memory.folder, name)
      const kept = readFileSync(file)
      rmSync(file)
      const bare = copy('bare')
      const fresh = openMemory(bare)
      expect(() => fresh.look(now, () => 0)).toThrow(/without its/)
      expect(() => fresh.remember(idOf('x'), { entry: entryOf(), dryRun: false })).toThrow(
        /without its/,
      )
      writeFileSync(join(bare, name), kept)
      expect(readIn(bare)).toEqual([text])
    },
  )

  it('with the keys of another one refuses', async () => {
    await memory.remember(text)
    const other = join(scratch, 'other')
    cpSync(memory.folder, other, { recursive: true })
    rmSync(join(other, 'memory.db'))
    rmSync(join(other, 'keys.db'))
    openMemory(other).remember(idOf('x'), { entry: entryOf(), dryRun: false })
    cpSync(join(other, 'keys.db'), join(memory.folder, 'keys.db'))
    expect(() => openMemory(memory.folder).look(now, () => 0)).toThrow(/without its/)
    expect(sealedIn(memory.folder).size).toBe(1)
  })

  it('that is no database is said to be damaged, and left as it is', async () => {
    await memory.remember(text)
    const bad = copy('bad')
    writeFileSync(join(bad, 'memory.db'), 'not a database, '.repeat(1_000))
    expect(() => openMemory(bad).look(now, () => 0)).toThrow(/damaged/)
    expect(existsSync(join(bad, 'keys.db'))).toBe(true)
  })
})
