// Which models a question goes to: what is private stays in the house, as rule R2 has it; nothing is asked
// that could not be paid; what is left out says why; and what is reserved is enough for the agent to ask.

import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { catalogue } from '../../agents/catalogue.ts'
import { ActionFailure } from '../../agents/define-agent.ts'
import { agent } from '../../agents/model/agent.ts'
import { manifest } from '../../agents/model/manifest.ts'
import { compilePlan } from '../../plan/compile.ts'
import { type Provider, prices, providers } from '../../plan/model-prices.ts'
import { byCodeUnits, owner } from '../../plan/principals.ts'
import { questionBytesOf } from '../../planner/question-bytes.ts'
import {
  type Candidate,
  type RoutedQuestion,
  type RouterContext,
  routeQuestion,
} from '../../planner/router.ts'
import { contextOf, failureOf } from '../agents/action-context.ts'
import { decide } from '../support/policy.ts'

const now = Date.parse('2026-11-24T08:30:00Z')
const dollar = 1_000_000
const opus: Candidate = {
  ...{ provider: 'anthropic', model: 'claude-opus-5-5' },
  ...{ maxMicroUsd: dollar, maxOutputTokens: 4_000 },
}
const luna: Candidate = { ...opus, provider: 'openai', model: 'gpt-6-luna' }
const flash: Candidate = { ...opus, provider: 'gemini', model: 'gemini-3.8-flash' }
const house: Candidate = { ...opus, provider: 'local', model: 'qwen3:8b', maxMicroUsd: 0 }
const vectors: Candidate = { ...opus, provider: 'gemini', model: 'gemini-embedding-001' }

const question: RoutedQuestion = { capability: 'propose', questionBytes: 10_000, readers: 'PUBLIC' }

function route(
  candidates: readonly Candidate[],
  asked: Partial<RoutedQuestion> = {},
  context: Partial<RouterContext> = {},
) {
  const given = { left: undefined, agent: manifest, now }
  const { choices, leftOut } = routeQuestion(
    { ...question, ...asked },
    { ...given, candidates, ...context },
  )
  return {
    asked: choices.map(({ provider, maxMicroUsd }) => `${provider} ${maxMicroUsd}`),
    leftOut: leftOut.map(({ provider, reason }) => `${provider} ${reason}`),
  }
}

describe('a question', () => {
  // 12,000 tokens in and 4,000 out at most: 0.128 USD at 4 and 20 a million, 0.0032 at 0.1 and 0.5.
  test.each<[string, ReturnType<typeof route>, readonly string[], readonly string[]]>([
    ['goes to all in their order', route([opus, house]), ['anthropic 128000', 'local 0'], []],
    [
      'that is private goes to the house alone',
      route([opus, luna, flash, house], { readers: [owner] }),
      ['local 0'],
      ['anthropic NOT_FOR_PRIVATE', 'openai NOT_FOR_PRIVATE', 'gemini NOT_FOR_PRIVATE'],
    ],
    [
      'that one provider may see goes to that one and the house',
      route([opus, luna, house], { readers: ['host:{model.openai}', owner] }),
      ['openai 3200', 'local 0'],
      ['anthropic NOT_FOR_PRIVATE'],
    ],
    [
      'is for no model whose server passes it on',
      route([{ ...house, model: 'qwen3:480b-cloud' }]),
      [],
      ['local NOT_OF_THE_HOUSE'],
    ],
    [
      'is for no model without a price',
      route([{ ...luna, model: 'gpt-7' }]),
      [],
      ['openai NO_PRICE'],
    ],
    [
      'is for no model whose price has ended',
      route([flash], {}, { now: Date.parse('2027-01-01T00:00:00Z') }),
      [],
      ['gemini NO_PRICE'],
    ],
    ['in words is for no model of vectors', route([vectors]), [], ['gemini NO_CAPABILITY']],
    [
      'for vectors is for models of vectors',
      route([luna, vectors, house, { ...house, gives: 'vectors' }], { capability: 'embed' }),
      ['gemini 1500', 'local 0'],
      ['openai NO_CAPABILITY', 'local NO_CAPABILITY'],
    ],
    [
      'may not be answered at more length than the model has',
      route([{ ...flash, maxOutputTokens: 65_537 }]),
      [],
      ['gemini TOO_LONG'],
    ],
    [
      'that could cost more than one call may is not asked',
      route([{ ...luna, maxMicroUsd: 3_199 }]),
      [],
      ['openai TOO_DEAR'],
    ],
    [
      'is asked within less, where the provider counts first',
      route([{ ...opus, maxMicroUsd: 80_000 }]),
      ['anthropic 80000'],
      [],
    ],
    [
      'is not asked where the answer alone could cost more',
      route([{ ...opus, maxMicroUsd: 79_999 }]),
      [],
      ['anthropic TOO_DEAR'],
    ],
    [
      'goes to the next where the day has no room for the first',
      route([opus, luna, house], {}, { left: 50_000 }),
      ['openai 3200', 'local 0'],
      ['anthropic OVER_BUDGET'],
    ],
    [
      'goes to the house where the day is spent',
      route([luna, house], {}, { left: 0 }),
      ['local 0'],
      ['openai OVER_BUDGET'],
    ],
    ['goes nowhere where nobody is listed', route([]), [], []],
  ])('%s', (_, routed, asked, leftOut) => {
    expect(routed).toEqual({ asked, leftOut })
  })
})

