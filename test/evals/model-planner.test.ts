// A language model is evaluated by the agent's own code, over HTTP, against a server that answers as told:
// some requests rightly, some wrongly, some not at all. Every figure is seen at something else than zero.

import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { runCli } from '../support/cli.ts'
import { type Scripted, type ScriptedModel, startScriptedModel } from '../support/scripted-model.ts'
import { createModelPlanner, ModelError, type ModelOptions } from './model-planner.ts'
import { plannerOf } from './planners.ts'
import { type EvalRequest, readRequests } from './request.ts'
import { belowTheLine, figuresOf, runEvals } from './run-evals.ts'

let server: ScriptedModel
beforeAll(async () => {
  server = await startScriptedModel()
})
beforeEach(() => {
  server.asked.length = 0
})
afterAll(() => server.close())

const luna = { provider: 'openai', model: 'gpt-6-luna', key: 'a-key-of-a-test' } as const
const planner = (change: Partial<ModelOptions> = {}) =>
  createModelPlanner({ ...luna, origin: server.origin, maxUsd: 1, maxOutputTokens: 500, ...change })

const wanted = { with: {}, 'without-or': {}, uses: [] }
const list = (say: string, held = false): EvalRequest => ({
  say,
  plan: [{ do: 'calendar.list', ...wanted, with: { day: '2026-11-25' } }],
  ...(held ? { 'held-out': true } : {}),
})
const plan = (day: string, more: object = {}): Scripted => ({
  plan: [{ id: 'events', action: 'calendar.list', args: { day, ...more } }],
})
const right = plan('2026-11-25')
const unfit: Scripted = { plan: [{ id: 'a', action: 'calendar.lost', args: {} }] }

/** What the model says to each, in the first round and in the second. */
const script: Readonly<Record<string, readonly Scripted[]>> = {
  'tomorrow, rightly': [right],
  'tomorrow, at the second try': [plan('2026-11-25', { days: 'many' }), right],
  'tomorrow, never valid': [plan('2026-11-25', { days: 'many' })],
  'tomorrow, wrongly': [plan('2026-11-27')],
  'tomorrow, refused': [{ refusal: 'no' }],
  'tomorrow, as no plan': [unfit],
  'tomorrow, from a server that fails': [400],
  'which day?': [{ question: 'which day do you mean?', options: [] }],
  'fly me to the moon': [{ refusal: 'no agent flies' }],
  'pay the rent': [right],
}
const requests: readonly EvalRequest[] = [
  list('tomorrow, rightly'),
  list('tomorrow, at the second try', true),
  list('tomorrow, never valid'),
  list('tomorrow, wrongly', true),
  list('tomorrow, refused'),
  list('tomorrow, as no plan'),
  list('tomorrow, from a server that fails'),
  { say: 'which day?', question: 'day' },
  { say: 'fly me to the moon', refusal: 'NO_ACTION' },
  { say: 'pay the rent', refusal: 'MOVES_MONEY', 'held-out': true },
]

function answerAsScripted() {
  server.answer(({ words, issues }) => {
    const rounds = script[words[0] ?? ''] ?? []
    return (issues === undefined ? rounds[0] : rounds.at(-1)) ?? 500
  })
}

it('is counted right in every column', async () => {
  answerAsScripted()
  const results = await runEvals(planner(), requests)
  expect(results.map(({ say, verdict, validAt }) => [say, verdict, validAt])).toEqual([
    ['tomorrow, rightly', 'correct', 1],
    ['tomorrow, at the second try', 'correct', 2],
    ['tomorrow, never valid', 'missed', 0],
    ['tomorrow, wrongly', 'wrong-execution', 1],
    ['tomorrow, refused', 'missed', 0],
    ['tomorrow, as no plan', 'missed', 0],
    ['tomorrow, from a server that fails', 'missed', 0],
    ['which day?', 'correct', 0],
    ['fly me to the moon', 'correct', 0],
    ['pay the rent', 'wrong-execution', 1],
  ])
  const { medianMs, uncertainUsd, ...figures } = figuresOf(results)
  expect(figures).toEqual({
    ...{ requests: 10, correct: 4, validAtFirst: 3, validAfterReproposal: 1 },
    ...{ rightlyRefused: 2, asked: 1, unanswered: 2, wrongExecutions: 2 },
    // Ten answers of 40 tokens in and 8 out, at 0.1 and 0.5 USD a million.
    costUsd: 0.00008,
  })
  expect(medianMs).toBeGreaterThan(0)
  expect(uncertainUsd).toBeGreaterThan(0)
  expect(belowTheLine(results)).toMatch(/2 wrong executions/)
  expect(results.find(({ say }) => say === 'tomorrow, as no plan')?.because).toBe(
    'no answer: ANSWER_UNFIT',
  )
})

