// import, sync and revert: a statement becomes entries of the account's own journal, once. Invariant: the
// journal itself says what was imported by which command, so that a command that is repeated after a crash
// adds nothing and answers the same; this file keeps no other state. Nothing here moves money.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { z } from 'zod'
import { readStored, replaceStored } from '../data-folder.ts'
import { type ActionContext, ActionFailure } from '../define-agent.ts'
import { isFileStem } from '../file-stem.ts'
import { journalNameOf } from './account-name.ts'
import { type CsvRules, parseCsvRules } from './csv-rules.ts'
import { readCsv } from './csv-statement.ts'
import { isCurrency } from './currencies.ts'
import { corrupt, invalid, notFound, tooMuch } from './failures.ts'
import { decodeText, ofxEncoding } from './file-text.ts'
import {
  headOf,
  type KeptEntry,
  keptEntries,
  unknownCategory,
  withEntries,
  withoutEntries,
} from './imported-journal.ts'
import { hasImports } from './journal-files.ts'
import type { manifest } from './manifest.ts'
import { readOfx } from './ofx.ts'
import { bankFolder, financeAt, importedFolder, maxShown } from './places.ts'
import { readSimpleFin } from './simplefin.ts'
import { type KnownLine, type Statement, withIds } from './statement.ts'
import { sumsOf } from './sums.ts'

type Imported = z.infer<(typeof manifest.actions.import)['output']>
type Reverted = z.infer<(typeof manifest.actions.revert)['output']>

/** A year of a busy account is a tenth of it. */
const maxStatementBytes = 8 * 1024 * 1024
const maxRulesBytes = 256 * 1024
/** Twenty years of a busy account; each import writes it anew. */
const maxJournalBytes = 16 * 1024 * 1024

export interface ImportArgs {
  readonly file: string
  readonly account: string
  readonly rules?: string | undefined
  readonly currency?: string | undefined
  readonly source?: string | undefined
  readonly dryRun: boolean
}

/** @throws ActionFailure */
export function importFile(args: ImportArgs, context: ActionContext): Imported {
  const bank = join(context.folder(financeAt), bankFolder)
  if (!isFileStem(args.file)) throw invalid('not the name of a file')
  if (args.currency !== undefined && !isCurrency(args.currency)) throw invalid('not a currency')
  const bytes = readStored(bank, args.file, maxStatementBytes)?.bytes
  if (bytes === undefined) throw notFound(`there is no ${bankFolder}/${args.file}`)
  return addStatement(args, context, readStatement(args, { bank, bytes }))
}

function readStatement(
  { file, account, rules: named, currency, source }: ImportArgs,
  { bank, bytes }: { bank: string; bytes: Buffer },
): Statement {
  if (/\.(?:ofx|qfx)$/i.test(file)) {
    if (named !== undefined) throw invalid('rules are for CSV files')
    return readOfx({ file, text: decodeText(file, bytes, ofxEncoding(bytes)), source })
  }
  if (!/\.(?:csv|tsv)$/i.test(file)) throw invalid('not a file *.csv, *.tsv, *.ofx or *.qfx')
  if (source !== undefined) throw invalid('a CSV file has one account only')
  const rules = named === undefined ? undefined : readRules(bank, named)
  return readCsv({ file, text: decodeText(file, bytes, rules?.encoding), rules, currency, account })
}

function readRules(bank: string, named: string): CsvRules {
  if (!isFileStem(named)) throw invalid('not the name of a rules file')
  const name = `${named}.rules`
  const bytes = readStored(bank, name, maxRulesBytes)?.bytes
  if (bytes === undefined) throw notFound(`there is no ${bankFolder}/${name}`)
  const parsed = parseCsvRules(decodeText(name, bytes))
  if (!parsed.ok) throw corrupt(name, `line ${parsed.line}: ${parsed.why}`)
  return parsed.rules
}

export interface SyncArgs {
  readonly source: string
  readonly account: string
  readonly lookbackDays: number
  readonly dryRun: boolean
}

const dayS = 24 * 60 * 60

/** @throws ActionFailure */
export async function syncAccount(args: SyncArgs, context: ActionContext): Promise<Imported> {
  const from = Math.floor(context.now() / 1_000 / dayS - args.lookbackDays) * dayS
  const reply = await context.fetch({
    egress: 'simplefin',
    method: 'GET',
    path: '/simplefin/accounts',
    query: { account: args.source, 'start-date': String(from) },
    headers: { accept: 'application/json' },
    maxBytes: 4 * 1024 * 1024,
  })
  const { status } = reply
  if (status === 429 || status >= 500) {
    throw new ActionFailure('UNAVAILABLE', 'absent', `status ${status}`)
  }
  // 403: the access was taken back; 402: it was not paid for. Both are a person's to settle.
  if (status === 402 || status === 403) {
    throw new ActionFailure('UNAVAILABLE', 'ask', `status ${status}`)
  }
  if (status !== 200) throw new ActionFailure('UNAVAILABLE', 'final', `status ${status}`)
  return addStatement(args, context, readSimpleFin(reply.body, args.source))
}

