// What the memory agent answers: entries as they were written, found by words, page by page, gone when they
// have expired.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { labels } from '../../agents/memory/manifest.ts'
import { integrities } from '../../plan/labels.ts'
import { failureOf, idemOf } from './action-context.ts'
import { createMemoryFolder, dayMs, type MemoryFolder, now } from './memory-folder.ts'

let memory: MemoryFolder
beforeEach(() => {
  memory = createMemoryFolder()
})
afterEach(() => memory.remove())

describe('remembering', () => {
  it('keeps the text with what was said of it, and shows that', async () => {
    const said = { kind: 'preference', source: 'Anna, on the phone', label: 'USER' }
    const { id } = await memory.remember('Tea without milk.', { ...said, expires: '2026-12-24' })
    const { entry } = await memory.call('show', { id })
    expect(entry).toEqual({
      ...{ id, ...said, text: 'Tea without milk.' },
      remembered: '2026-11-21T08:00:00.000Z',
      expires: '2026-12-25T00:00:00.000Z',
    })
  })

  it('says nothing better of a text than what a plan can know, and nothing where nothing was said', async () => {
    expect(labels).toEqual(integrities.slice(1))
    const { id } = await memory.remember('Somebody’s words.')
    expect((await memory.call('show', { id })).entry).toMatchObject({
      label: 'UNTRUSTED',
      source: null,
    })
  })

  it('writes one entry for one effect, however often its command arrives', async () => {
    const once = await memory.call('remember', { text: 'Once.' }, { idem: 'same' })
    const again = await memory.call('remember', { text: 'Once.' }, { idem: 'same' })
    expect(again).toEqual(once)
    expect(await memory.texts()).toEqual(['Once.'])
  })

  it('creates no file when it runs dry or is asked of nothing', async () => {
    const dry = await memory.call('remember', { text: 'Not yet.', dryRun: true })
    expect(dry).toMatchObject({ before: { entries: 0 }, after: { entries: 1 } })
    expect(await memory.texts()).toEqual([])
    expect((await memory.call('recall', { query: 'yet' })).count).toBe(0)
    expect((await failureOf(memory.call('forget', { id: '0'.repeat(16) }))).code).toBe('NOT_FOUND')
    expect(memory.raw()).toHaveLength(0)
  })

  it.each(['2026-11-20', '2026-11-21T08:00:00Z', '2026-02-30', '2026-11-21T99:00:00Z'])(
    'takes no end that is over or is none: %s',
    async (expires) => {
      const { code } = await failureOf(memory.call('remember', { text: 'Late.', expires }))
      expect(code).toBe('INVALID_INPUT')
      expect(await memory.texts()).toEqual([])
    },
  )

  it('is taken back by its undo, once, and by no other command', async () => {
    const { id, idem } = await memory.remember('A slip of the tongue.')
    await memory.remember('Something else.')
    const entry = idemOf(idem)
    const undone = await memory.call('retract', { entry })
    expect(undone).toMatchObject({ id, outcome: 'retracted', after: { there: false, entries: 1 } })
    expect((await memory.call('retract', { entry })).outcome).toBe('not-there')
    expect(await memory.texts()).toEqual(['Something else.'])
  })
})

describe('listing', () => {
  it('goes page by page, the newest first, also while entries go', async () => {
    const ids: string[] = []
    for (const text of ['one', 'two', 'three', 'four', 'five']) {
      ids.push((await memory.remember(text)).id)
    }
    const first = await memory.call('list', { limit: 2 })
    expect([first.count, first.entries.map(({ text }) => text)]).toEqual([5, ['five', 'four']])
    await memory.call('forget', { id: ids[3] })
    const second = await memory.call('list', { limit: 2, after: first.next })
    expect(second.entries.map(({ text }) => text)).toEqual(['three', 'two'])
    const last = await memory.call('list', { limit: 2, after: second.next })
    expect([last.entries.map(({ text }) => text), last.next]).toEqual([['one'], null])
  })

  it('shows the kinds that are asked for, and of a long text the beginning', async () => {
    await memory.remember('a fact')
    await memory.remember('x'.repeat(4_096), { kind: 'episode' })
    const { count, entries } = await memory.call('list', { kinds: ['episode', 'preference'] })
    expect([count, entries[0]?.text.length, entries[0]?.text.at(-1)]).toEqual([1, 400, '…'])
  })
})

describe('an entry that has expired', () => {
  it('is in no answer, is destroyed by the first look, and counted there', async () => {
    const { id } = await memory.remember('Until tomorrow.', { expires: '2026-11-21' })
    await memory.remember('For ever.')
    const at = now + dayMs
    expect((await memory.call('recall', { query: 'until' })).count).toBe(1)
    expect(await memory.call('recall', { query: 'until' }, { at })).toMatchObject({
      ...{ count: 0, expired: 1 },
    })
    expect((await memory.call('list', {}, { at })).expired).toBe(0)
    // It is gone, and does not come back with an earlier clock.
    expect((await failureOf(memory.call('show', { id }))).code).toBe('NOT_FOUND')
    expect(await memory.texts()).toEqual(['For ever.'])
  })

  it('ends at the end of its day where the person lives', async () => {
    writeFileSync(join(memory.folder, 'timezone'), 'Pacific/Auckland\n')
    const { id } = await memory.remember('Down under.', { expires: '2026-11-21' })
    const { entry } = await memory.call('show', { id })
    expect(entry.expires).toBe('2026-11-21T11:00:00.000Z')
  })

  it('changes nothing for a dry run, which does not count it either', async () => {
    await memory.remember('Until tomorrow.', { expires: '2026-11-21' })
    const before = memory.raw()
    const dry = { text: 'New.', dryRun: true }
    const { before: shown } = await memory.call('remember', dry, { at: now + dayMs })
    expect(shown.entries).toBe(0)
    expect(memory.raw().equals(before)).toBe(true)
  })
})
