// What the notary tells of a request as a whole: what was asked, and what each step has come to. Shapes
// only.

import { z } from 'zod'

export const requestSummarySchema = z.strictObject({
  requestId: z.string(),
  kind: z.string(),
  name: z.string(),
  user: z.string(),
  createdAt: z.number().int(),
  cancelled: z.boolean(),
  /** Of one request, to whoever may decide: what a person is asked about it, the oldest first. */
  approvals: z
    .array(
      z.strictObject({
        id: z.string(),
        /** Absent: the plan as a whole. */
        step: z.string().optional(),
        /** Milliseconds since the epoch: from then on it counts as denied. */
        expiresAt: z.number().int(),
      }),
    )
    .optional(),
  steps: z.array(
    z.strictObject({
      id: z.string(),
      agent: z.string(),
      action: z.string(),
      effect: z.string(),
      outcome: z.string(),
      code: z.string().optional(),
      attempts: z.number().int(),
      /** Of a loop: how many iterations came to what. */
      loop: z
        .strictObject({
          total: z.number().int(),
          outcomes: z.record(z.string(), z.number().int()),
        })
        .optional(),
    }),
  ),
})
export type RequestSummary = z.infer<typeof requestSummarySchema>
