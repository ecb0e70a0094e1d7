// A hostile bank, a hostile journal, and a hledger that lies.

import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { agent } from '../../../agents/finance/agent.ts'
import { financeAt } from '../../../agents/finance/places.ts'
import { account, fault, payee } from './statements.ts'
import {
  type Ends,
  formula,
  type HostileParser,
  megabytes,
  not,
  type Trial,
  trial,
} from './trial.ts'

const synced = (what: string, ends: Ends, body: () => string): Trial =>
  trial(agent, what, ends, () => ({
    ...{ action: 'sync', args: { source: 'X', account } },
    world: {
      folders: { [financeAt]: {} },
      origins: { simplefin: ['https://bridge.example'] },
      servers: () => ({ answer: () => ({ status: 200, body: body() }) }),
    },
  }))
const posted = { id: 'T1', posted: 1_793_700_000, amount: '-12.34', description: 'Grocer' }
const bank =
  (change: object, more: object = {}) =>
  () =>
    JSON.stringify({
      errors: [],
      accounts: [
        { id: 'X', name: 'Giro', currency: 'EUR', transactions: [{ ...posted, ...change }] },
      ],
      ...more,
    })

export const simpleFin: HostileParser = {
  reads: 'answers of a SimpleFIN server',
  cells: {
    entities: not('JSON has none'),
    gigantic: [
      synced('a description', 'CORRUPT_DATA', bank({ description: 'x'.repeat(10_001) })),
      synced('more than is asked for', 'LIMIT_EXCEEDED', bank({}, { more: megabytes(40) })),
    ],
    encoding: [
      synced('UTF-16 taken for UTF-8', 'CORRUPT_DATA', () =>
        Buffer.from(bank({})(), 'utf16le').toString('utf8'),
      ),
    ],
    dates: [
      synced('before 1970', 'CORRUPT_DATA', bank({ posted: -5 })),
      synced('beyond all numbers', 'CORRUPT_DATA', bank({ posted: 1e300 })),
      synced('of another century', fault('date'), bank({ posted: 250_000_000_000 })),
    ],
    formula: [
      synced('a description', payee(formula), bank({ description: formula })),
      synced('an amount', fault('not-an-amount'), bank({ amount: '=1+1' })),
    ],
    paths: not('nothing in an answer names a file or an address that is asked'),
    crowd: [
      synced('accounts', 'CORRUPT_DATA', () =>
        JSON.stringify({ accounts: Array.from({ length: 10_000 }, () => ({})) }),
      ),
      synced('transactions', 'CORRUPT_DATA', () =>
        JSON.stringify({
          accounts: [
            {
              id: 'X',
              name: 'G',
              currency: 'EUR',
              transactions: Array.from({ length: 20_001 }, () => posted),
            },
          ],
        }),
      ),
    ],
    depth: [synced('lists', 'CORRUPT_DATA', () => '['.repeat(1_000_000))],
  },
}

interface Journal {
  readonly text?: string | Uint8Array
  readonly says?: string
  readonly code?: number
  prepare?(folder: string): void
}
const asked = (what: string, ends: Ends, make: () => Journal): Trial =>
  trial(agent, what, ends, () => {
    const { text = '; empty\n', says = '[]', code = 0, prepare } = make()
    return {
      ...{ action: 'transactions', args: { from: '2026-11-01', to: '2026-12-01' } },
      world: {
        folders: { [financeAt]: { 'main.journal': text } },
        programs: async ({ args, maxBytes }) => {
          const stdout = Buffer.from(args[0] === 'print' ? says : '')
          if (stdout.length > maxBytes) throw new Error('the runner ends it before')
          return { code, stdout, stderr: '' }
        },
      },
      ...(prepare === undefined
        ? {}
        : { prepare: (folder: string) => prepare(join(folder, financeAt)) }),
    }
  })
const amount = (mantissa: unknown, commodity = 'EUR') => [
  { acommodity: commodity, aquantity: { decimalMantissa: mantissa, decimalPlaces: 2 } },
]
const printed = (change: object = {}, mantissa: unknown = -100) =>
  JSON.stringify([
    {
      ...{ tdate: '2026-11-03', tstatus: 'Unmarked', tdescription: 'Grocer', ...change },
      tpostings: [account, 'expenses:food'].map((paccount) => ({
        ...{ paccount, pamount: amount(mantissa), pstatus: 'Unmarked', ptype: 'RegularPosting' },
      })),
    },
  ])

export const journals: HostileParser = {
  reads: 'a journal, and what hledger prints of it',
  cells: {
    entities: not('neither a journal nor JSON has any'),
    gigantic: [
      asked('a journal of many megabytes', 'LIMIT_EXCEEDED', () => ({ text: megabytes(70) })),
      asked('an amount', 'LIMIT_EXCEEDED', () => ({ says: printed({}, 10 ** 20) })),
    ],
    encoding: [
      asked('output that is none', 'CORRUPT_DATA', () => ({
        says: Buffer.from(printed(), 'utf16le').toString('latin1'),
      })),
      asked('a journal that hledger refuses', 'CORRUPT_DATA', () => ({
        text: Buffer.from('2026-01-01 Café\n', 'latin1'),
        code: 1,
      })),
    ],
    dates: [
      asked('a negative year', 'CORRUPT_DATA', () => ({ says: printed({ tdate: '-2026-11-03' }) })),
      asked('31 November', 'CORRUPT_DATA', () => ({ says: printed({ tdate: '2026-11-31' }) })),
    ],
    formula: [
      asked('a payee', { says: { transactions: [{ payee: formula }] } }, () => ({
        says: printed({ tdescription: formula }),
      })),
    ],
    paths: [
      ...[
        '/etc/passwd.journal',
        '../x.journal',
        '~/x.journal',
        'csv:x.csv',
        'x.rules',
        '**/a/**.journal',
      ].map((wanted) =>
        asked(`include ${wanted}`, 'CORRUPT_DATA', () => ({ text: `include ${wanted}\n` })),
      ),
      asked('an include behind a link', 'CORRUPT_DATA', () => ({
        text: 'include sub/x.journal\n',
        prepare: (folder) => symlinkSync('/etc', join(folder, 'sub')),
      })),
      asked('a link for the folder of imports', 'CORRUPT_DATA', () => ({
        prepare: (folder) => symlinkSync('/etc', join(folder, 'imported')),
      })),
    ],
    crowd: [
      asked('files of imports', 'LIMIT_EXCEEDED', () => ({
        prepare(folder) {
          mkdirSync(join(folder, 'imported'))
          for (let at = 0; at < 10_000; at += 1) {
            writeFileSync(join(folder, 'imported', `i${at}.journal`), '')
          }
        },
      })),
    ],
    depth: [asked('lists', 'CORRUPT_DATA', () => ({ says: '['.repeat(1_000_000) }))],
  },
}
