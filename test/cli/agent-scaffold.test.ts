// What `agent new` writes, and what it refuses to write.

import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { faultOfName, scaffoldAgent, withAgent } from '../../cli/agent-scaffold.ts'

const project = join(import.meta.dirname, '..', '..')
let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'bulkhead-scaffold-'))
  for (const path of ['agents/template', 'agents/catalogue.ts', 'test/agents/template.test.ts']) {
    cpSync(join(project, path), join(root, path), { recursive: true })
  }
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const read = (path: string) => readFileSync(join(root, path), 'utf8')

describe('a new agent', () => {
  test('has a manifest, handlers, examples and a test of its own name, and is in the catalogue', () => {
    const made = scaffoldAgent(root, 'plant-care')
    expect(made).toMatchObject({ ok: true, catalogue: { kind: 'edited' } })
    expect(readdirSync(join(root, 'agents', 'plant-care')).toSorted()).toEqual([
      'agent.ts',
      'examples.ts',
      'manifest.ts',
    ])
    expect(read('agents/plant-care/manifest.ts')).toContain("name: 'plant-care'")
    expect(read('agents/plant-care/manifest.ts')).toContain("config: 'plant-care.folder'")
    expect(read('test/agents/plant-care.test.ts')).toContain("'../../agents/plant-care/agent.ts'")
    for (const file of readdirSync(join(root, 'agents', 'plant-care'))) {
      expect(read(`agents/plant-care/${file}`)).not.toMatch(/template|bulkhead agent new/)
    }
    const catalogue = read('agents/catalogue.ts')
    expect(catalogue).toContain(
      "import { manifest as plantCare } from './plant-care/manifest.ts'\n",
    )
    expect(catalogue).toMatch(/createCatalogue\(\[[^\]]*\bplantCare\b[^\]]*\]\)/)
  })

  test('replaces nothing: a folder or a test that is there stays as it is', () => {
    scaffoldAgent(root, 'plants')
    const before = read('agents/catalogue.ts')
    rmSync(join(root, 'agents', 'plants', 'examples.ts'))
    expect(scaffoldAgent(root, 'plants')).toEqual({ ok: false, reason: 'agents/plants exists' })
    expect(existsSync(join(root, 'agents', 'plants', 'examples.ts'))).toBe(false)
    rmSync(join(root, 'agents', 'plants'), { recursive: true })
    expect(scaffoldAgent(root, 'plants')).toEqual({
      ok: false,
      reason: 'test/agents/plants.test.ts exists',
    })
    expect(read('agents/catalogue.ts')).toBe(before)
  })

  test('whose catalogue has another shape is told the lines to add', () => {
    rmSync(join(root, 'agents', 'catalogue.ts'))
    cpSync(join(root, 'agents', 'template', 'agent.ts'), join(root, 'agents', 'catalogue.ts'))
    const before = read('agents/catalogue.ts')
    expect(scaffoldAgent(root, 'plants')).toMatchObject({
      ok: true,
      catalogue: {
        kind: 'manual',
        lines: [expect.stringContaining('./plants/manifest.ts'), expect.any(String)],
      },
    })
    expect(read('agents/catalogue.ts')).toBe(before)
  })
})

describe('a name', () => {
  test.each([
    '',
    '.',
    '..',
    '../evil',
    'a/b',
    'a\\b',
    '/etc',
    'Plants',
    'pflänze',
    'a b',
    "a'b",
    'a\nb',
    'a\0',
    '-a',
    'a-',
    'a--b',
    '1st',
    '__proto__',
    '$(id)',
    '`id`',
    'x'.repeat(41),
    'check',
    'template',
  ])('%j is refused, and nothing is written', (name) => {
    mkdirSync(join(root, 'outside'))
    const before = readdirSync(root, { recursive: true }).length
    expect(faultOfName(name)).toBeTypeOf('string')
    expect(scaffoldAgent(root, name)).toMatchObject({ ok: false })
    expect(readdirSync(root, { recursive: true })).toHaveLength(before)
  })

  test.each(['plants', 'plant-care', 'x2', 'constructor', 'default', 'delete'])(
    '%s is one',
    (name) => {
      expect(faultOfName(name)).toBeUndefined()
    },
  )
})

describe('the line in the catalogue', () => {
  const text = readFileSync(join(project, 'agents', 'catalogue.ts'), 'utf8')

  test('a word of the language becomes no variable', () => {
    expect(withAgent(text, 'delete')).toContain('import { manifest as deleteAgent } from')
  })

  test('imports and names stay in order, each once, and nothing else changes', () => {
    const next = withAgent(text, 'aaa') ?? ''
    const added = next.split('\n').filter((line) => !text.includes(line))
    expect(added[0]).toBe("import { manifest as aaa } from './aaa/manifest.ts'")
    const paths = [...next.matchAll(/from '(\.\/[^']+)'/g)].map(([, path]) => path ?? '')
    expect(paths).toEqual(paths.toSorted((left, right) => (left < right ? -1 : 1)))
    expect(new Set(paths).size).toBe(paths.length)
    const code = (withAgent(next, 'zzz') ?? '').split('\n').filter((line) => !line.startsWith('//'))
    expect(code.filter((line) => line.length > 100)).toEqual([])
  })
})
