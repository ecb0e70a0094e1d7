import {
  chownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { folderFor, give, giveTree, type Owner, writeFor } from '../../supervisor/ownership.ts'

let base: string
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'bulkhead-owner-'))
})
afterEach(() => {
  rmSync(base, { recursive: true, force: true })
})

const facts = (path: string) => {
  const { uid, gid, mode } = statSync(path)
  return { uid, gid, mode: (mode & 0o7777).toString(8) }
}
const mine = { uid: process.getuid?.() ?? -1, gid: process.getgid?.() ?? -1 }

describe('with one user for all', () => {
  it('writes with the mode asked for and gives nothing away', () => {
    const folder = join(base, 'folder')
    folderFor(undefined, folder)
    const file = join(folder, 'file')
    writeFor(undefined, file, 'old', 0o600)
    writeFor(undefined, file, 'new', 0o400)
    give(file, undefined)
    giveTree(base, undefined, { isOurs: () => true })
    expect(readFileSync(file, 'utf8')).toBe('new')
    expect(facts(folder)).toEqual({ ...mine, mode: '700' })
    expect(facts(file)).toEqual({ ...mine, mode: '400' })
  })
})

const isRoot = mine.uid === 0
if (!isRoot) console.warn('skipped: giving files to other users needs root')

describe.skipIf(!isRoot)('as root', () => {
  const owner: Owner = { uid: 41_001, gid: 41_002 }

  it('keeps what it writes for a party, readable by that party alone', () => {
    const folder = join(base, 'folder')
    folderFor(owner, folder)
    const file = join(folder, 'file')
    writeFor(owner, file, 'x', 0o400)
    expect(facts(folder)).toEqual({ uid: 0, gid: 41_002, mode: '2750' })
    expect(facts(file)).toEqual({ uid: 0, gid: 41_002, mode: '440' })
  })

  it('gives what is root’s, and neither links’ targets nor files with a second name', () => {
    const elsewhere = join(base, 'elsewhere')
    const tree = join(base, 'tree')
    mkdirSync(join(tree, 'deep'), { recursive: true })
    for (const path of [elsewhere, join(tree, 'kept'), join(tree, 'deep', 'file')]) {
      writeFileSync(path, '')
    }
    symlinkSync(elsewhere, join(tree, 'link'))
    linkSync(elsewhere, join(tree, 'second'))
    const foreign = join(tree, 'foreign')
    writeFileSync(foreign, '')
    chownSync(foreign, 41_004, 41_004)
    giveTree(tree, owner, { isOurs: (uid) => uid === 0, keep: (name) => name === 'kept' })
    expect(facts(join(tree, 'deep'))).toMatchObject(owner)
    expect(facts(join(tree, 'deep', 'file'))).toMatchObject(owner)
    expect(facts(elsewhere)).toMatchObject({ uid: 0, gid: 0 })
    expect(facts(foreign)).toMatchObject({ uid: 41_004, gid: 41_004 })
    expect(facts(join(tree, 'kept'))).toMatchObject({ uid: 0, gid: 0 })
  })
})
