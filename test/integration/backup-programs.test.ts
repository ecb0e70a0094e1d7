// The backup agent with real repositories of both generations of restic and of borg: what it says of a
// sound one, of one with a flipped byte, of one with somebody else's password, and that it leaves each as
// it was. Skipped by name where a program is not there.

import { createHash } from 'node:crypto'
import { closeSync, openSync, readdirSync, statSync, truncateSync, writeSync } from 'node:fs'
import { join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import {
  type Backuper,
  type BackupWorld,
  borgOf,
  openBackups,
  password,
  resticOf,
  stateOf,
} from '../support/backup-world.ts'
import type { InstalledName } from '../support/install-programs.ts'
import { type Installed, installed, installTimeoutMs } from '../support/installed.ts'

/** The largest data file of a repository, which holds the photo. */
function largest(repository: string): string {
  const files = readdirSync(join(repository, 'data'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
  return files.toSorted((one, other) => statSync(other).size - statSync(one).size)[0] ?? ''
}

function flipByte(file: string, at: number): void {
  const descriptor = openSync(file, 'r+')
  writeSync(descriptor, Buffer.from([0x5a, 0xa5]), 0, 2, at)
  closeSync(descriptor)
}

/** Bytes that no compression makes smaller; the same each time. */
function noise(length: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 64) }, (_, at) =>
    createHash('sha512').update(`${at}`).digest(),
  )
  return Buffer.concat(blocks).subarray(0, length)
}

/** For a busy machine. */
const waiting = { timeout: 20_000 }

const names: readonly (readonly [InstalledName, 'restic' | 'borg'])[] = [
  ['restic', 'restic'],
  ['restic-newer', 'restic'],
  ['borg', 'borg'],
]
const found = await Promise.all(
  names.map(async ([name, program]) => ({ name, program, real: await installed(name) })),
)
for (const { name, real } of found) {
  if ('missing' in real) it(name, (context) => context.skip(real.missing))
}
const usable = found.flatMap(({ name, program, real }) =>
  'missing' in real ? [] : [{ name, program, real }],
)

