// The events of a Messages stream as the message that they make
// (platform.claude.com/docs/en/build-with-claude/streaming). Nothing of it is believed before the event
// that ends it; events and blocks of other kinds are passed over, as the page asks of who reads it.

import { z } from 'zod'
import { notOfTheProvider } from '../failures.ts'
import type { OnCharacters } from './port.ts'
import { createText, parseReply } from './reply.ts'

const count = z.number().int().min(0)
const kindShape = z.object({ type: z.string() })
const startShape = z.object({
  message: z.object({
    type: z.literal('message'),
    model: z.string(),
    usage: z.object({
      input_tokens: count,
      cache_creation_input_tokens: count.nullish(),
      cache_read_input_tokens: count.nullish(),
    }),
  }),
})
const blockShape = z.object({
  content_block: z.object({ type: z.string(), text: z.unknown().optional() }),
})
const pieceShape = z.object({ delta: z.object({ type: z.string(), text: z.unknown().optional() }) })
const deltaShape = z.object({
  delta: z.object({ stop_reason: z.string().nullish() }),
  /** Of the whole message so far, not of this event. */
  usage: z.object({ output_tokens: count }),
})

/** @throws ActionFailure CORRUPT_DATA where the events are none of a message, or not all of one */
export async function gatherMessage(
  events: AsyncIterable<unknown>,
  onCharacters: OnCharacters,
): Promise<unknown> {
  const text = createText(onCharacters)
  let start: z.output<typeof startShape> | undefined
  let last: z.output<typeof deltaShape> | undefined
  let isWhole = false
  for await (const event of events) {
    const { type } = parseReply(kindShape, event)
    if ((type === 'message_start') !== (start === undefined) || isWhole) throw notOfTheProvider()
    switch (type) {
      case 'message_start':
        start = parseReply(startShape, event)
        onCharacters(0)
        break
      case 'content_block_start':
        text.add(textOf(parseReply(blockShape, event).content_block, 'text'))
        break
      case 'content_block_delta':
        text.add(textOf(parseReply(pieceShape, event).delta, 'text_delta'))
        break
      case 'message_delta':
        last = parseReply(deltaShape, event)
        break
      case 'message_stop':
        isWhole = true
        break
      default:
    }
  }
  if (start === undefined || last === undefined || !isWhole) throw notOfTheProvider()
  const { message } = start
  return {
    ...message,
    content: [{ type: 'text', text: text.whole() }],
    stop_reason: last.delta.stop_reason,
    usage: { ...message.usage, ...last.usage },
  }
}

/** Thoughts are not part of it. */
function textOf(
  { type, text }: { readonly type: string; readonly text?: unknown },
  wanted: string,
): string | undefined {
  if (type !== wanted) return undefined
  if (typeof text !== 'string') throw notOfTheProvider()
  return text
}
