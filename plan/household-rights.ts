// What `bulkhead.yaml` says of the people of a household: who may decide for whom, and who sees whose
// requests and answers, and where their own agents find their data. By the id under which they are
// enrolled. Who is not named here has no right over anybody else. Pure.

import { z } from 'zod'
import { userIdSchema } from '../security/people.ts'

export const usersSchema = z.record(
  userIdSchema,
  z.strictObject({
    /** For whom this one may decide what they are asked. */
    approvesFor: z.array(userIdSchema).max(32).optional(),
    /** Whose requests and answers this one may look at. */
    sees: z.array(userIdSchema).max(32).optional(),
    /** Settings of agents that are each person's own, as the owner's stand below `agents`. */
    agents: z.record(z.string(), z.record(z.string(), z.string().min(1).max(4_096))).optional(),
  }),
)
export type HouseholdRights = Readonly<z.infer<typeof usersSchema>>
