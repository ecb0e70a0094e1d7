// Journals that mean harm, or that nobody can read, with a real hledger behind: refused before it sees them
// where they reach outside, and told of without a word of what they hold.

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { installed } from '../support/installed.ts'
import { failureOf } from './action-context.ts'
import { createFolder, type FinanceFolder, runOf } from './finance-folder.ts'

const hledger = await installed('hledger')
if ('missing' in hledger) console.info(`skipped: ${hledger.missing}`)

describe.skipIf('missing' in hledger)('with hledger', () => {
  let home: FinanceFolder
  beforeEach(() => {
    home = createFolder('missing' in hledger ? {} : { run: runOf(hledger) })
  })
  afterEach(() => home.remove())

  test.each([
    ['an absolute path', 'include /etc/hostname'],
    ['a path of a home', 'include ~/secret.journal'],
    ['the folder above', 'include ../outside.journal'],
    ['the folder above, further on', 'include sub/../../outside.journal'],
    ['the elder form', '!include /etc/passwd'],
    ['another format', 'include timedot:x.journal'],
    ['a CSV file, whose rules could run a program', 'include bank/x.csv'],
    ['a pattern that only hledger knows', 'include <1-9>.journal'],
    ['a pattern without end', 'include {1..1000000000}.journal'],
    ['a pattern of patterns', 'include **/**/**/**/*.journal'],
    ['a mark before it', '\ufeffinclude /etc/hostname'],
    ['a tab', 'include\t/etc/hostname'],
    ['a link', 'include link.journal'],
    ['a link to a folder', 'include linked/*.journal'],
    ['an include of an include', 'include sub/inner.journal'],
  ])(
    'a journal that includes from outside by %s is refused before hledger sees it',
    async (_, line) => {
      const elsewhere = mkdtempSync(join(tmpdir(), 'finance-elsewhere-'))
      try {
        writeFileSync(
          join(elsewhere, 'outside.journal'),
          '2026-11-03 x\n    assets:secret  1 EUR\n    b\n',
        )
        symlinkSync(join(elsewhere, 'outside.journal'), join(home.folder, 'link.journal'))
        symlinkSync(elsewhere, join(home.folder, 'linked'))
        mkdirSync(join(home.folder, 'sub'))
        home.put('sub/inner.journal', `include ${join(elsewhere, 'outside.journal')}\n`)
        home.put('main.journal', `${line}\n`)
        let asked = 0
        const run = async () => {
          asked += 1
          return { code: 0, stdout: new Uint8Array(), stderr: '' }
        }
        expect(await failureOf(home.run('balances', {}, { run }))).toMatchObject({
          ...{ code: 'CORRUPT_DATA', retry: 'final' },
        })
        expect(asked).toBe(0)
      } finally {
        rmSync(elsewhere, { recursive: true })
      }
    },
  )

  test.each([
    ['CORRUPT_DATA', '2026-11-03 x\n    a  1 EUR\n    b  1 EUR\n'],
    ['CORRUPT_DATA', 'nonsense'],
    ['CORRUPT_DATA', '2026-02-30 x\n    a  1 EUR\n    b\n'],
    ['CORRUPT_DATA', Buffer.from('2026-11-03 K\xe4se\n    a  1 EUR\n    b\n', 'latin1')],
    ['LIMIT_EXCEEDED', `2026-11-03 x\n    assets:a  ${'9'.repeat(40)} EUR\n    b\n`],
    ['LIMIT_EXCEEDED', Buffer.alloc(33 * 1024 * 1024, 0x0a)],
  ])('a journal ends in %s', async (code, text) => {
    home.put('main.journal', text)
    expect(await failureOf(home.run('balances', {}))).toMatchObject({ code, retry: 'final' })
  })

  test('files that are too much together are refused before hledger sees them', async () => {
    home.put('main.journal', `include more.journal\n${'\n'.repeat(17 * 1024 * 1024)}`)
    home.put('more.journal', Buffer.alloc(17 * 1024 * 1024, 0x0a))
    expect(await failureOf(home.run('balances', {}))).toMatchObject({ code: 'LIMIT_EXCEEDED' })
  })

  test('a failure says where, and nothing of what the journal holds', async () => {
    home.put('main.journal', '\n2026-11-03 my secret payee\n    a  1 EUR\n    b  1 EUR\n')
    const { message } = await failureOf(home.run('balances', {}))
    expect(message).toMatch(/^the journal: hledger refuses it( at line \d+)?$/)
  })
})
