// Rules that say what the columns of a bank's CSV file mean: those of hledger's own rules files
// (hledger.org/hledger.html#csv-format) that most of them need, so that one file serves both. What is not
// known here is refused by its line, because a rule that is left out would file money wrongly. Patterns
// are plain texts: an expression from a file, run over texts of strangers, could be made to take hours.
// Pure.

import { accountPattern, maxAccountCharacters } from './account-name.ts'
import { type DateText, dateReader, readDate } from './dates.ts'
import type { DecimalMark } from './money.ts'

/** What a line of a statement is made of; any other name of a column serves `%name` alone. */
const targets = [
  ...['date', 'amount', 'amount-in', 'amount-out', 'currency'],
  ...['code', 'description', 'comment', 'account1', 'account2'],
] as const
export type Target = (typeof targets)[number]

export interface Matcher {
  /** Column that it looks at; undefined: the whole record. */
  readonly column: string | undefined
  /** Lower case; one of them must be found. */
  readonly texts: readonly string[]
}

export interface Condition {
  readonly matchers: readonly Matcher[]
  readonly values: ReadonlyMap<Target, string>
}

export interface CsvRules {
  readonly skip: number
  readonly separator: string
  readonly encoding: string | undefined
  readonly decimalMark: DecimalMark | undefined
  readonly readDate: (text: string) => DateText | undefined
  /** Names of the columns in their order; empty for those without one. */
  readonly fields: readonly string[]
  /** Texts with `%name` or `%1` in them. */
  readonly values: ReadonlyMap<Target, string>
  /** In their order: a later one overrules an earlier one. */
  readonly conditions: readonly Condition[]
}

export type ParsedRules =
  | { readonly ok: true; readonly rules: CsvRules }
  | { readonly ok: false; readonly line: number; readonly why: string }

/** Bounds of one rules file; a person with more would keep a list, not rules. */
const maxRules = 2_000
const maxRuleCharacters = 500

interface Draft {
  skip: number
  separator: string
  encoding: string | undefined
  decimalMark: DecimalMark | undefined
  readDate: CsvRules['readDate']
  fields: readonly string[]
  readonly values: Map<Target, string>
  readonly conditions: Condition[]
}

export function parseCsvRules(text: string): ParsedRules {
  const draft: Draft = {
    ...{ skip: 0, separator: ',', encoding: undefined, decimalMark: undefined },
    ...{ readDate, fields: [], values: new Map(), conditions: [] },
  }
  const lines = text.split(/\r?\n/)
  const refuse = (line: number, why: string): ParsedRules => ({ ok: false, line: line + 1, why })
  if (lines.length > maxRules) return refuse(maxRules, 'too many rules')
  let block: { matchers: Matcher[]; values: Map<Target, string> } | undefined
  for (const [at, line] of lines.entries()) {
    if (line.length > maxRuleCharacters) return refuse(at, 'too long')
    if (line.trim() === '') block = undefined
    if (line.trim() === '' || /^\s*[#;*]/.test(line)) continue
    let why: string | undefined
    if (/^if[ ,]/.test(line) || line === 'if') {
      block = { matchers: [], values: new Map() }
      draft.conditions.push(block)
      const rest = line.slice(2).trim()
      why = line.startsWith('if,') ? 'tables are not known' : rest && addMatcher(block, rest)
    } else if (block !== undefined && /^\s/.test(line)) {
      why = block.matchers.length === 0 ? 'no pattern before it' : assign(block.values, line.trim())
    } else if (block !== undefined && block.values.size === 0) {
      why = addMatcher(block, line.trim())
    } else {
      block = undefined
      why = readDirective(draft, line.trim())
    }
    if (why !== undefined && why !== '') return refuse(at, why)
  }
  if (draft.fields.length === 0) return refuse(lines.length - 1, 'no fields')
  return { ok: true, rules: draft }
}

function addMatcher(block: { matchers: Matcher[] }, pattern: string): string | undefined {
  const [, column, rest] = /^%([A-Za-z0-9_-]+)\s+(.+)$/.exec(pattern) ?? []
  const wanted = rest ?? pattern
  if (/^[&%!]/.test(wanted)) return 'this kind of pattern is not known'
  if (/[\\^$*+?()[\]{}]/.test(wanted)) return 'patterns are plain texts here, with | between two'
  const texts = wanted.split('|').map((one) => one.trim().toLowerCase())
  if (texts.includes('')) return 'an empty pattern would be found everywhere'
  block.matchers.push({ column, texts })
  return undefined
}

function assign(values: Map<Target, string>, rule: string): string | undefined {
  const [, name, value = ''] = /^([a-z0-9-]+)(?:(?:\s*:\s*|\s+)(.*))?$/.exec(rule) ?? []
  const target = targets.find((one) => one === name)
  if (target === undefined) return 'not a rule that is known here'
  if (target === 'account1' || target === 'account2') {
    if (!accountPattern.test(value) || value.length > maxAccountCharacters) return 'not an account'
  }
  values.set(target, value)
  return undefined
}

function readDirective(draft: Draft, rule: string): string | undefined {
  const [name = '', ...words] = rule.split(/\s+/)
  const value = words.join(' ')
  switch (name.replace(/:$/, '')) {
    case 'skip':
      if (!/^\d{0,3}$/.test(value)) return 'skip what'
      draft.skip = value === '' ? 1 : Number(value)
      return undefined
    case 'separator':
      draft.separator = /^tab$/i.test(value) ? '\t' : /^space$/i.test(value) ? ' ' : value
      return draft.separator.length === 1 ? undefined : 'a separator is one character'
    case 'decimal-mark':
      if (value !== '.' && value !== ',') return 'a decimal mark is . or ,'
      draft.decimalMark = value
      return undefined
    case 'date-format': {
      const reader = dateReader(value)
      if (reader === undefined) return 'a date format of other parts'
      draft.readDate = reader
      return undefined
    }
    case 'encoding':
      draft.encoding = value
      return undefined
    case 'fields':
      draft.fields = value.split(',').map((one) =>
        one
          .trim()
          .toLowerCase()
          .replace(/^"(.*)"$/, '$1'),
      )
      return undefined
    case 'newest-first':
      // Of no meaning here: each line has its own date.
      return undefined
    default:
      return assign(draft.values, rule)
  }
}
