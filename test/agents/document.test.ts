// docs/agents.md is what the manifests say.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { catalogue } from '../../agents/catalogue.ts'
import { describeAgents } from '../../agents/check/document.ts'
import { boxManifest } from '../support/broken-agents/box.ts'

test('the committed file is current (npx bulkhead agent docs)', () => {
  const file = join(import.meta.dirname, '..', '..', 'docs', 'agents.md')
  expect(readFileSync(file, 'utf8')).toBe(describeAgents(catalogue))
})

test('every action of an agent has a row, with roles, undo and what may be left out', () => {
  const text = describeAgents(new Map([['box', boxManifest('box')]]))
  const rows = text.split('\n').filter((line) => line.startsWith('| `'))
  expect(rows).toEqual([
    '| `box.folder` | a folder that it reads and changes |',
    '| `put` | write | for tests | `name`, `text` *content*, `dryRun?` | `take` |',
    '| `take` | write | for tests | `name`, `before` *content* | - |',
    '| `show` | read | for tests | `name` | - |',
    '| `ask` | egress, asks words | for tests | `name` | - |',
  ])
})

test('a summary cannot break out of its cell', () => {
  const { show, ...others } = boxManifest('box').actions
  const actions = { ...others, show: { ...show, summary: 'a | b\n## c' } }
  const text = describeAgents(new Map([['box', { ...boxManifest('box'), actions }]]))
  expect(text).toContain('| a \\| b ## c |')
  expect(text).not.toContain('\n## c')
})
