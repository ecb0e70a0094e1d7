// What holds for every plan: the compiler answers, the order is one that can be run, the digest is of
// the meaning, and what was compiled can be resolved.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compilePlan, compileSource } from '../../plan/compile.ts'
import { findCycle, levelsOf } from '../../plan/graph.ts'
import { contextOfIteration } from '../../plan/loops.ts'
import { evaluateGuard, GuardError } from '../../plan/predicate.ts'
import { resolveRecord } from '../../plan/references.ts'
import { TextError } from '../../plan/text.ts'
import type { JsonValue } from '../../security/verify/canonical-json.ts'
import { context, type Fields, look, planOf, write } from './house.ts'

/** Graphs of n steps whose edges go backwards in a hidden order, so that there is no cycle. */
const dag = fc
  .integer({ min: 1, max: 30 })
  .chain((size) =>
    fc.tuple(
      fc.shuffledSubarray(
        Array.from({ length: size }, (_, n) => n),
        { minLength: size, maxLength: size },
      ),
      fc.array(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), { maxLength: size * 3 }),
    ),
  )
  .map(([order, edges]) => {
    const needs = new Map(order.map((n) => [n, new Set<string>()]))
    for (const [a, b] of edges) if (a < b) needs.get(b)?.add(`s${a}`)
    return order.map((n) => ({ id: `s${n}`, needs: [...(needs.get(n) ?? [])] }))
  })

describe('every graph without a cycle', () => {
  it('has levels in which each step comes after all that it needs, and as early as it can', () => {
    fc.assert(
      fc.property(dag, (steps) => {
        const levels = levelsOf(steps)
        const levelOf = new Map(levels.flatMap((level, at) => level.map((id) => [id, at] as const)))
        expect(levelOf.size).toBe(steps.length)
        for (const { id, needs } of steps) {
          const earliest = Math.max(-1, ...needs.map((need) => levelOf.get(need) ?? Infinity)) + 1
          expect(levelOf.get(id)).toBe(earliest)
        }
        expect(findCycle(steps)).toBeUndefined()
      }),
    )
  })
})

describe('every graph with a cycle', () => {
  it('has one found in which each step needs the one before it', () => {
    const cyclic = fc
      .tuple(dag, fc.nat(), fc.integer({ min: 1, max: 10 }))
      .map(([steps, at, length]) => {
        const ring = Array.from({ length: Math.min(length, steps.length) }, (_, n) => {
          const step = steps[(at + n) % steps.length]
          if (step === undefined) throw new Error('no step')
          return step.id
        })
        const before = (id: string) => ring.at(ring.indexOf(id) - 1) ?? id
        return steps.map((step) =>
          ring.includes(step.id) ? { ...step, needs: [...step.needs, before(step.id)] } : step,
        )
      })
    fc.assert(
      fc.property(cyclic, (steps) => {
        const cycle = findCycle(steps) ?? []
        expect(cycle.length).toBeGreaterThan(0)
        expect(new Set(cycle).size).toBe(cycle.length)
        for (const [n, id] of cycle.entries()) {
          const needs = steps.find((step) => step.id === id)?.needs
          expect(needs).toContain(cycle.at(n - 1))
        }
      }),
    )
  })
})

const textLike = fc.constantFrom<unknown>(
  'x',
  { $from: 's0#/title' },
  { $from: 's0#/place' },
  { $from: 's1#/items/0/name' },
  { $input: 'who' },
  {
    $text: '{{a}}{{#b}}{{.}}{{/b}}',
    with: { a: { $from: 's0#/title' }, b: { $from: 's0#/tags' } },
  },
)
const lookArgs = fc.record(
  {
    either: fc.oneof(textLike, fc.constantFrom({ $from: 's0#/count' }, { $from: 's0#' })),
    tags: fc.oneof(fc.array(textLike, { minLength: 1 }), fc.constant({ $from: 's0#/tags' })),
    range: fc.oneof(
      fc.record({ from: textLike, to: textLike }),
      fc.constant({ $from: 's0#/range' }),
    ),
    limit: fc.constantFrom<unknown>(3, { $from: 's0#/count' }),
    names: fc.dictionary(fc.string(), fc.double({ noNaN: true })),
  },
  { requiredKeys: [] },
)
const writeArgs = fc.record(
  { text: textLike, place: fc.oneof(textLike, fc.constant(null)) },
  { requiredKeys: ['text'] },
)
const call = fc.oneof(
  fc.record({ action: fc.constant('look'), args: lookArgs }),
  fc.record({ action: fc.constant('write'), args: writeArgs }),
)
/** A write for each item; as often right as wrong about what an item is. */
const loop = fc
  .tuple(
    fc.constantFrom<unknown>({ $from: 's0#/items' }, { $from: 's0#/tags' }, ['x', 'y'], []),
    fc.constantFrom<unknown>('x', { $item: '', as: 'it' }, { $item: '/name', as: 'it' }),
    fc.constantFrom('it', 'other'),
  )
  .map(([list, text, as]) => ({
    action: 'write',
    args: { text },
    forEach: { in: list, as, max: 10 },
  }))
const around = fc.record(
  {
    join: fc.constantFrom('all', 'any'),
    at: fc.constantFrom({ local: '09:00' }, { local: '2027-01-15T09:00', zone: 'UTC' }),
    when: fc.constantFrom<unknown>(
      { cel: 'x == null', with: { x: { $from: 's0#/title' } } },
      { cel: 'size(x) > 1', with: { x: { $from: 's0#/items' } } },
      { cel: 'x > 1.0', with: { x: { $from: 's0#/title' } } },
    ),
    onError: fc.constantFrom('abort', 'continue'),
    attempts: fc.integer({ min: 1, max: 5 }),
  },
  { requiredKeys: [] },
)
const likely = fc
  .array(fc.tuple(fc.oneof({ weight: 3, arbitrary: call }, loop), around), { maxLength: 3 })
  .map((steps) =>
    planOf(
      [
        look('s0'),
        ...steps.map(([one, more], n) => ({ id: `s${n + 1}`, agent: 'desk', ...one, ...more })),
      ],
      { inputs: { who: { type: 'string', default: 'me' } } },
    ),
  )
