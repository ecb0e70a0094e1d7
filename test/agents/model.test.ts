// What the agent of models makes of an answer: values held to their types, a text that is only words, a
// plan put together of closed parts, a cost that is never below what it is.

import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { worstCase } from '../../agents/model/ask.ts'
import { limits } from '../../plan/limits.ts'
import { costOf, prices, ratesOf } from '../../plan/model-prices.ts'
import { parseProposal } from '../../plan/parse.ts'
import { answering, type ModelHome, openModelHome } from '../support/model-servers.ts'
import { failureOf } from './action-context.ts'

let models: ModelHome
beforeAll(async () => {
  models = await openModelHome()
})
afterAll(() => models.close())

const house = { provider: 'local', model: 'qwen3:8b', maxMicroUsd: 0 }
const say = (words: string) => models.reply(answering('local', words))

describe('a value that is extracted', () => {
  const extract = (field: object, value: unknown) => {
    say(JSON.stringify({ value }))
    const args = { ...house, text: 'any', fields: [{ name: 'value', ...field }] }
    return models.run('extract', args)
  }

  test.each<[object, unknown]>([
    [{ type: 'enum', choices: ['a', 'b'] }, 'b'],
    [{ type: 'boolean' }, false],
    [{ type: 'number' }, -1.5],
    [{ type: 'date' }, '2028-02-29'],
    [{ type: 'time' }, '23:59'],
    [{ type: 'duration' }, 'P1DT2H30M'],
    [{ type: 'text', maxLength: 5 }, 'words'],
    [{ type: 'text' }, null],
  ])('of %j may be %j', async (field, value) => {
    const result = (await extract(field, value)) as { readonly fields: readonly object[] }
    expect(Object.values(result.fields[0] ?? {})).toContain(value)
  })

  test.each<[object, unknown]>([
    [{ type: 'enum', choices: ['a', 'b'] }, 'c'],
    [{ type: 'enum', choices: ['a', 'b'] }, 'a '],
    [{ type: 'boolean' }, 'yes'],
    [{ type: 'number' }, '1'],
    [{ type: 'date' }, '2027-02-29'],
    [{ type: 'date' }, '2027-02-28 send it to eve@example.org'],
    [{ type: 'time' }, '24:00'],
    [{ type: 'time' }, '12:00:00'],
    [{ type: 'duration' }, 'P'],
    [{ type: 'duration' }, '2 hours'],
    [{ type: 'text', maxLength: 5 }, 'longer'],
    [{ type: 'text' }, 'two\nlines'],
    [{ type: 'text' }, 'turned \u202eround'],
    [{ type: 'text' }, '\ud800'],
    [{ type: 'text' }, ['list']],
    [{ type: 'text' }, { more: 'than asked' }],
  ])('of %j is never %j', async (field, value) => {
    expect((await failureOf(extract(field, value))).code).toBe('ANSWER_UNFIT')
  })

  test.each<[string, string]>([
    ['missing', '{}'],
    ['one of two', '{"value": "a", "other": "b"}'],
    ['in a list', '["a"]'],
    ['nothing', 'null'],
  ])('is no answer when it is %s', async (_what, answer) => {
    say(answer)
    const args = { ...house, text: 'any', fields: [{ name: 'value', type: 'text' }] }
    expect((await failureOf(models.run('extract', args))).code).toBe('ANSWER_UNFIT')
  })

  test.each<[string, readonly object[]]>([
    [
      'twice one name',
      [
        { name: 'a', type: 'text' },
        { name: 'a', type: 'date' },
      ],
    ],
    ['an enum of nothing', [{ name: 'a', type: 'enum' }]],
    ['a choice of dates', [{ name: 'a', type: 'date', choices: ['2026-01-01'] }]],
    ['one choice twice', [{ name: 'a', type: 'enum', choices: ['x', 'x'] }]],
  ])('is not asked for with %s', async (_what, fields) => {
    say('{}')
    const failure = await failureOf(models.run('extract', { ...house, text: 'any', fields }))
    expect(failure.code).toBe('INVALID_INPUT')
    expect(models.asked).toEqual([])
  })
})

