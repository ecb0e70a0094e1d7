// A kept history or release that is recorded again stands for nothing any more, and every test that
// replays it still passes: so whether they are as they were is a test of its own.

import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { findChanges, keptFolders, parseList, readKept, testFolder } from './support/kept-files.ts'

const root = join(testFolder, '..')
const hasHistory = existsSync(join(root, '.git'))
if (!hasHistory) console.warn('skipped: whether kept files ever changed (no repository here)')

const git = (...args: readonly string[]): string =>
  execFileSync('git', args, { cwd: root, encoding: 'utf8' })

describe('kept files', () => {
  it('are those of the list, as they were when they were kept', () => {
    const { listed, found } = readKept()
    expect(found.size).toBeGreaterThan(0)
    expect(findChanges(listed, found)).toEqual([])
  })

  it('are refused when one was changed, taken away, or put beside the list', () => {
    const { listed, found } = readKept()
    const [one = ''] = found.keys()
    const other = '0'.repeat(64)
    expect(findChanges(listed, new Map([...found, [one, other]]))).toEqual([`${one} has changed`])
    const without = new Map([...found].filter(([path]) => path !== one))
    expect(findChanges(listed, without)).toEqual([`${one} is gone`])
    const more = new Map([...found, ['histories/new.json', other]])
    expect(findChanges(listed, more)).toEqual(['histories/new.json is not listed'])
  })

  it('are listed once each', () => {
    const line = `${'0'.repeat(64)}  histories/a.json\n`
    expect(parseList(line).size).toBe(1)
    expect(() => parseList(line + line)).toThrow(/twice/)
    expect(() => parseList('nothing\n')).toThrow(/no line/)
  })

  // Whoever records one again writes the list again as well; the repository remembers both. In a
  // shallow clone it remembers less, and whoever pushed the change had the rest.
  it.skipIf(!hasHistory)('have never changed since, and no line of the list has', () => {
    const folders = keptFolders.map((folder) => `test/${folder}`)
    const changes = ['--no-renames', '--diff-filter=MDT', '--name-only']
    expect(git('log', '--format=', ...changes, '--', ...folders).trim()).toBe('')
    expect(git('diff', ...changes, 'HEAD', '--', ...folders).trim()).toBe('')
    const lines = [
      git('log', '--format=', '--no-renames', '-p', '--', 'test/kept.sha256'),
      git('diff', '--no-renames', 'HEAD', '--', 'test/kept.sha256'),
    ]
    const gone = lines
      .join('\n')
      .split('\n')
      .filter((line) => /^-(?!--)/.test(line))
    expect(gone).toEqual([])
  })
})
