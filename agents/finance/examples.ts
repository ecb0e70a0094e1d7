// Calls of every action of finance, for `bulkhead agent check`: a journal whose answers from hledger are
// written here (the real one is asked in test/agents/finance-hledger.test.ts), a statement, and a server in
// the shape of SimpleFIN.

import type {
  AgentExamples,
  ExampleProgramCall,
  ExampleServers,
} from '../check/examples-contract.ts'
import { financeAt } from './places.ts'

const account = 'assets:bank:giro'
const statement = 'date,description,amount\n2026-11-03,Grocer,-12.34\n2026-11-04,Kiosk,-2.50\n'
const from = { file: 'giro.csv', account, currency: 'EUR' }

const amount = (mantissa: number) => [
  { acommodity: 'EUR', aquantity: { decimalMantissa: mantissa, decimalPlaces: 2 } },
]
const posting = (name: string, mantissa: number) => ({
  ...{ paccount: name, pamount: amount(mantissa), pstatus: 'Unmarked', ptype: 'RegularPosting' },
})
const transaction = (date: string, payee: string, category: string) => ({
  ...{ tdate: date, tstatus: 'Cleared', tdescription: payee },
  tpostings: [posting(category, 70_000), posting(account, -70_000)],
})

/** As `hledger` of the versions from 1.25 on prints them. */
const printed = ['2026-09-01', '2026-10-01', '2026-11-01'].map((date) =>
  transaction(date, 'Landlord', 'expenses:rent'),
)
const goals = [transaction('2026-11-01', '', 'expenses:rent')]
const held = [[[account, account, 0, amount(123_456)]], amount(123_456)]

async function hledger({ args }: ExampleProgramCall) {
  const [command] = args
  const isGoals = args.some((one) => one.startsWith('--forecast='))
  const answers: Readonly<Record<string, string>> = {
    accounts: 'Miete    ; type: X\n',
    balance: JSON.stringify(held),
    print: JSON.stringify(isGoals ? goals : printed),
  }
  return { code: 0, stdout: Buffer.from(answers[command ?? ''] ?? ''), stderr: '' }
}

function simpleFin(): ExampleServers {
  const transactions = [
    { id: 'T1', posted: 1_793_700_000, amount: '-12.34', description: 'Grocer' },
    { id: 'T2', posted: 0, amount: '-1.00', description: 'Kiosk', pending: true },
  ]
  const accounts = [{ id: 'ACT-1', name: 'Giro', currency: 'EUR', balance: '1.00', transactions }]
  return {
    answer: ({ path }) =>
      path === '/simplefin/accounts'
        ? { status: 200, body: JSON.stringify({ errors: [], accounts }) }
        : undefined,
  }
}

const november = { from: '2026-11-01', to: '2026-12-01' }
const synced = { source: 'ACT-1', account }

export const examples: AgentExamples = {
  worlds: [
    {
      name: 'folder and server',
      now: '2026-11-21T08:00:00Z',
      folders: {
        [financeAt]: {
          'main.journal': 'decimal-mark .\n',
          'bank/giro.csv': statement,
          'bank/plain.rules': 'fields date, description, amount\nskip 1\n',
        },
      },
      origins: { simplefin: ['https://bridge.example'] },
      servers: simpleFin,
      programs: hledger,
      calls: {
        balances: [{ args: {} }, { args: { accounts: ['assets'], asOf: '2026-11-03' } }],
        transactions: [
          { args: { ...november, query: 'landlord', minAbs: 100 } },
          { args: { from: '2026-11-03', to: '2026-11-03' }, fails: 'INVALID_INPUT' },
        ],
        spending: [{ args: { day: '2026-11-07', lastDays: 7 } }, { args: november }],
        recurring: [{ args: { day: '2026-11-21', withinDays: 14 } }],
        budget_check: [{ args: { month: '2026-11' } }],
        import: [
          { args: from },
          { args: { ...from, rules: 'plain' } },
          { args: { ...from, file: 'none.csv' }, fails: 'NOT_FOUND' },
        ],
        sync: [{ args: synced }, { args: { ...synced, source: 'ACT-2' }, fails: 'NOT_FOUND' }],
        revert: [
          {
            before: [{ action: 'import', args: from }],
            args: (earlier) => ({ account, change: earlier[0]?.idem }),
          },
        ],
      },
    },
  ],
}
