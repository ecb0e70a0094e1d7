// Which files a configured program comes to, and which are refused before a sandbox is made: read off
// files that are made here, none of which is ever run.

import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { foldersOfProgram, resolveProgram } from '../../supervisor/sandbox/programs.ts'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'bulkhead-resolve-')))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function put(name: string, content: string | Buffer = '', mode = 0o755): string {
  const file = join(folder, name)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, content)
  chmodSync(file, mode)
  return file
}

const resolve = (kind: 'elf' | 'python', file: string) =>
  resolveProgram({ name: 'tool', kind, from: { config: 'a.tool' } }, file)

/** A header of elf(5) and nothing behind it: a static program. */
function elf(change: (header: Buffer) => void = () => undefined): Buffer {
  const header = Buffer.alloc(64)
  header.writeUInt32BE(0x7f454c46, 0)
  header.set([2, 1], 4)
  header.writeUInt16LE(process.arch === 'arm64' ? 183 : 62, 18)
  header.writeUInt16LE(56, 54)
  change(header)
  return header
}

function pointTo(header: Buffer, table: bigint): void {
  header.writeBigUInt64LE(table, 32)
  header.writeUInt16LE(1, 56)
}

/** A program header of elf(5) for sixteen bytes of the file. */
function headerOf(type: number, offset: bigint): Buffer {
  const entry = Buffer.alloc(56)
  entry.writeUInt32LE(type, 0)
  entry.writeBigUInt64LE(offset, 8)
  entry.writeBigUInt64LE(16n, 32)
  return entry
}

describe('a native program', () => {
  it('that needs nothing is one file', async () => {
    const file = put('static', elf())
    const { command, mounts } = await resolve('elf', file)
    expect(command).toEqual(['/programs/tool/run'])
    expect(mounts).toEqual([
      { source: file, at: '/programs/tool/run', kind: 'file', mode: 'ro', exec: true },
    ])
  })

  it('brings its loader and its libraries, all of them read-only', async () => {
    const { mounts, env } = await resolve('elf', process.execPath)
    const places = mounts.map(({ at }) => at)
    expect(places.filter((at) => at.startsWith('/programs/tool/lib/libc.so'))).toHaveLength(1)
    expect(places.filter((at) => !at.startsWith('/programs/tool/'))).toEqual([
      expect.stringMatching(/^\/lib(64)?\/.*ld-[^/]*\.so/),
    ])
    expect(mounts.every(({ mode }) => mode === 'ro')).toBe(true)
    expect(env).toMatchObject({ LD_LIBRARY_PATH: '/programs/tool/lib' })
  })

  it('brings the data of one language, so that it can read more than ASCII, and nothing to execute there', async () => {
    const { mounts, env } = await resolve('elf', process.execPath)
    expect(env).toMatchObject({ LANG: 'C.UTF-8', LOCPATH: '/programs/tool/locale' })
    const language = mounts.filter(({ at }) => at.startsWith('/programs/tool/locale/'))
    expect(language).toMatchObject([
      { at: '/programs/tool/locale/C.utf8', mode: 'ro', exec: false },
    ])
  })

  it('is the one behind a link', async () => {
    const file = put('real', elf())
    symlinkSync(file, join(folder, 'link'))
    expect((await resolve('elf', join(folder, 'link'))).mounts[0]?.source).toBe(file)
  })

  it.each([
    ['a relative path', () => 'tool', 'not an absolute path'],
    ['nothing', () => join(folder, 'none'), 'is not a program'],
    ['a folder', () => folder, 'is not a program'],
    ['a file without the right to execute', () => put('data', elf(), 0o644), 'is not a program'],
    ['a script', () => put('script', '#!/bin/sh\n'), 'no native program'],
    ['an empty file', () => put('empty'), 'no native program'],
    [
      'a program of another machine',
      () =>
        put(
          'm',
          elf((h) => h.writeUInt16LE(8, 18)),
        ),
      'no native',
    ],
    [
      'a program of 32 bits',
      () =>
        put(
          'b',
          elf((h) => h.set([1], 4)),
        ),
      'no native program',
    ],
    [
      'a table of headers beyond its end',
      () =>
        put(
          't',
          elf((h) => h.writeUInt16LE(9, 56)),
        ),
      'no native program',
    ],
    [
      'a table of headers where no file reaches',
      () =>
        put(
          'f',
          elf((h) => pointTo(h, 2n ** 64n - 1n)),
        ),
      'no native program',
    ],
    [
      'one whose loader has no path',
      () => put('l', Buffer.concat([elf((h) => pointTo(h, 64n)), headerOf(3, 2n ** 64n - 1n)])),
      'no native program',
    ],
    [
      'more headers than any program has',
      () =>
        put(
          'n',
          elf((h) => h.writeUInt16LE(65_535, 56)),
        ),
      'no native program',
    ],
  ])('is not %s', async (_what, file, message) => {
    await expect(resolve('elf', file())).rejects.toMatchObject({
      code: 'NOT_CONFIGURED',
      message: expect.stringContaining(message),
    })
  })
})

