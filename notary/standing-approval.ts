// A person's approval of a schedule as a whole: asked for when it is added, needed before it fires. Gone
// with the schedule; another content is another question.

import { compileSource } from '../plan/compile.ts'
import type { CompiledPlan } from '../plan/schema.ts'
import { askSchedule } from './ask.ts'
import type { NotaryContext, Refusal } from './context.ts'
import type { Standing } from './firing.ts'
import { type Answer, lapse, noteApproval, subjectKey } from './questions.ts'
import type { ScheduleSummary } from './standing-contract.ts'
import type { State } from './state.ts'
import type { Writer } from './store.ts'
import { namesOf } from './users.ts'

/**
 * What a person says of the schedule; it is asked now if it never was. Undefined: nothing is asked.
 * `plan`: what one firing of it does.
 */
export function askStanding(
  context: NotaryContext,
  writer: Writer,
  { standing, plan }: { readonly standing: Standing; readonly plan: CompiledPlan },
): Answer | undefined {
  const { kind, source, inputs, user } = standing
  const { catalogue, decide } = context
  const open = () => {
    const names = namesOf(context, user)
    return compileSource({ kind, source, inputs, catalogue, decide, names })
  }
  return askSchedule(context, writer, { standing, plan, open })
}

/** Why a firing may not begin. It is not used up: once approved, it may while it can be caught up. */
export function refuseUnapproved(
  context: NotaryContext,
  writer: Writer,
  firing: { readonly standing: Standing; readonly plan: CompiledPlan },
): Refusal | undefined {
  const answer = askStanding(context, writer, firing)
  if (answer === undefined || 'approved' in answer) return undefined
  if ('refusal' in answer) return answer.refusal
  const { id } = answer.reply
  return { code: 'APPROVAL_OPEN', message: `the schedule waits for a person's approval, ${id}` }
}

export function approvalOfStanding(
  state: State,
  { id, content }: Pick<Standing, 'id' | 'content'>,
): ScheduleSummary['approval'] {
  const approval = state.approvalOf(subjectKey({ is: 'schedule', schedule: id }, content))
  return approval === undefined ? null : { id: approval.id, state: approval.state }
}

/** A schedule that is removed takes its approval along. */
export function voidStanding(
  writer: Writer,
  { id, content }: Pick<Standing, 'id' | 'content'>,
): void {
  const { state, now } = writer
  const approval = state.approvalOf(subjectKey({ is: 'schedule', schedule: id }, content))
  if (approval === undefined) return
  lapse(writer, approval)
  state.voidApprovals(id, now)
  noteApproval(writer, approval, { event: 'voided' })
}
