// Claude, through Anthropic's own library: Messages API as a stream, structured outputs, token counting
// (platform.claude.com/docs/en/api/messages). The library sends, and reads errors; what comes back is
// parsed here, because its types are a promise and not a check. It has no embeddings.

import Anthropic, { APIError } from '@anthropic-ai/sdk'
import { Stream } from '@anthropic-ai/sdk/core/streaming'
import { z } from 'zod'
import { cutOff, declined, empty, unfit } from '../failures.ts'
import { configuredOrigin, noKey, type Transport } from '../gateway-fetch.ts'
import { gatherMessage } from './anthropic-events.ts'
import type { Answer, ModelPort, Question } from './port.ts'
import { answered, gathered, parseReply, type ToldError } from './reply.ts'

const count = z.number().int().min(0)
const messageShape = z.object({
  type: z.literal('message'),
  model: z.string().max(100),
  content: z.array(z.object({ type: z.string(), text: z.string().optional() })),
  stop_reason: z.string(),
  usage: z.object({
    input_tokens: count,
    output_tokens: count,
    cache_creation_input_tokens: count.nullish(),
    cache_read_input_tokens: count.nullish(),
  }),
})
const countShape = z.object({ input_tokens: count })

export function createAnthropic(transport: Transport, timeoutMs: number): ModelPort {
  const asking = { transport, errorOf }
  const client = new Anthropic({
    apiKey: noKey,
    baseURL: configuredOrigin,
    fetch: transport.fetch,
    // The worker asks again, and honours what the provider says of when.
    maxRetries: 0,
    timeout: timeoutMs,
    logLevel: 'off',
    openTelemetry: false,
  })
  return {
    async generate(question, onCharacters) {
      const stream = true as const
      const body = { ...bodyOf(question), max_tokens: question.maxOutputTokens, stream }
      const reply = await gathered(
        {
          ...asking,
          // The library's own helper that puts a message together checks nothing of it.
          eventsOf: (response) => Stream.fromSSEResponse(response, new AbortController(), client),
          gather: (events) => gatherMessage(events, onCharacters),
        },
        () => client.messages.create(body).asResponse(),
      )
      return toAnswer(parseReply(messageShape, reply))
    },
    embed: async () => {
      throw unfit('this provider makes no vectors')
    },
    async count(question) {
      const counted = await answered(asking, () => client.messages.countTokens(bodyOf(question)))
      return parseReply(countShape, counted).input_tokens
    },
  }
}

function bodyOf({ model, system, user, schema }: Question) {
  return {
    model,
    system,
    messages: [{ role: 'user' as const, content: user }],
    ...(schema === undefined
      ? {}
      : { output_config: { format: { type: 'json_schema' as const, schema: { ...schema } } } }),
  }
}

function toAnswer({ content, stop_reason, usage, model }: z.output<typeof messageShape>): Answer {
  switch (stop_reason) {
    case 'end_turn':
    case 'stop_sequence':
      break
    case 'max_tokens':
    case 'model_context_window_exceeded':
      throw cutOff()
    case 'refusal':
      throw declined()
    default:
      throw unfit('it wants to go on with what it was not given')
  }
  // Thoughts are not part of it.
  const text = content.map((block) => (block.type === 'text' ? (block.text ?? '') : '')).join('')
  if (text.trim() === '') throw empty()
  const { cache_creation_input_tokens: made, cache_read_input_tokens: read } = usage
  const inputTokens = usage.input_tokens + (made ?? 0) + (read ?? 0)
  return { text, model, usage: { inputTokens, outputTokens: usage.output_tokens } }
}

/** Without a body it is of a connection, and the library's own word. */
const errorOf = (error: unknown): ToldError | undefined =>
  error instanceof APIError && (error.status !== undefined || error.error !== undefined)
    ? { status: error.status, type: error.type ?? '', headers: error.headers }
    : undefined