describe.each(usable)('$name', { timeout: installTimeoutMs }, ({ name, program, real }) => {
  let world: BackupWorld
  let maker: Backuper
  beforeAll(() => {
    console.info(`${name} ${real.version}`)
    world = openBackups({ [program]: real as Installed })
    maker = program === 'borg' ? borgOf(world, real) : resticOf(world, real)
    world.passwords = `# mine\nhome: ${password}\ndamaged: ${password}\nforeign: something else\n`
    world.put('album/photo.jpg', noise(1_500_000))
    world.put('notes/[odd] *name?.txt', 'kept')
    for (let n = 0; n < 30; n++) world.put(`letters/${n}.txt`, `letter ${n}`)
    for (const repository of ['home', 'damaged', 'foreign']) maker.init(repository)
    maker.backup('home')
    maker.backup('damaged')
    maker.backup('foreign')
    world.put('letters/0.txt', 'rewritten')
    world.put('new.txt', 'new')
    maker.backup('home')
    flipByte(largest(world.repository('damaged')), 200_000)
    world.now = Date.now()
  }, installTimeoutMs)
  afterAll(() => world.remove())

  it('says how old each repository is, and why one is not as it should be', async () => {
    const { ok, repositories } = await world.run('status', {})
    expect(ok).toBe(false)
    expect(repositories.map(({ repository, reason }) => [repository, reason])).toEqual([
      ['damaged', 'OK'],
      ['foreign', 'WRONG_PASSWORD'],
      ['home', 'OK'],
    ])
    expect(repositories[2]).toMatchObject({ ...{ program, ok: true, snapshots: 2 } })
    expect(repositories[2]?.ageHours).toBeCloseTo(0, 0)
    if (program === 'restic') expect(repositories[2]?.host).toBe('desk')
  })

  it('finds one too old when it is expected more often', async () => {
    world.now += 27 * 3_600_000
    const { repositories } = await world.run('status', { repositories: ['home'] })
    world.now -= 27 * 3_600_000
    expect(repositories).toMatchObject([{ ok: false, reason: 'TOO_OLD' }])
  })

  it('finds nothing wrong with a sound one, part by part', async () => {
    const metadata = await world.run('verify', { repository: 'home', mode: 'metadata' })
    expect(metadata).toMatchObject({ ok: true, part: null, damaged: [], version: real.version })
    const { ok, part } = await world.run('verify', { repository: 'home', of: 2 })
    expect(ok).toBe(true)
    expect(part?.of).toBe(2)
  })

  it('finds a flipped byte within a round of nightly checks, and names the file', async () => {
    const file = relative(world.repository('damaged'), largest(world.repository('damaged')))
    const of = 2
    const nights = []
    for (let night = 0; night < of; night++) {
      nights.push(await world.run('verify', { repository: 'damaged', of }))
      world.now += 24 * 3_600_000
    }
    world.now -= of * 24 * 3_600_000
    const bad = nights.filter(({ ok }) => !ok)
    expect(bad.length).toBe(program === 'borg' ? 2 : 1)
    expect(bad[0]?.damaged.map((one) => one.file)).toEqual([file])
    expect(bad[0]?.messages.join(' ')).not.toBe('')
    // And what of the person's is in it.
    expect(bad[0]?.damaged[0]?.holds.join(' ')).toContain('album/photo.jpg')
  })

  it('restores some files and compares their hashes', async () => {
    const result = await world.run('restore_test', { repository: 'home', sample: 3 })
    expect(result).toMatchObject({ ok: true, restored: 3, hashMatches: 3, failures: [] })
    expect(result.candidates).toBe(33)
    expect(readdirSync(join(world.folder, 'scratch'))).toEqual([])
    const again = await world.run('restore_test', { repository: 'home', sample: 3 })
    expect(again.files).toEqual(result.files)
    const other = await world.run('restore_test', { repository: 'home', sample: 3 }, 'two')
    expect(other.files).not.toEqual(result.files)
  })

  it('restores a file whose name looks like a pattern', async () => {
    const paths = [program === 'borg' ? 'notes' : '/notes']
    const result = await world.run('restore_test', { repository: 'home', paths })
    expect(result).toMatchObject({ candidates: 1, hashMatches: 1, failures: [] })
    expect(result.files[0]?.path).toMatch(/\[odd\] \*name\?\.txt$/)
  })

  it('says which files could not be restored', async () => {
    const paths = [program === 'borg' ? 'album/photo.jpg' : '/album/photo.jpg']
    const result = await world.run('restore_test', { repository: 'damaged', paths })
    expect(result).toMatchObject({ ok: false, hashMatches: 0 })
    expect(result.failures[0]?.reason).toBe('NOT_READABLE')
  })

  it('says what changed between the last two', async () => {
    const { examples, ...result } = await world.run('diff', { repository: 'home' })
    expect(result).toMatchObject({ filesBefore: 32, added: 1, removed: 0, changed: 1 })
    expect(result.suspicious).toEqual([])
    expect(examples.added.join()).toContain('new.txt')
    expect(examples.changed.join()).toContain('letters/0.txt')
  })

  it('shows how large they were', async () => {
    const { points, sparkline, growthBytes } = await world.run('trend', { repository: 'home' })
    expect(points).toHaveLength(2)
    expect(points[0]?.bytes).toBeGreaterThan(1_500_000)
    expect(growthBytes).toBe('rewritten'.length - 'letter 0'.length + 'new'.length)
    expect(sparkline).toBe('▁█')
  })

  it.each([
    ['verify', { repository: 'none' }, 'NOT_FOUND'],
    ['verify', { repository: 'foreign', mode: 'metadata' }, 'INVALID_INPUT'],
    ['restore_test', { repository: 'home', snapshot: 'nothing-of-that-name' }, 'NOT_FOUND'],
    ['diff', { repository: 'damaged' }, 'NOT_FOUND'],
  ] as const)('refuses %s of %j', async (action, args, code) => {
    await expect(world.run(action, args)).rejects.toMatchObject({ code, retry: 'final' })
  })

  it('leaves every repository as it was, without a lock', async () => {
    const before = stateOf(join(world.folder, 'repositories'))
    await world.run('status', {})
    await world.run('verify', { repository: 'home', of: 1 })
    await world.run('verify', { repository: 'damaged', mode: 'metadata' })
    await world.run('restore_test', { repository: 'home', sample: 1 })
    await world.run('trend', { repository: 'home' })
    expect(stateOf(join(world.folder, 'repositories'))).toEqual(before)
  })

  it('leaves no lock and no process when a check is interrupted', async () => {
    const before = stateOf(join(world.folder, 'repositories'))
    world.asked.length = 0
    const check = world.run('verify', { repository: 'home', of: 1 })
    await vi.waitFor(
      () =>
        expect(
          world.asked.some(({ args }) => args.includes(program === 'borg' ? 'extract' : 'check')),
        ).toBe(true),
      waiting,
    )
    world.stop.abort()
    await expect(check).rejects.toMatchObject({ code: 'CANCELLED' })
    world.stop = new AbortController()
    expect(stateOf(join(world.folder, 'repositories'))).toEqual(before)
    expect(readdirSync(join(world.folder, 'scratch'))).toEqual([])
  })

  it('never gives a password as an argument or a variable, and never asks to change anything', () => {
    for (const { args, env } of world.asked) {
      expect(JSON.stringify([args, env])).not.toContain(password)
      expect(args.join(' ')).not.toMatch(
        /\b(forget|prune|unlock|repair|delete|compact|break-lock)\b/,
      )
      const isLocked = args.includes('--no-lock') || args.includes('--bypass-lock')
      expect(isLocked || /version/.test(args.join(' '))).toBe(true)
    }
    expect(world.asked.length).toBeGreaterThan(0)
  })

  it('says of a repository that was cut short that it cannot be read', async () => {
    truncateSync(join(world.repository('damaged'), 'config'), 10)
    const listed = await world.run('status', {})
    const row = listed.repositories.find(({ repository }) => repository === 'damaged')
    // What borg's configuration was is no repository any more.
    expect(row?.reason).toBe(program === 'borg' ? undefined : 'UNREADABLE')
  })
})
