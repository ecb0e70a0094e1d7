// Every code of plan/issues.ts, by plans that differ from an accepted one in a single thing. The plans
// are vectors (test/vectors/plans-*.yaml), but for those too large to be written down.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { compilePlan } from '../../plan/compile.ts'
import { issueCodes } from '../../plan/issues.ts'
import type { Decide } from '../../plan/policy.ts'
import { digestOf } from '../../security/verify/hash.ts'
import { compiled, context, type Fields, look, messages, planOf, refusals, write } from './house.ts'

const from = (reference: string) => ({ $from: reference })
const text = (template: string, values: Fields = {}) => ({ $text: template, with: values })
const chain = (count: number, last: Fields = {}) =>
  planOf(
    Array.from({ length: count }, (_, n) =>
      look(`s${n}`, n === 0 ? last : { needs: [`s${n - 1}`] }),
    ),
  )

const fields = z.record(z.string(), z.unknown())
const vectorSchema = z.strictObject({ with: z.string(), plan: fields })
const refusedSchema = vectorSchema.extend({ code: z.enum(issueCodes), path: z.string() })

function vectors<T>(name: string, schema: z.ZodType<T>): readonly T[] {
  const file = join(import.meta.dirname, '..', 'vectors', `${name}.yaml`)
  return z.array(schema).parse(parse(readFileSync(file, 'utf8')))
}

const accepted = vectors('plans-accepted', vectorSchema)
const refused = vectors('plans-refused', refusedSchema)
/** The code and the place are those of the question. */
const asked = vectors('plans-asked', refusedSchema)
const whole = (plan: Fields) => planOf([], plan)

const tooLarge: readonly (readonly [string, Fields])[] = [
  ['CYCLE /steps/0/needs', chain(1_000, { needs: ['s999'] })],
  ['LIMIT /steps', chain(1_001)],
  ['LIMIT /steps/0/args', planOf([look('a', { args: { either: 'x'.repeat(64 * 1024) } })])],
]

describe('a plan is accepted', () => {
  it.each(accepted)('with $with', ({ plan }) => {
    expect(messages(whole(plan))).toBe('')
  })

  it('with a thousand steps in a row', () => {
    expect(compiled(chain(1_000)).steps.length).toBe(1_000)
  })

  it('with the digest that it had before there were loops: databases hold it', () => {
    // The first 34 are those of that time, their digests made by the program of that time.
    const digests = accepted.slice(0, 34).map(({ plan }) => digestOf(compiled(whole(plan))))
    expect(digestOf(digests)).toBe('U_Vbec6lajo5Lg0XNC_9cdPsXQAtolQCeYhRsJ756NQ')
  })

  it('with loops of ten thousand steps together', () => {
    const max = 4_999
    const loops = ['b', 'c'].map((id) =>
      look(id, { forEach: { in: from('a#/tags'), as: 'tag', max } }),
    )
    expect(refusals(planOf([look('a'), ...loops]))).toEqual([])
    const more = look('d', { forEach: { in: [], as: 'x', max: 2 } })
    expect(refusals(planOf([look('a'), ...loops, more]))).toEqual(['LIMIT /steps'])
  })
})

describe('a plan is asked about', () => {
  it.each(asked)('with $code at $path for $with', ({ code, path, plan }) => {
    const result = compilePlan(whole(plan), context)
    const { approvals, questions } = result.ok ? result.report : { approvals: [], questions: [] }
    expect(questions.map((one) => `${one.code} ${one.path}`)).toEqual([`${code} ${path}`])
    expect(approvals).toEqual(questions.map(({ step }) => step))
    // What would make the question needless.
    expect(questions[0]?.fix).not.toBeUndefined()
  })
})

