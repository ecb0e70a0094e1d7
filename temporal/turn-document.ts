// What lies in an artifact of kind `turn`: the words of a conversation, and what was made of them. A
// closed shape, proven where it is stored and again where it is read. What became of a turn is the
// assistant workflow's (workflows/assistant-contract.ts); nothing here says yes.

import { z } from 'zod'
import { requestCall } from '../notary/contract.ts'
import { limits } from '../plan/limits.ts'
import { refusalReasons } from '../planner/rules/contract.ts'

/** A planner's own words to the person. */
const text = z.string().max(limits.wordsCharacters)

/** The words as a request of their own, where they went on with earlier ones (docs/adr/0052). */
const written = text.optional()

const option = z.discriminatedUnion('is', [
  z.strictObject({ is: z.literal('say'), text }),
  z.strictObject({
    is: z.literal('run'),
    recipe: z.string().max(80),
    inputs: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  }),
  z.strictObject({ is: z.literal('like'), text }),
])

export const turnDocumentSchema = z.discriminatedUnion('is', [
  z.strictObject({
    is: z.literal('said'),
    words: z.string().min(1).max(limits.wordsCharacters),
    /** The clock on the wall where it was said, `YYYY-MM-DDTHH:MM`: what its "tomorrow" means. */
    at: z.string().regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$/),
    zone: z.string().max(60),
  }),
  z.strictObject({ is: z.literal('question'), text, options: z.array(option).max(100), written }),
  z.strictObject({ is: z.literal('refusal'), reason: z.enum(refusalReasons), text }),
  /**
   * The very bytes that are registered after a yes: neither another release's recipes nor another day
   * make anything else of what was shown.
   */
  z.strictObject({
    is: z.literal('plan'),
    request: requestCall.omit({ requestId: true, context: true }),
    written,
  }),
])
export type TurnDocument = z.infer<typeof turnDocumentSchema>

/** Undefined: it is none. */
export function parseTurnDocument(content: string): TurnDocument | undefined {
  try {
    return turnDocumentSchema.safeParse(JSON.parse(content)).data
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
