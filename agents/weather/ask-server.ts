// One question to a weather server, and what each kind of reply means. Nothing of a reply gets any
// further unless it fits the schema that was asked for, and no message quotes one.

import { z } from 'zod'
import { type ActionContext, ActionFailure } from '../define-agent.ts'

/** A fortnight by the hour is 60 kB; a hundred long warnings are 500 kB. */
const maxBytes = 1024 * 1024

export interface Question<Shape extends z.ZodType> {
  readonly egress: 'forecast' | 'alerts'
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly shape: Shape
}

const refusal = z.object({ error: z.literal(true), reason: z.string() })

/**
 * @returns undefined when the server knows nothing of that path (404)
 * @throws ActionFailure INVALID_INPUT when the server says that the question is wrong; UNAVAILABLE
 *   with `absent` when asking later may help; CORRUPT_DATA for a reply of another shape
 */
export async function askServer<Shape extends z.ZodType>(
  context: ActionContext,
  { egress, path, query, shape }: Question<Shape>,
): Promise<z.output<Shape> | undefined> {
  const reply = await context.fetch({
    egress,
    method: 'GET',
    path,
    ...(query === undefined ? {} : { query }),
    headers: {
      accept: egress === 'alerts' ? 'application/geo+json' : 'application/json',
      // The weather service refuses those who do not say who they are.
      'user-agent': 'bulkhead-weather/0.1',
    },
    maxBytes,
  })
  const { status } = reply
  if (status === 404) return undefined
  if (status === 400) {
    const said = refusal.safeParse(parseJson(reply.body))
    throw said.success
      ? new ActionFailure('INVALID_INPUT', 'final', 'the server refuses the question')
      : new ActionFailure('UNAVAILABLE', 'final', 'status 400 of another shape')
  }
  if (status === 429 || status >= 500) {
    throw new ActionFailure('UNAVAILABLE', 'absent', `status ${status}`)
  }
  if (status !== 200) throw new ActionFailure('UNAVAILABLE', 'final', `status ${status}`)
  const parsed = shape.safeParse(parseJson(reply.body))
  if (parsed.success) return parsed.data
  const at = parsed.error.issues[0]?.path.map(String).join('/') ?? ''
  throw new ActionFailure('CORRUPT_DATA', 'final', `a reply of another shape at /${at}`)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new ActionFailure('CORRUPT_DATA', 'final', 'the reply is not JSON', error)
  }
}
