// How earlier results and earlier words travel: with a registration by name, and between worker and notary
// with what stands behind each. Shapes only, as in contract.ts. Nothing of a result itself is here.

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

const line = z.string().min(1).max(limits.contextCharacters)

/** What words may go on with: what the person said before, and what came of it. The oldest first. */
export const contextSchema = z.strictObject({
  turns: z
    .array(
      z.strictObject({
        words: line,
        /** The request that it became; what models were asked about already may be told to any. */
        request: requestIdSchema.optional(),
        handles: z.array(handleSchema).max(limits.contextHandles),
      }),
    )
    .min(1)
    .max(limits.contextTurns)
    .refine((turns) => turns.flatMap(({ handles }) => handles).length <= limits.contextHandles),
})
export type Context = z.infer<typeof contextSchema>

const readers = z.union([
  z.literal('PUBLIC'),
  z.array(z.templateLiteral([z.enum(['user', 'addr', 'host', 'agent']), ':', z.string()])),
]) satisfies z.ZodType<'PUBLIC' | readonly Principal[]>

const pinSchema: z.ZodType<PinnedHandle> = z.strictObject({
  agent: z.string().max(40),
  action: z.string().max(40),
  rerun: z.number().int().min(0),
  hash,
  readers,
  agents: z.array(z.string()),
})

/** To `admit`, before the plan: what stands behind these, for the person of this request. */
export const handlesCall = z.strictObject({
  requestId: requestIdSchema,
  handles: z.array(handleSchema).min(1).max(limits.handles),
})
export type HandlesCall = z.infer<typeof handlesCall>

/** Absent for whatever is no settled result of that person's; which of the reasons, nobody is told. */
const handlesReply = z.strictObject({
  status: z.literal('HANDLES'),
  handles: z.record(z.string(), pinSchema),
})

/** To `admit`, of a request in words: what models are told of the conversation. */
export const toldCall = z.strictObject({ requestId: requestIdSchema, told: z.literal(true) })
export type ToldCall = z.infer<typeof toldCall>

/** As it was registered, without the results that are gone since. */
const toldReply = z.strictObject({
  status: z.literal('TOLD'),
  turns: z
    .array(z.strictObject({ words: line, readers, handles: z.record(z.string(), pinSchema) }))
    .max(limits.contextTurns),
})

/** Of `admit`, to either question. */
export const pinsReplies = [handlesReply, toldReply] as const
