// The ways around: what the owner alone may know, told to somebody else without being sent to them. Each
// is refused by the rule that it runs into, and the step that knows it is named.

import { describe, expect, it } from 'vitest'
import { compilePlan } from '../../plan/compile.ts'
import { attackedHouse as catalogue } from '../support/attacker-manifests.ts'

type Fields = Readonly<Record<string, unknown>>
const step = (id: string, what: string, args: Fields, more: Fields = {}) => {
  const [agent, action] = what.split('.')
  return { id, agent, action, args, ...more }
}
const from = (reference: string) => ({ $from: reference })
const own = step('own', 'desk.look', {})
const guard = { when: { cel: "t == 'y'", with: { t: from('own#/title') } } }
const loop = { forEach: { in: from('own#/items'), as: 'i', max: 5 } }
const said = (value: unknown) => ({ $text: '{{v}}', with: { v: value } })

interface Leak {
  readonly way: string
  readonly steps: readonly Fields[]
  readonly code: string
  readonly path: string
  readonly source?: string
}

const leaks: readonly Leak[] = [
  {
    way: 'a branch that is taken or not',
    steps: [own, step('get', 'web.get', { page: 'x' }, guard)],
    ...{ code: 'FLOW_R4', path: '/steps/1/when', source: '/steps/0' },
  },
  {
    way: 'a branch that was not taken, by what is missing',
    steps: [
      own,
      step('maybe', 'web.recall', {}, guard),
      step('get', 'web.get', { page: 'x', about: said(from('maybe#/title')) }),
    ],
    ...{ code: 'FLOW_R2', path: '/steps/2/args/about', source: '/steps/0' },
  },
  {
    way: 'the line of a request',
    steps: [own, step('get', 'web.get', { page: from('own#/title') })],
    ...{ code: 'FLOW_R5', path: '/steps/1/args/page', source: '/steps/0' },
  },
  {
    way: 'what a request says besides its line',
    steps: [own, step('get', 'web.get', { page: 'x', about: from('own#/title') })],
    ...{ code: 'FLOW_R2', path: '/steps/1/args/about', source: '/steps/0' },
  },
  {
    way: 'how many requests there are',
    steps: [own, step('get', 'web.get', { page: 'x' }, loop)],
    ...{ code: 'FLOW_R4', path: '/steps/1/forEach/in', source: '/steps/0' },
  },
  {
    way: 'how many looks there are that change nothing',
    steps: [own, step('look', 'board.glance', { about: 'x' }, loop)],
    ...{ code: 'FLOW_R4', path: '/steps/1/forEach/in', source: '/steps/0' },
  },
  {
    way: 'how many public answers a loop has brought',
    steps: [
      own,
      step('many', 'web.recall', {}, loop),
      step('get', 'web.get', { page: 'x', about: said(from('many#/2/title')) }),
    ],
    ...{ code: 'FLOW_R2', path: '/steps/2/args/about', source: '/steps/0' },
  },
  {
    way: 'the text of an error',
    steps: [
      step('own', 'desk.look', {}, { onError: 'continue' }),
      step('get', 'web.get', { page: 'x', about: said(from('own#/error')) }),
    ],
    ...{ code: 'UNKNOWN_REFERENCE', path: '/steps/1/args/about/with/v' },
  },
  {
    way: 'that there was an error',
    steps: [
      step('own', 'web.recall', {}, { onError: 'continue' }),
      step('get', 'web.get', { page: 'x', about: said(from('own#/title')) }),
    ],
    ...{ code: 'FLOW_R2', path: '/steps/1/args/about', source: '/steps/0' },
  },
  {
    way: 'that a step which may fail did not',
    steps: [
      step('own', 'desk.look', {}, { onError: 'continue' }),
      step('get', 'web.get', { page: 'x' }, { needs: ['own'], join: 'any' }),
    ],
    ...{ code: 'FLOW_R4', path: '/steps/1/join', source: '/steps/0' },
  },
  {
    way: 'a note that is kept and read back',
    steps: [
      own,
      step('keep', 'shelf.keep', { text: from('own#/title') }),
      step('back', 'shelf.fetch', {}, { needs: ['keep'] }),
      step('get', 'web.get', { page: 'x', about: from('back#/text') }),
    ],
    ...{ code: 'FLOW_R2', path: '/steps/3/args/about', source: '/steps/2' },
  },
  {
    // There are no handles to earlier results: the form is not known.
    way: 'a handle to the result of an earlier request',
    steps: [step('get', 'web.get', { page: 'x', about: { $handle: 'r-1/own#/title' } })],
    ...{ code: 'INVALID_SHAPE', path: '/steps/0/args/about' },
  },
]

describe('what the owner alone may know', () => {
  it.each(leaks)('is not told by $way', ({ steps, code, path, source }) => {
    const plan = { version: 1, goal: 'a leak', steps, answer: { from: [] } }
    const decide = () => ({ verdict: 'allow', rules: ['anything'] }) as const
    const compiled = compilePlan(plan, { inputs: {}, catalogue, decide })
    const issues = compiled.ok ? [] : compiled.issues
    // R4 and R3 find the same guard; either may come first.
    const found = issues.find((issue) => issue.code === code)
    expect({ found, issues }).toMatchObject({ found: { code, path } })
    expect(found?.source).toBe(source)
  })
})
