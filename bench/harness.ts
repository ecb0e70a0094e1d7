// Measures several sides of one comparison in one run on one machine: in each round every side once,
// each round beginning with another one, so that what else the machine does meets all of them alike.
// Only ratios between sides mean anything. The clock and the sides are parameters.

import { type Summary, summarise } from './statistics.ts'

export interface Side {
  readonly name: string
  /** Does it once. @param round counts on, warm-ups and repeats too, so that it can serve as an id */
  run(round: number): Promise<void>
  /** Pieces of work in one `run`, for a time per piece; absent: 1. */
  readonly pieces?: number
}

export interface MeasureOptions {
  readonly rounds: number
  /** Rounds before those that count. */
  readonly warmUps: number
  /** A measurement that spreads more than this is made again. */
  readonly maxSpread: number
  /** How often it is made at most. */
  readonly maxTries: number
  /** Milliseconds, monotonic. */
  readonly now: () => number
  readonly say: (line: string) => void
}

export interface Measured {
  /** Milliseconds per piece, by side. */
  readonly sides: ReadonlyMap<string, Summary>
  readonly tries: number
  /** False: no try was below `maxSpread`, and this is the one that spread least. */
  readonly steady: boolean
}

/** The policy of every bench; a bench that takes long may have fewer rounds. */
export const customary = {
  rounds: 21,
  warmUps: 3,
  // A quarter: above it, two medians that differ by a tenth say nothing.
  maxSpread: 0.25,
  maxTries: 3,
} as const

/** @throws what a side throws */
export async function measure(sides: readonly Side[], options: MeasureOptions): Promise<Measured> {
  let round = 0
  const next = () => {
    round += 1
    return round
  }
  for (let warmUp = 0; warmUp < options.warmUps; warmUp += 1) {
    for (const side of sides) await side.run(next())
  }
  let best: ReadonlyMap<string, Summary> | undefined
  for (let tries = 1; ; tries += 1) {
    const found = await measureOnce(sides, { ...options, next })
    if (best === undefined || spreadOf(found) < spreadOf(best)) best = found
    const steady = spreadOf(best) <= options.maxSpread
    options.say(`spread ${Math.round(spreadOf(found) * 100)} %${steady ? '' : ', again'}`)
    if (steady || tries >= options.maxTries) return { sides: best, tries, steady }
  }
}

async function measureOnce(
  sides: readonly Side[],
  { rounds, now, next }: MeasureOptions & { readonly next: () => number },
): Promise<ReadonlyMap<string, Summary>> {
  const samples = new Map<string, number[]>(sides.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round += 1) {
    const first = round % sides.length
    for (const side of [...sides.slice(first), ...sides.slice(0, first)]) {
      const begun = now()
      await side.run(next())
      samples.get(side.name)?.push((now() - begun) / (side.pieces ?? 1))
    }
  }
  return new Map([...samples].map(([name, times]) => [name, summarise(times)]))
}

function spreadOf(sides: ReadonlyMap<string, Summary>): number {
  return Math.max(...[...sides.values()].map(({ spread }) => spread))
}
