// Files as attackers and other YAML readers would write them. What is accepted must have one meaning.

import { describe, expect, it } from 'vitest'
import { compileSource } from '../../plan/compile.ts'
import { parsePlan, parseSource } from '../../plan/parse.ts'
import { context, planOf, refusalsOf } from './house.ts'

const fileWith = (args: string, more = '') => `version: 1
goal: a test
steps:
  - id: a
    agent: desk
    action: look
    args: ${args}
${more}answer: { from: [a] }
`

function argsOf(source: string): unknown {
  const result = compileSource({ ...context, kind: 'plan', source })
  return result.ok ? result.plan.steps[0]?.args : result.issues
}

describe('a file is accepted', () => {
  it.each([
    ['block style', fileWith('\n      limit: 3'), { limit: 3 }],
    [
      'JSON',
      JSON.stringify(planOf([{ id: 'a', agent: 'desk', action: 'look', args: { limit: 3 } }])),
      { limit: 3 },
    ],
    ['a byte order mark', `\ufeff${fileWith('{ limit: 3 }')}`, { limit: 3 }],
    ['CRLF line ends', fileWith('{ limit: 3 }').replaceAll('\n', '\r\n'), { limit: 3 }],
    ['comments and a document start', `# hello\n---\n${fileWith('{ limit: 3 }')}`, { limit: 3 }],
    ['octal as YAML 1.2 writes it', fileWith('{ limit: 0o17 }'), { limit: 15 }],
    ['a leading zero, which is decimal in YAML 1.2', fileWith('{ limit: 010 }'), { limit: 10 }],
    [
      'a date, which is a text in the core schema',
      fileWith('{ day: 2026-03-01 }'),
      { day: '2026-03-01' },
    ],
    [
      'words that YAML 1.1 takes for booleans',
      fileWith('{ tags: [yes, no, on, off, y, n] }').replace('on, off, y, n', 'on'),
      { tags: ['yes', 'no', 'on'] },
    ],
    [
      'a clock time, which YAML 1.1 takes for a number',
      fileWith('{ either: 12:30 }'),
      { either: '12:30' },
    ],
    [
      'a number with underscores, which is a text',
      fileWith('{ either: 1_000 }'),
      { either: '1_000' },
    ],
    [
      'a list or object in a text',
      fileWith('{ tags: ["[[[[[[", "{{{{"] }'),
      { tags: ['[[[[[[', '{{{{'] },
    ],
  ])('with %s', (_, source, args) => {
    expect(argsOf(source)).toEqual(args)
  })
})