describe('whatever is asked of whomever', () => {
  const candidate = fc.record({
    provider: fc.constantFrom(...providers),
    model: fc.constantFrom('qwen3:8b', 'x-cloud', ...prices.map(({ model }) => model)),
    maxMicroUsd: fc.nat(500_000),
    maxOutputTokens: fc.integer({ min: 1, max: 200_000 }),
  })
  const readers = fc.oneof(
    fc.constant('PUBLIC' as const),
    fc.subarray([...providers.map((one) => `host:{model.${one}}` as const), owner]),
  )
  const asked = fc.record({
    capability: fc.constantFrom('propose', 'extract', 'compose', 'embed'),
    questionBytes: fc.nat(1_000_000),
    readers,
  })
  const given = fc.record({
    candidates: fc.array(candidate, { maxLength: 6 }),
    left: fc.option(fc.nat(500_000), { nil: undefined }),
  })

  it('each candidate is asked or left out for a reason, in the order in which they are listed', () => {
    fc.assert(
      fc.property(asked, given, (one, context) => {
        const { choices, leftOut } = routeQuestion(one, { ...context, agent: manifest, now })
        const nameOf = ({ provider, model }: { provider: string; model: string }) =>
          `${provider} ${model}`
        const seen = [...choices.map(nameOf), ...leftOut.map(nameOf)]
        expect(seen.toSorted(byCodeUnits)).toEqual(
          context.candidates.map(nameOf).toSorted(byCodeUnits),
        )
        const positions = choices.map((choice) =>
          context.candidates.map(nameOf).indexOf(nameOf(choice)),
        )
        if (new Set(positions).size === positions.length) {
          expect(positions).toEqual(positions.toSorted((a, b) => a - b))
        }
      }),
    )
  })

  it('nothing is reserved beyond what a person allows a call and a day', () => {
    fc.assert(
      fc.property(asked, given, (one, context) => {
        const { choices } = routeQuestion(one, { ...context, agent: manifest, now })
        for (const { provider, model, maxMicroUsd } of choices) {
          const allowed = context.candidates
            .filter((other) => other.provider === provider && other.model === model)
            .map((other) => other.maxMicroUsd)
          expect(maxMicroUsd).toBeLessThanOrEqual(Math.max(...allowed))
          expect(maxMicroUsd).toBeLessThanOrEqual(context.left ?? Number.POSITIVE_INFINITY)
        }
      }),
    )
  })

  it('no provider is asked that is not among those who may see the question', () => {
    fc.assert(
      fc.property(asked, given, (one, context) => {
        const { choices } = routeQuestion(one, { ...context, agent: manifest, now })
        for (const { provider } of choices) {
          const who = provider === 'local' ? owner : (`host:{model.${provider}}` as const)
          expect(one.readers === 'PUBLIC' || one.readers.includes(who)).toBe(true)
        }
      }),
    )
  })
})

