// Documents name files and tests; a name that leads nowhere is a broken promise.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

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
