// One table of verdicts for all providers: what each reply that a provider publishes comes to, through its
// own library, the agent's adapter and the real gateway, whether it comes whole or in events. Besides: what is sent, what is never sent, and
// that nothing is ever asked twice.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ActionFailure } from '../../agents/define-agent.ts'
import { EgressOutcomeUnknown } from '../../agents/egress-client.ts'
import { noKey } from '../../agents/model/gateway-fetch.ts'
import { type Provider, providers } from '../../agents/model/providers/port.ts'
import {
  type Conduct,
  exchangesOf,
  keyOf,
  type ModelHome,
  openModelHome,
  readExchange,
  streaming,
} from '../support/model-servers.ts'
import { failureOf } from './action-context.ts'

let models: ModelHome
beforeAll(async () => {
  models = await openModelHome()
})
afterAll(() => models.close())

const modelOf: Readonly<Record<Provider, string>> = {
  anthropic: 'claude-haiku-5-5',
  openai: 'gpt-6-luna',
  gemini: 'gemini-3.8-flash',
  local: 'qwen3:8b',
}
/** Of 412 tokens in and 38 out, at the prices of these models, rounded up. */
const costOf: Readonly<Record<Provider, number>> = {
  anthropic: 61,
  openai: 61,
  gemini: 452,
  local: 0,
}

const call = (provider: Provider) => ({
  provider,
  model: modelOf[provider],
  maxOutputTokens: 500,
  maxMicroUsd: 100_000,
})
const composing = (provider: Provider) =>
  ['compose', { ...call(provider), instruction: 'say when', material: [] }] as const
const fields = [
  { name: 'day', type: 'date' },
  { name: 'seats', type: 'number' },
  { name: 'kind', type: 'enum', choices: ['lunch', 'dinner'] },
  { name: 'outside', type: 'boolean' },
]
const extracting = (provider: Provider) =>
  ['extract', { ...call(provider), text: 'table for four', fields }] as const

type Verdict = readonly [
  code: ActionFailure['code'],
  retry: ActionFailure['retry'],
  afterMs?: number,
]

const wordVerdicts: Readonly<Record<string, Verdict>> = {
  declined: ['DECLINED', 'final'],
  'cut-off': ['ANSWER_CUT_OFF', 'final'],
  empty: ['ANSWER_EMPTY', 'final'],
  'wants-more': ['ANSWER_UNFIT', 'final'],
  'not-json': ['CORRUPT_DATA', 'final'],
  'another-shape': ['CORRUPT_DATA', 'final'],
  'bad-request': ['INVALID_INPUT', 'final'],
  'no-credential': ['UNAVAILABLE', 'final'],
  unpaid: ['UNAVAILABLE', 'final'],
  'no-model': ['NOT_FOUND', 'final'],
  'too-long': ['LIMIT_EXCEEDED', 'final'],
  'rate-limited': ['OVERLOADED', 'absent', 17_000],
  overloaded: ['OVERLOADED', 'absent'],
  broken: ['UNAVAILABLE', 'absent'],
}
const valueVerdicts: Readonly<Record<string, Verdict>> = {
  malformed: ['ANSWER_MALFORMED', 'final'],
  'more-than-asked': ['ANSWER_UNFIT', 'final'],
}
/** Of questions that only some providers have. */
const others = ['words', 'values', 'counted', 'vectors', 'vectors-missing', 'vectors-uneven']

const told = ({ code, retry, retryAfterMs }: ActionFailure): Verdict =>
  retryAfterMs === undefined ? [code, retry] : [code, retry, retryAfterMs]

/** A server that knows of no events sends all at once, asked for them or not. */
const forms = {
  whole: (provider, name) => readExchange(provider, name),
  streamed: (provider, name) => streaming(provider, readExchange(provider, name)),
} as const satisfies Record<string, (provider: Provider, name: string) => Conduct>

