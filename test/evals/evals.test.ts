// The evaluation itself: its requests are divided as they say, it sees a wrong plan as wrong, and the rules
// planner is above the line.

import { describe, expect, it } from 'vitest'
import { catalogue } from '../../agents/catalogue.ts'
import { compilePlan } from '../../plan/compile.ts'
import { decide } from '../support/policy.ts'
import { judge } from './judge.ts'
import { conversers, planners } from './planners.ts'
import { type EvalRequest, readConversations, readRequests } from './request.ts'
import {
  belowTheLine,
  type EvalConverser,
  type EvalPlanner,
  figuresOf,
  runConversations,
  runEvals,
} from './run-evals.ts'

const files = readRequests()
const requests = [...files.values()].flat()
const today = '2026-11-24'

const step = (id: string, action: string, args: Record<string, unknown>) => {
  const [agent = '', name = ''] = action.split('.')
  return { id, agent, action: name, args }
}

function answer(...steps: readonly unknown[]) {
  const written = { version: 1, goal: 'g', steps, answer: { from: [] } }
  const result = compilePlan(written, { inputs: {}, catalogue, decide })
  if (!result.ok) throw new Error(JSON.stringify(result.issues))
  return { is: 'plan', plan: result.plan } as const
}

describe('the requests', () => {
  it('are many, and every second one of a file is held out', () => {
    expect(requests.length).toBeGreaterThanOrEqual(80)
    for (const [file, list] of files) {
      const held = list.map((one) => one['held-out'] === true)
      expect(held, file).toEqual(list.map((_, index) => index % 2 === 1))
    }
  })

  it('want nothing that no agent has', () => {
    const known = new Set(
      [...catalogue].flatMap(([agent, { actions }]) =>
        Object.keys(actions).map((action) => `${agent}.${action}`),
      ),
    )
    const wanted = requests.flatMap((one) => ('plan' in one ? one.plan.flatMap((s) => s.do) : []))
    expect(wanted.filter((action) => !known.has(action))).toEqual([])
  })
})

describe('the conversations', () => {
  const conversations = readConversations()
  const held = conversations.filter((one) => one['held-out'] === true)

  it('are many, and a good part of them is held out', () => {
    expect(conversations.length - held.length).toBeGreaterThanOrEqual(20)
    expect(held.length).toBeGreaterThanOrEqual(20)
  })

  it('are understood by the rules: enough of the held-out half, and nothing run wrongly', async () => {
    const [rules] = conversers
    if (rules === undefined) throw new Error('there is none')
    const results = await runConversations(rules, conversations)
    const wrong = results.filter(({ verdict }) => verdict === 'wrong-execution')
    expect(wrong.map(({ say, because }) => `${say}: ${because}`)).toEqual([])
    expect(belowTheLine(results)).toBeUndefined()
  })

  it('are not understood by who forgets what was said before', async () => {
    const [rules] = conversers
    if (rules === undefined) throw new Error('there is none')
    const forgetful: EvalConverser = {
      name: 'forgetful',
      converse: (words, context) => rules.converse(words, { ...context, earlier: [] }),
    }
    const results = await runConversations(forgetful, conversations)
    expect(belowTheLine(results)).toMatch(/of the held-out half is correct/)
  })
})

describe('a plan', () => {
  const events = step('events', 'calendar.list', { day: '2026-11-25' })
  const note = step('keep', 'notes.append', { note: 'n', text: 'Oats' })
  const plan = (...steps: readonly object[]): EvalRequest => ({
    say: 's',
    plan: steps.map((one) => ({ do: '', with: {}, 'without-or': {}, uses: [], ...one })),
  })

  it.each<[string, EvalRequest, ReturnType<typeof answer>, string]>([
    [
      'what was wanted',
      plan({ do: 'calendar.list', with: { day: '2026-11-25' } }),
      answer(events),
      'correct',
    ],
    ['one of several', plan({ do: ['weather.now', 'calendar.list'] }), answer(events), 'correct'],
    [
      'with an argument left out',
      plan({ do: 'calendar.list', 'without-or': { days: 1 } }),
      answer(events),
      'correct',
    ],
    [
      'today by its date',
      plan({ do: 'calendar.list', with: { day: 'today' } }),
      answer(step('e', 'calendar.list', { day: today })),
      'correct',
    ],
    [
      'with more reads',
      plan({ do: 'calendar.list' }),
      answer(events, step('n', 'notes.list', {})),
      'correct',
    ],
    ['with a text in it', plan({ do: 'notes.append', says: 'oats' }), answer(note), 'correct'],
    [
      'of another day',
      plan({ do: 'calendar.list', with: { day: '2026-11-26' } }),
      answer(events),
      'wrong-execution',
    ],
    [
      'without a step',
      plan({ do: 'calendar.list' }, { do: 'notes.list' }),
      answer(events),
      'wrong-execution',
    ],
    [
      'with a write too many',
      plan({ do: 'calendar.list' }),
      answer(events, note),
      'wrong-execution',
    ],
    [
      'with another text',
      plan({ do: 'notes.append', says: 'milk' }),
      answer(note),
      'wrong-execution',
    ],
    [
      'that uses nothing',
      plan({ do: 'notes.append', uses: ['calendar.list'] }),
      answer(events, note),
      'wrong-execution',
    ],
    [
      'with a value too many',
      plan({ do: 'calendar.list', with: { day: null } }),
      answer(events),
      'wrong-execution',
    ],
    ['where a question was right', { say: 's', question: true }, answer(events), 'wrong-execution'],
    [
      'where a refusal was right',
      { say: 's', refusal: 'NO_ACTION' },
      answer(events),
      'wrong-execution',
    ],
    ['where nothing was right', { say: 's', decline: true }, answer(events), 'wrong-execution'],
  ])('%s', (_, request, answered, verdict) => {
    expect(judge(request, answered, today).verdict).toBe(verdict)
  })

  it('that refers to the step that it should is correct', () => {
    const text = { $text: '{{#e}}{{summary}}{{/e}}', with: { e: { $from: 'events#/events' } } }
    const keep = step('keep', 'notes.append', { note: 'n', text })
    const request = plan({ do: 'calendar.list' }, { do: 'notes.append', uses: ['calendar.list'] })
    expect(judge(request, answer(events, keep), today).verdict).toBe('correct')
  })
})

