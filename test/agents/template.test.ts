// The template agent on a real folder.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { agent } from '../../agents/template/agent.ts'
import { idemOf, perform, type Setting } from './action-context.ts'

let setting: Setting
beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-template-'))
  setting = { folder, now: Date.parse('2026-11-21T08:00:00Z') }
})
afterEach(() => rmSync(setting.folder, { recursive: true, force: true }))

test('the same command twice keeps one text', async () => {
  const add = { action: 'add', args: { text: 'a text' }, setting }
  const first = await perform(agent, add)
  expect(await perform(agent, add)).toEqual(first)
  expect(await perform(agent, { action: 'list', args: {}, setting })).toMatchObject({ count: 1 })
})

test('what was added is taken back, and nothing else', async () => {
  await perform(agent, { action: 'add', args: { text: 'kept' }, setting, idem: idemOf('kept') })
  await perform(agent, { action: 'add', args: { text: 'gone' }, setting, idem: idemOf('gone') })
  await perform(agent, { action: 'remove', args: { id: idemOf('gone') }, setting })
  expect(await perform(agent, { action: 'list', args: {}, setting })).toMatchObject({
    items: [{ text: 'kept' }],
  })
})

test('a dry run leaves the folder empty', async () => {
  await perform(agent, { action: 'add', args: { text: 'a text', dryRun: true }, setting })
  expect(readdirSync(setting.folder)).toEqual([])
})
