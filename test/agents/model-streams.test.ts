// Answers that come in events: nothing is one before its last event and the end of the response, however
// it is cut into pieces, and whatever a server says in between. What comes as it should is in
// model-conformance.test.ts.

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type ActionContext, ActionFailure } from '../../agents/define-agent.ts'
import { EgressOutcomeUnknown } from '../../agents/egress-client.ts'
import { agent } from '../../agents/model/agent.ts'
import { type Provider, providers } from '../../agents/model/providers/port.ts'
import {
  answering,
  type ModelHome,
  openModelHome,
  readExchange,
  type Streaming,
} from '../support/model-servers.ts'
import { anthropicEvent, errorEvent, openAiEvent, streamOf } from '../support/model-streams.ts'
import { contextOf, failureOf } from './action-context.ts'

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
const asking = (provider: Provider) => ({
  ...{ provider, model: modelOf[provider], maxMicroUsd: 100_000 },
  ...{ instruction: 'say when', material: [] },
})
const compose = (provider: Provider, options: { readonly requestMs?: number } = {}) =>
  models.run('compose', asking(provider), options)

function eventsOf(provider: Provider, words?: string): readonly string[] {
  const exchange =
    words === undefined ? readExchange(provider, 'words') : answering(provider, words)
  return streamOf(provider, exchange)?.events ?? []
}
function say(provider: Provider, events: readonly string[], then: Streaming['then'] = 'end'): void {
  models.reply({ path: readExchange(provider, 'words').path, events, then })
}
/** Events before the one that says that the answer is whole. */
function unfinished(provider: Provider): readonly string[] {
  const events = eventsOf(provider)
  const last = events.findIndex((event) => /"type":"message_stop"|"stop"/.test(event))
  return events.slice(0, last)
}
const piece = (provider: Provider) =>
  provider === 'anthropic'
    ? anthropicEvent('content_block_delta', { index: 1, delta: { type: 'text_delta', text: 'x' } })
    : openAiEvent({ model: 'any', choices: [{ index: 0, delta: { content: 'x' } }] })
const told = ({ code, retry }: ActionFailure) => [code, retry]

describe.each(providers)('a stream of %s', (provider) => {
  test('is no answer before it says that it is whole, wherever it ends', async () => {
    const events = unfinished(provider)
    expect(events.length).toBeGreaterThan(10)
    for (let count = 0; count <= events.length; count += 1) {
      say(provider, events.slice(0, count))
      expect(told(await failureOf(compose(provider))), `after ${count}`).toEqual([
        'CORRUPT_DATA',
        'final',
      ])
    }
  })

  test('that breaks off may have taken the question, also after its last event', async () => {
    for (const events of [unfinished(provider), eventsOf(provider)]) {
      say(provider, events, 'break-off')
      await expect(compose(provider)).rejects.toBeInstanceOf(EgressOutcomeUnknown)
      expect(models.asked).toHaveLength(1)
    }
  })

  test('that does not end is given up, also after its last event', async () => {
    for (const events of [unfinished(provider), eventsOf(provider)]) {
      say(provider, events, 'wait')
      const failure = await failureOf(compose(provider, { requestMs: 300 }))
      expect(told(failure)).toEqual(['UNAVAILABLE', 'final'])
    }
  })

  test('that does not stop talking is not listened to', async () => {
    say(provider, [...unfinished(provider), piece(provider)], 'go-on')
    expect(told(await failureOf(compose(provider)))).toEqual(['LIMIT_EXCEEDED', 'final'])
  })

  test.each([
    ['overloaded_error', 'OVERLOADED', 'absent'],
    ['rate_limit_exceeded', 'OVERLOADED', 'absent'],
    ['not_found_error', 'NOT_FOUND', 'final'],
    ['invalid_request_error', 'INVALID_INPUT', 'final'],
    ['context_length_exceeded', 'LIMIT_EXCEEDED', 'final'],
    ['insufficient_quota', 'UNAVAILABLE', 'final'],
    ['authentication_error', 'UNAVAILABLE', 'final'],
    ['api_error', 'UNAVAILABLE', 'absent'],
    ['a word of tomorrow', 'UNAVAILABLE', 'absent'],
  ])('that begins with %s is what the status would have been', async (word, code, retry) => {
    say(provider, [errorEvent(provider, word)])
    expect(told(await failureOf(compose(provider)))).toEqual([code, retry])
    expect(models.asked).toHaveLength(1)
  })

  test('that goes over into an error was begun, and is not asked for again by itself', async () => {
    for (const count of [1, unfinished(provider).length]) {
      const begun = eventsOf(provider).slice(0, count)
      say(provider, [...begun, errorEvent(provider, 'overloaded_error')])
      expect(told(await failureOf(compose(provider)))).toEqual(['UNAVAILABLE', 'final'])
    }
  })

  test('says how many characters have come, and nothing else of them', async () => {
    const words = 'Ein Gruß 🌊 an alle'
    say(provider, eventsOf(provider, words))
    await expect(compose(provider)).resolves.toMatchObject({ text: words })
    const counts = models.told.map(([done]) => done)
    expect(counts[0]).toBe(0)
    expect(counts.at(-1)).toBe([...words].length)
    expect(counts).toEqual(counts.toSorted((one, other) => one - other))
    expect(counts.length).toBeGreaterThan(3)
    expect(new Set(models.told.map(([, unit]) => unit))).toEqual(new Set(['characters']))
  })

  test('may be cut anywhere, inside of a character too', async () => {
    const words = 'Ein Gruß 🌊 an alle 你好'
    const bytes = Buffer.from(eventsOf(provider, words).join(''))
    for (const size of [1, 2, 3, 5, 7]) {
      expect(await given(provider, bytes, { size })).toMatchObject({ text: words })
    }
  })

  test('with lines that end as on another system is the same', async () => {
    const text = eventsOf(provider).join('').replaceAll('\n', '\r\n')
    expect(await given(provider, Buffer.from(text), { size: 11 })).toMatchObject({
      text: 'Dinner on Friday, four people.',
    })
  })

  test('that is no JSON is written to no log', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    try {
      say(provider, [...unfinished(provider), 'event: message_delta\ndata: {"secret\n\n'])
      expect((await failureOf(compose(provider))).code).toBe('CORRUPT_DATA')
      expect(log).not.toHaveBeenCalled()
    } finally {
      log.mockRestore()
    }
  })

  test('may be longer than a reply that comes at once', async () => {
    const events = eventsOf(provider)
    const ignored = ': nothing\n\n'.repeat(250_000)
    const text = [...events.slice(0, 3), ignored, ...events.slice(3)].join('')
    expect(Buffer.byteLength(text)).toBeGreaterThan(2 * 1024 * 1024)
    const whole = Buffer.from(text)
    expect(await given(provider, whole, { size: 60_000 })).toBeDefined()
    const asJson = given(provider, whole, { size: 60_000, type: 'application/json' })
    expect(told(await failureOf(asJson))).toEqual(['LIMIT_EXCEEDED', 'final'])
  })
})