describe('a plan is refused', () => {
  it.each(refused)('with $code at $path for $with', ({ code, path, plan }) => {
    // The first issue is what a run that is not begun reports.
    expect(refusals(whole(plan))[0]).toBe(`${code} ${path}`)
  })

  it.each(tooLarge)('with %s when it is too large to be written down', (refusal, plan) => {
    expect(refusals(plan)[0]).toBe(refusal)
  })

  it('not for a loop that may be long, whose slow end is told', () => {
    const loop = look('b', { forEach: { in: from('a#/tags'), as: 'tag', max: 640 } })
    const result = compilePlan(planOf([look('a'), loop]), {
      ...context,
      durations: () => ({ p50: 100, p95: 200 }),
    })
    expect(result.ok && result.report.estimateMs).toEqual({ p50: 200, p95: 2_200 })
  })

  it('by every code at least once', () => {
    // FLOW_R9 is for plans that the user did not write (compile-proposal.test.ts), INFEASIBLE for what a
    // request allows (estimate.test.ts).
    const elsewhere = ['INFEASIBLE', 'FLOW_R9']
    const reached = new Set<string>([
      ...[...refused, ...asked].map(({ code }) => code),
      ...elsewhere,
    ])
    expect(issueCodes.filter((code) => !reached.has(code))).toEqual([])
  })

  it('with all that is wrong, not with the first', () => {
    const plan = planOf([
      look('a', { agent: 'disk', needs: ['z'] }),
      look('b', { args: { limit: 'x' }, when: { cel: '1 >', with: {} } }),
      look('c', { action: 'pay' }),
    ])
    expect(refusals(plan)).toEqual([
      'UNKNOWN_AGENT /steps/0/agent',
      'UNKNOWN_REFERENCE /steps/0/needs/0',
      'INVALID_ARGUMENT /steps/1/args/limit',
      'INVALID_EXPRESSION /steps/1/when/cel',
      'POLICY /steps/2',
    ])
  })

  it.each([
    ['desk', planOf([look('a', { agent: 'dsk' })])],
    ['look', planOf([look('a', { action: 'lok' })])],
    ['limit', planOf([look('a', { args: { limt: 1 } })])],
    ['alpha', planOf([look('alpha'), look('b', { needs: ['alpa'] })])],
    ['alpha', planOf([look('alpha'), write('b', { text: from('alpa#/title') })])],
    ['title', planOf([look('a'), write('b', { text: text('{{titel}}', { title: 1 }) })])],
  ])('with what was meant, where that is near: %s', (meant, plan) => {
    expect(messages(plan)).toContain(`did you mean ${meant}?`)
  })

  it('without a guess where no known name is near', () => {
    expect(messages(planOf([look('a', { agent: 'zebra' })]))).not.toContain('did you mean')
    expect(messages(planOf([look('a', { needs: ['b'] })]))).not.toContain('did you mean')
  })

  it('by whatever rules it is given, and asks them of each step with its undo', () => {
    const asked: unknown[] = []
    const plan = planOf([look('a'), write('b', { text: 'x' }), look('c', { action: 'pay' })])
    const codes = refusals(plan, {
      decide: (question) => {
        asked.push([question.action, question.effect, question.hasUndo, question.kind])
        return { verdict: 'deny', rules: [], missing: 'everything' }
      },
    })
    expect(new Set(codes)).toEqual(
      new Set(['POLICY /steps/0', 'POLICY /steps/1', 'POLICY /steps/2']),
    )
    expect(asked).toEqual([
      ['look', 'read', false, 'do'],
      ['write', 'write', true, 'do'],
      ['unwrite', 'write', false, 'undo'],
      ['pay', 'irreversible', false, 'do'],
    ])
  })

  it('not for what a person is asked about, which the report lists in the order of the plan', () => {
    const askToWrite: Decide = ({ effect }) => ({
      verdict: effect === 'write' ? 'ask' : 'allow',
      rules: ['a'],
    })
    const plan = planOf([write('b', { text: 'x' }), look('a'), write('c', { text: 'y' })])
    const compiled = compilePlan(plan, { ...context, decide: askToWrite })
    expect(compiled.ok && compiled.report.approvals).toEqual(['b', 'c'])
  })

  it('when a rule refuses the undo alone, which would else be refused when it is needed', () => {
    const refuseUndo: Decide = ({ kind }) =>
      kind === 'do' ? { verdict: 'allow', rules: [] } : { verdict: 'deny', rules: [], missing: 'x' }
    expect(refusals(planOf([write('a', { text: 'x' })]), { decide: refuseUndo })).toEqual([
      'POLICY /steps/0',
    ])
  })
})

