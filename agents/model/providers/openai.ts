// OpenAI, and those that speak as it does: Gemini, Ollama, llama.cpp. Chat completions and embeddings
// (platform.openai.com/docs/api-reference/chat), which all of them have, through OpenAI's own library, the
// completions as streams. It sends, and reads errors; what comes back is parsed here. None of them counts a question for nothing.

import OpenAI, { APIError } from 'openai'
import { Stream } from 'openai/core/streaming'
import { z } from 'zod'
import { cutOff, declined, empty, notOfTheProvider, unfit } from '../failures.ts'
import { configuredOrigin, noKey, type Transport } from '../gateway-fetch.ts'
import { gatherCompletion } from './openai-events.ts'
import type { Answer, Embeddings, ModelPort, Provider, Question } from './port.ts'
import { answered, gathered, parseReply, type ToldError } from './reply.ts'

const count = z.number().int().min(0)
const completionShape = z.object({
  model: z.string().max(100),
  choices: z
    .array(
      z.object({
        finish_reason: z.string(),
        message: z.object({ content: z.string().nullish(), refusal: z.string().nullish() }),
      }),
    )
    .length(1),
  usage: z.object({ prompt_tokens: count, completion_tokens: count }).nullish(),
})
const embeddingsShape = z.object({
  model: z.string().max(100),
  data: z.array(z.object({ index: count, embedding: z.array(z.number()).min(1).max(4_096) })),
  usage: z.object({ prompt_tokens: count }).nullish(),
})

/** Where they differ, as each publishes it. */
const dialects = {
  openai: { path: '/v1', limit: 'max_completion_tokens', store: false },
  gemini: { path: '/v1beta/openai', limit: 'max_tokens', store: undefined },
  local: { path: '/v1', limit: 'max_tokens', store: undefined },
} as const

export function createOpenAi(
  provider: Exclude<Provider, 'anthropic'>,
  transport: Transport,
  timeoutMs: number,
): ModelPort {
  const { path, limit, store } = dialects[provider]
  const asking = { transport, errorOf }
  const client = new OpenAI({
    apiKey: noKey,
    baseURL: `${configuredOrigin}${path}`,
    fetch: transport.fetch,
    // The worker asks again, and honours what the provider says of when.
    maxRetries: 0,
    timeout: timeoutMs,
    logLevel: 'off',
  })
  return {
    async generate(question, onCharacters) {
      const body = {
        ...bodyOf(question),
        stream: true as const,
        stream_options: { include_usage: true },
        [limit]: question.maxOutputTokens,
        // Kept by nobody for later.
        ...(store === undefined ? {} : { store }),
      }
      const reply = await gathered(
        {
          ...asking,
          eventsOf: (response) => Stream.fromSSEResponse(response, new AbortController(), client),
          gather: (chunks) => gatherCompletion(chunks, onCharacters),
        },
        () => client.chat.completions.create(body).asResponse(),
      )
      return toAnswer(parseReply(completionShape, reply))
    },
    async embed({ model, texts }) {
      const body = { model, input: [...texts], encoding_format: 'float' as const }
      const reply = await answered(asking, () => client.embeddings.create(body))
      return toEmbeddings(parseReply(embeddingsShape, reply), texts.length)
    },
    count: async () => undefined,
  }
}

function bodyOf({ model, system, user, schema }: Question) {
  return {
    model,
    messages: [
      { role: 'system' as const, content: system },
      { role: 'user' as const, content: user },
    ],
    ...(schema === undefined
      ? {}
      : {
          response_format: {
            type: 'json_schema' as const,
            json_schema: { name: 'answer', strict: true, schema: { ...schema } },
          },
        }),
  }
}

function toAnswer({ choices, model, usage }: z.output<typeof completionShape>): Answer {
  const [choice] = choices
  if (choice === undefined) throw notOfTheProvider()
  const { finish_reason: reason, message } = choice
  if (typeof message.refusal === 'string' && message.refusal !== '') throw declined()
  if (reason === 'content_filter') throw declined()
  if (reason === 'length') throw cutOff()
  if (reason !== 'stop') throw unfit('it wants to go on with what it was not given')
  const text = message.content ?? ''
  if (text.trim() === '') throw empty()
  return { text, model, usage: usage ? toTokens(usage) : undefined }
}

function toEmbeddings(
  { data, model, usage }: z.output<typeof embeddingsShape>,
  wanted: number,
): Embeddings {
  const vectors = [...data].sort((one, other) => one.index - other.index)
  if (vectors.length !== wanted || vectors.some(({ index }, at) => index !== at)) {
    throw unfit('not one vector a text')
  }
  const length = vectors[0]?.embedding.length
  if (vectors.some(({ embedding }) => embedding.length !== length)) {
    throw unfit('vectors of several lengths')
  }
  return {
    vectors: vectors.map(({ embedding }) => embedding),
    model,
    usage: usage ? toTokens({ ...usage, completion_tokens: 0 }) : undefined,
  }
}

function toTokens(usage: { readonly prompt_tokens: number; readonly completion_tokens: number }) {
  return { inputTokens: usage.prompt_tokens, outputTokens: usage.completion_tokens }
}

/** Without a body it is of a connection, and the library's own word. */
const errorOf = (error: unknown): ToldError | undefined =>
  error instanceof APIError && (error.status !== undefined || error.error !== undefined)
    ? { status: error.status, type: error.code ?? error.type ?? '', headers: error.headers }
    : undefined