describe('a program in Python', () => {
  const interpreter = put('py/bin/python3.11', elf())
  put('py/lib/python3.11/os.py')
  put('py/lib/python3/dist-packages/tool.py')
  mkdirSync(join(folder, 'venv/bin'), { recursive: true })
  symlinkSync(interpreter, join(folder, 'venv/bin/python'))
  put('venv/pyvenv.cfg', 'home = /usr/bin\ninclude-system-site-packages = false\n')
  put('venv/lib/python3.11/site-packages/tool.py')

  it('brings its interpreter, the standard library and the packages', async () => {
    const { command, env, mounts } = await resolve('python', put('tool', `#!${interpreter}\n`))
    expect(command).toEqual(['/programs/tool/python', '-s', '-S', '-B', '/programs/tool/run'])
    expect(env).toMatchObject({
      PYTHONHOME: '/programs/tool/home',
      PYTHONPATH: '/programs/tool/site/0',
    })
    const of = (at: string) => mounts.find((mount) => mount.at === at)
    expect(of('/programs/tool/run')).toMatchObject({ exec: false, mode: 'ro' })
    expect(of('/programs/tool/home/lib/python3.11')?.source).toBe(join(folder, 'py/lib/python3.11'))
    expect(of('/programs/tool/site/0')?.source).toBe(join(folder, 'py/lib/python3/dist-packages'))
    expect(mounts.every(({ at, mode }) => at.startsWith('/programs/tool/') && mode === 'ro')).toBe(
      true,
    )
  })

  it('in a virtual environment brings that one alone', async () => {
    const script = put('venv/bin/tool', `#!${join(folder, 'venv/bin/python')}\n`)
    const { mounts } = await resolve('python', script)
    const sites = mounts.filter(({ at }) => at.startsWith('/programs/tool/site/'))
    expect(sites.map(({ source }) => source)).toEqual([
      join(folder, 'venv/lib/python3.11/site-packages'),
    ])
  })

  it.each([
    ['#!/usr/bin/env python3\n', 'is not Python 3'],
    ['#!/nonexistent/python3\n', 'is not there'],
    ['import sys\n', 'does not begin with'],
    [`#!${process.execPath}\n`, 'is not Python 3'],
    ['', 'does not begin with'],
  ])('is not %j', async (content, message) => {
    await expect(resolve('python', put('bad', content))).rejects.toMatchObject({
      code: 'NOT_CONFIGURED',
      message: expect.stringContaining(message),
    })
  })

  it('lies in these folders, and what is not there in none', () => {
    expect(foldersOfProgram(put('tool', `#!${interpreter}\n`))).toEqual([
      folder,
      ...['py/bin', 'py/lib/python3.11', 'py/lib/python3/dist-packages'].map((at) =>
        join(folder, at),
      ),
    ])
    for (const none of [undefined, 'tool', join(folder, 'none')]) {
      expect(foldersOfProgram(none)).toEqual([])
    }
  })
})
