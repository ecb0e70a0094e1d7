// What a statement says, whichever format it had: lines with a date, an amount and two texts, each with an
// id that is the same at every import. Invariant: a line that is not understood is a fault with its
// number, never a guess, and never the end of the others. Pure.

import type { DateText } from './dates.ts'
import { type AmountFault, decimalText, type Money } from './money.ts'
import { shortHash } from './short-hash.ts'

export interface StatementLine {
  /** What the bank calls it; undefined where it gives no name. */
  readonly reference?: string | undefined
  readonly date: DateText
  /** As seen from the account: what was paid is negative. */
  readonly money: Money
  readonly payee: string
  readonly note: string
  /** Account of the other side, by the rules; undefined: nobody knows yet. */
  readonly category?: string | undefined
}

export type FaultCode = AmountFault | 'columns' | 'date' | 'not-a-currency'

export interface LineFault {
  /** From 1: of a CSV file the record, of others the transaction. */
  readonly line: number
  readonly code: FaultCode
}

export interface Statement {
  readonly lines: readonly StatementLine[]
  readonly faults: readonly LineFault[]
  /** Left out: the bank may still change them, and would then call them otherwise. */
  readonly pending: number
  /** What a server complained of besides: what it has may then be old. */
  readonly notices: number
}

/** More is no statement but a data base. */
export const maxLines = 20_000

export interface KnownLine extends StatementLine {
  /** 22 characters of base64url. */
  readonly id: string
}

/**
 * Gives each line its id. With a reference: that, with date and amount, because some banks count anew each
 * day. Without: all that the line says and the how-manieth it is of those that say the same, so that two
 * coffees on one day stay two, and the same two when the next file overlaps.
 */
export function withIds(account: string, lines: readonly StatementLine[]): readonly KnownLine[] {
  const seen = new Map<string, number>()
  return lines.map((line) => {
    const { reference, date, money, payee, note } = line
    const facts = [account, date, decimalText(money), money.currency]
    if (reference !== undefined) return { ...line, id: idOf(['reference', ...facts, reference]) }
    const same = idOf(['content', ...facts, payee, note])
    const nth = (seen.get(same) ?? 0) + 1
    seen.set(same, nth)
    return { ...line, id: idOf([same, String(nth)]) }
  })
}

function idOf(parts: readonly string[]): string {
  return shortHash(JSON.stringify(parts))
}

const maxTextCharacters = 200

/**
 * A text of a bank as it may stand in the first line of a journal's entry: no line break, nothing that
 * hides or turns text, and none of the signs by which the line would mean something else (`;` begins a
 * comment and with it a tag, `|` ends the payee, `(` or a status at the beginning would be a code). What
 * a spreadsheet would take for a formula stays the text that it is.
 */
export function plainText(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .replace(/\p{C}/gu, '')
    .replaceAll(';', ',')
    .replaceAll('|', '/')
    .trim()
    .slice(0, maxTextCharacters)
    .replace(/[\ud800-\udbff]$/, '')
    .replace(/^[\s(!*]+/, '')
    .trimEnd()
}