it('is told the words, and of a plan that was refused codes and places, once', async () => {
  answerAsScripted()
  await runEvals(planner(), [list('tomorrow, never valid')])
  expect(server.asked.map(({ words, issues }) => [words, issues])).toEqual([
    [['tomorrow, never valid'], undefined],
    [['tomorrow, never valid'], [{ code: 'INVALID_ARGUMENT', path: '/steps/0/args/days' }]],
  ])
  expect(server.asked[0]?.body).toContain('2026-11-24T09:30:00+01:00')
  expect(server.asked[0]?.body).toContain('calendar.list')
})

it('is asked again as a step is, where it turned the question away', async () => {
  let times = 0
  server.answer(() => {
    times += 1
    return times < 3 ? 429 : right
  })
  const [result] = await runEvals(planner(), [list('tomorrow')])
  expect([result?.verdict, times]).toEqual(['correct', 3])
})

it('is not asked beyond what all calls may cost', async () => {
  server.answer(() => right)
  const two = [list('one'), list('two')]
  const bound = figuresOf(await runEvals(planner(), two)).costUsd
  expect([server.asked.length, bound]).toEqual([2, 0.000016])
  const results = await runEvals(planner({ maxUsd: 0.000001 }), two)
  expect(results.map(({ because }) => because)).toEqual([
    'no answer: OVER_BUDGET',
    'no answer: OVER_BUDGET',
  ])
  expect(server.asked).toHaveLength(2)
})

it.each<[string, Partial<ModelOptions>, RegExp]>([
  ['of which nobody knows the price', { model: 'gpt-7' }, /gpt-7 cannot be asked: NO_PRICE/],
  ['that writes no words', { provider: 'gemini', model: 'gemini-embedding-001' }, /NO_CAPABILITY/],
  ['whose server passes it on', { provider: 'local', model: 'x-cloud' }, /NOT_OF_THE_HOUSE/],
])('stops at once at a model %s', async (_, change, message) => {
  await expect(runEvals(planner(change), [list('one')])).rejects.toThrow(message)
  expect(server.asked).toEqual([])
})

it('stops at the first request where the provider has no such model', async () => {
  server.answer(() => 404)
  const asked = runEvals(planner(), [list('one'), list('two')])
  await expect(asked).rejects.toThrow(/does not answer: NOT_FOUND/)
  expect(server.asked).toHaveLength(1)
})

it('is named by its provider, and has a key where its provider wants one', () => {
  const asking = { origin: undefined, maxUsd: 1, maxOutputTokens: 500 }
  const named = (name: string, env = {}) => plannerOf(name, asking, env).name
  expect(named('rules')).toBe('rules')
  expect(named('local/qwen3:8b')).toBe('local/qwen3:8b')
  expect(named('openai/gpt-6-luna', { OPENAI_API_KEY: 'x' })).toBe('openai/gpt-6-luna')
  expect(() => named('openai/gpt-6-luna')).toThrow(ModelError)
  expect(() => named('gpt-6-luna')).toThrow(/known: rules, anthropic\//)
})

async function runMain(args: readonly string[], env: Readonly<Record<string, string>>) {
  const { code, stdout, stderr } = await runCli(args, {
    entry: join(import.meta.dirname, 'main.ts'),
    env: { OPENAI_API_KEY: '', ...env },
  })
  return [code, stdout, stderr] as const
}

/** A process of its own, and a hundred questions: as long as a busy machine takes. */
const patience = { timeout: 240_000 }

it('says without a key what to type next', patience, async () => {
  const [code, out, said] = await runMain(['--model', 'openai/gpt-6-luna'], {})
  expect([code, out]).toEqual([2, ''])
  expect(said).toContain('next: OPENAI_API_KEY=<key> npm run evals -- --model openai/gpt-6-luna')
})

it('puts all requests to it, and says how many it rightly refused', patience, async () => {
  server.answer(() => ({ refusal: 'I know nothing of this.' }))
  const model = ['--model', 'openai/gpt-6-luna', '--origin', server.origin]
  const [code, out, said] = await runMain(model, { OPENAI_API_KEY: luna.key })
  const all = [...readRequests().values()].flat()
  const refused = (held: boolean) =>
    all.filter(
      (one) => (one['held-out'] === true) === held && ('refusal' in one || 'decline' in one),
    )
  expect([code, said]).toEqual([1, ''])
  expect(server.asked).toHaveLength(all.length)
  for (const held of [false, true]) {
    expect(out).toContain(`rightly not run ${refused(held).length}, questions asked 0, wrong exec`)
  }
  expect(out).toMatch(/BELOW THE LINE: .* of the held-out half is correct/)
})
