// What lets an effect through that a rule asks about: an approval of the plan, of the list, of the
// schedule, or a grant. What an approval of a plan or a list covers are these very bytes: what was shown
// is compared with what would be sent. Reads only; that an effect was covered, grant.ts records.

import { parseFiringId } from '../plan/firing.ts'
import { nobody } from '../plan/principals.ts'
import type { CompiledPlan, CompiledStep } from '../plan/schema.ts'
import { canonicalJson } from '../security/verify/canonical-json.ts'
import type { ApprovalRecord } from './approval-state.ts'
import { isOfFlow } from './conditions.ts'
import type { NotaryContext, Refusal } from './context.ts'
import { flowOf } from './flow.ts'
import { findGrant, matterOf } from './grants.ts'
import type { Located } from './locate.ts'
import { decideStep } from './policy.ts'
import { type Answer, answerOf, isForgotten, readCard, subjectKey } from './questions.ts'
import type { ResolvedArgs } from './resolve.ts'
import type { RequestRecord } from './state.ts'
import type { Writer } from './store.ts'
import { namesOf } from './users.ts'

export type CoverPorts = Pick<NotaryContext, 'catalogue' | 'decide' | 'policy' | 'names' | 'issuer'>

/** What lets an asked effect through: its token names the statement. */
export interface Cover {
  readonly approval: ApprovalRecord
  readonly grant: string | null
  /** SHA-256 of the statement. */
  readonly statement: string
}

/** What the registered bytes are called: the same recipe has the same name every day. */
export function recipeOf({ recipe, digest }: Pick<RequestRecord, 'recipe' | 'digest'>): string {
  return recipe ?? digest
}

/** What was decided before that covers this effect with these arguments. */
export function findCover(
  context: CoverPorts,
  writer: Writer,
  asked: {
    readonly located: Located
    readonly args: ResolvedArgs
    readonly rules: readonly string[]
  },
): Cover | undefined {
  const { located, args, rules } = asked
  const { request, registered, step } = located
  const used = usedCover(writer, located)
  if (used !== undefined) return used
  // What agents decide is approved as it was shown, and never beforehand: in a list, or as what a planner
  // made up, in a plan that was shown whole.
  if (rules.some(isOfFlow)) {
    const made = { args, rules: rules.filter(isOfFlow) }
    return listCover(writer, asked) ?? planCover(writer, located, made)
  }
  const shown = planCover(writer, located, { args, rules: [] }) ?? listCover(writer, asked)
  // More than a budget is decided on with these bytes in view; who said yes beforehand knew of none.
  if (shown !== undefined || rules.includes('ask.amount')) return shown
  return (
    scheduleCover(context, writer, { request, step }) ??
    grantCover(context, writer, { request, plan: registered.plan, step, args })
  )
}

export function coverBy({ approved, statement }: Extract<Answer, { approved: unknown }>): Cover {
  return { approval: approved, grant: null, statement }
}

/** The same effect again: it was covered, and its arguments are fixed since. */
function usedCover({ state }: Writer, { idem }: Located): Cover | undefined {
  const use = state.approvalUse(idem)
  const approval = use === undefined ? undefined : state.approval(use.approval)
  if (use === undefined || approval === undefined) return undefined
  return { approval, grant: use.grant_id, statement: use.statement }
}

function planCover(
  { state }: Writer,
  { request, step, address }: Located,
  shown: { readonly args: ResolvedArgs; readonly rules: readonly string[] },
): Cover | undefined {
  if (address.rerun !== 0 || step.forEach !== undefined) return undefined
  const approval = state.approvalOf(subjectKey({ is: 'plan', request: request.id }, null))
  return approval === undefined ? undefined : coverOf(approval, { step: step.id, ...shown })
}

function listCover(
  { state }: Writer,
  {
    located: { request, step, address, loop },
    args,
    rules,
  }: {
    readonly located: Located
    readonly args: ResolvedArgs
    readonly rules: readonly string[]
  },
): Cover | undefined {
  if (loop === undefined || address.rerun !== loop.rerun) return undefined
  const approval = state.usedList(request.id, step.id, loop.rerun)
  if (approval === undefined) return undefined
  const item = address.iteration
  return coverOf(approval, { step: step.id, args, item, rules: rules.filter(isOfFlow) })
}

/** Only these bytes: as they were shown, they are sent. `rules`: those that must have been shown too. */
function coverOf(
  approval: ApprovalRecord,
  {
    step,
    args,
    item,
    rules,
  }: {
    readonly step: string
    readonly args: unknown
    readonly item?: number
    readonly rules: readonly string[]
  },
): Cover | undefined {
  const answer = answerOf(approval)
  if (!('approved' in answer) || isForgotten(approval)) return undefined
  const ask = readCard(approval).asks.find((each) => each.step === step)
  if (rules.some((rule) => ask?.rules.includes(rule) !== true)) return undefined
  const shown = ask?.args
  const one = item === undefined ? shown : Array.isArray(shown) ? shown[item] : undefined
  if (one === undefined || canonicalJson(one) !== canonicalJson(args)) return undefined
  return coverBy(answer)
}

/** Of a firing: the schedule as it stands was approved, and this step of it. */
export function scheduleCover(
  context: CoverPorts,
  { state }: Writer,
  { request, step }: { readonly request: RequestRecord; readonly step: CompiledStep },
): Cover | undefined {
  const firing = parseFiringId(request.id)
  const standing = firing === undefined ? undefined : state.standing(firing.schedule)
  if (standing === undefined || standing.content !== request.content) return undefined
  const subject = { is: 'schedule', schedule: standing.id } as const
  const approval = state.approvalOf(subjectKey(subject, standing.content))
  if (approval === undefined) return undefined
  const answer = answerOf(approval)
  if (!('approved' in answer)) return undefined
  const rules = readCard(approval).asks.find((ask) => ask.step === step.id)?.rules
  // A step that is there because it was enabled alone was not asked about by the policy.
  const asked = decideStep(context, step)
  if (rules === undefined || asked === undefined) return undefined
  const isShown = 'asks' in asked && asked.asks.every((rule) => rules.includes(rule))
  return isShown ? coverBy(answer) : undefined
}

export function grantCover(
  context: CoverPorts,
  writer: Writer,
  asked: {
    readonly request: RequestRecord
    readonly plan: CompiledPlan
    readonly step: CompiledStep
    readonly args: unknown
  },
): Cover | undefined {
  const { request, plan, step, args } = asked
  const flow = flowOf(plan, context)
  const followed = flow.steps.get(step.id)
  if (followed === undefined) return undefined
  const names = namesOf(context, request.user) ?? nobody
  const found = findGrant(writer, {
    user: request.user,
    recipe: recipeOf(request),
    step: step.id,
    matter: () => matterOf(flow, followed, { names, actual: args }),
  })
  const approval = found === undefined ? undefined : writer.state.approval(found.approval)
  if (found === undefined || approval === undefined) return undefined
  return { approval, grant: found.id, statement: found.statement }
}

/** An undo or a probe of what a person approved needs no approval of its own. */
export function coverFollowUp(
  { state }: Pick<Writer, 'state'>,
  { done }: Pick<Located, 'done'>,
): Cover | { readonly refusal: Refusal } {
  const use = done === undefined ? undefined : state.approvalUse(done.idem)
  const approval = use === undefined ? undefined : state.approval(use.approval)
  if (use !== undefined && approval !== undefined) {
    return { approval, grant: use.grant_id, statement: use.statement }
  }
  const missing = 'an approval of the step that it belongs to'
  return { refusal: { code: 'POLICY', message: 'no rule allows this action', missing } }
}
