// What the command keeps on the disk: nothing half, nothing beside it, and no name that a loss of power takes.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { keepFile, keepFolder } from '../../cli/kept-file.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-kept-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('a kept file', () => {
  it('takes the place of the one before, for its owner alone', () => {
    const file = join(folder, 'a', 'b', 'file')
    keepFile(file, 'one')
    keepFile(file, 'two')
    expect(readFileSync(file, 'utf8')).toBe('two')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readdirSync(join(folder, 'a', 'b'))).toEqual(['file'])
  })

  it('that cannot be kept leaves nothing beside it', () => {
    const taken = join(folder, 'taken')
    mkdirSync(join(taken, 'by-another'), { recursive: true })
    expect(() => keepFile(taken, 'content')).toThrow()
    expect(readdirSync(folder)).toEqual(['taken'])
  })
})

describe('a kept folder', () => {
  const syncedFor = (...path: readonly string[]) => {
    const synced: string[] = []
    keepFolder(join(folder, ...path), (one) => synced.push(one))
    return synced
  }

  it('has the name of each folder that was made put on the disk, and of no other', () => {
    expect(syncedFor('a', 'b', 'c')).toEqual([join(folder, 'a', 'b'), join(folder, 'a'), folder])
    expect(syncedFor('a', 'b', 'd')).toEqual([join(folder, 'a', 'b')])
    expect(syncedFor('a', 'b', 'd')).toEqual([])
    expect(statSync(join(folder, 'a', 'b')).mode & 0o777).toBe(0o700)
  })
})
