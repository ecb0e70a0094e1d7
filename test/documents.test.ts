// Documents name files and tests; a name that leads nowhere is a broken promise.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { catalogue } from '../agents/catalogue.ts'
import { compileSource } from '../plan/compile.ts'
import { parseConfiguration } from '../plan/configuration.ts'
import { decide } from './support/policy.ts'

const root = join(import.meta.dirname, '..')
const folders = new Set(
  readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name),
)

/** Code spans that begin with a folder of the project and have no placeholder in them. */
function pathsIn(text: string): string[] {
  const spans = [...text.matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? '')
  return spans
    .map((span) => span.replace(/:.*$/, '').trim())
    .filter((span) => folders.has(span.split('/')[0] ?? '') && /^[\w./*-]+$/.test(span))
    .filter((span) => !span.includes('*') && span.includes('/'))
}

const documents = [
  'README.md',
  'ARCHITECTURE.md',
  'SECURITY.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(root, 'docs', 'adr')).map((name) => `docs/adr/${name}`),
]

describe('every path that a document names exists', () => {
  it.each(documents)('%s', (document) => {
    const paths = pathsIn(readFileSync(join(root, document), 'utf8'))
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([])
  })

  it('and documents do name paths', () => {
    const all = documents.flatMap((name) => pathsIn(readFileSync(join(root, name), 'utf8')))
    expect(all.length).toBeGreaterThan(30)
  })
})

describe('what the README shows', () => {
  const text = readFileSync(join(root, 'README.md'), 'utf8')
  const blocks = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? '')

  it('compiles, where it is a plan', () => {
    const plans = blocks.filter((block) => block.startsWith('version: 1'))
    expect(plans.length).toBeGreaterThan(0)
    for (const source of plans) {
      const result = compileSource({ kind: 'plan', source, inputs: {}, catalogue, decide })
      expect(result).toMatchObject({ ok: true })
    }
  })

  it('is accepted, where it is a configuration', () => {
    const files = blocks.filter((block) => block.includes('agents:\n'))
    expect(files.length).toBeGreaterThan(0)
    for (const file of files) {
      expect(parseConfiguration(file, 'bulkhead.yaml')).toMatchObject({ ok: true })
    }
  })
})
