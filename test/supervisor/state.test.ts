import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  prepareSocketFolder,
  prepareState,
  removeSocketFolder,
  stateLayout,
} from '../../supervisor/state.ts'

let base: string

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'bulkhead-state-'))
})
afterEach(() => rmSync(base, { recursive: true, force: true }))

const mode = (path: string) => (statSync(path).mode & 0o777).toString(8)

describe('prepareState', () => {
  it('creates every folder closed to others', () => {
    const layout = stateLayout(join(base, 'state'))
    prepareState(layout, [{ agent: 'notes', n: 0 }])
    const folders = [
      layout.root,
      layout.logs,
      layout.run,
      layout.runc,
      layout.notary,
      layout.worker,
    ]
    const replica = layout.replica({ agent: 'notes', n: 0 })
    for (const folder of [...folders, replica.folder, replica.run]) expect(mode(folder)).toBe('700')
  })

  it('closes a state folder that the sample home has made open', () => {
    const layout = stateLayout(join(base, 'state'))
    mkdirSync(join(layout.root, 'agents'), { recursive: true })
    writeFileSync(layout.configuration, '')
    chmodSync(layout.root, 0o755)
    prepareState(layout, [])
    expect(mode(layout.root)).toBe('700')
  })

  it('neither takes nor changes a folder that holds something else', () => {
    writeFileSync(join(base, 'thesis.txt'), '')
    chmodSync(base, 0o755)
    expect(() => prepareState(stateLayout(base), [])).toThrow(
      expect.objectContaining({ code: 'STATE_UNUSABLE', next: `chmod 700 ${base}` }),
    )
    expect(mode(base)).toBe('755')
  })

  it('refuses a file in place of the folder', () => {
    const file = join(base, 'file')
    writeFileSync(file, '')
    expect(() => prepareState(stateLayout(file), [])).toThrow(/STATE_UNUSABLE|ENOTDIR|not a folder/)
  })
})

describe('prepareSocketFolder', () => {
  const prepare = (root: string, name: string) => {
    const layout = stateLayout(root)
    mkdirSync(layout.run, { recursive: true })
    return { layout, folder: prepareSocketFolder(layout, { names: [name], temporaryFolder: base }) }
  }

  it('is the run folder where the longest path fits the kernel, to the byte', () => {
    const room = 107 - Buffer.byteLength(join(base, 'run', 'x')) + 1
    expect(prepare(base, 'n'.repeat(room)).folder).toBe(join(base, 'run'))
    const { layout, folder } = prepare(base, 'n'.repeat(room + 1))
    expect(dirname(folder)).toBe(base)
    expect(mode(folder)).toBe(process.getuid?.() === 0 ? '711' : '700')
    removeSocketFolder(layout)
    expect(existsSync(folder)).toBe(false)
  })

  it('removes the folder of a start that was killed', () => {
    const first = prepare(join(base, 'a'.repeat(100)), 'control.sock').folder
    const second = prepare(join(base, 'a'.repeat(100)), 'control.sock').folder
    expect(second).not.toBe(first)
    expect(existsSync(first)).toBe(false)
  })
})
