// The notes agent's actions on real files: once and only once, and back to the same bytes.

import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { replaceStored } from '../../agents/data-folder.ts'
import { agent } from '../../agents/notes/agent.ts'
import { manifest } from '../../agents/notes/manifest.ts'
import { contextOf, failureOf, idemOf, perform, type Setting } from './action-context.ts'

const now = Date.parse('2026-11-21T08:00:00Z')
let setting: Setting

beforeEach(async () => {
  setting = { folder: await mkdtemp(join(tmpdir(), 'bulkhead-notes-')), now }
})
afterEach(async () => {
  await rm(setting.folder, { recursive: true, force: true })
})

const pathOf = (name: string) => join(setting.folder, `${name}.md`)
const textIn = (name: string) => readFile(pathOf(name), 'utf8')
const bytesIn = (name: string) => readFile(pathOf(name))
function run(action: string, args: unknown, idem?: string) {
  return perform(agent, { action, args, setting, ...(idem === undefined ? {} : { idem }) })
}
async function runAs<Action extends keyof typeof manifest.actions>(
  action: Action,
  args: unknown,
  idem?: string,
): Promise<z.infer<(typeof manifest.actions)[Action]['output']>> {
  return manifest.actions[action].output.parse(await run(action, args, idem)) as z.infer<
    (typeof manifest.actions)[Action]['output']
  >
}

describe('append and retract', () => {
  test('an entry is added to the end and carries its effect id', async () => {
    await writeFile(pathOf('diary'), '# Diary\n')
    const result = await runAs('append', { note: 'diary', text: 'Rain.' })
    expect(await textIn('diary')).toBe(
      `# Diary\n\n<!-- bulkhead:entry ${idemOf('one')} lead=1 -->\nRain.\n<!-- /bulkhead:entry ${idemOf('one')} -->\n`,
    )
    expect(result).toMatchObject({
      note: 'diary',
      entry: idemOf('one'),
      bytesBefore: 8,
      before: '# Diary\n',
    })
    expect(result.bytesAfter).toBe((await bytesIn('diary')).length)
    expect(result.after).toContain('Rain.')
  })

  test('the same command again writes nothing and reports the same change', async () => {
    const first = await run('append', { note: 'diary', text: 'Rain.' })
    const written = await textIn('diary')
    expect(await run('append', { note: 'diary', text: 'Rain.' })).toEqual(first)
    expect(await textIn('diary')).toBe(written)
  })

  test('another command with the same text is another entry', async () => {
    await run('append', { note: 'diary', text: 'Rain.' })
    await run('append', { note: 'diary', text: 'Rain.' }, idemOf('two'))
    expect((await textIn('diary')).match(/^Rain\.$/gm)).toHaveLength(2)
  })

  test('a dry run says what would change and changes nothing', async () => {
    const dry = await run('append', { note: 'diary', text: 'Rain.', dryRun: true })
    expect(await readdir(setting.folder)).toEqual([])
    expect(await run('append', { note: 'diary', text: 'Rain.' })).toEqual(dry)
    const written = await textIn('diary')
    await run('retract', { note: 'diary', entry: idemOf('one'), dryRun: true })
    expect(await textIn('diary')).toBe(written)
  })

  test('retracting gives back the bytes there were, for any note and any text', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 200 }).filter((bytes) => !((bytes[0] ?? 0) >= 0xfe)),
        fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }), {
          minLength: 1,
          maxLength: 4,
        }),
        fc.nat(3),
        async (bytes, texts, chosen) => {
          await writeFile(pathOf('n'), bytes)
          const states: Buffer[] = []
          for (const [index, text] of texts.entries()) {
            states.push(await bytesIn('n'))
            await run('append', { note: 'n', text }, idemOf(`${index}`))
          }
          const which = chosen % texts.length
          // One from the middle: all others stay, then each from the end gives its state back.
          const others = texts.map((_, index) => index).filter((index) => index !== which)
          for (const index of [...others.reverse()]) {
            await run('retract', { note: 'n', entry: idemOf(`${index}`) })
          }
          const block = (await bytesIn('n')).toString('latin1')
          expect(block.match(/<!-- bulkhead:entry/g)).toHaveLength(1)
          await run('retract', { note: 'n', entry: idemOf(`${which}`) })
          expect(await bytesIn('n')).toEqual(states[0])
        },
      ),
      { numRuns: 60 },
    )
  })

  test('a note that the entry created is gone when the entry is', async () => {
    await run('append', { note: 'new', text: 'a' })
    await run('retract', { note: 'new', entry: idemOf('one') })
    await expect(textIn('new')).rejects.toThrow('ENOENT')
  })

  test('what a person wrote around and into an entry stays', async () => {
    await writeFile(pathOf('d'), 'before\n')
    await run('append', { note: 'd', text: 'mine' })
    await writeFile(pathOf('d'), `${await textIn('d')}\nafter\n`)
    await run('retract', { note: 'd', entry: idemOf('one') })
    expect(await textIn('d')).toBe('before\n\nafter\n')
  })

  test('retracting what is not there, or twice, changes nothing and says so', async () => {
    await writeFile(pathOf('d'), 'x\n')
    const args = { note: 'd', entry: idemOf('one') }
    expect(await run('retract', args)).toMatchObject({ outcome: 'not-there' })
    expect(await run('retract', { ...args, note: 'none' })).toMatchObject({
      outcome: 'not-there',
      bytesAfter: 0,
    })
    await run('append', { note: 'd', text: 'y' })
    expect(await run('retract', args)).toMatchObject({ outcome: 'retracted', bytesAfter: 2 })
    expect(await run('retract', args)).toMatchObject({ outcome: 'not-there' })
  })

  test('an entry whose marks a person edited is left to a person', async () => {
    await run('append', { note: 'd', text: 'y' })
    await writeFile(pathOf('d'), (await textIn('d')).replace('<!-- /bulkhead:entry', '<!-- /'))
    const failure = await failureOf(run('retract', { note: 'd', entry: idemOf('one') }))
    expect([failure.code, failure.retry]).toEqual(['CONFLICT', 'ask'])
  })

  test('text that imitates the marks neither forges nor ends an entry', async () => {
    const two = idemOf('two')
    const text = `x\n<!-- /bulkhead:entry ${idemOf('one')} -->\n<!-- bulkhead:entry ${two} lead=0 -->\nevil\r<!-- /bulkhead:entry ${two} -->`
    await writeFile(pathOf('d'), 'kept\n')
    await run('append', { note: 'd', text })
    expect((await textIn('d')).match(/<!--/g)).toHaveLength(2)
    expect(await run('retract', { note: 'd', entry: two })).toMatchObject({ outcome: 'not-there' })
    await run('append', { note: 'd', text: 'second' }, two)
    expect(await textIn('d')).toContain('\nsecond\n')
    await run('retract', { note: 'd', entry: idemOf('one') })
    await run('retract', { note: 'd', entry: two })
    expect(await textIn('d')).toBe('kept\n')
  })

  test('control characters do not reach the note', async () => {
    await run('append', { note: 'd', text: 'a\u001b[2Jb\u0000c\u0085' })
    expect(await textIn('d')).toContain('\na[2Jbc\n')
  })
})

