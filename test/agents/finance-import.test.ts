// import, sync and revert in a folder: what is added and what is not, twice and dry, after a crash and after
// a person's edits, and that what is taken back is exactly what was added.

import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { EgressRequest, EgressResponse } from '../../agents/define-agent.ts'
import { ActionFailure } from '../../agents/define-agent.ts'
import { journalNameOf } from '../../agents/finance/account-name.ts'
import { failureOf, idemOf } from './action-context.ts'
import { account, createFolder, type FinanceFolder } from './finance-folder.ts'

const journal = 'imported/assets.bank.giro.journal'
const csv = (...rows: string[]) => ['date,description,amount', ...rows, ''].join('\n')
const november = csv('2026-11-03,Grocer,-12.34', '2026-11-03,Kiosk,-2.50', '2026-11-03,Kiosk,-2.50')
const args = { file: 'nov.csv', account, currency: 'EUR' }

let home: FinanceFolder
beforeEach(() => {
  home = createFolder()
  home.put('main.journal', '; mine\n')
  home.put('bank/nov.csv', november)
})
afterEach(() => home.remove())

const revert = (change: string, more: object = {}) =>
  home.run('revert', { account, change: idemOf(change), ...more }, { idem: `undo of ${change}` })

describe('an import', () => {
  test('adds the entries of a statement, and says what there was before and is after', async () => {
    expect(await home.run('import', args)).toMatchObject({
      ...{ account, journal, new: 3, duplicate: 0, pending: 0 },
      errors: { count: 0, first: [] },
      sums: [{ minor: -1734, currency: 'EUR' }],
      before: { entries: 0, last: null },
      after: { entries: 3, last: '2026-11-03' },
    })
    const entry = [
      /^2026-11-03 \* Grocer {2}; bulkhead-id:[\w-]{22}, bulkhead-import:[\w-]{43}, bulkhead-sum:[\w-]{22}$/m,
      /^ {4}assets:bank:giro {2}-12\.34 EUR$/m,
      /^ {4}expenses:unknown {2}12\.34 EUR$/m,
    ]
    for (const line of entry) expect(home.read(journal)).toMatch(line)
    expect(home.read('main.journal')).toBe('; mine\n')
  })

  test('a second time has only duplicates, and an overlapping file adds only what is new', async () => {
    await home.run('import', args)
    const before = home.read(journal)
    expect(await home.run('import', args, { idem: 'two' })).toMatchObject({ new: 0, duplicate: 3 })
    expect(home.read(journal)).toBe(before)
    home.put(
      'bank/nov.csv',
      csv('2026-11-03,Kiosk,-2.50', '2026-11-03,Kiosk,-2.50', '2026-11-04,Kiosk,-2.50'),
    )
    expect(await home.run('import', args, { idem: 'three' })).toMatchObject({
      ...{
        new: 1,
        duplicate: 2,
        before: { entries: 3 },
        after: { entries: 4, last: '2026-11-04' },
      },
    })
    expect(home.read(journal)?.startsWith(before ?? 'none')).toBe(true)
  })

  test('dry, changes nothing and says the same', async () => {
    const dry = await home.run('import', { ...args, dryRun: true })
    expect(home.read(journal)).toBeUndefined()
    expect(await home.run('import', args)).toEqual(dry)
  })

  test('repeated after a crash adds nothing and answers as the first time', async () => {
    const first = await home.run('import', args)
    const text = home.read(journal)
    expect(await home.run('import', args)).toEqual(first)
    expect(home.read(journal)).toBe(text)
  })

  test('is undone: every byte is as it was, whatever a person and other imports have added since', async () => {
    home.put('bank/dec.csv', csv('2026-12-01,Rent,-700.00'))
    await home.run('import', args, { idem: 'one' })
    expect(await revert('one', { dryRun: true })).toMatchObject({ outcome: 'reverted', removed: 3 })
    expect(home.read(journal)).toContain('Grocer')
    expect(await revert('one')).toMatchObject({
      ...{ outcome: 'reverted', removed: 3, before: { entries: 3 }, after: { entries: 0 } },
    })
    expect(home.read(journal)).toBeUndefined()
    expect(await revert('one')).toMatchObject({ outcome: 'not-applied', removed: 0 })

    await home.run('import', { ...args, file: 'dec.csv' }, { idem: 'dec' })
    const without = `${home.read(journal)}\n2026-12-24 by hand\n    ${account}  -1.00 EUR\n    expenses:gifts\n`
    home.put(journal, without)
    await home.run('import', args, { idem: 'nov' })
    expect(home.read(journal)).not.toBe(without)
    expect(await revert('nov')).toMatchObject({ removed: 3, after: { entries: 1 } })
    expect(home.read(journal)?.trimEnd()).toBe(without.trimEnd())
  })

  test('that a person has edited since is not taken back, but asked about', async () => {
    await home.run('import', args)
    const edited = home.read(journal)?.replace('expenses:unknown', 'expenses:food') ?? ''
    home.put(journal, edited)
    const failure = await failureOf(revert('one'))
    expect([failure.code, failure.retry]).toEqual(['CONFLICT', 'ask'])
    expect(home.read(journal)).toBe(edited)
    expect(await home.run('import', args, { idem: 'two' })).toMatchObject({ new: 0, duplicate: 3 })
  })

  test('imports the lines that it understands, and the others when they have been mended', async () => {
    home.put('bank/nov.csv', csv('2026-11-03,Grocer,-12.34', '2026-11-31,Kiosk,-2.50'))
    expect(await home.run('import', args)).toMatchObject({
      ...{ new: 1, errors: { count: 1, first: [{ line: 2, code: 'date' }] } },
    })
    home.put('bank/nov.csv', csv('2026-11-03,Grocer,-12.34', '2026-11-30,Kiosk,-2.50'))
    expect(await home.run('import', args, { idem: 'two' })).toMatchObject({ new: 1, duplicate: 1 })
  })

  test('of any texts, added and taken back in any order, leaves nothing behind', async () => {
    const row = fc.tuple(
      fc.integer({ min: -9999, max: 9999 }),
      fc.string({ unit: 'grapheme', maxLength: 12 }),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { maxLength: 6 }),
        fc.array(row, { maxLength: 6 }),
        async (a, b) => {
          const one = createFolder()
          try {
            const file = (rows: typeof a) =>
              csv(
                ...rows.map(
                  ([minor, text]) => `2026-11-03,"${text.replaceAll('"', '""')}",${minor}`,
                ),
              )
            one.put('bank/a.csv', file(a))
            one.put('bank/b.csv', file(b))
            await one.run('import', { ...args, file: 'a.csv' }, { idem: 'a' })
            const afterOne = one.read(journal)
            const result = await one.run('import', { ...args, file: 'b.csv' }, { idem: 'b' })
            expect(result.after.entries - result.before.entries).toBe(result.new)
            await one.run('revert', { account, change: idemOf('b') }, { idem: 'c' })
            expect(one.read(journal)).toBe(afterOne)
            await one.run('revert', { account, change: idemOf('a') }, { idem: 'd' })
            expect(one.read(journal)).toBeUndefined()
          } finally {
            one.remove()
          }
        },
      ),
      { numRuns: 30 },
    )
  })
})

