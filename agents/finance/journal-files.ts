// Which files a journal consists of, found before hledger is let loose on it. Invariant: every file that an
// `include` reaches is a journal below the person's folder, named by a relative path without `..`; a
// journal that asks for another place, another format or a program is refused, because what hledger says
// of a file that is no journal would quote it. The sandbox bounds the same again: nothing else is there.

import { globSync, lstatSync } from 'node:fs'
import { posix } from 'node:path'
import { listStored, readStored } from '../data-folder.ts'
import { corrupt, notFound, tooMuch } from './failures.ts'
import { importedFolder, mainJournal } from './places.ts'

/** Bounds of all files of one journal; hledger needs about twenty bytes of memory for each byte. */
const maxFiles = 1_000
const maxBytes = 32 * 1024 * 1024

/**
 * Arguments for hledger: the person's journal, and those imports that it does not itself include.
 * @returns paths below the folder
 * @throws ActionFailure NOT_FOUND without any journal; CORRUPT_DATA; LIMIT_EXCEEDED
 */
export function journalFiles(folder: string): readonly string[] {
  const seen = new Set<string>()
  let bytes = 0
  const visit = (name: string): boolean => {
    if (seen.has(name)) return true
    requireOwnFolders(folder, name)
    const stored = readStored(folder, name, maxBytes)
    if (stored === undefined) return false
    seen.add(name)
    bytes += stored.bytes.length
    if (seen.size > maxFiles || bytes > maxBytes) throw tooMuch('the journal has too many files')
    for (const wanted of includesOf(name, stored.bytes.toString('latin1'))) {
      for (const found of matchesOf(folder, name, wanted)) visit(found)
    }
    return true
  }
  const roots = visit(mainJournal) ? [mainJournal] : []
  for (const file of importsIn(folder)) {
    if (!seen.has(file) && visit(file)) roots.push(file)
  }
  if (roots.length === 0) throw notFound(`there is no ${mainJournal}, and nothing was imported`)
  return roots
}

function importsIn(folder: string): readonly string[] {
  if (!hasImports(folder)) return []
  const listing = { suffix: '.journal', maxFiles, only: 'regular' } as const
  return listStored(posix.join(folder, importedFolder), listing).map(
    (stem) => `${importedFolder}/${stem}.journal`,
  )
}

/** Whether there is a folder of imports. A link in its place could lead anywhere. @throws ActionFailure CORRUPT_DATA */
export function hasImports(folder: string): boolean {
  const facts = lstatSync(posix.join(folder, importedFolder), { throwIfNoEntry: false })
  if (facts !== undefined && !facts.isDirectory()) throw corrupt(importedFolder, 'is not a folder')
  return facts !== undefined
}

/** A link to a folder could lead anywhere; one to a file is refused where it is read. */
function requireOwnFolders(folder: string, name: string): void {
  const parts = name.split('/').slice(0, -1)
  for (const [index] of parts.entries()) {
    const path = posix.join(folder, ...parts.slice(0, index + 1))
    const facts = lstatSync(path, { throwIfNoEntry: false })
    if (facts !== undefined && !facts.isDirectory()) throw corrupt(name, 'lies behind a link')
  }
}

/** Paths and patterns, as they are written, of `include` and its elder form `!include`. */
function includesOf(name: string, text: string): readonly string[] {
  // A byte order mark is no part of the first line.
  const plain = text.replace(/^\u00ef\u00bb\u00bf/, '')
  return [...plain.matchAll(/^[!@]?include(?![^\s])[^\S\n]*([^\n]*)$/gm)].map(([, rest = '']) => {
    const wanted = rest.trim()
    const line = `includes ${JSON.stringify(wanted.slice(0, 40))}, which`
    if (/^[A-Za-z]+:/.test(wanted)) throw corrupt(name, `${line} is not read as a journal`)
    if (/[<>\\{}]|\*\*.*\*\*/.test(wanted))
      throw corrupt(name, `${line} is a pattern that is not known here`)
    if (/^[/~"']/.test(wanted)) throw corrupt(name, `${line} is not a path below the folder`)
    if (wanted.split('/').includes('..')) throw corrupt(name, `${line} leaves the folder`)
    if (!/\.(?:journal|j|hledger|ledger)$/.test(wanted))
      throw corrupt(name, `${line} is no journal`)
    return wanted
  })
}

function matchesOf(folder: string, from: string, wanted: string): readonly string[] {
  const base = posix.dirname(from)
  // Bytes, not characters: the text was read so, and the names of files are the same bytes.
  const plain = Buffer.from(wanted, 'latin1').toString('utf8')
  if (!/[*?[\]]/.test(plain)) return [posix.normalize(posix.join(base, plain))]
  const found: string[] = []
  for (const name of globSync(plain, { cwd: posix.join(folder, base) })) {
    if (found.length >= maxFiles) throw tooMuch('the journal has too many files')
    found.push(posix.normalize(posix.join(base, name)))
  }
  return found.sort((left, right) => (left < right ? -1 : 1))
}
