// The chunks of a chat completion as the completion that they make
// (platform.openai.com/docs/api-reference/chat-streaming). It is whole when a chunk says why it ended; what
// it came to in tokens is in a last chunk without a choice, which not every server sends.

import { z } from 'zod'
import type { OnCharacters } from './port.ts'
import { createText, parseReply } from './reply.ts'

const piece = z.string().nullish()
const chunkShape = z.object({
  model: z.string(),
  choices: z
    .array(
      z.object({
        delta: z.object({ content: piece, refusal: piece }).nullish(),
        finish_reason: piece,
      }),
    )
    .max(1),
  usage: z.unknown().optional(),
})

/** @throws ActionFailure CORRUPT_DATA where the chunks are none of a completion */
export async function gatherCompletion(
  chunks: AsyncIterable<unknown>,
  onCharacters: OnCharacters,
): Promise<unknown> {
  const text = createText(onCharacters)
  let refusal = ''
  let model: string | undefined
  let finishReason: string | undefined
  let usage: unknown
  for await (const chunk of chunks) {
    const { choices, ...told } = parseReply(chunkShape, chunk)
    if (model === undefined) onCharacters(0)
    model ??= told.model
    usage = told.usage ?? usage
    const [choice] = choices
    text.add(choice?.delta?.content)
    refusal += choice?.delta?.refusal ?? ''
    finishReason = choice?.finish_reason ?? finishReason
  }
  // Without a model or a reason it is no completion, which its parser says.
  const message = { content: text.whole(), refusal }
  return { model, choices: [{ finish_reason: finishReason, message }], usage }
}
