// A whole number of an option: how many of something are wanted.

import { InvalidArgumentError } from 'commander'

/** @param most what one answer may hold, or one decision cover */
export function toCount(most: number): (text: string) => number {
  return (text) => {
    const count = Number(text)
    if (Number.isInteger(count) && count >= 1 && count <= most) return count
    throw new InvalidArgumentError(`a whole number from 1 to ${most} is wanted`)
  }
}
