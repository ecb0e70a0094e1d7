// Parsers by kinds of hostile input: each cell has inputs, and what they must end in (a typed failure, or a
// result that says what was left out), or says why there can be none. Each parser is tried in a process of
// its own, whose memory is bounded; that it ends at all is the runner's time limit. The table is printed.

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { limits } from '../../plan/limits.ts'
import { parsers } from './hostile/parsers.ts'
import { allKinds, type HostileParser, kinds, type Trial } from './hostile/trial.ts'

/** Of V8's old generation, and of all that the process holds: Node with its compiler of types, and the input. */
const [heapMebibytes, maxBytes] = [128, 384 * 1024 * 1024]

const childLine = z.union([
  z.strictObject({
    kind: z.string(),
    what: z.string(),
    ended: z.union([
      z.strictObject({ code: z.string() }),
      z.strictObject({ result: z.unknown(), bytes: z.number() }),
    ]),
  }),
  z.strictObject({ peakBytes: z.number() }),
])

async function tried(name: string) {
  const child = join(import.meta.dirname, 'hostile', 'child.ts')
  const args = [`--max-old-space-size=${heapMebibytes}`, child, name]
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    maxBuffer: 64 * 1024 * 1024,
  })
  const lines = stdout.split('\n').slice(0, -1)
  return lines.map((line) => childLine.parse(JSON.parse(line)))
}

const trialsOf = ({ cells }: HostileParser): readonly (Trial & { readonly kind: string })[] =>
  allKinds.flatMap((kind) => {
    const cell = cells[kind]
    return 'not' in cell ? [] : cell.map((trial) => ({ ...trial, kind }))
  })

describe.each(Object.entries(parsers))('%s', (name, parser) => {
  test(`ends well within its bounds, whatever is in ${parser.reads}`, {
    timeout: 300_000,
  }, async () => {
    const lines = await tried(name)
    const ended = lines.flatMap((line) => ('kind' in line ? [line] : []))
    const trials = trialsOf(parser)
    expect(ended.map(({ kind, what }) => [kind, what])).toEqual(
      trials.map(({ kind, what }) => [kind, what]),
    )
    for (const [index, { kind, what, ends }] of trials.entries()) {
      const got = ended[index]?.ended
      const name = `${kinds[kind as keyof typeof kinds]}: ${what}`
      if (typeof ends === 'string') expect(got, name).toEqual({ code: ends })
      else {
        expect(got, name).toMatchObject({ result: ends.says })
        expect(got, name).toMatchObject({ bytes: expect.any(Number) })
      }
      if (got !== undefined && 'bytes' in got) expect(got.bytes).toBeLessThan(limits.resultBytes)
    }
    const peak = lines.flatMap((line) => ('peakBytes' in line ? [line.peakBytes] : []))
    expect(peak).toHaveLength(1)
    expect(peak[0]).toBeLessThan(maxBytes)
    console.info(rowOf(parser, peak[0] ?? 0))
  })

  test.each(allKinds)('has inputs of the kind %s, or says why not', (kind) => {
    const cell = parser.cells[kind]
    if ('not' in cell) expect(cell.not).toMatch(/\w+ \w+/)
    else expect(cell.length).toBeGreaterThan(0)
  })
})

function rowOf({ reads, cells }: HostileParser, peakBytes: number): string {
  const words = allKinds.map((kind) => {
    const cell = cells[kind]
    if ('not' in cell) return `  ${kind}: none, ${cell.not}`
    const codes = cell.map(({ ends }) =>
      typeof ends === 'string' ? ends : JSON.stringify(ends.says),
    )
    return `  ${kind}: ${[...new Set(codes)].join(', ').slice(0, 150)}`
  })
  return `${reads}, at most ${Math.round(peakBytes / 1024 / 1024)} MiB\n${words.join('\n')}`
}
