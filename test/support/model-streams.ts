// A provider's synthetic exchange as the events that it would have been streamed in
// (platform.claude.com/docs/en/build-with-claude/streaming and
// platform.openai.com/docs/api-reference/chat-streaming): the same answer, in pieces of a few characters.

import { z } from 'zod'
import type { Provider } from '../../agents/model/providers/port.ts'
import type { Exchange } from './model-servers.ts'

const messageShape = z.looseObject({
  content: z.array(z.looseObject({ type: z.string() })),
  stop_reason: z.string(),
  usage: z.looseObject({ output_tokens: z.number() }),
})
const completionShape = z.looseObject({
  choices: z.array(
    z.looseObject({
      message: z.looseObject({ content: z.string().nullish(), refusal: z.string().nullish() }),
      finish_reason: z.string(),
    }),
  ),
  usage: z.unknown(),
})

export interface Streamed {
  readonly path: string
  readonly events: readonly string[]
}

/** Undefined of an exchange that no provider streams: an error has a body. */
export function streamOf(provider: Provider, exchange: Exchange): Streamed | undefined {
  const { path, status, text, body } = exchange
  if (status !== 200) return undefined
  if (text !== undefined) return { path, events: [named('message_start', text)] }
  return { path, events: eventsOf(provider, body) }
}

function eventsOf(provider: Provider, body: unknown): readonly string[] {
  if (provider === 'anthropic') {
    const message = messageShape.safeParse(body).data
    return message === undefined ? [anthropicEvent('message_start', {})] : eventsOfMessage(message)
  }
  const completion = completionShape.safeParse(body).data
  return completion === undefined ? [openAiEvent(body)] : eventsOfCompletion(completion)
}

function eventsOfMessage(message: z.infer<typeof messageShape>): readonly string[] {
  const { content, stop_reason, usage } = message
  const begun = {
    ...message,
    content: [],
    stop_reason: null,
    usage: { ...usage, output_tokens: 1 },
  }
  return [
    anthropicEvent('message_start', { message: begun }),
    anthropicEvent('ping', {}),
    ...content.flatMap((block, index) => [
      ...eventsOfBlock(block, index),
      anthropicEvent('content_block_stop', { index }),
    ]),
    anthropicEvent('message_delta', {
      delta: { stop_reason, stop_sequence: null },
      usage: { output_tokens: usage.output_tokens },
    }),
    anthropicEvent('message_stop', {}),
  ]
}

function eventsOfBlock(block: { readonly type: string }, index: number): readonly string[] {
  const pieces = (type: string, member: string, whole: string) =>
    piecesOf(whole).map((piece) =>
      anthropicEvent('content_block_delta', { index, delta: { type, [member]: piece } }),
    )
  const start = (changes: object) =>
    anthropicEvent('content_block_start', { index, content_block: { ...block, ...changes } })
  if ('text' in block) {
    return [start({ text: '' }), ...pieces('text_delta', 'text', String(block.text))]
  }
  if ('thinking' in block) {
    const thoughts = pieces('thinking_delta', 'thinking', String(block.thinking))
    return [start({ thinking: '' }), ...thoughts]
  }
  const input = JSON.stringify('input' in block ? block.input : {})
  return [start({ input: {} }), ...pieces('input_json_delta', 'partial_json', input)]
}

function eventsOfCompletion(completion: z.infer<typeof completionShape>): readonly string[] {
  const { choices, usage, ...head } = completion
  const chunk = (delta: object, finish_reason: string | null = null) =>
    openAiEvent({
      ...head,
      object: 'chat.completion.chunk',
      choices: [{ index: 0, delta, finish_reason }],
      usage: null,
    })
  const [choice] = choices
  const { content, refusal, role, ...more } = choice?.message ?? {}
  return [
    chunk({ role: 'assistant', content: '' }),
    ...piecesOf(content ?? '').map((piece) => chunk({ content: piece })),
    ...piecesOf(refusal ?? '').map((piece) => chunk({ refusal: piece })),
    ...(Object.keys(more).length === 0 ? [] : [chunk(more)]),
    chunk({}, choice?.finish_reason),
    openAiEvent({ ...head, object: 'chat.completion.chunk', choices: [], usage }),
    'data: [DONE]\n\n',
  ]
}

/** Of three characters: JSON, too, is cut anywhere. */
function piecesOf(text: string): readonly string[] {
  const characters = [...text]
  return Array.from({ length: Math.ceil(characters.length / 3) }, (_, index) =>
    characters.slice(index * 3, index * 3 + 3).join(''),
  )
}

export const anthropicEvent = (type: string, members: object) =>
  named(type, JSON.stringify({ type, ...members }))
export const openAiEvent = (body: unknown) => `data: ${JSON.stringify(body)}\n\n`

function named(event: string, data: string): string {
  return `event: ${event}\ndata: ${data}\n\n`
}

/** What a provider says in the middle of a stream instead of an answer. */
export function errorEvent(provider: Provider, type: string): string {
  const error = { type, message: 'the server is busy' }
  if (provider === 'anthropic') return anthropicEvent('error', { error })
  return openAiEvent({ error: { ...error, code: null } })
}