describe.each(
  providers.flatMap((provider) =>
    (['whole', 'streamed'] as const).map((form) => [provider, form] as const),
  ),
)('%s, %s', (provider, form) => {
  const reply = (...names: readonly string[]) =>
    models.reply(...names.map((name) => forms[form](provider, name)))

  test('answers in words, with what it cost', async () => {
    reply('words')
    expect(await models.run(...composing(provider))).toEqual({
      text: 'Dinner on Friday, four people.',
      model: modelOf[provider],
      usage: { inputTokens: 412, outputTokens: 38, costMicroUsd: costOf[provider] },
    })
  })

  test('gives values of the types that were asked for', async () => {
    reply('values')
    const none = { text: null, number: null, boolean: null }
    expect(await models.run(...extracting(provider))).toMatchObject({
      fields: [
        { name: 'day', ...none, text: '2026-11-27' },
        { name: 'seats', ...none, number: 4 },
        { name: 'kind', ...none, text: 'dinner' },
        { name: 'outside', ...none },
      ],
    })
  })

  test.each(Object.entries(wordVerdicts))('%s', async (name, verdict) => {
    reply(name)
    expect(told(await failureOf(models.run(...composing(provider))))).toEqual(verdict)
    // What to do about it is the worker's: the library asked once.
    expect(models.asked).toHaveLength(1)
  })

  test.each(Object.entries(valueVerdicts))('%s', async (name, verdict) => {
    reply(name)
    expect(told(await failureOf(models.run(...extracting(provider))))).toEqual(verdict)
    expect(models.asked).toHaveLength(1)
  })
})

describe.each(providers)('%s', (provider) => {
  test('has an exchange for every verdict, and no other', () => {
    const wanted = [...Object.keys(wordVerdicts), ...Object.keys(valueVerdicts)]
    const got = exchangesOf(provider).filter((name) => !others.includes(name))
    expect(new Set(got)).toEqual(new Set(wanted))
  })

  test('that says nothing is given up, and not asked again by itself', async () => {
    models.reply('silent')
    const run = models.run(...composing(provider), { requestMs: 300 })
    expect(told(await failureOf(run))).toEqual(['UNAVAILABLE', 'final'])
    expect(models.asked).toHaveLength(1)
  })

  test('that does not stop talking is not listened to', async () => {
    models.reply('endless')
    const run = models.run(...composing(provider))
    expect(told(await failureOf(run))).toEqual(['LIMIT_EXCEEDED', 'final'])
  })

  test('that breaks off may have taken the question', async () => {
    models.reply('breaks-off')
    await expect(models.run(...composing(provider))).rejects.toBeInstanceOf(EgressOutcomeUnknown)
    expect(models.asked).toHaveLength(1)
  })

  test('is sent the question, the key of the gateway, and nothing of the machine', async () => {
    models.reply(readExchange(provider, 'values'))
    await models.run(...extracting(provider))
    const [{ path, headers, body } = { path: '', headers: {}, body: '' }] = models.asked
    expect(path).toBe(readExchange(provider, 'values').path)
    const key = {
      anthropic: 'x-api-key',
      openai: 'authorization',
      gemini: 'authorization',
    } as const
    const expected = {
      ...(provider === 'local'
        ? {}
        : { [key[provider]]: expect.stringContaining(keyOf(provider)) }),
      ...(provider === 'anthropic'
        ? { 'anthropic-version': expect.stringMatching(/^\d{4}-\d{2}-\d{2}$/) }
        : {}),
    }
    const usual = [
      'accept',
      'accept-encoding',
      'connection',
      'content-length',
      'content-type',
      'host',
    ]
    expect(new Set(Object.keys(headers))).toEqual(new Set([...usual, ...Object.keys(expected)]))
    expect(headers).toMatchObject(expected)
    expect(JSON.stringify([headers, body])).not.toContain(noKey)
    const sent = JSON.parse(body)
    expect(sent.model).toBe(modelOf[provider])
    expect(sent.max_tokens ?? sent.max_completion_tokens).toBe(500)
    expect(sent.stream).toBe(true)
    // Who tells it by itself is not asked to.
    expect(sent.stream_options).toEqual(
      provider === 'anthropic' ? undefined : { include_usage: true },
    )
    const schema =
      sent.output_config?.format.schema ?? sent.response_format?.json_schema.schema ?? {}
    expect(schema).toMatchObject({
      additionalProperties: false,
      required: ['day', 'seats', 'kind', 'outside'],
    })
  })

  test('is not asked where the answer could cost more than it may', async () => {
    const counted = provider === 'anthropic' ? [readExchange(provider, 'counted')] : []
    models.reply(...counted, readExchange(provider, 'words'))
    const [action, args] = composing(provider)
    if (provider === 'local') {
      await expect(models.run(action, { ...args, maxMicroUsd: 0 })).resolves.toBeDefined()
      return
    }
    const failure = await failureOf(models.run(action, { ...args, maxMicroUsd: 1 }))
    expect(told(failure)).toEqual(['LIMIT_EXCEEDED', 'final'])
    expect(models.asked.filter(({ path }) => !path.endsWith('count_tokens'))).toEqual([])
  })

  test('is not asked for a model whose price nobody knows', async () => {
    models.reply(readExchange(provider, 'words'))
    const model = provider === 'local' ? 'gpt-oss:120b-cloud' : 'a-model-of-tomorrow'
    const [action, args] = composing(provider)
    const failure = await failureOf(models.run(action, { ...args, model }))
    expect(told(failure)).toEqual(['INVALID_INPUT', 'final'])
    expect(models.asked).toEqual([])
  })
})