test.each(
  providers.flatMap((provider) => [
    { provider, source: 'notes.read', args: { note: 'diary' }, pointer: '#/text', isPrivate: true },
    { provider, source: '', args: {}, pointer: '', isPrivate: false },
  ]),
)('$provider is left out exactly where rule R2 refuses the plan (private: $isPrivate)', (one) => {
  const text = one.isPrivate ? { $from: `read${one.pointer}` } : 'a public text'
  const read = { id: 'read', agent: 'notes', action: 'read', args: one.args }
  const choice = { provider: one.provider, model: 'm', maxMicroUsd: 0 }
  const ask = {
    ...{ id: 'ask', agent: 'model', action: 'compose' },
    args: { ...choice, instruction: 'shorten', material: [{ title: 't', text }] },
  }
  const written = {
    ...{ version: 1, goal: 'g', answer: { from: ['ask'] } },
    steps: one.isPrivate ? [read, ask] : [ask],
  }
  const compiled = compilePlan(written, { inputs: {}, catalogue, decide })
  const codes = compiled.ok ? [] : compiled.issues.map(({ code }) => code)
  const candidates = [modelOf(one.provider)]
  const readers = one.isPrivate ? [owner] : 'PUBLIC'
  const { leftOut } = route(candidates, { capability: 'compose', readers })
  const isRefused = one.isPrivate && one.provider !== 'local'
  expect(codes).toEqual(isRefused ? ['FLOW_R2'] : [])
  expect(leftOut).toEqual(isRefused ? [`${one.provider} NOT_FOR_PRIVATE`] : [])
})

function modelOf(provider: Provider): Candidate {
  return { anthropic: opus, openai: luna, gemini: flash, local: house }[provider]
}

describe('what is reserved for a question is enough for the agent to send it', () => {
  const words = fc.array(fc.string({ minLength: 1, maxLength: 60, unit: 'binary' }), {
    minLength: 1,
    maxLength: 4,
  })
  const name = fc.stringMatching(/^[a-z][A-Za-z0-9_-]{0,39}$/)
  const action = fc.record({
    action: fc.stringMatching(/^[a-z][a-z0-9-]{0,39}\.[a-z][a-z0-9_]{0,39}$/),
    summary: fc.string({ minLength: 1, maxLength: 80 }),
    args: fc.uniqueArray(fc.record({ name, type: fc.string({ minLength: 1, maxLength: 60 }) }), {
      selector: (one) => one.name,
      maxLength: 8,
    }),
  })
  const actions = fc.uniqueArray(action, {
    selector: (one) => one.action,
    minLength: 1,
    maxLength: 8,
  })
  const field = fc.record({
    name,
    type: fc.constant('enum'),
    choices: fc.uniqueArray(fc.string({ minLength: 1, maxLength: 80 }), {
      minLength: 1,
      maxLength: 20,
    }),
    hint: fc.string({ maxLength: 100 }),
  })
  const fields = fc.uniqueArray(field, { selector: (one) => one.name, minLength: 1, maxLength: 8 })

  /** The agent with a network that ends at once: what it comes to says whether it sent anything. */
  async function codeOf(capability: RoutedQuestion['capability'], args: object): Promise<string> {
    const { choices } = routeQuestion(
      {
        capability,
        questionBytes: questionBytesOf({ capability, args } as never),
        readers: 'PUBLIC',
      },
      {
        ...{ candidates: [luna, vectors], left: undefined },
        agent: manifest,
        now,
      },
    )
    const [choice] = choices
    if (choice === undefined) throw new Error('nothing was chosen')
    const { maxOutputTokens, ...others } = choice
    const bound = capability === 'embed' ? {} : { maxOutputTokens }
    const run = agent.actions.get(capability)?.prepare({ ...args, ...others, ...bound })
    if (run === undefined) throw new Error('refused as arguments')
    const sent = () => Promise.reject(new ActionFailure('OVERLOADED', 'absent', 'sent'))
    const context = { ...contextOf({ folder: '/none', now }), stream: sent }
    return (await failureOf(run(context))).code
  }

  it('of a plan', async () => {
    await fc.assert(
      fc.asyncProperty(words, actions, async (said, offered) => {
        const args = { words: said, now: '2026-11-24T09:30:00+01:00', actions: offered }
        expect(await codeOf('propose', args)).toBe('OVERLOADED')
      }),
    )
  })

  it.each(['"', '\\', '\u0001', '€'])('of a text of nothing but %j', async (character) => {
    const text = character.repeat(9_000)
    const material = [{ title: 't', text }]
    expect(await codeOf('compose', { instruction: 'x', material })).toBe('OVERLOADED')
    expect(await codeOf('extract', { text, fields: [{ name: 'a', type: 'text' }] })).toBe(
      'OVERLOADED',
    )
  })

  it('of values, of a text and of vectors', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ maxLength: 500, unit: 'binary' }),
        fields,
        async (text, wanted) => {
          expect(await codeOf('extract', { text, fields: wanted })).toBe('OVERLOADED')
          const material = [{ title: 't', text }]
          expect(await codeOf('compose', { instruction: 'x', material })).toBe('OVERLOADED')
          expect(await codeOf('embed', { texts: [`${text}.`, 'x'] })).toBe('OVERLOADED')
        },
      ),
    )
  })
})