interface OpenJournal {
  readonly folder: string
  /** Below the folder. */
  readonly name: string
  readonly bytes: Buffer | undefined
  readonly text: string | undefined
  readonly entries: readonly KeptEntry[]
}

function openJournal(context: ActionContext, account: string): OpenJournal {
  const file = journalNameOf(account)
  if (file === undefined) throw invalid('an import needs an account of plain words')
  const folder = context.folder(financeAt)
  const name = `${importedFolder}/${file}`
  const bytes = hasImports(folder) ? readStored(folder, name, maxJournalBytes)?.bytes : undefined
  const text = bytes === undefined ? undefined : decodeText(name, bytes)
  return { folder, name, bytes, text, entries: keptEntries(text ?? '') }
}

interface Target {
  readonly account: string
  readonly dryRun: boolean
}

function addStatement(
  { account, dryRun }: Target,
  context: ActionContext,
  statement: Statement,
): Imported {
  const open = openJournal(context, account)
  const change = context.idem
  // Entries of this very command are there when it is repeated; it must answer as it did.
  const earlier = open.entries.filter((entry) => entry.change !== change)
  const known = new Set(earlier.map(({ id }) => id))
  const fresh: KnownLine[] = []
  for (const line of withIds(account, statement.lines)) {
    if (known.has(line.id)) continue
    known.add(line.id)
    fresh.push(line)
  }
  const isDone = earlier.length < open.entries.length
  if (!dryRun && !isDone && fresh.length > 0) {
    const bytes = Buffer.from(withEntries(open.text, { account, change, lines: fresh }))
    if (bytes.length > maxJournalBytes) throw tooMuch(`${open.name} would be too large`)
    if (!hasImports(open.folder)) mkdirSync(join(open.folder, importedFolder), { mode: 0o700 })
    replaceStored({ folder: open.folder, name: open.name, expected: open.bytes, bytes })
  }
  return {
    account,
    journal: open.name,
    new: fresh.length,
    duplicate: statement.lines.length - fresh.length,
    pending: statement.pending,
    notices: statement.notices,
    errors: { count: statement.faults.length, first: statement.faults.slice(0, maxShown) },
    sums: sumsOf(fresh.map(({ money }) => money)),
    added: fresh.slice(0, maxShown).map((line) => ({
      id: line.id,
      date: line.date,
      amount: line.money,
      payee: line.payee,
      category: line.category ?? unknownCategory(line.money.minor),
    })),
    before: { entries: earlier.length, last: lastDate(earlier) },
    after: { entries: earlier.length + fresh.length, last: lastDate([...earlier, ...fresh]) },
  }
}

function lastDate(entries: readonly { readonly date: string }[]): string | null {
  const dates = entries.map(({ date }) => date).filter((date) => /^\d{4}-\d{2}-\d{2}$/.test(date))
  return dates.reduce<string | null>(
    (last, date) => (last === null || date > last ? date : last),
    null,
  )
}

export interface RevertArgs extends Target {
  /** The `idem` of the import that is taken back. */
  readonly change: string
}

/** @throws ActionFailure CONFLICT when a person has edited an entry of that import */
export function revertImport(args: RevertArgs, context: ActionContext): Reverted {
  const { account, change, dryRun } = args
  const open = openJournal(context, account)
  const own = open.entries.filter((entry) => entry.change === change)
  const left = open.entries.filter((entry) => entry.change !== change)
  if (own.some(({ isAsWritten }) => !isAsWritten)) {
    throw new ActionFailure('CONFLICT', 'ask', `entries of that import were edited in ${open.name}`)
  }
  if (!dryRun && own.length > 0) {
    const text = withoutEntries(open.text ?? '', change)
    const bytes = text === headOf(account) ? undefined : Buffer.from(text)
    replaceStored({ folder: open.folder, name: open.name, expected: open.bytes, bytes })
  }
  return {
    account,
    outcome: own.length > 0 ? 'reverted' : 'not-applied',
    removed: own.length,
    before: { entries: open.entries.length, last: lastDate(open.entries) },
    after: { entries: left.length, last: lastDate(left) },
  }
}