describe('hostile plans of full size', () => {
  const many = (count: number, make: (n: number) => unknown) =>
    Array.from({ length: count }, (_, n) => make(n))
  it.each([
    [
      'needs that are not there',
      planOf(many(300, (n) => look(`s${n}`, { needs: many(900, (m) => `x${m}`) }))),
    ],
    [
      'references that are not there',
      planOf(many(300, (n) => look(`s${n}`, { args: { tags: many(100, (m) => from(`x${m}#`)) } }))),
    ],
    [
      'steps that all need each other',
      planOf(many(400, (n) => look(`s${n}`, { needs: many(400, (m) => `s${m}`) }))),
    ],
    [
      'a guard each',
      planOf(many(1_000, (n) => look(`s${n}`, { when: { cel: '!'.repeat(900), with: {} } }))),
    ],
    [
      'arguments that are not there',
      planOf(
        many(100, (n) =>
          look(`s${n}`, {
            args: Object.fromEntries(many(500, (m) => [`limit${m}`, 1]) as [string, number][]),
          }),
        ),
      ),
    ],
    ['a text of white space', planOf([write('a', { text: text(`{{${' '.repeat(60_000)}`) })])],
  ])('are refused in time with %s', (_, plan) => {
    expect(refusals(plan).length).toBeGreaterThan(0)
  })
})

describe('inputs', () => {
  const inputs = {
    who: { type: 'string', default: 'me' },
    n: { type: 'integer', default: 1 },
    on: { type: 'boolean', default: false },
    day: { type: 'date', default: 'today' },
  }
  const plan = planOf([look('a')], { inputs })

  it('have their defaults', () => {
    expect(compiled(plan).inputs).toEqual({ who: 'me', n: 1, on: false, day: 'today' })
  })

  it('read the text of a command line as what is declared', () => {
    const given = { who: '5', n: '-3', on: 'true', day: '2028-02-29' }
    expect(compiled(plan, { inputs: given }).inputs).toEqual({
      who: '5',
      n: -3,
      on: true,
      day: '2028-02-29',
    })
  })

  it.each([
    ['n', '1.5'],
    ['n', '1e3'],
    ['n', '0x10'],
    ['n', ' 1'],
    ['n', ''],
    ['n', '9007199254740993'],
    ['n', Number.NaN],
    ['n', Number.POSITIVE_INFINITY],
    ['n', 2 ** 53],
    ['n', true],
    ['on', 'yes'],
    ['on', 1],
    ['on', 'TRUE'],
    ['day', 'tomorrow'],
    ['day', '2026-02-30'],
    ['day', '2026-13-01'],
    ['day', '2026-1-1'],
    ['day', '2026-01-01\n'],
    ['who', 5],
    ['who', 'x'.repeat(1_001)],
    ['who', '\ud800'],
    ['whom', 'x'],
    ['toString', 'x'],
    ['__proto__', 'x'],
  ])('are refused: %s = %j', (name, value) => {
    const given = Object.fromEntries([[name, value]])
    expect(refusals(plan, { inputs: given })).toEqual([`INVALID_ARGUMENT /inputs/${name}`])
  })

  it('are refused as null or objects, which callers in other languages may send', () => {
    for (const value of [null, {}, []]) {
      const given = { who: value } as unknown as Record<string, string>
      expect(refusals(plan, { inputs: given })).toEqual(['INVALID_ARGUMENT /inputs/who'])
    }
  })
})

describe('a compiled plan', () => {
  const plan = planOf([
    look('b'),
    look('a', { when: { cel: 'x == 1.0', with: { x: from('b#/count') } }, attempts: 2 }),
    write('c', { text: text('{{t}}', { t: from('a#/title') }) }, { needs: ['b'] }),
  ])

  it('has all that was left out, and the needs that references imply, in the order of the plan', () => {
    const [first, second, third] = compiled(plan).steps
    expect(first).toEqual({
      id: 'b',
      agent: 'desk',
      action: 'look',
      effect: 'read',
      args: {},
      needs: [],
      join: 'all',
      when: null,
      onError: 'abort',
      timeoutMs: 5_000,
      attempts: 5,
      undo: null,
    })
    expect(second).toMatchObject({ needs: ['b'], attempts: 2 })
    expect(third).toMatchObject({ needs: ['b', 'a'], undo: { action: 'unwrite' } })
  })

  it('is itself refused as a written one, so that no compiled field can be claimed', () => {
    expect(refusals({ ...compiled(plan), inputs: {} })).toContain('INVALID_SHAPE /steps/0')
  })
})