describe('a file is refused', () => {
  const args = '/steps/0/args'
  it.each([
    ['nothing', '', 'INVALID_SHAPE '],
    ['a text', 'hello', 'INVALID_SHAPE '],
    ['a list', '[]', 'INVALID_SHAPE '],
    ['null', 'null', 'INVALID_SHAPE '],
    ['unbalanced brackets', '{', 'INVALID_SHAPE '],
    ['duplicate keys', fileWith('{ limit: 1, limit: 2 }'), `INVALID_SHAPE ${args}`],
    [
      'duplicate keys in two spellings',
      fileWith('{ limit: 1, "l\\u0069mit": 2 }'),
      `INVALID_SHAPE ${args}`,
    ],
    ['duplicate keys at the top', `${fileWith('{}')}version: 1\n`, 'INVALID_SHAPE '],
    ['an alias and its anchor', fileWith('&x {}', 'inputs: *x\n'), `INVALID_SHAPE ${args}`],
    ['an alias', fileWith('&x {}', 'inputs: *x\n'), 'INVALID_SHAPE /inputs'],
    ['an anchor alone', fileWith('{ limit: &x 3 }'), `INVALID_SHAPE ${args}/limit`],
    ['an anchor on a key', fileWith('{ &x limit: 3 }'), `INVALID_SHAPE ${args}/limit`],
    ['a core tag', fileWith('{ limit: !!int "3" }'), `INVALID_SHAPE ${args}/limit`],
    ['a tag on a map', fileWith('!!map { limit: 3 }'), `INVALID_SHAPE ${args}`],
    ['a tag on a list', fileWith('{ tags: !!seq [a] }'), `INVALID_SHAPE ${args}/tags`],
    ['a binary tag', fileWith('{ either: !!binary aGk= }'), `INVALID_SHAPE ${args}/either`],
    ['a timestamp tag', fileWith('{ day: !!timestamp 2026-03-01 }'), `INVALID_SHAPE ${args}/day`],
    ['a set tag', fileWith('!!set { limit }'), `INVALID_SHAPE ${args}`],
    ['the non-specific tag', fileWith('{ limit: ! 3 }'), `INVALID_SHAPE ${args}/limit`],
    ['a local tag', fileWith('{ limit: !js/function 3 }'), 'INVALID_SHAPE '],
    ['a tag on a key', fileWith('{ !!str limit: 3 }'), `INVALID_SHAPE ${args}/limit`],
    ['a merge key', fileWith('{ "<<": { limit: 3 } }'), `INVALID_SHAPE ${args}`],
    [
      'a merge key where any key is allowed',
      fileWith('{ names: { <<: 3 } }'),
      `INVALID_SHAPE ${args}/names`,
    ],
    ['a directive for YAML 1.1', `%YAML 1.1\n---\n${fileWith('{ limit: 010 }')}`, 'INVALID_SHAPE '],
    ['a directive for tags', `%TAG !e! tag:e.example:\n---\n${fileWith('{}')}`, 'INVALID_SHAPE '],
    ['a second document', `${fileWith('{}')}---\n${fileWith('{}')}`, 'INVALID_SHAPE '],
    ['a key that is a list', fileWith('{ [limit]: 3 }'), 'INVALID_SHAPE '],
    ['infinity', fileWith('{ limit: .inf }'), `INVALID_SHAPE ${args}/limit`],
    ['minus infinity', fileWith('{ limit: -.inf }'), `INVALID_SHAPE ${args}/limit`],
    ['not a number', fileWith('{ limit: .nan }'), `INVALID_SHAPE ${args}/limit`],
    ['a number that overflows', fileWith('{ limit: 1e999 }'), `INVALID_SHAPE ${args}/limit`],
    [
      'a number that doubles cannot tell from its neighbour',
      fileWith('{ either: 9007199254740993 }'),
      `INVALID_SHAPE ${args}/either`,
    ],
    ['2^53', fileWith('{ either: 9007199254740992 }'), `INVALID_SHAPE ${args}/either`],
    ['half a character', fileWith('{ either: "\\ud800" }'), `INVALID_SHAPE ${args}/either`],
    [
      'half a character in the goal',
      fileWith('{}').replace('a test', '"\\udfff"'),
      'INVALID_SHAPE /goal',
    ],
    [
      'half a character in a key',
      fileWith('{ names: { "\\ud800": 1 } }'),
      `INVALID_NAME ${args}/names/\ufffd`,
    ],
    [
      'a line break in an id',
      fileWith('{}').replace('id: a', 'id: "a\\r\\nb"'),
      'INVALID_NAME /steps/0/id',
    ],
    ['a NUL in an id', fileWith('{}').replace('id: a', 'id: "a\\0"'), 'INVALID_NAME /steps/0/id'],
    [
      'a byte order mark in an id',
      fileWith('{}').replace('id: a', 'id: \ufeffa'),
      'INVALID_NAME /steps/0/id',
    ],
    [
      'an escape sequence in the goal',
      fileWith('{}').replace('a test', '"\\e[2J"'),
      'INVALID_SHAPE /goal',
    ],
    [
      'an object where the id stands',
      fileWith('{}').replace('id: a', 'id: { toString: a }'),
      'INVALID_SHAPE /steps/0/id',
    ],
  ])('with %s', (_, source, refusal) => {
    expect(refusalsOf(source)).toContain(refusal)
  })

  it.each(['__proto__', 'constructor', 'prototype'])(
    'with the key %s, wherever it stands',
    (key) => {
      expect(refusalsOf(`${key}: 1\n${fileWith('{}')}`)).toEqual([`INVALID_NAME /${key}`])
      expect(refusalsOf(fileWith(`{ ${key}: 1 }`))).toEqual([`INVALID_NAME ${args}/${key}`])
      expect(refusalsOf(fileWith(`{ names: { ${key}: 1 } }`))).toEqual([
        `INVALID_NAME ${args}/names/${key}`,
      ])
      expect(refusalsOf(fileWith('{}', `inputs: { ${key}: { type: string } }\n`))).toEqual([
        `INVALID_NAME /inputs/${key}`,
      ])
    },
  )

  it('when it is longer than a mebibyte', () => {
    expect(refusalsOf(`${fileWith('{}')}#${'x'.repeat(1024 * 1024)}`)).toEqual(['INVALID_SHAPE '])
  })

  it('with the pointer of the part that is meant, also in a recipe', () => {
    const recipe = `name: r
title: t
phrases: [p]
plan:
  version: 1
  goal: g
  steps:
    - { id: a, agent: desk, action: lok, needs: [b] }
    - { id: a, agent: desk, action: look }
  answer: { from: [z] }
`
    expect(refusalsOf(recipe, 'recipe')).toEqual([
      'DUPLICATE_ID /plan/steps/1/id',
      'UNKNOWN_ACTION /plan/steps/0/action',
      'UNKNOWN_REFERENCE /plan/steps/0/needs/0',
      'UNKNOWN_REFERENCE /plan/answer/from/0',
    ])
    expect(refusalsOf(recipe)).toContain('INVALID_SHAPE /version')
  })
})

