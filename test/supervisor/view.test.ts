import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { assertReadable, isOpenToAll, planView, viewCommand } from '../../supervisor/view.ts'

const closed = (...folders: string[]) => {
  return (folder: string) => !folders.includes(folder)
}

describe('the view', () => {
  it('is not needed where everybody may pass', () => {
    expect(planView(['/opt/bulkhead', '/srv/state'], closed('/root'))).toBeUndefined()
  })

  it('covers the outermost closed folder and shows what is needed below it', () => {
    const needed = ['/root/clone', '/root/.cache/tools', '/root/clone', '/srv/state']
    expect(planView(needed, closed('/root', '/root/.cache'))).toEqual({
      covers: ['/root'],
      shows: ['/root/clone', '/root/.cache/tools'],
    })
  })

  it('is refused for a folder that stays closed inside what is shown', () => {
    const needed = ['/root/clone', '/root/clone/private/state']
    const isOpen = closed('/root', '/root/clone/private')
    expect(() => planView(needed, isOpen)).toThrow('/root/clone/private, closed to others')
  })

  it('does not cover what is needed itself', () => {
    expect(planView(['/srv/state'], closed('/srv/state'))).toBeUndefined()
  })
})

const isRoot = process.getuid?.() === 0
if (!isRoot) console.warn('skipped: mounting needs root')

describe.skipIf(!isRoot)('a command in the view', () => {
  let base: string
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'bulkhead-view-'))
  })
  afterEach(() => {
    rmSync(base, { recursive: true, force: true })
  })

  it('reaches what is shown, as another user, and sees nothing else of the closed folder', () => {
    // mkdtemp makes a folder that only root enters.
    const shown = join(base, "a folder's name; $(false)", 'deep')
    mkdirSync(shown, { recursive: true })
    writeFileSync(join(shown, 'file'), 'shown')
    writeFileSync(join(base, 'hidden'), 'hidden')
    const scratch = mkdtempSync(join(tmpdir(), 'bulkhead-scratch-'))
    const other = ['setpriv', '--reuid', '41005', '--regid', '41005', '--clear-groups']
    const run = (words: readonly string[], text: string) => {
      const [program = '', ...args] = [...words, ...other, 'sh', '-c', text, 'sh', shown, base]
      return spawnSync(program, args, { encoding: 'utf8' })
    }
    const view = planView([shown], isOpenToAll)
    const words = viewCommand(view, { scratch, folder: shown, volumes: 'leave' })
    const text = 'cat "$1/file"; pwd; touch "$2/new" || cat "$2/hidden"'
    try {
      expect(view?.covers).toEqual([base])
      expect(run([], 'cat "$1/file"').status).not.toBe(0)
      const { stdout, stderr, status } = run(words, text)
      expect([stdout, status]).toEqual([`shown${shown}\n`, 1])
      expect(stderr).toMatch(/Read-only file system|Permission denied/)
      expect(stderr).toContain('hidden')
      // Nothing of it is to be seen outside.
      expect(readFileSync(join(base, 'hidden'), 'utf8')).toBe('hidden')
      expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(base)
    } finally {
      rmSync(scratch, { recursive: true })
    }
  })

  it('is not started where its own files are closed, and the next command is said', () => {
    const file = join(base, 'main.ts')
    writeFileSync(file, '')
    chmodSync(file, 0o644)
    assertReadable([file])
    chmodSync(file, 0o600)
    expect(() => assertReadable([file])).toThrow('closed to other users')
    expect(() => assertReadable([base])).toThrow('closed to other users')
  })
})
