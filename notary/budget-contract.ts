// What the notary tells a person of their own budgets: what was used, by unit and agent. Limits are
// settings, which whoever asks has. Shapes only.

import { z } from 'zod'

export const spentSchema = z.strictObject({
  /** `EUR`, `agent.action`; the empty text: effects. */
  unit: z.string(),
  agent: z.string(),
  /** In the last 24 hours, at most an hour more. */
  day: z.number().int(),
  /** In the last 30 days, at most a day more. */
  month: z.number().int(),
  /** Of `day`: reserved for what has not ended, and lowered to what it comes to; 0 of effects. */
  open: z.number().int(),
})
