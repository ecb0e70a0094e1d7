// Several calls of one kind in one message: what a worker that has many to make at once may send
// instead of one message each. Shapes only.

import { z } from 'zod'

/** Calls of one message: their answers have to fit one as well, at 60 KiB each at most. */
export const mostTogether = 16

/** The calls that may come so. */
export const togetherCalls = ['authorize', 'settle'] as const

/** Each is judged by itself, exactly as if it had come alone. */
export const togetherCall = z.strictObject({
  calls: z.array(z.unknown()).min(1).max(mostTogether),
})

/** As many answers, in the order of the calls. */
export const togetherReply = <Reply extends z.ZodType>(reply: Reply, count: number) =>
  z.strictObject({ replies: z.array(reply).length(count) })