describe('names', () => {
  const hostile = [
    '../x',
    '..',
    '.hidden',
    'a/b',
    'a\\b',
    'a\0b',
    'a\nb',
    'CON',
    'nul.x',
    ' a',
    'a ',
    'a.',
    'C:x',
    'é'.repeat(101),
    'a\u202eb',
    'a\u200bb',
    '',
    '日'.repeat(100),
  ]

  test.each(hostile)('%j is refused before any file is touched', async (note) => {
    for (const action of ['append', 'retract', 'read']) {
      const bound = agent.actions.get(action)
      const args = { note, text: 'x', entry: idemOf('one') }
      const { text, entry, ...rest } = args
      const fitting =
        action === 'append' ? { ...rest, text } : action === 'retract' ? { ...rest, entry } : rest
      const prepared = bound?.prepare(fitting)
      // The schema refuses most of them; what it cannot say, the handler refuses.
      if (prepared === undefined) continue
      const failure = await failureOf(prepared(contextOf(setting)))
      expect([failure.code, failure.retry]).toEqual(['INVALID_INPUT', 'final'])
    }
    expect(await readdir(setting.folder)).toEqual([])
  })

  test('ordinary names of any language are accepted', async () => {
    for (const note of ['briefings', '2026-11-21', 'Über uns!', '買い物', 'v1.2 plan', 'a']) {
      await run('append', { note, text: 'x' }, idemOf(note))
    }
    expect((await runAs('list', {})).count).toBe(6)
  })
})

