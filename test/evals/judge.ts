// Whether what a planner made of a request is right. Pure: the compiled plan is held against the properties
// that the request's author wrote down. A plan that would run and is not what was wanted is a wrong
// execution, whatever else it gets right.

import { isObject, parseReference } from '../../plan/pointer.ts'
import type { CompiledPlan, CompiledStep } from '../../plan/schema.ts'
import { withInputs } from '../../planner/rules/compose.ts'
import type { RefusalReason } from '../../planner/rules/contract.ts'
import type { EvalRequest, Wanted, WantedStep } from './request.ts'

/** What came of the planner's answer. `invalid`: a plan that the compiler refuses, and which never runs. */
export type Answered =
  | { readonly is: 'plan'; readonly plan: CompiledPlan }
  | { readonly is: 'invalid'; readonly issues: readonly string[] }
  | { readonly is: 'question'; readonly text: string }
  /** `UNNAMED`: a model says why in words, which nobody here reads. */
  | { readonly is: 'refusal'; readonly reason: RefusalReason | 'UNNAMED' }
  | { readonly is: 'none'; readonly code: string }

/** `missed`: asked, refused or invalid where something else was right; nothing ran. */
export type Verdict = 'correct' | 'missed' | 'wrong-execution'

export interface Judged {
  readonly verdict: Verdict
  /** Why it is not correct. */
  readonly because?: string
}

const correct: Judged = { verdict: 'correct' }

export function judge(request: EvalRequest, answered: Answered, today: string): Judged {
  if (answered.is === 'plan') {
    if (!('plan' in request)) return wrong('it would run something')
    const fault = faultOf(answered.plan, request.plan, today)
    return fault === undefined ? correct : wrong(fault)
  }
  if (answered.is === 'invalid') return missed(answered.issues.join('; '))
  if (answered.is === 'none') return missed(`no answer: ${answered.code}`)
  if ('plan' in request) {
    return missed(answered.is === 'question' ? `asked: ${answered.text}` : answered.reason)
  }
  if ('decline' in request) return correct
  if ('question' in request) {
    if (answered.is !== 'question') return missed(answered.reason)
    const about = request.question === true ? '' : request.question
    return new RegExp(about, 'i').test(answered.text) ? correct : missed(answered.text)
  }
  if (answered.is !== 'refusal') return missed(`asked: ${answered.text}`)
  const { reason } = answered
  return reason === 'UNNAMED' || reason === request.refusal ? correct : missed(reason)
}

const missed = (because: string): Judged => ({ verdict: 'missed', because })
const wrong = (because: string): Judged => ({ verdict: 'wrong-execution', because })

function faultOf(
  plan: CompiledPlan,
  wanted: readonly WantedStep[],
  today: string,
): string | undefined {
  const fits = (step: CompiledStep, want: WantedStep) => fitsStep(step, want, { plan, today })
  for (const want of wanted) {
    if (want.optional === true || plan.steps.some((step) => fits(step, want))) continue
    return `no step is ${JSON.stringify(want)}`
  }
  const extra = plan.steps.find(
    (step) => step.effect !== 'read' && !wanted.some((want) => fits(step, want)),
  )
  return extra && `${extra.agent}.${extra.action} was not asked for`
}

function fitsStep(
  step: CompiledStep,
  want: WantedStep,
  { plan, today }: { readonly plan: CompiledPlan; readonly today: string },
): boolean {
  const args = withInputs(step.args, plan.inputs)
  const actions = [want.do].flat()
  if (!actions.includes(`${step.agent}.${step.action}`)) return false
  const isRight = ([path, value]: readonly [string, Wanted]) =>
    fitsValue(valueAt(args, path), value, today)
  if (!Object.entries(want.with).every(isRight)) return false
  const isFree = ([path, value]: readonly [string, Wanted]) =>
    valueAt(args, path) === undefined || isRight([path, value])
  if (!Object.entries(want['without-or']).every(isFree)) return false
  const used = usedBy(args, plan)
  if (!want.uses.every((action) => used.has(action))) return false
  const { says } = want
  return says === undefined || textOf(args).includes(says.toLowerCase())
}

function fitsValue(given: unknown, wanted: Wanted, today: string): boolean {
  if (isObject(wanted)) return wanted['one-of'].some((one) => fitsValue(given, one, today))
  if (wanted === null) return given === undefined || given === null || given === ''
  const plain = (value: unknown) => {
    const text = String(value).toLowerCase()
    return text === 'today' ? today : text
  }
  return given !== undefined && plain(given) === plain(wanted)
}

function valueAt(args: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => {
    return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined
  }, args)
}

/** Actions whose results the arguments refer to. */
function usedBy(value: unknown, plan: CompiledPlan): ReadonlySet<string> {
  const used = new Set<string>()
  const look = (one: unknown): void => {
    if (Array.isArray(one)) one.forEach(look)
    if (!isObject(one)) return
    const from = one['$from']
    const reference = typeof from === 'string' ? parseReference(from) : undefined
    const producer = plan.steps.find(({ id }) => id === reference?.step)
    if (producer !== undefined) used.add(`${producer.agent}.${producer.action}`)
    Object.values(one).forEach(look)
  }
  look(value)
  return used
}

/** All texts of it, one after the other. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value.toLowerCase()
  if (Array.isArray(value)) return value.map(textOf).join('\n')
  return isObject(value) ? Object.values(value).map(textOf).join('\n') : ''
}
