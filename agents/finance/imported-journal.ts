// The journal that an account's imports are kept in: text that hledger reads and a person may edit. Each
// entry says in its tags which line of a statement it is, which import brought it, and how it looked then.
// Invariant: an import adds entries at the end and changes no other byte; taking it back removes its own
// entries and nothing else, and not even those once a person has changed one. Pure.

import { isCurrency } from './currencies.ts'
import { moneyText } from './money.ts'
import { shortHash } from './short-hash.ts'
import type { KnownLine } from './statement.ts'

export interface KeptEntry {
  /** Of the statement's line. */
  readonly id: string
  /** Effect id of the import. */
  readonly change: string
  readonly date: string
  /** False once anybody has changed it. */
  readonly isAsWritten: boolean
  /** Where it is in the text, the empty line behind it included. */
  readonly start: number
  readonly end: number
}

const tags =
  / {2}; bulkhead-id:([A-Za-z0-9_-]{22}), bulkhead-import:([A-Za-z0-9_-]{43}), bulkhead-sum:([A-Za-z0-9_-]{22})$/

export function headOf(account: string): string {
  return [
    `; Imported statements of ${account}. Entries may be edited; an edited one is no longer taken back`,
    '; with its import. The tags tell which line of a statement an entry is: keep them.',
    'decimal-mark .',
    '',
    '',
  ].join('\n')
}

/** Entries of imports, in the order of the text. All else that stands there is a person's. */
export function keptEntries(text: string): readonly KeptEntry[] {
  const entries: KeptEntry[] = []
  let block: string[] = []
  let start = 0
  const close = (end: number) => {
    const [first = '', ...rest] = block
    block = []
    const found = tags.exec(first)
    if (found === null) return
    const [marks, id = '', change = '', sum] = found
    const isAsWritten = sum === shortHash([first.slice(0, -marks.length), ...rest].join('\n'))
    entries.push({ id, change, date: first.slice(0, 10), isAsWritten, start, end })
  }
  let at = 0
  while (at < text.length) {
    const newline = text.indexOf('\n', at)
    const next = newline === -1 ? text.length : newline + 1
    const line = text.slice(at, newline === -1 ? next : newline)
    if (line.trim() === '') close(next)
    else {
      if (block.length === 0) start = at
      block.push(line)
    }
    at = next
  }
  close(text.length)
  return entries
}

export interface NewEntries {
  readonly account: string
  /** Effect id of the import. */
  readonly change: string
  readonly lines: readonly KnownLine[]
}

/** The journal with these entries at its end. */
export function withEntries(
  text: string | undefined,
  { account, change, lines }: NewEntries,
): string {
  const before = text ?? headOf(account)
  // An entry would become part of the one before it without an empty line between them.
  const gap = before === '' || before.endsWith('\n\n') ? '' : before.endsWith('\n') ? '\n' : '\n\n'
  return `${before}${gap}${lines.map((line) => entryText(account, change, line)).join('')}`
}

/** The journal without the entries of that import. */
export function withoutEntries(text: string, change: string): string {
  const gone = keptEntries(text).filter((entry) => entry.change === change)
  let result = ''
  let from = 0
  for (const { start, end } of gone) {
    result += text.slice(from, start)
    from = end
  }
  return result + text.slice(from)
}

function entryText(account: string, change: string, line: KnownLine): string {
  const { date, money, payee, note, id } = line
  if (!isCurrency(money.currency)) throw new Error('an amount without a currency')
  const title = [payee, note].filter((one) => one !== '').join(' | ')
  const first = `${date} *${title === '' ? '' : ` ${title}`}`
  const postings = [
    `    ${account}  ${moneyText(money)}`,
    `    ${line.category ?? unknownCategory(money.minor)}  ${moneyText({ ...money, minor: 0 - money.minor })}`,
  ]
  const sum = shortHash([first, ...postings].join('\n'))
  const marks = `  ; bulkhead-id:${id}, bulkhead-import:${change}, bulkhead-sum:${sum}`
  return `${first}${marks}\n${postings.join('\n')}\n\n`
}

/** Accounts that hledger's own import would name. */
export function unknownCategory(minor: number): string {
  return minor > 0 ? 'income:unknown' : 'expenses:unknown'
}