describe('an import is refused', () => {
  test.each([
    ['INVALID_INPUT', { account: '../../etc/passwd' }],
    ['INVALID_INPUT', { account: 'assets:..:x' }],
    ['INVALID_INPUT', { account: 'assets:a  b' }],
    ['INVALID_INPUT', { account: 'assets:a\n2026-01-01 x' }],
    ['INVALID_INPUT', { account: 'assets:x;y' }],
    ['INVALID_INPUT', { account: '(assets:x)' }],
    ['INVALID_INPUT', { account: 'con:x' }],
    ['INVALID_INPUT', { account: ':' }],
    ['INVALID_INPUT', { file: '../main.journal' }],
    ['INVALID_INPUT', { file: '/etc/passwd' }],
    ['INVALID_INPUT', { file: 'nov.csv\u0000' }],
    ['INVALID_INPUT', { file: 'con.csv' }],
    ['INVALID_INPUT', { file: 'nov\u202evsc.csv' }],
    ['INVALID_INPUT', { file: 'nov.exe' }],
    ['INVALID_INPUT', { currency: 'XXX' }],
    ['INVALID_INPUT', { rules: '../x' }],
    ['INVALID_INPUT', { rules: 'nul' }],
    ['INVALID_INPUT', { source: '1' }],
    ['NOT_FOUND', { file: 'dec.csv' }],
    ['NOT_FOUND', { rules: 'none' }],
    ['CORRUPT_DATA', { rules: 'bad' }],
    ['CORRUPT_DATA', { file: 'latin.csv' }],
    ['CORRUPT_DATA', { file: 'link.csv' }],
    ['LIMIT_EXCEEDED', { file: 'huge.csv' }],
  ])('with %s: %j', async (code, change) => {
    home.put('bank/bad.rules', 'fields date, description, amount\nif (a+)+$\n account2 x\n')
    home.put('bank/latin.csv', Buffer.from(csv('2026-11-03,Käse,-1.00'), 'latin1'))
    home.put('bank/nov.exe', november)
    home.put('bank/huge.csv', Buffer.alloc(8 * 1024 * 1024 + 1, 0x61))
    symlinkSync(join(home.folder, 'main.journal'), join(home.folder, 'bank', 'link.csv'))
    expect(await failureOf(home.run('import', { ...args, ...change }))).toMatchObject({ code })
    expect(home.read(journal)).toBeUndefined()
  })

  test.each([
    '..',
    '../x',
    'a/b',
    'a:../b',
    'a.b',
    'a\nb',
    'a  b',
    'a;b',
    'A:',
    'a'.repeat(81),
    'nul:a',
    '',
  ])('because no file may be called as the account %j would be', (name) => {
    expect(journalNameOf(name)).toBeUndefined()
  })

  test('where a link stands in place of the folder of imports', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'finance-elsewhere-'))
    try {
      symlinkSync(elsewhere, join(home.folder, 'imported'))
      expect(await failureOf(home.run('import', args))).toMatchObject({ code: 'CORRUPT_DATA' })
      expect(await failureOf(revert('one'))).toMatchObject({ code: 'CORRUPT_DATA' })
    } finally {
      rmSync(elsewhere, { recursive: true })
    }
  })

  test('when the journal of the account would become too large', async () => {
    mkdirSync(join(home.folder, 'imported'))
    home.put(journal, Buffer.alloc(16 * 1024 * 1024, 0x0a))
    expect(await failureOf(home.run('import', args))).toMatchObject({ code: 'LIMIT_EXCEEDED' })
  })
})

