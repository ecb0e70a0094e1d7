// How earlier results travel between worker and notary: by name, and what stands behind each. Shapes only,
// as in contract.ts. Nothing of a result itself is here.

import { z } from 'zod'
import { handlePattern, type PinnedHandle } from '../plan/handle.ts'
import { requestIdPattern, stepIdPattern } from '../plan/ids.ts'
import { limits } from '../plan/limits.ts'
import type { Principal } from '../plan/principals.ts'

export const requestIdSchema = z.string().regex(requestIdPattern)
const hash = z.string().regex(/^[A-Za-z0-9_-]{43}$/)
const stepId = z.string().regex(stepIdPattern)

export const handleSchema = z.string().regex(handlePattern)

/** What a step builds on: another step of its plan, or an earlier result. */
export const producerSchema = z.union([stepId, handleSchema])

const pinSchema: z.ZodType<PinnedHandle> = z.strictObject({
  agent: z.string().max(40),
  action: z.string().max(40),
  rerun: z.number().int().min(0),
  hash,
  readers: z.union([
    z.literal('PUBLIC'),
    z.array(z.templateLiteral([z.enum(['user', 'addr', 'host', 'agent']), ':', z.string()])),
  ]) satisfies z.ZodType<'PUBLIC' | readonly Principal[]>,
  agents: z.array(z.string()),
})

/** To `admit`, before the plan: what stands behind these, for the person of this request. */
export const handlesCall = z.strictObject({
  requestId: requestIdSchema,
  handles: z.array(handleSchema).min(1).max(limits.handles),
})
export type HandlesCall = z.infer<typeof handlesCall>

/** Absent for whatever is no settled result of that person's; which of the reasons, nobody is told. */
export const handlesReply = z.strictObject({
  status: z.literal('HANDLES'),
  handles: z.record(z.string(), pinSchema),
})