describe('a text that is composed', () => {
  const compose = (words: string, maxCharacters = 40) => {
    say(words)
    return models.run('compose', { ...house, instruction: 'write', maxCharacters })
  }

  test('is words, without what moves a terminal or turns a line', async () => {
    const text = 'one\u001b[2J\r\ntwo\u202e three\u2028four\u0007\u200b '
    expect(await compose(text)).toMatchObject({ text: 'one[2J\ntwo three\nfour' })
  })

  test('is no answer when nothing is left of it, or more than may be', async () => {
    expect((await failureOf(compose('\u202e\u0007'))).code).toBe('ANSWER_EMPTY')
    expect((await failureOf(compose('x'.repeat(41)))).code).toBe('ANSWER_UNFIT')
    await expect(compose('x'.repeat(40))).resolves.toBeDefined()
  })
})

describe('a proposal', () => {
  const actions = [
    {
      action: 'calendar.list',
      summary: 'events between two times',
      args: [
        { name: 'from', type: 'RFC 3339' },
        { name: 'calendars', type: 'list of names' },
      ],
    },
    { action: 'notes.append', summary: 'adds to a note', args: [{ name: 'text', type: 'text' }] },
  ]
  const propose = (answer: unknown) => {
    say(JSON.stringify(answer))
    const now = '2026-11-22T09:00:00+01:00'
    return models.run('propose', { ...house, words: ['what is on?'], now, actions })
  }
  const step = {
    id: 'events',
    action: 'calendar.list',
    args: [
      { name: 'from', json: '"2026-11-23T00:00:00Z"' },
      { name: 'calendars', json: '["home"]' },
    ],
    needs: [] as string[],
  }
  const note = {
    id: 'note',
    action: 'notes.append',
    args: [{ name: 'text', json: '{"$from":"events#/count"}' }],
    needs: ['events'],
  }
  const plan = (changes: object = {}) => ({
    answer: { kind: 'plan', goal: 'see', steps: [step, note], answerFrom: ['events'], ...changes },
  })

  test('is the text of a plan that a person could have written', async () => {
    const { proposal, ...rest } = (await propose(plan())) as { readonly proposal: string }
    expect(rest).toMatchObject({ kind: 'plan', text: '', options: [] })
    expect(JSON.parse(proposal).steps).toEqual([
      {
        id: 'events',
        agent: 'calendar',
        action: 'list',
        args: { from: '2026-11-23T00:00:00Z', calendars: ['home'] },
        needs: [],
      },
      {
        id: 'note',
        agent: 'notes',
        action: 'append',
        args: { text: { $from: 'events#/count' } },
        needs: ['events'],
      },
    ])
    expect(parseProposal(proposal)).toMatchObject({ ok: true })
  })

  test('may be a question or a refusal instead', async () => {
    const question = { kind: 'question', text: 'Which one?', options: ['A', 'B'] }
    expect(await propose({ answer: question })).toMatchObject({ ...question, proposal: '' })
    const refusal = { kind: 'refusal', text: 'No agent moves money.' }
    expect(await propose({ answer: refusal })).toMatchObject({ ...refusal, proposal: '' })
  })

  test.each<[string, unknown]>([
    ['an action that was not offered', plan({ steps: [{ ...step, action: 'mail.send' }] })],
    [
      'an argument of another action',
      plan({ steps: [{ ...step, args: [{ name: 'text', json: '1' }] }] }),
    ],
    ['an argument twice', plan({ steps: [{ ...step, args: [step.args[0], step.args[0]] }] })],
    [
      'an argument that is no JSON',
      plan({ steps: [{ ...step, args: [{ name: 'from', json: 'x' }] }] }),
    ],
    ['a member too many', plan({ policy: 'none' })],
    ['no step', plan({ steps: [] })],
    ['a name that no step may have', plan({ steps: [{ ...step, id: '__proto__' }] })],
    ['another kind', { answer: { kind: 'order', text: 'now' } }],
    ['a question of nothing', { answer: { kind: 'question', text: '', options: [] } }],
    ['no answer', {}],
  ])('with %s is none', async (_what, answer) => {
    expect((await failureOf(propose(answer))).code).toBe('ANSWER_UNFIT')
  })

  test('offers the model each action with its own arguments, and no open record', async () => {
    await propose({ answer: { kind: 'refusal', text: 'no' } })
    const sent = JSON.parse(models.asked[0]?.body ?? '{}')
    const { schema } = sent.response_format.json_schema
    const [offered] = schema.properties.answer.anyOf
    const steps = offered.properties.steps.items.anyOf
    const names = steps.map(
      (one: { properties: { action: { enum: string[] } } }) => one.properties.action.enum,
    )
    expect(names).toEqual([['calendar.list'], ['notes.append']])
    const open: unknown[] = []
    JSON.stringify(schema, (_key, value) => {
      if (value?.type === 'object' && value.additionalProperties !== false) open.push(value)
      return value
    })
    expect(open).toEqual([])
  })
})

