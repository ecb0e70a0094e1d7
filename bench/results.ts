// What a bench has found, and the file that keeps it: bench/RESULTS.md, a table for a person and the
// same as JSON for a program. A bench that is run alone replaces its own part and leaves the others.
// Figures of different machines are not compared; ratios of one run are what counts. Pure.

import { z } from 'zod'
import type { Measured } from './harness.ts'

const sideSchema = z.strictObject({
  name: z.string(),
  medianMs: z.number(),
  p25Ms: z.number(),
  p75Ms: z.number(),
  spread: z.number(),
})
const ratioSchema = z.strictObject({
  /** One side's median. */
  of: z.string(),
  /** Divided by this side's. */
  to: z.string(),
  ratio: z.number(),
  /** What it must not exceed; absent: nothing is promised. */
  must: z.number().optional(),
})
const countSchema = z.strictObject({
  name: z.string(),
  value: z.number(),
  must: z.number().optional(),
})
const resultSchema = z.strictObject({
  name: z.string(),
  about: z.string(),
  command: z.string(),
  /** Kind of machine and versions of what was measured. */
  on: z.string(),
  rounds: z.number(),
  tries: z.number(),
  /** No side spread more than the harness allows. */
  steady: z.boolean(),
  sides: z.array(sideSchema),
  ratios: z.array(ratioSchema),
  counts: z.array(countSchema).optional(),
})
export type BenchResult = Readonly<z.infer<typeof resultSchema>>
export type Ratio = Readonly<z.infer<typeof ratioSchema>>

/** `wanted`: which side's median by which, and what it must not exceed. */
export function toResult(
  about: Pick<BenchResult, 'name' | 'about' | 'command' | 'on' | 'rounds'>,
  { sides, tries, steady }: Measured,
  wanted: readonly Omit<Ratio, 'ratio'>[],
): BenchResult {
  const medianOf = (name: string): number => {
    const summary = sides.get(name)
    if (summary === undefined) throw new Error(`no side ${name} was measured`)
    return summary.median
  }
  return {
    ...about,
    tries,
    steady,
    sides: [...sides].map(([name, { median, p25, p75, spread }]) => ({
      name,
      medianMs: rounded(median),
      p25Ms: rounded(p25),
      p75Ms: rounded(p75),
      spread: rounded(spread),
    })),
    ratios: wanted.map((ratio) => ({
      ...ratio,
      ratio: rounded(medianOf(ratio.of) / medianOf(ratio.to)),
    })),
  }
}

/** What was promised and does not hold. */
export function brokenPromises({ name, ratios, counts = [] }: BenchResult): readonly string[] {
  const told = [
    ...ratios.map(({ of, to, ratio, must }) => ({ what: `${of} / ${to}`, value: ratio, must })),
    ...counts.map(({ name: what, value, must }) => ({ what, value, must })),
  ]
  return told.flatMap(({ what, value, must }) =>
    must !== undefined && value > must ? [`${name}: ${what} is ${value}, must be ${must}`] : [],
  )
}

function rounded(value: number): number {
  return Number(value.toPrecision(3))
}

const opening = '```json\n'
const closing = '\n```'

/** The results that a file of this kind holds; none where it holds none. @throws when damaged */
export function readResults(markdown: string): readonly BenchResult[] {
  const at = markdown.lastIndexOf(opening)
  if (at < 0) return []
  const end = markdown.indexOf(closing, at)
  return z.array(resultSchema).parse(JSON.parse(markdown.slice(at + opening.length, end)))
}

/** Those of `known` that were not measured again, and the new ones, by name. */
export function mergeResults(
  known: readonly BenchResult[],
  fresh: readonly BenchResult[],
): readonly BenchResult[] {
  const byName = new Map([...known, ...fresh].map((result) => [result.name, result]))
  return [...byName.values()].toSorted((one, other) => one.name.localeCompare(other.name))
}

export function toMarkdown(results: readonly BenchResult[]): string {
  return [
    '# Results of the benches',
    '',
    'Written by `npm run bench -- --write`. Both sides of a ratio ran interleaved, in one run on one',
    'machine; times are medians, the spread is (p75 - p25) / median. Only ratios mean anything.',
    '',
    ...results.flatMap(sectionOf),
    '## As data',
    '',
    `${opening}${JSON.stringify(results, null, 2)}${closing}`,
    '',
  ].join('\n')
}

function sectionOf(result: BenchResult): readonly string[] {
  const { name, about, command, on, rounds, tries, steady, sides, ratios, counts = [] } = result
  const again = tries === 1 ? '' : `, measured ${tries} times`
  const unsteady = steady ? '' : ', **too much spread to be believed**'
  return [
    `## ${name}`,
    '',
    about,
    '',
    `\`${command}\`, ${rounds} rounds${again}${unsteady}. ${on}`,
    '',
    '| | median ms | p25 | p75 | spread |',
    '|---|---|---|---|---|',
    ...sides.map(
      (side) =>
        `| ${side.name} | ${side.medianMs} | ${side.p25Ms} | ${side.p75Ms} | ${Math.round(side.spread * 100)} % |`,
    ),
    '',
    '| ratio | | must be at most |',
    '|---|---|---|',
    ...ratios.map(({ of, to, ratio, must }) => `| ${of} / ${to} | ${ratio} | ${must ?? ''} |`),
    ...counts.map(({ name: what, value, must }) => `| ${what} | ${value} | ${must ?? ''} |`),
    '',
  ]
}
