// What becomes of an admitted plan: arguments, undos, the answer, the skeleton.

import { describe, expect, it } from 'vitest'
import { renderAnswer } from '../../plan/answer.ts'
import { followPointer, parsePointer, parseReference, toPointer } from '../../plan/pointer.ts'
import { PlanError, resolveArgument, resolveRecord, sourcesOf } from '../../plan/references.ts'
import type { Argument, CompiledStep } from '../../plan/schema.ts'
import { toSkeleton } from '../../plan/skeleton.ts'
import { TextError } from '../../plan/text.ts'
import { resolveUndo } from '../../plan/undo.ts'
import type { JsonValue } from '../../security/verify/canonical-json.ts'
import { compiled, look, planOf, write } from './house.ts'

const results: Readonly<Record<string, JsonValue>> = {
  a: { title: 'x', items: [{ name: 'y' }], 'odd/na~me': 1, '': 'empty', none: null },
}
const context = {
  inputs: { who: 'me', n: 3 },
  resultOf: (step: string): JsonValue =>
    Object.hasOwn(results, step) ? (results[step] ?? null) : null,
}
const resolve = (argument: unknown) => resolveArgument(argument as Argument, context)

describe('an argument', () => {
  it.each<readonly [string, unknown, unknown]>([
    ['a literal', { a: [1, 'x', null, true] }, { a: [1, 'x', null, true] }],
    ['a whole result', { $from: 'a#' }, results['a']],
    ['a part of a result', { $from: 'a#/items/0/name' }, 'y'],
    ['an escaped name', { $from: 'a#/odd~1na~0me' }, 1],
    ['an empty name', { $from: 'a#/' }, 'empty'],
    ['what is not there', { $from: 'a#/nothing/at/all' }, null],
    ['an item beyond the end', { $from: 'a#/items/1' }, null],
    ['an item by a wrong index', { $from: 'a#/items/00' }, null],
    ['the length of a list', { $from: 'a#/items/length' }, null],
    ['a prototype', { $from: 'a#/__proto__' }, null],
    ['a method', { $from: 'a#/toString' }, null],
    ['a character of a text', { $from: 'a#/title/0' }, null],
    ['a skipped step', { $from: 'skipped#/title' }, null],
    ['an input', { $input: 'n' }, 3],
    [
      'a text',
      { $text: '{{t}} {{who}}', with: { t: { $from: 'a#/title' }, who: { $input: 'who' } } },
      'x me',
    ],
    ['a text without values', { $text: 'x' }, 'x'],
    [
      'a text in a text',
      { $text: '{{t}}', with: { t: { $text: '{{u}}!', with: { u: 'y' } } } },
      'y!',
    ],
    ['forms in lists and objects', [{ a: { $input: 'who' } }], [{ a: 'me' }]],
  ])('resolves to %s', (_, argument, expected) => {
    expect(resolve(argument)).toEqual(expected)
  })

  it.each<readonly [string, unknown]>([
    ['a reference that is none', { $from: 'a' }],
    ['an input that is not declared', { $input: 'toString' }],
    ['a form that does not exist', { $item: '/x' }],
    ['two forms in one', { $from: 'a#', $input: 'who' }],
  ])('that was never compiled is a PlanError: %s', (_, argument) => {
    expect(() => resolve(argument)).toThrow(PlanError)
  })

  it('keeps a hostile key as an own property', () => {
    const resolved = resolveRecord(JSON.parse('{"__proto__": {"x": 1}}'), context)
    expect(Object.getPrototypeOf(resolved)).toBe(Object.prototype)
    expect(Object.keys(resolved)).toEqual(['__proto__'])
  })

  it.each<readonly [string, (count: number) => Argument]>([
    ['in a list', (count) => Array.from({ length: count }, () => ({ $from: 'big#' }))],
    [
      'in an object',
      (count) =>
        Object.fromEntries(Array.from({ length: count }, (__, n) => [`k${n}`, { $from: 'big#' }])),
    ],
    [
      'in a text',
      (count) => ({
        $text: 'x',
        with: { v: Array.from({ length: count }, () => ({ $from: 'big#' })) },
      }),
    ],
  ])('may name large results, but not again and again %s', (_, make) => {
    const big = { inputs: {}, resultOf: () => ({ text: 'x'.repeat(500_000) }) }
    expect(resolveArgument(make(3), big)).toBeTruthy()
    expect(() => resolveArgument(make(4), big)).toThrow(TextError)
    expect(() => resolveRecord({ v: make(3_000) }, big)).toThrow(TextError)
  })

  it('may have long texts, but not by the hundred', () => {
    const long = {
      $text: '{{#l}}{{.}}{{/l}}',
      with: { l: Array.from({ length: 600 }, () => 'x'.repeat(100)) },
    }
    expect(() =>
      resolveArgument(
        Array.from({ length: 100 }, () => long),
        context,
      ),
    ).toThrow(TextError)
  })
})

