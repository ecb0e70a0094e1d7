// Sums of amounts, a currency each: those of different currencies are never added, and no rate is guessed.
// Pure.

import { tooMuch } from './failures.ts'
import { type Money, maxMinor } from './money.ts'

/**
 * In the order of the currencies' names; a sum of nothing is no entry, a sum that comes to 0 is one.
 * @throws ActionFailure LIMIT_EXCEEDED
 */
export function sumsOf(amounts: readonly Money[]): Money[] {
  const sums = new Map<string, bigint>()
  for (const { minor, currency } of amounts) {
    sums.set(currency, (sums.get(currency) ?? 0n) + BigInt(minor))
  }
  return [...sums]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([currency, minor]) => ({ minor: checkedNumber(minor), currency }))
}

/** @throws ActionFailure LIMIT_EXCEEDED above what any person owns */
export function checkedNumber(minor: bigint): number {
  if (minor > maxMinor || minor < -maxMinor) throw tooMuch('an amount beyond all bounds')
  return Number(minor)
}