/** A part of the plan replaced by any JSON at all. */
const mutated = fc
  .tuple(likely, fc.jsonValue({ maxDepth: 3 }), fc.nat())
  .map(([plan, junk, where]) => {
    const text = JSON.stringify(plan)
    const places = [...text.matchAll(/"(?:x|desk|look|s0|abort|short|who)"|\[\]|\bnull\b|\b3\b/g)]
    const place = places[where % Math.max(1, places.length)]
    if (place === undefined) return plan
    const end = place.index + place[0].length
    const changed = text.slice(0, place.index) + JSON.stringify(junk) + text.slice(end)
    try {
      return JSON.parse(changed) as unknown
    } catch {
      return changed
    }
  })

/** A result as the manifest of `look` declares it, or null as for a skipped step. */
const resultOf = (id: string): JsonValue =>
  id === 's3'
    ? null
    : { title: 't', place: null, count: 1, items: [], tags: ['a'], range: { from: 'a', to: 'b' } }

function holds(plan: unknown): boolean {
  const result = compilePlan(plan, context)
  if (!result.ok) return result.issues.length > 0
  for (const step of result.plan.steps) {
    const { args, when } = step
    const values = contextOfIteration(step, 0, { inputs: result.plan.inputs, resultOf })
    try {
      resolveRecord(args, values)
      if (when !== null) evaluateGuard(when, values)
    } catch (error) {
      if (!(error instanceof TextError || error instanceof GuardError)) throw error
    }
  }
  return true
}

describe('every plan', () => {
  it('that is nearly right is compiled or refused, and can be resolved when compiled', () => {
    let compiledOnes = 0
    fc.assert(
      fc.property(likely, (plan) => {
        if (compilePlan(plan, context).ok) compiledOnes += 1
        return holds(plan)
      }),
      { numRuns: 1_000 },
    )
    // Else the property would say nothing.
    expect(compiledOnes).toBeGreaterThan(50)
  })

  it('with any part replaced is compiled or refused, never thrown at', () => {
    fc.assert(fc.property(mutated, holds), { numRuns: 1_000 })
  })

  it('that is any value is compiled or refused', () => {
    fc.assert(fc.property(fc.anything(), holds), { numRuns: 500 })
  })

  it('that is any text is compiled or refused', () => {
    const line = fc.constantFrom(
      'version: 1',
      'steps:',
      '  - id: a',
      '    agent: desk',
      '---',
      '%YAML 1.1',
      '&a',
      '*a',
      '!!set',
      '<<: x',
      '{',
      '[',
      '? ',
      '"\\ud800"',
      '\u0000',
      '\t',
      'answer: {from: []}',
    )
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(line).map((lines) => lines.join('\n')),
    )
    fc.assert(
      fc.property(text, fc.constantFrom('plan' as const, 'recipe' as const), (source, kind) => {
        const result = compileSource({ ...context, kind, source })
        return result.ok || result.issues.length > 0
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('the digest', () => {
  const digest = (plan: unknown) => {
    const result = compilePlan(plan, context)
    if (!result.ok) throw new Error(JSON.stringify(result.issues))
    return result.digest
  }
  const written = planOf(
    [
      look('a'),
      look('b', { args: { limit: 3, mode: 'short' }, needs: ['a'] }),
      write('c', {
        text: { $text: '{{x}}{{y}}', with: { x: { $from: 'b#/title' }, y: { $from: 'a#/title' } } },
        place: { $from: 'b#/place' },
      }),
    ],
    { inputs: { who: { type: 'string', default: 'me' } } },
  )

  /** The same value with the keys of each object turned by `seed` and, by its bits, reversed. */
  function reordered(value: unknown, seed: number, depth = 0): unknown {
    if (Array.isArray(value)) return value.map((item) => reordered(item, seed, depth + 1))
    if (typeof value !== 'object' || value === null) return value
    const entries = Object.entries(value).map(([key, item]) => [
      key,
      reordered(item, seed, depth + 1),
    ])
    const at = seed % Math.max(1, entries.length)
    const turned = [...entries.slice(at), ...entries.slice(0, at)]
    return Object.fromEntries((seed >> depth) % 2 === 0 ? turned : turned.toReversed())
  }

  it('is the same whatever the order of keys, needs and white space', () => {
    const expected = digest(written)
    fc.assert(
      fc.property(fc.nat(1_000), fc.nat(4), (seed, indent) => {
        const source = JSON.stringify(reordered(written, seed), undefined, indent)
        const result = compileSource({ ...context, kind: 'plan', source })
        return result.ok && result.digest === expected
      }),
    )
    const steps = written['steps'] as readonly Fields[]
    const explicit = steps.map((one) => (one['id'] === 'c' ? { ...one, needs: ['b', 'a'] } : one))
    expect(digest({ ...written, steps: explicit })).toBe(expected)
  })

  it.each<readonly [string, Fields]>([
    ['the goal', { goal: 'another' }],
    ['the order of steps', { steps: (written['steps'] as readonly unknown[]).toReversed() }],
    ['the answer', { answer: { from: ['a'] } }],
    ['an input', { inputs: { who: { type: 'string', default: 'you' } } }],
  ])('is another one with %s changed', (_, change) => {
    expect(digest({ ...written, ...change })).not.toBe(digest(written))
  })
})