describe('a file that is made to keep the parser busy', () => {
  const steps = (count: number) =>
    `version: 1\ngoal: g\nsteps:\n${'  - {}\n'.repeat(count)}answer: {from: []}\n`
  const recipe = `name: r\ntitle: t\nphrases: []\nplan: {version: 1, goal: g, answer: {from: []}, steps: [${'{}, '.repeat(1_001)}]}`
  it.each([
    ['brackets', '['.repeat(300_000), 'LIMIT '],
    ['brackets after closing ones', ']'.repeat(50_000) + '['.repeat(50_000), 'LIMIT '],
    ['list marks', '- '.repeat(300_000), 'LIMIT '],
    ['list marks with anchors between them', '- &a '.repeat(40_000), 'LIMIT '],
    ['key marks', '? '.repeat(300_000), 'LIMIT '],
    ['brackets in an argument', fileWith('['.repeat(40) + ']'.repeat(40)), 'LIMIT '],
    ['list marks in an argument', fileWith(`\n      ${'- '.repeat(40)}x`), 'LIMIT '],
    [
      'keys that are all different',
      `{${Array.from({ length: 80_000 }, (_, n) => `k${n}: 1`).join(', ')}}`,
      'LIMIT ',
    ],
    ['closing brackets', ']'.repeat(500_000), 'LIMIT '],
    ['quotes', '"'.repeat(500_000), 'LIMIT '],
    ['aliases', '*a '.repeat(300_000), 'LIMIT '],
    ['anchors', '&a '.repeat(300_000), 'LIMIT '],
    ['line breaks', '\n'.repeat(1_000_000), 'LIMIT '],
    [
      'indentation',
      Array.from({ length: 1_000 }, (_, n) => `${' '.repeat(n)}a:`).join('\n'),
      'INVALID_SHAPE ',
    ],
    [
      'indentation, not too deep for the parser',
      Array.from({ length: 60 }, (_, n) => `${' '.repeat(n)}a:`).join('\n'),
      `LIMIT ${'/a'.repeat(33)}`,
    ],
    ['1,001 steps', steps(1_001), 'LIMIT /steps'],
  ])('with %s is refused at once', (_, source, refusal) => {
    expect(refusalsOf(source)).toContain(refusal)
  })

  it('with keys that differ is read in time that grows with their number', () => {
    const keys = Array.from({ length: 20_000 }, (_, n) => `k${n}: 1`).join(', ')
    expect(refusalsOf(fileWith(`{${keys}}`))).toEqual(['LIMIT /steps/0/args'])
  })

  it('with too many steps says so of a recipe as well', () => {
    expect(refusalsOf(recipe, 'recipe')).toContain('LIMIT /plan/steps')
  })

  it('with a mistake on each line stops at a hundred issues', () => {
    const one = '  - { id: A, agent: desk, action: look }\n'
    const source = `version: 1\ngoal: g\nsteps:\n${one.repeat(900)}answer: {from: []}\n`
    expect(refusalsOf(source).length).toBe(100)
  })
})