describe.each(['openai', 'gemini', 'local'] as const)('%s', (provider) => {
  test('that does not tell what it counted came to all that it might', async () => {
    const events = eventsOf(provider).filter((event) => !event.includes('"prompt_tokens"'))
    say(provider, events)
    await expect(compose(provider)).resolves.toMatchObject({
      text: 'Dinner on Friday, four people.',
      usage: { inputTokens: null, outputTokens: null, costMicroUsd: 100_000 },
    })
  })

  test('says of its status in the middle what it says of it at once', async () => {
    say(provider, [openAiEvent({ error: { code: 503, status: 'UNAVAILABLE', message: 'busy' } })])
    expect(told(await failureOf(compose(provider)))).toEqual(['OVERLOADED', 'absent'])
  })
})

describe('a message of Claude', () => {
  test.each<[string, (events: readonly string[]) => readonly string[]]>([
    ['begins twice', ([first = '', ...rest]) => [first, first, ...rest]],
    ['does not begin', ([, ...rest]) => rest],
    ['goes on after its end', (events) => [...events, piece('anthropic')]],
    ['ends for no reason', (events) => events.filter((one) => !one.includes('message_delta'))],
  ])('that %s is none', async (_what, change) => {
    say('anthropic', change(eventsOf('anthropic')))
    expect((await failureOf(compose('anthropic'))).code).toBe('CORRUPT_DATA')
  })

  test('may have events and blocks of kinds that nobody knows yet', async () => {
    const [first = '', ...rest] = eventsOf('anthropic')
    const later = [
      anthropicEvent('an_event_of_tomorrow', { any: 1 }),
      anthropicEvent('content_block_start', { index: 7, content_block: { type: 'picture' } }),
      anthropicEvent('content_block_delta', { index: 7, delta: { type: 'pixels', data: 'AA' } }),
    ]
    say('anthropic', [first, ...later, ...rest])
    await expect(compose('anthropic')).resolves.toMatchObject({
      text: 'Dinner on Friday, four people.',
    })
  })
})

/** The agent over a gateway that gives these bytes, so many at a time. */
async function given(
  provider: Provider,
  bytes: Buffer,
  { size, type = 'text/event-stream' }: { readonly size: number; readonly type?: string },
): Promise<unknown> {
  const parts = async function* () {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
  }
  const context: ActionContext = {
    ...contextOf({ folder: '/nowhere', now: Date.parse('2026-11-22T08:00:00Z') }),
    stream: async ({ maxBytes }) => {
      if (bytes.length > maxBytes) throw new ActionFailure('LIMIT_EXCEEDED', 'final')
      const head = { status: 200, headers: { 'content-type': type }, url: 'http://any' }
      return { ...head, parts: parts(), close: () => undefined }
    },
  }
  return await agent.actions.get('compose')?.prepare(asking(provider))?.(context)
}
