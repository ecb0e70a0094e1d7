import {
  chmodSync,
  chownSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  createOnce,
  ensureFolder,
  readIfPresent,
  replaceFile,
} from '../../security/pki/state-files.ts'

const isRoot = process.getuid?.() === 0
if (!isRoot) console.warn('skipped: giving a folder to another group needs root')

describe.skipIf(!isRoot)('files in a folder that was given to one party', () => {
  const gid = 41_003
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'bulkhead-files-'))
    chownSync(folder, 0, gid)
    chmodSync(folder, 0o3770)
  })
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  const facts = (path: string) => {
    const found = statSync(path)
    return { uid: found.uid, gid: found.gid, mode: (found.mode & 0o7777).toString(8) }
  }

  it('can be read by that party, and changed by root alone', async () => {
    await ensureFolder(join(folder, 'bus'))
    await createOnce(join(folder, 'bus', 'key'), () => 'x')
    await replaceFile(join(folder, 'bus', 'derived'), 'x')
    await ensureFolder(folder)
    expect(facts(folder)).toEqual({ uid: 0, gid, mode: '3770' })
    expect(facts(join(folder, 'bus'))).toEqual({ uid: 0, gid, mode: '2750' })
    expect(facts(join(folder, 'bus', 'key'))).toEqual({ uid: 0, gid, mode: '640' })
    expect(facts(join(folder, 'bus', 'derived'))).toEqual({ uid: 0, gid, mode: '640' })
  })

  it('are closed to everybody else when they were opened', async () => {
    const file = join(folder, 'key')
    await createOnce(file, () => 'x')
    chmodSync(file, 0o666)
    await readIfPresent(file)
    expect(facts(file).mode).toBe('640')
    chmodSync(folder, 0o3777)
    await ensureFolder(folder)
    expect(facts(folder).mode).toBe('3770')
  })
})

it('is not led to somebody else’s file by a link', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-link-'))
  try {
    const target = join(folder, 'target')
    writeFileSync(target, 'x', { mode: 0o644 })
    symlinkSync(target, join(folder, 'key'))
    await expect(readIfPresent(join(folder, 'key'))).rejects.toMatchObject({ code: 'ELOOP' })
    await expect(createOnce(join(folder, 'key'), () => 'y')).rejects.toMatchObject({
      code: 'ELOOP',
    })
    expect((statSync(target).mode & 0o777).toString(8)).toBe('644')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
