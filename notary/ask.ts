// Whether a person has decided what a rule asks. Where nobody has, the question is opened, and the worker
// comes again: about a plan before it begins, about a step or a list when its arguments are known, and
// about a schedule when it is added. What an approval is good for, cover.ts says.

import type { CompileResult } from '../plan/compile.ts'
import { judgePlan } from '../plan/judge-flow.ts'
import { type KnownNames, nobody } from '../plan/principals.ts'
import type { CompiledPlan, CompiledStep, Json } from '../plan/schema.ts'
import { sha256 } from '../security/verify/hash.ts'
import {
  type AskedStep,
  type CardFacts,
  isDeciding,
  isWritten,
  showArgument,
  writtenOnly,
} from './cards.ts'
import { isOfFlow, type Reasons } from './conditions.ts'
import {
  type Cover,
  coverBy,
  findCover,
  grantCover,
  type CoverPorts as Ports,
  recipeOf,
  scheduleCover,
} from './cover.ts'
import type { Standing } from './firing.ts'
import { authorshipOf, flowOf, isAskedWhenItRuns } from './flow.ts'
import type { Located } from './locate.ts'
import { decideStep } from './policy.ts'
import { type Answer, answerOf, answerTo, lapse, subjectKey, type Unanswered } from './questions.ts'
import { type ResolvedArgs, resolveStep } from './resolve.ts'
import type { RequestRecord } from './state.ts'
import type { Writer } from './store.ts'
import { namesOf } from './users.ts'

/** The rules that ask about each step of a plan; steps that need no decision are not there. */
function asksIn(
  ports: Ports,
  { steps }: CompiledPlan,
): readonly { readonly step: CompiledStep; readonly rules: readonly string[] }[] {
  return steps.flatMap((step) => {
    const answer = decideStep(ports, step)
    const rules = answer !== undefined && 'asks' in answer ? answer.asks : []
    return rules.length > 0 ? [{ step, rules }] : []
  })
}

type Facts = Pick<CardFacts, 'deployment' | 'user' | 'plan' | 'flow' | 'names' | 'authorship'>

/** What every card tells, whatever it asks: in which house, for whom, and around what. */
function factsOf(
  context: Ports,
  told: Pick<Facts, 'user' | 'plan' | 'authorship'> & { readonly compiled: CompiledPlan },
): Facts {
  const { compiled, ...about } = told
  const names = namesOf(context, about.user) ?? nobody
  return { deployment: context.issuer, ...about, flow: flowOf(compiled, context), names }
}

export function factsOfRequest(
  context: Ports,
  request: RequestRecord,
  compiled: CompiledPlan,
): Facts {
  const { digest, name, user } = request
  const plan = { digest, name, recipe: recipeOf(request) }
  return factsOf(context, { user, plan, authorship: authorshipOf(request), compiled })
}

/** What the question is about besides its arguments; of those without conditions they alone. */
function keyedBy(shown: unknown, { conditions }: Reasons): unknown {
  return conditions.length === 0 ? shown : { shown, conditions }
}

function toAsked(
  step: CompiledStep,
  { rules, conditions }: Reasons,
  { args, actual }: Pick<AskedStep, 'args' | 'actual'>,
): AskedStep {
  const told = conditions.length === 0 ? {} : { conditions }
  return { step: step.id, rules, args, actual, ...told }
}

/** At admission: one question about all steps whose arguments the plan tells whole. */
export function askPlan(
  context: Ports,
  writer: Writer,
  asked: { readonly request: RequestRecord; readonly plan: CompiledPlan },
): Answer | undefined {
  const { request, plan } = asked
  const asks: AskedStep[] = []
  for (const { step, rules } of asksIn(context, plan)) {
    if (step.forEach !== undefined || !isWritten(step.args)) continue
    const args = resolveStep(step, writtenOnly(plan.inputs))
    // What cannot be resolved is refused when it is authorised.
    if (args === undefined) continue
    // Asked once, and then with what has decided that it happens.
    if (isAskedWhenItRuns(context, { request, plan, step, actual: args })) continue
    if (scheduleCover(context, writer, { request, step }) !== undefined) continue
    if (grantCover(context, writer, { request, plan, step, args }) !== undefined) continue
    asks.push({ step: step.id, rules, args: args as Json, actual: [args] })
  }
  if (asks.length === 0) return undefined
  const subject = { is: 'plan', request: request.id } as const
  return answerTo(writer, subjectKey(subject, null), {
    ...factsOfRequest(context, request, plan),
    subject,
    asks,
  })
}

