// What the finance agent declares: a hledger journal in a folder of the person's, read through hledger, and
// statements of banks that become entries of a journal of the agent's own. Data and zod only. Amounts are
// integers of minor units with a currency beside them; ranges are end-exclusive. Nothing here can move
// money: the one server that is asked gives accounts and transactions, and is only read.

import { z } from 'zod'
import { defineManifest } from '../../plan/manifest.ts'
import { fileStemPattern } from '../file-stem.ts'
import { accountPattern, maxAccountCharacters } from './account-name.ts'
import { date, money, reads } from './declared-reads.ts'
import { financeAt } from './places.ts'

const dryRun = z.boolean().default(false)
const fileName = z.string().min(1).max(100).regex(fileStemPattern)
const importAccount = z.string().min(1).max(maxAccountCharacters).regex(accountPattern)
const change = z.string().regex(/^[A-Za-z0-9_-]{43}$/)
/** As the bank calls the account. */
const source = z.string().min(1).max(100)

/** Entries of imports in the account's journal. */
const kept = z.strictObject({ entries: z.number().int(), last: date.nullable() })

const imported = z.strictObject({
  account: z.string(),
  journal: z.string(),
  new: z.number().int(),
  duplicate: z.number().int(),
  /** Left out until the bank has made up its mind. */
  pending: z.number().int(),
  /** Complaints of the server; what it has may then be old. */
  notices: z.number().int(),
  /** Lines that were not understood; the others are imported. */
  errors: z.strictObject({
    count: z.number().int(),
    first: z.array(z.strictObject({ line: z.number().int(), code: z.string() })),
  }),
  /** Of what is new, a currency each. */
  sums: z.array(money),
  /** The first of what is new. */
  added: z.array(
    z.strictObject({
      id: z.string(),
      date,
      amount: money,
      payee: z.string(),
      category: z.string(),
    }),
  ),
  before: kept,
  after: kept,
})

const common = { audience: 'owner', idempotent: true, timeoutMs: 15_000 } as const
const revertThis = {
  action: 'revert',
  args: { account: { $args: '/account' }, change: { $idem: true } },
} as const

const writes = {
  import: {
    ...common,
    effect: 'write',
    summary:
      'a statement of a bank (CSV, OFX, QFX) into the journal of an account; twice changes nothing',
    input: z.strictObject({
      /** In the folder `bank`, with its ending. */
      file: fileName,
      account: importAccount,
      /** `bank/<rules>.rules`; for CSV whose first line does not say date, amount and description. */
      rules: fileName.optional(),
      /** Of CSV amounts that name none. */
      currency: z
        .string()
        .regex(/^[A-Z]{3}$/)
        .optional(),
      source: source.optional(),
      dryRun,
    }),
    output: imported,
    quotes: ['/added'],
    roles: {
      '/file': 'control',
      '/account': 'control',
      '/rules': 'control',
      '/currency': 'control',
      '/source': 'control',
      '/dryRun': 'control',
    },
    undo: revertThis,
    maxResultBytes: 64 * 1024,
  },
  sync: {
    ...common,
    // It writes too; a class stands for the most that an action does.
    effect: 'egress',
    audience: { host: 'simplefin' },
    egress: ['simplefin'],
    summary: 'what a SimpleFIN server has of an account, into the journal of that account',
    input: z.strictObject({
      source,
      account: importAccount,
      lookbackDays: z.number().int().min(1).max(90).default(30),
      dryRun,
    }),
    output: imported,
    quotes: ['/added'],
    roles: {
      '/source': 'control',
      '/account': 'control',
      '/lookbackDays': 'control',
      '/dryRun': 'control',
    },
    undo: revertThis,
    maxResultBytes: 64 * 1024,
  },
  revert: {
    ...common,
    effect: 'write',
    summary: 'the undo of import and sync: removes the entries of that import and nothing else',
    input: z.strictObject({ account: importAccount, change, dryRun }),
    output: z.strictObject({
      account: z.string(),
      /** `not-applied`: nothing of that import is there. */
      outcome: z.enum(['reverted', 'not-applied']),
      removed: z.number().int(),
      before: kept,
      after: kept,
    }),
    roles: { '/account': 'control', '/change': 'opaque', '/dryRun': 'control' },
    undo: 'none',
    maxResultBytes: 4 * 1024,
  },
} as const

export const manifest = defineManifest({
  name: 'finance',
  summary: 'reads a hledger journal, and keeps statements of banks in one of its own',
  replicas: 1,
  alwaysOn: false,
  idleMs: 60_000,
  storage: 'data',
  perUser: false,
  mounts: [{ from: { config: 'finance.folder' }, at: financeAt, mode: 'rw' }],
  programs: [{ name: 'hledger', from: { config: 'finance.hledger' }, kind: 'elf' }],
  // hledger had 400 MB for thirty thousand transactions, and what it prints of them is read in one piece.
  limits: { memoryBytes: 1024 * 1024 * 1024 },
  egress: [
    {
      id: 'simplefin',
      // The origin of the access address; its user and password are the credential, which the gateway
      // adds and the agent never sees.
      host: { config: 'finance.simplefin' },
      port: 443,
      protocol: 'https',
      credential: { secret: { config: 'finance.simplefinAccess' }, as: 'basic' },
      allow: [
        {
          methods: ['GET'],
          path: '/simplefin/accounts',
          bind: { account: '/source' },
          query: ['start-date'],
        },
      ],
    },
  ],
  actions: { ...reads, ...writes },
})
