// How far something is, as a person reads it. Pure.

import type { StepProgress } from '../workflows/contract.ts'

/** `3 of 10`, `3 done`, `1,204 characters so far` */
export function progressWords({ done, total, unit }: StepProgress): string {
  if (unit !== undefined) return `${grouped(done)} ${unit} so far`
  return total === null ? `${done} done` : `${done} of ${total}`
}

/** The language of the program, not of the machine. */
export function grouped(count: number): string {
  return count.toLocaleString('en')
}