/** At authorisation: what covers this effect with these arguments, or the question about it. */
export function coverStep(
  context: Ports,
  writer: Writer,
  asked: Reasons & { readonly located: Located; readonly args: ResolvedArgs },
): Cover | Unanswered {
  const { located, args } = asked
  const { request, registered, step, address } = located
  const covered = findCover(context, writer, asked)
  if (covered !== undefined) return covered
  const { iteration, rerun } = address
  const subject = { is: 'step', request: request.id, step: step.id, iteration, rerun } as const
  const answer = answerTo(writer, subjectKey(subject, keyedBy(args, asked)), {
    ...factsOfRequest(context, request, registered.plan),
    subject,
    asks: [toAsked(step, asked, { args: args as Json, actual: [args] })],
  })
  return 'approved' in answer ? coverBy(answer) : answer
}

/** Before a loop begins: the list as it is, once. */
export function askList(
  context: Ports,
  writer: Writer,
  asked: Reasons & {
    readonly located: Located
    /** Which expansion of the loop. */
    readonly rerun: number
    /** Null: an item that its guard leaves out. */
    readonly items: readonly (ResolvedArgs | null)[]
  },
): Answer | undefined {
  const { located, items, rerun, rules } = asked
  const { request, registered, step } = located
  const isBeforehand = !rules.some(isOfFlow)
  if (isBeforehand && scheduleCover(context, writer, { request, step }) !== undefined) {
    return undefined
  }
  const subject = { is: 'list', request: request.id, step: step.id, rerun } as const
  const actual = items.filter((one) => one !== null)
  return answerTo(writer, subjectKey(subject, keyedBy(items, asked)), {
    ...factsOfRequest(context, request, registered.plan),
    subject,
    asks: [toAsked(step, asked, { args: items as readonly Json[], actual })],
  })
}

/** Of a schedule: one question about what every firing may do. Undefined where nothing is asked. */
export function askSchedule(
  context: Ports,
  writer: Writer,
  asked: {
    readonly standing: Pick<Standing, 'id' | 'user' | 'name' | 'content' | 'source'>
    /** Of the registered bytes with any day in them. */
    readonly plan: CompiledPlan
    /** The same with the day still open: what is shown holds for every firing. */
    readonly open: () => CompileResult
  },
): Answer | undefined {
  const { standing, plan } = asked
  const { id, user, name, content, source } = standing
  const subject = { is: 'schedule', schedule: id } as const
  const key = subjectKey(subject, content)
  const known = writer.state.approvalOf(key)
  if (known !== undefined) return answerOf(lapse(writer, known))
  const names = namesOf(context, user) ?? nobody
  if (standingAsks(context, plan, { user, names }).length === 0) return undefined
  const compiled = asked.open()
  if (!compiled.ok) {
    return { refusal: { code: 'PLAN_INVALID', message: 'the plan does not compile any more' } }
  }
  const about = { digest: compiled.digest, name, recipe: sha256(source) }
  const authorship = { author: 'person' } as const
  return answerTo(writer, key, {
    ...factsOf(context, { user, plan: about, authorship, compiled: compiled.plan }),
    subject,
    asks: standingAsks(context, compiled.plan, { user, names }),
  })
}

/** What an approved schedule covers, and the steps that pass only because a person enables them. */
function standingAsks(
  context: Ports,
  plan: CompiledPlan,
  { user, names }: { readonly user: string; readonly names: KnownNames },
): readonly AskedStep[] {
  const { enabled } = judgePlan(plan, context.catalogue, { names, author: 'person' })
  const rulesOf = new Map<string, readonly string[]>()
  for (const id of enabled) rulesOf.set(id, ['FLOW_R3'])
  for (const { step, rules } of asksIn(context, plan)) {
    // What agents decide is asked in each firing, with what they said.
    if (isAskedWhenItRuns(context, { request: { user, words: null }, plan, step })) continue
    if (isStanding(context, plan, step)) {
      rulesOf.set(step.id, [...rules, ...(rulesOf.get(step.id) ?? [])])
    }
  }
  return plan.steps.flatMap((step) => {
    const rules = rulesOf.get(step.id)
    if (rules === undefined) return []
    return [{ step: step.id, rules, args: showArgument(step.args, plan.inputs), actual: [] }]
  })
}

/** Whatever decides in it is written, so that every firing does the same. */
function isStanding(context: Ports, plan: CompiledPlan, step: CompiledStep): boolean {
  const followed = flowOf(plan, context).steps.get(step.id)
  const pieces = followed?.pieces.filter(({ tokens }) => isDeciding(followed, tokens))
  return pieces?.every(({ argument }) => isWritten(argument)) === true
}