describe('a provider that counts for nothing', () => {
  test('decides whether the question fits, where the bound does not', async () => {
    // 500 tokens of answer and 412 of the question: 292 millionths; the bound of the bytes is above it.
    models.reply(readExchange('anthropic', 'counted'), readExchange('anthropic', 'words'))
    const [action, args] = composing('anthropic')
    await expect(models.run(action, { ...args, maxMicroUsd: 292 })).resolves.toBeDefined()
    expect(models.asked.map(({ path }) => path)).toEqual([
      '/v1/messages/count_tokens',
      '/v1/messages',
    ])
    models.reply(readExchange('anthropic', 'counted'), readExchange('anthropic', 'words'))
    const failure = await failureOf(models.run(action, { ...args, maxMicroUsd: 291 }))
    expect(failure.code).toBe('LIMIT_EXCEEDED')
    expect(models.asked.map(({ path }) => path)).toEqual(['/v1/messages/count_tokens'])
  })
})

describe('vectors', () => {
  const asked = (provider: Provider) => ({
    provider,
    model: provider === 'gemini' ? 'gemini-embedding-001' : 'embeddinggemma',
    maxMicroUsd: 1_000,
    texts: ['one', 'two'],
  })
  const floats = (text: string) => {
    const bytes = Buffer.from(text, 'base64')
    return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(index * 4))
  }

  test.each(['gemini', 'local'] as const)(
    'of %s are one a text, in their order',
    async (provider) => {
      models.reply(readExchange(provider, 'vectors'))
      const result = (await models.run('embed', asked(provider))) as {
        readonly dimensions: number
        readonly vectors: readonly string[]
      }
      expect(result.dimensions).toBe(3)
      expect(result.vectors.map(floats)).toEqual([
        [1, 0, -1],
        [0.5, -0.25, 0.125],
      ])
    },
  )

  test.each(['vectors-missing', 'vectors-uneven'])('%s are none', async (name) => {
    models.reply(readExchange('local', name))
    expect(told(await failureOf(models.run('embed', asked('local'))))).toEqual([
      'ANSWER_UNFIT',
      'final',
    ])
  })

  test('are not asked for where they could cost more than they may', async () => {
    models.reply(readExchange('gemini', 'vectors'))
    // 6 bytes and 32 tokens of framing, at 0.15 each.
    await expect(models.run('embed', { ...asked('gemini'), maxMicroUsd: 6 })).resolves.toBeDefined()
    models.reply(readExchange('gemini', 'vectors'))
    const failure = await failureOf(models.run('embed', { ...asked('gemini'), maxMicroUsd: 5 }))
    expect(told(failure)).toEqual(['LIMIT_EXCEEDED', 'final'])
    expect(models.asked).toEqual([])
  })

  test('of a provider without a known price are not asked for', async () => {
    models.reply(readExchange('openai', 'vectors'))
    expect((await failureOf(models.run('embed', asked('openai')))).code).toBe('INVALID_INPUT')
    expect(models.asked).toEqual([])
  })
})