describe('the sources of a step', () => {
  it('are the steps that arguments, texts and guard refer to, each once', () => {
    const step = {
      args: {
        x: { $from: 'a#/b' },
        y: [{ $text: '{{z}}', with: { z: { $from: 'c#' } } }],
        z: { $from: 'a#' },
      },
      when: { cel: 'q', with: { q: { $from: 'd#' } } },
    }
    expect(sourcesOf(step)).toEqual(['a', 'c', 'd'])
  })
})

describe('a pointer', () => {
  it.each([
    ['', []],
    ['/', ['']],
    ['/a/b', ['a', 'b']],
    ['/~01/~10', ['~1', '/0']],
  ])('is parsed and written again: %j', (pointer, tokens) => {
    expect(parsePointer(pointer)).toEqual(tokens)
    expect(toPointer(tokens)).toBe(pointer)
  })

  it.each(['a', 'a/b', '/~', '/~2', '/a~', '/a'.repeat(33)])('is refused: %s', (pointer) => {
    expect(parsePointer(pointer)).toBeUndefined()
  })

  it.each(['', '#', '/a', 'A#', 'a_b#', '__proto__#', 'a #', 'a', 'a#b', '#a#'])(
    'is no reference: %j',
    (reference) => {
      expect(parseReference(reference)).toBeUndefined()
    },
  )

  it('follows own properties only', () => {
    expect(followPointer(Object.create({ a: 1 }) as JsonValue, ['a'])).toBeNull()
  })
})

describe('an undo', () => {
  const undo = {
    args: {
      note: { $args: '/note' },
      id: { $idem: true },
      etag: { $result: '/etag' },
      dryRun: false,
    },
  } as const
  const base = { args: { note: 'n' }, idem: 'i' }

  it('is called with arguments, effect id and result of its step', () => {
    expect(resolveUndo(undo, { ...base, result: { etag: 'e' } })).toEqual({
      note: 'n',
      id: 'i',
      etag: 'e',
      dryRun: false,
    })
  })

  it('is NO_RESULT when it needs a result that is not known', () => {
    expect(resolveUndo(undo, { ...base, result: undefined })).toBe('NO_RESULT')
  })

  it('needs no result where it names none', () => {
    const { etag: _etag, ...args } = undo.args
    expect(resolveUndo({ args }, { ...base, result: undefined })).toMatchObject({ note: 'n' })
  })

  it('gives null for what is not there, which the agent then refuses', () => {
    expect(resolveUndo(undo, { ...base, args: {}, result: {} })).toMatchObject({
      note: null,
      etag: null,
    })
  })

  it('never takes the whole for a part when its pointer is none', () => {
    const wrong = { args: { note: { $args: 'note' } } } as const
    expect(() => resolveUndo(wrong, { ...base, result: {} })).toThrow(PlanError)
  })
})

describe('an answer', () => {
  const resultOf = (step: string): JsonValue => ({ step, text: 'a\u009bb', list: [1] })

  it('is the template over the results by name', () => {
    const answer = { from: ['my-step'], template: '{{my_step.step}} {{my_step.text}}{{other}}' }
    expect(renderAnswer(answer, resultOf)).toBe('my-step ab')
  })

  it('lists the results where there is no template, without control characters', () => {
    expect(renderAnswer({ from: ['a', 'b'] }, resultOf)).toBe(
      'a: {"step":"a","text":"ab","list":[1]}\nb: {"step":"b","text":"ab","list":[1]}',
    )
    expect(renderAnswer({ from: [] }, resultOf)).toBe('')
  })

  it('is bounded either way', () => {
    const from = Array.from({ length: 1_000 }, (_, n) => `s${n}`)
    const long = () => 'x'.repeat(500_000)
    expect(() => renderAnswer({ from }, long)).toThrow(TextError)
    expect(() => renderAnswer({ from, template: '{{s1}}' }, long)).toThrow(TextError)
  })
})

describe('a skeleton', () => {
  it('has no argument, literal, expression or text of the plan', () => {
    const secret = 'SECRET'
    const plan = compiled(
      planOf(
        [
          look('a', {
            args: { either: secret },
            when: { cel: `"${secret}" == x`, with: { x: secret } },
          }),
          write('b', { text: secret }, { needs: ['a'] }),
        ],
        { goal: secret, answer: { from: ['b'], template: secret } },
      ),
    )
    const skeleton = toSkeleton(plan, { planRef: 'ref', digest: 'd', laneOf: () => 'regular' })
    expect(JSON.stringify(skeleton)).not.toContain(secret)
    expect(skeleton.steps).toMatchObject([
      { id: 'a', type: 'desk.look', effect: 'read', hasWhen: true, hasUndo: false, needs: [] },
      { id: 'b', type: 'desk.write', effect: 'write', hasWhen: false, hasUndo: true, needs: ['a'] },
    ])
    const keys: (keyof CompiledStep)[] = ['args', 'when', 'undo']
    for (const step of skeleton.steps) for (const key of keys) expect(step).not.toHaveProperty(key)
  })
})
