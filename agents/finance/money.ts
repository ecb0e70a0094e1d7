// Amounts as integers of minor units, from text and from decimal mantissas. Invariant: no amount ever is
// a floating-point number; what cannot be said exactly is refused, or rounded where the caller says so.
// Pure.

import { type Currency, currencyOf, exponentOf } from './currencies.ts'

export interface Money {
  /** Integer; cents of a currency that has them. */
  readonly minor: number
  readonly currency: Currency
}

export type DecimalMark = '.' | ','

export type AmountFault =
  /** No number at all, a formula for instance. */
  | 'not-an-amount'
  /** `1.234` may be one and a bit, or more than a thousand: the rules must say which mark is decimal. */
  | 'ambiguous'
  /** More decimals than the currency has. */
  | 'too-fine'
  | 'too-large'
  | 'another-currency'

export type ReadAmount =
  | { readonly ok: true; readonly money: Money }
  | { readonly ok: false; readonly fault: AmountFault }

export interface AmountFormat {
  /** Of an amount that names none; one that names another is refused. */
  readonly currency: Currency
  /** Unset: seen from the text, where that leaves no doubt. */
  readonly decimalMark?: DecimalMark | undefined
}

/** Longer texts are no amounts. */
const maxCharacters = 60
/** A hundred million million of the largest unit: what is above is a fault of the file. */
export const maxMinor = 10n ** 15n

const fault = (code: AmountFault): ReadAmount => ({ ok: false, fault: code })

/**
 * Reads an amount as banks write them: `-1.234,56 EUR`, `(12.34)`, `12.34-`, `€ 5`, `1'234.50`.
 * A plus or minus before, a minus behind and parentheses are signs, and only one of them may stand there.
 */
export function readAmount(text: string, { currency, decimalMark }: AmountFormat): ReadAmount {
  if (text.length > maxCharacters) return fault('not-an-amount')
  const shape =
    /^(?<open>\()?(?<sign>[-+\u2212]?)(?<before>(?:[^\d\s.,'()+\u2212-]{1,3}[ \u00a0]?)?)(?<late>[-+\u2212]?)(?<digits>[.,]?\d[\d.,' \u00a0\u202f\u2019]*)(?<after>[^\d.,'()+\u2212-]{0,5}?)(?<behind>-?)(?<close>\))?$/u.exec(
      text.trim(),
    )?.groups
  if (shape === undefined) return fault('not-an-amount')
  const { open, sign, late, behind, close } = shape
  const signs = [sign, late, behind, open].filter((one) => one !== undefined && one !== '')
  if ((open === undefined) !== (close === undefined) || signs.length > 1) {
    return fault('not-an-amount')
  }
  const named = [shape['before'], shape['after']].map((one) => one?.trim() ?? '').filter(Boolean)
  if (named.length > 1) return fault('not-an-amount')
  const [name] = named
  if (name !== undefined && currencyOf(name) !== currency) return fault('another-currency')
  const number = splitNumber((shape['digits'] ?? '').trim(), decimalMark)
  if (typeof number === 'string') return fault(number)
  const isNegative = signs.some((one) => one !== '+')
  return toMinor({ ...number, currency, isNegative })
}

interface PlainNumber {
  readonly whole: string
  readonly fraction: string
}

function splitNumber(
  digits: string,
  decimalMark: DecimalMark | undefined,
): PlainNumber | AmountFault {
  const mark = decimalMark ?? seenMark(digits)
  if (mark === 'ambiguous') return mark
  const at = mark === undefined ? -1 : digits.lastIndexOf(mark)
  const whole = at === -1 ? digits : digits.slice(0, at)
  const fraction = at === -1 ? '' : digits.slice(at + 1)
  if (!/^\d*$/.test(fraction)) return 'not-an-amount'
  // Groups of three, or of two and then three as in India; one separator throughout.
  const groups = whole.split(/[.,' \u00a0\u202f\u2019]/)
  const separators = new Set(whole.match(/[^\d]/g))
  if (separators.size > 1 || (mark !== undefined && separators.has(mark))) return 'not-an-amount'
  const isGrouped =
    groups.length === 1 ||
    (groups.slice(1, -1).every((one) => one.length === 2 || one.length === 3) &&
      groups.at(-1)?.length === 3 &&
      /^\d{1,3}$/.test(groups[0] ?? ''))
  return isGrouped ? { whole: groups.join(''), fraction } : 'not-an-amount'
}

function seenMark(digits: string): DecimalMark | 'ambiguous' | undefined {
  const dot = digits.lastIndexOf('.')
  const comma = digits.lastIndexOf(',')
  if (dot === -1 && comma === -1) return undefined
  if (dot !== -1 && comma !== -1) return dot > comma ? '.' : ','
  const mark = dot === -1 ? ',' : '.'
  if (digits.indexOf(mark) !== digits.lastIndexOf(mark)) return undefined
  const behind = digits.length - digits.lastIndexOf(mark) - 1
  const isBare = /^\d{1,3}.\d{3}$/.test(digits)
  return behind === 3 && isBare ? 'ambiguous' : mark
}

function toMinor({
  whole,
  fraction,
  currency,
  isNegative,
}: PlainNumber & { currency: Currency; isNegative: boolean }): ReadAmount {
  const exponent = exponentOf(currency)
  if (/[1-9]/.test(fraction.slice(exponent))) return fault('too-fine')
  const minor = BigInt(`${whole}${fraction.slice(0, exponent).padEnd(exponent, '0')}`)
  if (minor > maxMinor) return fault('too-large')
  // Not -0, which is another value to whoever compares.
  const value = Number(minor)
  return { ok: true, money: { minor: isNegative && value !== 0 ? -value : value, currency } }
}

export interface Decimal {
  /** `mantissa` / 10^`places` */
  readonly mantissa: bigint
  readonly places: number
}

/**
 * A decimal of a journal in minor units, halves to even: a price times a quantity has decimals that no
 * currency has. Undefined above `maxMinor`.
 */
export function roundToMinor(
  { mantissa, places }: Decimal,
  currency: Currency,
): bigint | undefined {
  const excess = places - exponentOf(currency)
  const minor =
    excess <= 0 ? mantissa * 10n ** BigInt(-excess) : divideEven(mantissa, 10n ** BigInt(excess))
  return minor > maxMinor || minor < -maxMinor ? undefined : minor
}

function divideEven(value: bigint, by: bigint): bigint {
  const quotient = value / by
  const rest = value % by
  const twice = (rest < 0n ? -rest : rest) * 2n
  const away = twice > by || (twice === by && quotient % 2n !== 0n)
  return away ? quotient + (value < 0n ? -1n : 1n) : quotient
}

/** `-12.34`, with a point, no groups, and all the decimals that the currency has. */
export function decimalText({ minor, currency }: Money): string {
  const exponent = exponentOf(currency)
  const digits = String(Math.abs(minor)).padStart(exponent + 1, '0')
  const whole = digits.slice(0, digits.length - exponent)
  const fraction = exponent === 0 ? '' : `.${digits.slice(-exponent)}`
  return `${minor < 0 ? '-' : ''}${whole}${fraction}`
}

/** For people and for journals: `-12.34 EUR`. */
export function moneyText(money: Money): string {
  return `${decimalText(money)} ${money.currency}`
}