describe('what is not run', () => {
  const asked = { is: 'question', text: 'which day?' } as const
  const refused = { is: 'refusal', reason: 'NO_ACTION' } as const
  const invalid = { is: 'invalid', issues: ['LIMIT'] } as const
  const wanted = { say: 's', plan: [{ do: 'notes.list', with: {}, 'without-or': {}, uses: [] }] }

  it.each<[EvalRequest, Parameters<typeof judge>[1], string]>([
    [{ say: 's', question: 'day' }, asked, 'correct'],
    [{ say: 's', question: 'hour' }, asked, 'missed'],
    [{ say: 's', question: true }, refused, 'missed'],
    [{ say: 's', refusal: 'NO_ACTION' }, refused, 'correct'],
    [{ say: 's', refusal: 'MOVES_MONEY' }, refused, 'missed'],
    [{ say: 's', refusal: 'NO_ACTION' }, asked, 'missed'],
    [{ say: 's', decline: true }, asked, 'correct'],
    [{ say: 's', decline: true }, refused, 'correct'],
    [{ say: 's', decline: true }, invalid, 'missed'],
    [wanted, asked, 'missed'],
    [wanted, refused, 'missed'],
    [wanted, invalid, 'missed'],
  ])('is judged by what was wanted: %#', (request, answered, verdict) => {
    expect(judge(request, answered, today).verdict).toBe(verdict)
  })
})

describe('a planner', () => {
  const [rules] = planners

  it('of rules is above the line: enough of the held-out half, and nothing run wrongly', async () => {
    if (rules === undefined) throw new Error('there is none')
    const results = await runEvals(rules, requests)
    const wrong = results.filter(({ verdict }) => verdict === 'wrong-execution')
    expect(wrong.map(({ say, because }) => `${say}: ${because}`)).toEqual([])
    expect(belowTheLine(results)).toBeUndefined()
    expect(figuresOf(results).costUsd).toBe(0)
  })

  it('that refuses everything is below the line, though it runs nothing wrongly', async () => {
    const results = await runEvals(never, requests)
    expect(figuresOf(results).wrongExecutions).toBe(0)
    expect(belowTheLine(results)).toMatch(/of the held-out half is correct/)
  })

  it('that runs one thing whatever is said is below the line', async () => {
    const results = await runEvals(always, requests)
    expect(belowTheLine(results)).toMatch(/wrong executions/)
  })

  it('is told codes and paths of a plan that is refused, once, and its second proposal counts', async () => {
    const told: unknown[] = []
    const steps = (action: string) => [{ id: 'a', agent: 'notes', action, args: {} }]
    const learner: EvalPlanner = {
      name: 'learner',
      propose: (_, __, issues) => {
        told.push(issues)
        const plan = {
          version: 1,
          goal: 'g',
          steps: steps(issues.length > 0 ? 'list' : 'lost'),
          answer: { from: [] },
        } as const
        return Promise.resolve({ planned: { kind: 'plan', name: 'p', plan }, costMicroUsd: 5 })
      },
    }
    const request = { say: 's', plan: [{ do: 'notes.list', with: {}, 'without-or': {}, uses: [] }] }
    const [result] = await runEvals(learner, [request])
    expect(result).toMatchObject({ verdict: 'correct', validAt: 2, costMicroUsd: 10 })
    expect(told).toEqual([[], [{ code: 'UNKNOWN_ACTION', path: '/steps/0/action' }]])
  })
})

const never: EvalPlanner = {
  name: 'never',
  propose: () =>
    Promise.resolve({
      planned: { kind: 'refusal', reason: 'NOT_UNDERSTOOD', text: 'no' },
      costMicroUsd: 0,
    }),
}

const always: EvalPlanner = {
  name: 'always',
  propose: () =>
    Promise.resolve({ planned: { kind: 'recipe', name: 'to-do', inputs: {} }, costMicroUsd: 0 }),
}
