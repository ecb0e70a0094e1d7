// Texts as vectors: one question for all of them, and as many numbers back as were promised. The numbers
// travel as 32-bit floats in base64, because as decimals they would be three times as long.

import type { z } from 'zod'
import { costOf, textFrameTokens } from '../../plan/model-prices.ts'
import type { ActionContext } from '../define-agent.ts'
import { knownRates, portOf, told, tooDear } from './ask.ts'
import { unfit } from './failures.ts'
import type { manifest } from './manifest.ts'

type Embed = (typeof manifest)['actions']['embed']

export async function embed(
  { texts, ...call }: z.output<Embed['input']>,
  context: ActionContext,
): Promise<z.output<Embed['output']>> {
  const rates = knownRates(call, context.now())
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  const inputTokens = bytes + textFrameTokens * texts.length
  if (costOf({ inputTokens, outputTokens: 0 }, rates) > call.maxMicroUsd) throw tooDear()
  const { vectors, ...answer } = await portOf(context, call.provider).embed({
    model: call.model,
    texts,
  })
  const dimensions = vectors[0]?.length ?? 0
  return { dimensions, vectors: vectors.map(toText), ...told(answer, call, rates) }
}

function toText(vector: readonly number[]): string {
  const bytes = Buffer.alloc(vector.length * 4)
  vector.forEach((value, index) => {
    // What is beyond a 32-bit float would come back as infinite.
    if (!Number.isFinite(Math.fround(value))) throw unfit('a number beyond what a vector holds')
    bytes.writeFloatLE(value, index * 4)
  })
  return bytes.toString('base64')
}
