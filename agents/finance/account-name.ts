// Which account names an import may write, and the file that belongs to one. Invariant: the name is one
// account to hledger and cannot be mistaken for another part of an entry; the file is one visible name in
// the folder of imports. Pure.

import { isFileStem } from '../file-stem.ts'

const word = '[A-Za-z0-9\\u00c0-\\u024f]+'
const segment = `${word}(?:[ _-]${word})*`
/** `assets:bank:giro`: words of Latin letters and digits, one space or dash between two of them. */
export const accountPattern = new RegExp(`^${segment}(?::${segment})*$`)

/** Longest name; `imported/<it>.journal` must be a file's name. */
export const maxAccountCharacters = 80

/** @returns undefined for a name that could not be a file's on every system */
export function journalNameOf(account: string): string | undefined {
  if (!accountPattern.test(account) || account.length > maxAccountCharacters) return undefined
  const stem = account.replaceAll(':', '.')
  return isFileStem(stem) ? `${stem}.journal` : undefined
}