describe('files that are no notes', () => {
  test('a link is neither read nor written through nor listed', async () => {
    const outside = await mkdtemp(join(tmpdir(), 'bulkhead-outside-'))
    await writeFile(join(outside, 'secret'), 'secret\n')
    await symlink(join(outside, 'secret'), pathOf('link'))
    for (const [action, args] of [
      ['read', {}],
      ['append', { text: 'x' }],
    ] as const) {
      expect((await failureOf(run(action, { note: 'link', ...args }))).code).toBe('CORRUPT_DATA')
    }
    expect(await run('list', {})).toEqual({ count: 0, notes: [] })
    expect(await run('search', { query: 'secret' })).toEqual({ count: 0, matches: [] })
    expect(await readFile(join(outside, 'secret'), 'utf8')).toBe('secret\n')
    await rm(outside, { recursive: true })
  })

  test('a pipe or a folder with the name of a note does not hang', async () => {
    execFileSync('mkfifo', [pathOf('pipe')])
    await mkdir(pathOf('folder'))
    expect((await failureOf(run('read', { note: 'pipe' }))).code).toBe('CORRUPT_DATA')
    expect((await failureOf(run('read', { note: 'folder' }))).code).toBe('CORRUPT_DATA')
    expect(await run('list', {})).toEqual({ count: 0, notes: [] })
  })

  test('a note that is too large is refused and named', async () => {
    await writeFile(pathOf('big'), Buffer.alloc(5 * 1024 * 1024, 'a'))
    const failure = await failureOf(run('append', { note: 'big', text: 'x' }))
    expect([failure.code, failure.retry]).toEqual(['LIMIT_EXCEEDED', 'final'])
    expect(failure.message).toContain('big.md')
    expect((await runAs('list', {})).notes[0]).toMatchObject({
      name: 'big',
      bytes: 5 * 1024 * 1024,
    })
  })

  test('a missing folder is NOT_FOUND', async () => {
    await rm(setting.folder, { recursive: true })
    expect((await failureOf(run('list', {}))).code).toBe('NOT_FOUND')
    expect((await failureOf(run('append', { note: 'a', text: 'x' }))).code).toBe('NOT_FOUND')
  })
})

describe('read, search, list', () => {
  test('reading cuts between characters and says so', async () => {
    await writeFile(pathOf('n'), 'aä€😀')
    expect(await run('read', { note: 'n', maxBytes: 9 })).toMatchObject({
      text: 'aä€',
      bytes: 10,
      truncated: true,
    })
    expect(await run('read', { note: 'n' })).toMatchObject({ text: 'aä€😀', truncated: false })
    expect((await failureOf(run('read', { note: 'none' }))).code).toBe('NOT_FOUND')
  })

  test('search finds lines in any case, counts beyond its limit and leaves marks out', async () => {
    await run('append', { note: 'b', text: 'Milk\nbread' })
    await run('append', { note: 'a', text: 'no MILK today' }, idemOf('two'))
    expect(await run('search', { query: 'milk', limit: 1 })).toEqual({
      count: 2,
      matches: [{ name: 'a', line: 2, text: 'no MILK today' }],
    })
    expect(await runAs('search', { query: 'bulkhead' })).toMatchObject({ count: 0 })
  })

  test('list gives what changed lately, latest first, with its first line of content', async () => {
    await run('append', { note: 'today', text: '# Heading' })
    for (const [name, days] of [
      ['old', 8],
      ['week', 6],
      ['today', 0],
    ] as const) {
      if (name !== 'today') await writeFile(pathOf(name), `\n  ${name}\n`)
      const at = new Date(now - days * 86_400_000)
      await utimes(pathOf(name), at, at)
    }
    await writeFile(join(setting.folder, '.hidden.md'), 'x')
    const listed = await runAs('list', {})
    expect(listed.count).toBe(2)
    expect(listed.notes.map(({ name, firstLine }) => [name, firstLine])).toEqual([
      ['today', '# Heading'],
      ['week', 'week'],
    ])
    expect(listed.notes[0]?.modified).toBe('2026-11-21T08:00:00.000Z')
    expect(await runAs('list', { limit: 1 })).toMatchObject({
      count: 2,
      notes: [{ name: 'today' }],
    })
  })
})

describe('replacing a file', () => {
  test('a change by another program after it was read is a conflict that changed nothing', async () => {
    await writeFile(pathOf('n'), 'theirs')
    const replace = () =>
      replaceStored({
        folder: setting.folder,
        name: 'n.md',
        expected: Buffer.from('seen'),
        bytes: Buffer.from('mine'),
      })
    expect(replace).toThrow(expect.objectContaining({ code: 'CONFLICT', retry: 'absent' }))
    expect(await textIn('n')).toBe('theirs')
    expect(await readdir(join(setting.folder, '.bulkhead'))).toEqual([])
  })

  test('the permissions of a note stay as they were', async () => {
    await writeFile(pathOf('n'), 'x', { mode: 0o640 })
    await run('append', { note: 'n', text: 'y' })
    expect(execFileSync('stat', ['-c', '%a', pathOf('n')], { encoding: 'utf8' }).trim()).toBe('640')
  })

  test('what a crash left behind is cleared away later', async () => {
    await mkdir(join(setting.folder, '.bulkhead'))
    const left = join(setting.folder, '.bulkhead', 'tmp-left')
    await writeFile(left, 'x')
    const long = new Date(Date.now() - 2 * 3_600_000)
    await utimes(left, long, long)
    await run('append', { note: 'n', text: 'y' })
    expect(await readdir(join(setting.folder, '.bulkhead'))).toEqual([])
  })
})
