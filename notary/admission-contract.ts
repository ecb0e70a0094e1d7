// What the worker brings to `notary.admit`: a plan, a proposal for words, the minute of a consultation, the
// names of earlier results, or the question what models are told. Shapes only, as in contract.ts.

import { z } from 'zod'
import { limits } from '../plan/limits.ts'
import { handlesCall, requestIdSchema, toldCall } from './handle-contract.ts'

/** The compiled plan that it wants to run for a registration. */
const planCall = z.strictObject({ requestId: requestIdSchema, plan: z.unknown() })
/** For words: what was proposed, as JSON text of a plan. The first that may be done is the plan. */
const proposalCall = z.strictObject({
  requestId: requestIdSchema,
  proposal: z.string().min(1).max(limits.proposalBytes),
})
/** Of a consultation (plan/consultation.ts): when, and in round 2 the settled result of the first, exact. */
const consultationCall = z.strictObject({
  requestId: requestIdSchema,
  at: z.number().int().min(0),
  result: z.string().max(limits.resultBytes).optional(),
})
export const admitCall = z.union([proposalCall, consultationCall, handlesCall, toldCall, planCall])

export type AdmitCall = z.infer<typeof admitCall>
export type PlanCall = z.infer<typeof planCall>
export type ProposalCall = z.infer<typeof proposalCall>
export type ConsultationCall = z.infer<typeof consultationCall>
