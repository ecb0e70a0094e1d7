// How a person sees a loop: how far it is, what failed of it, and which commands speak of one of its
// iterations. Pure.

import type { LoopSummary, StepOutcome, Tally } from '../workflows/contract.ts'
import { grouped } from './progress-words.ts'

const goneWrong: readonly StepOutcome[] = ['failed', 'denied', 'unknown']
const ended: readonly StepOutcome[] = ['settled', 'already-settled', 'skipped', ...goneWrong]

export function countOf({ outcomes }: Tally, of: readonly StepOutcome[]): number {
  return of.reduce((sum, outcome) => sum + (outcomes[outcome] ?? 0), 0)
}

export function doneOf(loop: Tally): number {
  return countOf(loop, ended)
}

/** `done 1,200 of 5,000, 3 failed` */
export function loopWords(loop: LoopSummary): string {
  const words = [`done ${grouped(doneOf(loop))} of ${grouped(loop.total)}`, ...wrongWords(loop)]
  if (loop.undos !== undefined) {
    words.push(`undone ${grouped(countOf(loop.undos, ['settled', 'already-settled']))}`)
    words.push(...wrongWords(loop.undos).map((wrong) => `undo ${wrong}`))
  }
  return words.join(', ')
}

function wrongWords(tally: Tally): readonly string[] {
  return goneWrong.flatMap((outcome) => {
    const count = tally.outcomes[outcome] ?? 0
    return count === 0 ? [] : [`${grouped(count)} ${outcome}`]
  })
}

/** `  mail:60  failed (UNAVAILABLE)`, and how many more there are. */
export function failedLines(step: string, tally: Tally): readonly string[] {
  const more = countOf(tally, goneWrong) - tally.failed.length
  return [
    ...tally.failed.map(({ iteration, outcome, code }) => {
      const why = code === undefined ? '' : ` (${code})`
      return `  ${step}:${iteration}  ${outcome}${why}`
    }),
    ...(more > 0 ? [`  and ${grouped(more)} more`] : []),
  ]
}

/** `mail:60` names an iteration, `mail` a step. */
export function parseStepName(name: string): {
  readonly step: string
  readonly iteration?: number
} {
  const found = /^(.+):(\d{1,6})$/.exec(name)
  const [, step = name, iteration] = found ?? []
  return { step, ...(iteration === undefined ? {} : { iteration: Number(iteration) }) }
}