describe('what a call costs', () => {
  test('is priced by what is published, with its source and day', () => {
    for (const price of prices) {
      expect(price.source, price.model).toMatch(/^https:\/\//)
      expect(price.asOf, price.model).toMatch(/^\d{4}-\d{2}-\d{2}$/)
      // Written to the thousandth, as costOf counts.
      expect(Number.isInteger(Math.round(price.inputUsd * 1e6) / 1e3), price.model).toBe(true)
      // No question of this agent is in a dearer tier: its arguments are bounded, and so is what is added.
      expect(price.tierTokens, price.model).toBeGreaterThan(limits.argumentBytes + 20_000)
    }
    const names = prices.map(({ provider, model }) => `${provider} ${model}`)
    expect(new Set(names).size).toBe(names.length)
  })

  test('is rounded up, and never below the parts', () => {
    const haiku = { inputUsd: 0.1, outputUsd: 0.5 }
    expect(costOf({ inputTokens: 1, outputTokens: 0 }, haiku)).toBe(1)
    expect(costOf({ inputTokens: 10, outputTokens: 0 }, haiku)).toBe(1)
    expect(costOf({ inputTokens: 11, outputTokens: 2 }, haiku)).toBe(3)
    expect(costOf({ inputTokens: 1_000_000, outputTokens: 1_000_000 }, haiku)).toBe(600_000)
    const tokens = fc.nat(2_000_000)
    fc.assert(
      fc.property(tokens, tokens, (inputTokens, outputTokens) => {
        const cost = costOf({ inputTokens, outputTokens }, haiku)
        const exact = inputTokens * 0.1 + outputTokens * 0.5
        expect(cost).toBeGreaterThanOrEqual(exact - 1e-6)
        expect(cost).toBeLessThan(exact + 1 + 1e-6)
      }),
    )
  })

  test('is unknown of a price that has ended, and nothing of the house', () => {
    const flash = { provider: 'gemini', model: 'gemini-3.8-flash' } as const
    expect(ratesOf(flash, Date.parse('2026-12-31T23:00:00Z'))).toMatchObject({ inputUsd: 0.75 })
    expect(ratesOf(flash, Date.parse('2027-01-01T00:00:00Z'))).toBeUndefined()
    expect(ratesOf({ provider: 'local', model: 'any' }, 0)).toEqual({ inputUsd: 0, outputUsd: 0 })
  })

  test('is bounded by the bytes of the question, before it is asked', () => {
    const rates = { inputUsd: 1, outputUsd: 1 }
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(1_000), (user, maxOutputTokens) => {
        const most = worstCase({ system: '', user, maxOutputTokens }, rates)
        expect(most).toBeGreaterThanOrEqual(Buffer.byteLength(user) + maxOutputTokens)
      }),
    )
  })
})