describe('what an issue says', () => {
  it('is short and has no control characters, whatever it quotes', () => {
    const name = `\u001b[31m\u202e${'x'.repeat(50_000)}`
    const plans: readonly unknown[] = [
      planOf([], { [name]: 1 }),
      planOf([{ id: name, agent: name, action: name, args: { [name]: 1 } }]),
      planOf([
        { id: 'a', agent: 'desk', action: 'look', args: { mode: name, names: { [name]: name } } },
      ]),
      planOf([{ id: 'a', agent: 'desk', action: 'look', args: { mode: { $from: name } } }]),
      planOf([{ id: 'a', agent: 'desk', action: 'look', args: { mode: { [`$${name}`]: 1 } } }]),
      planOf([
        { id: 'a', agent: 'desk', action: 'look', when: { cel: name.slice(0, 900), with: {} } },
      ]),
    ]
    for (const plan of plans) {
      const result = compileSource({ ...context, kind: 'plan', source: JSON.stringify(plan) })
      if (result.ok) throw new Error('accepted')
      for (const { message, path } of result.issues) {
        expect(message.length).toBeLessThan(310)
        expect(path.length).toBeLessThan(510)
        expect(message + path).not.toMatch(/[\p{Cc}\u202e]/u)
      }
    }
  })
})

describe('a plan that is data already', () => {
  it.each([
    ['undefined', undefined, 'INVALID_SHAPE'],
    ['a function', () => 1, 'INVALID_SHAPE'],
    ['a date', planOf([new Date(0)]), 'INVALID_SHAPE'],
    ['a map', planOf([new Map()]), 'INVALID_SHAPE'],
    ['a big integer', planOf([10n]), 'INVALID_SHAPE'],
    ['a hole in a list', planOf(new Array(3)), 'INVALID_SHAPE'],
    ['a value that is undefined', planOf([{ id: undefined }]), 'INVALID_SHAPE'],
  ])('is refused with %s', (_, plan, code) => {
    const parsed = parsePlan(plan)
    expect(parsed.ok ? [] : parsed.issues.map((issue) => issue.code)).toContain(code)
  })

  it('is refused when it contains itself', () => {
    const steps: unknown[] = []
    steps.push({ steps })
    expect(parsePlan(planOf(steps))).toMatchObject({ ok: false, issues: [{ code: 'LIMIT' }] })
  })

  it('is refused when few parts, shared, would unfold into many', () => {
    let part: unknown = 'x'
    for (let depth = 0; depth < 30; depth += 1) part = [part, part]
    expect(parsePlan(planOf([part]))).toMatchObject({ ok: false, issues: [{ code: 'LIMIT' }] })
  })
})

describe('parseSource', () => {
  it('gives a recipe with its inputs in the plan', () => {
    const source = `name: r
title: t
phrases: [p]
inputs: { day: { type: date, default: today } }
plan: { version: 1, goal: g, steps: [{ id: a, agent: desk, action: look }], answer: { from: [] } }
`
    expect(parseSource('recipe', source)).toMatchObject({
      ok: true,
      recipe: { name: 'r', phrases: ['p'] },
      plan: { inputs: { day: { type: 'date', default: 'today' } }, steps: [{ id: 'a' }] },
    })
    expect(parseSource('plan', source)).toMatchObject({ ok: false })
  })
})