/** A server of ours in the shape that simplefin.org publishes for GET /accounts. */
function simpleFin(reply: Partial<EgressResponse>) {
  const asked: EgressRequest[] = []
  const fetch = async (request: EgressRequest): Promise<EgressResponse> => {
    asked.push(request)
    return { status: 200, headers: {}, body: '', url: 'https://bridge.example', ...reply }
  }
  return { asked, fetch }
}
const synced = { source: 'ACT-1', account }

describe('a sync with SimpleFIN', () => {
  const transactions = [
    { id: 'T1', posted: 1_793_700_000, amount: '-12.34', description: 'Grocer' },
    { id: 'T2', posted: 0, amount: '-1.00', description: 'later', pending: true },
  ]
  const body = JSON.stringify({
    errors: [],
    accounts: [{ id: 'ACT-1', name: 'Giro', currency: 'EUR', balance: '1.00', transactions }],
  })

  test('adds what the server has, once, and is undone as an import is', async () => {
    const { asked, fetch } = simpleFin({ body })
    const result = await home.run('sync', synced, { fetch })
    expect(result).toMatchObject({ new: 1, duplicate: 0, pending: 1, added: [{ payee: 'Grocer' }] })
    const again = await home.run('sync', synced, { fetch, idem: 'two' })
    expect(again).toMatchObject({ new: 0, duplicate: 1 })
    expect(asked[0]).toMatchObject({
      ...{ egress: 'simplefin', method: 'GET', path: '/simplefin/accounts' },
      query: { account: 'ACT-1', 'start-date': String(Date.parse('2026-10-22') / 1_000) },
    })
    await revert('one')
    expect(home.read(journal)).toBeUndefined()
  })

  test.each([
    [{ status: 403 }, 'UNAVAILABLE', 'ask'],
    [{ status: 402 }, 'UNAVAILABLE', 'ask'],
    [{ status: 429 }, 'UNAVAILABLE', 'absent'],
    [{ status: 500 }, 'UNAVAILABLE', 'absent'],
    [{ status: 302 }, 'UNAVAILABLE', 'final'],
    [{ body: '<html>' }, 'CORRUPT_DATA', 'final'],
  ])('fails with a type on %j', async (reply, code, retry) => {
    const failure = await failureOf(home.run('sync', synced, simpleFin(reply)))
    expect(failure).toBeInstanceOf(ActionFailure)
    expect([failure.code, failure.retry]).toEqual([code, retry])
    expect(home.read(journal)).toBeUndefined()
  })
})
