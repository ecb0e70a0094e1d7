// From a person's words to a proposal, by whatever planner there is. A planner is trusted with nothing and
// told little: what it is given is closed here, and what it answers is read here. Rule R8: words, its own
// last proposal, what the manifests declare, a day; never content, never an earlier answer. Rule R7: of
// what is wrong with a proposal it learns codes and places, and no text. Which of its literals count as
// the person's, plan/flow-rules.ts says.

import { z } from 'zod'
import { issueCodes } from '../plan/issues.ts'
import { limits } from '../plan/limits.ts'
import type { ActionDescription } from './catalogue.ts'
import { refusalReasons } from './rules/contract.ts'

/** Enough for a planner to mend; whoever makes more mistakes starts anew. */
const maxIssues = 50
const maxPath = 200

const schema = z.record(z.string(), z.unknown())
const action = z.strictObject({
  agent: z.string(),
  action: z.string(),
  effect: z.enum(['read', 'write', 'egress', 'irreversible']),
  input: schema,
  output: schema,
  roles: z.record(z.string(), z.enum(['control', 'content', 'amount', 'opaque'])),
}) satisfies z.ZodType<ActionDescription>

/** All that a planner is given; strict, so that nothing more can reach one by mistake. */
export const plannerInputSchema = z.strictObject({
  words: z.string().max(limits.wordsCharacters),
  /** The person's day and zone, for what "tomorrow" means. */
  today: z.string().regex(/^\d{4}-\d{2}-\d{2}$/),
  zone: z.string().max(60),
  actions: z.array(action),
  /** Absent: it is asked for the first time. */
  previous: z
    .strictObject({
      proposal: z.string().max(limits.proposalBytes),
      issues: z
        .array(z.strictObject({ code: z.enum(issueCodes), path: z.string().max(maxPath) }))
        .max(maxIssues),
    })
    .optional(),
})
export type PlannerInput = z.infer<typeof plannerInputSchema>

/**
 * Beyond what planners refuse for, ours: none is set up, what one said is none of its three answers, no model
 * gave an answer. One that says so itself is quoted like any other: a reason is for the person, and decides
 * nothing.
 */
const proposedReasons = [...refusalReasons, 'NO_PLANNER', 'UNREADABLE', 'NO_ANSWER'] as const

/** `proposal`: JSON text of a plan without inputs. Texts are for the person alone, as quotations. */
const proposedSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('proposal'),
    proposal: z.string().min(1).max(limits.proposalBytes),
  }),
  z.strictObject({
    kind: z.literal('question'),
    text: z.string().min(1).max(1_000),
    options: z.array(z.string().min(1).max(300)).max(12),
  }),
  z.strictObject({
    kind: z.literal('refusal'),
    reason: z.enum(proposedReasons),
    text: z.string().min(1).max(1_000),
  }),
])
export type Proposed = z.infer<typeof proposedSchema>

/** A planner. May take long, may cost, may fail, and may say anything. */
export type Propose = (input: PlannerInput) => Promise<unknown>

/** A bug of ours: something was about to be told that is not for planners. Nothing was sent. */
export class PlannerError extends Error {
  override readonly name = 'PlannerError'
  constructor() {
    // Without a cause: what zod says may quote.
    super('not for a planner')
  }
}

const unreadable: Proposed = {
  kind: 'refusal',
  reason: 'UNREADABLE',
  text: 'the planner gave no answer that can be read',
}

/**
 * Asks a planner once. Of what it says otherwise than in one of its three ways nothing is passed on.
 *
 * @throws PlannerError, and whatever the planner throws
 */
export async function askPlanner(planner: Propose, input: PlannerInput): Promise<Proposed> {
  const given = plannerInputSchema.safeParse(input)
  if (!given.success) throw new PlannerError()
  return readProposed(await planner(given.data))
}

/** What a planner said, if it is one of its three answers. */
export function readProposed(said: unknown): Proposed {
  const proposed = proposedSchema.safeParse(said)
  return proposed.success ? proposed.data : unreadable
}

/** R7: of each issue its code and its place, which names what the planner itself has written. */
export function toPrevious(
  proposal: string,
  issues: readonly { readonly code: string; readonly path: string }[],
): NonNullable<PlannerInput['previous']> {
  const told = issues.slice(0, maxIssues).flatMap(({ code, path }) => {
    const known = issueCodes.find((one) => one === code)
    return known === undefined ? [] : [{ code: known, path: path.slice(0, maxPath) }]
  })
  return { proposal, issues: told }
}

/** Where none is set up. What recipes can do needs none: `bulkhead ask` matches their phrases by itself. */
export const noPlanner: Propose = async () => ({
  kind: 'refusal',
  reason: 'NO_PLANNER',
  text: 'no planner is set up, and no recipe was named',
})
