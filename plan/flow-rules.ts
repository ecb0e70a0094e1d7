// The flow rules (security.md section 6), asked of one step: who decides what it does, who will see
// what it is given, and what decides whether it runs. The compiler, the admission and every
// authorisation ask this one function; the last of them knows the actual arguments. Pure.
//
// Not here: R7 and R8 are about what a planner is given (planner/propose.ts), R10 about stores that keep
// labels.

import { type Condition, itemOf, type Piece, type PlanFlow, type StepFlow } from './flow.ts'
import { type Cause, causeOf, leavesIn } from './flow-cause.ts'
import { hasFreeRequests, namedIn, requestPointers } from './flow-declaration.ts'
import { audienceIn, knownValues, rolesOf } from './flow-sinks.ts'
import type { FlowCode } from './issues.ts'
import { alternativesOf, toJsonSchema, walkSchema } from './json-schema.ts'
import { isPrefix, isTrusted, type Label, mayBeSeenBy, type Readers } from './labels.ts'
import { parsePointer, toPointer } from './pointer.ts'
import { isListed, type KnownNames, owner } from './principals.ts'
import { isSaid } from './said.ts'

/** What would be accepted in place of what was refused. */
export type Fix =
  /** The user gives the value: as a literal of the plan, or as an input. */
  | { readonly do: 'write' }
  /** A condition that is left out; the last name of the issue's path. */
  | { readonly do: 'leave-out' }
  /** Addresses that are the user's own, said so under `people:`. */
  | { readonly do: 'own'; readonly addresses: readonly string[] }
  /** Something that is no secret. */
  | { readonly do: 'replace' }
  /** The value, under a name in `people:` or `places:`. */
  | { readonly do: 'list'; readonly value: string }

export interface FlowViolation {
  readonly code: FlowCode
  /** Into the plan. */
  readonly path: string
  readonly message: string
  /** Pointer of the step that caused it. */
  readonly source?: string
  readonly fix: Fix
}

export interface Authorship {
  /**
   * `person`: an enrolled person registered these very bytes, so that their literals are the user's, and
   * the plan counts as one that was approved when it was enabled. `proposal`: somebody else wrote it.
   */
  readonly author: 'person' | 'proposal'
  /** Of a proposal: what the person said. Absent: nothing. */
  readonly words?: string
}

export interface FlowContext extends Authorship {
  readonly names: KnownNames
}

/**
 * What a person may allow, shown what decides and what it decides on: R3 and R6; and of a proposal's own
 * words R9, which an approval of that value endorses. No other rule.
 */
export interface FlowQuestion extends FlowViolation {
  readonly code: AskingCode
  /** Absent: a value decides, and no condition. */
  readonly by?: Condition['by']
}
type AskingCode = Extract<FlowCode, 'FLOW_R3' | 'FLOW_R6' | 'FLOW_R9'>

export interface StepJudgement {
  readonly violations: readonly FlowViolation[]
  readonly questions: readonly FlowQuestion[]
  /** It passes only because a person enabled this very plan (R3, R6). */
  readonly enabled: boolean
}

/** `actual`: the step's resolved arguments, where they are known. */
export function judgeStep(
  flow: PlanFlow,
  step: StepFlow,
  context: FlowContext & { readonly actual?: unknown },
): StepJudgement {
  const asked: Asked = { flow, step, context, audience: audienceIn(flow, step, context) }
  const { violations: deciding, questions } = judgePieces(asked)
  const pointer = namedIn(step.action.audience)
  const named = pointer === undefined ? undefined : `${argsOf(step)}${pointer}`
  // Who sees it cannot be said while somebody else decides who that is.
  const isOpen = named !== undefined && deciding.some(({ path }) => path.startsWith(stem(named)))
  const seen = isOpen ? [] : judgeReaders(asked)
  const conditions = judgeConditions(asked)
  return {
    violations: [...deciding, ...seen, ...conditions.violations],
    questions: [...questions, ...conditions.questions],
    enabled: conditions.enabled,
  }
}

interface Asked {
  readonly flow: PlanFlow
  readonly step: StepFlow
  readonly context: FlowContext & { readonly actual?: unknown }
  readonly audience: Readers
}

/** Of the list, where the pointer names its items. */
function stem(pointer: string): string {
  return pointer.replace(/\/\*$/, '')
}

/** More of one step tells nobody anything new, and each is traced back through the plan. */
const maxPerStep = 10

/** R1, R5, R9: what decides anything was written, or vouched for, by the user. */
function judgePieces(asked: Asked): Omit<StepJudgement, 'enabled'> {
  const { step } = asked
  const { action, agent } = step
  if (action.effect === 'read') return { violations: [], questions: [] }
  const bound = requestPointers(action, agent.egress ?? [])
  const isFree = hasFreeRequests(action, agent.egress ?? [])
  const found = step.pieces.flatMap((piece) => {
    const roles = rolesOf(step, piece.tokens)
    const decides = roles.has('control') || roles.has('amount')
    const isBound = bound.some((pointer) => isPrefix(parsePointer(pointer) ?? [], piece.tokens))
    const inRequest = isBound || (isFree && decides)
    if ((decides || inRequest) && !isTrusted(piece.label)) {
      return [() => decidedByOthers(asked, piece, inRequest ? 'FLOW_R5' : 'FLOW_R1')]
    }
    if (roles.has('opaque') && piece.label.agents.some((one) => one !== agent.name)) {
      return [() => foreignId(asked, piece)]
    }
    return []
  })
  return {
    violations: found.slice(0, maxPerStep).map((tell) => tell()),
    questions: proposedIn(asked).map((piece) => unlisted(asked, piece)),
  }
}

/** R9: what decides something and is a planner's own idea. */
function proposedIn(asked: Asked): readonly Piece[] {
  const own = asked.step.pieces.filter((piece) => {
    const roles = rolesOf(asked.step, piece.tokens)
    const decides = roles.has('control') || roles.has('amount')
    // An id that no agent gave is a word like any other.
    const isWord = decides || (roles.has('opaque') && piece.label.agents.length === 0)
    return isWord && isTrusted(piece.label) && isUnlisted(asked, piece)
  })
  return own.slice(0, maxPerStep)
}

/** R2: everybody who will see an argument may see it. */
function judgeReaders({ flow, step, audience }: Asked): readonly FlowViolation[] {
  const isBad = (label: Label) => !mayBeSeenBy(label, audience)
  const shown = step.pieces.filter(({ label }) => isBad(label)).slice(0, maxPerStep)
  return shown.map((piece) => {
    const cause = causeOf([piece.argument], step.step, { flow, isBad })
    const message = `${nameOf(step)} shows ${toPointer(piece.tokens)} to ${describe(audience)}${
      cause === undefined ? '' : `, who may not see ${cause.value}`
    }`
    const path = pathOf(step, piece)
    return { code: 'FLOW_R2', path, message, ...sourceOf(cause), fix: fixForReaders(audience) }
  })
}

/**
 * R3, R4 and R6: what decides whether, and how often, an effect happens. That others would learn of it (R4)
 * nobody can allow by looking at it; that agents decide it, a person can.
 */
function judgeConditions(asked: Asked): StepJudgement {
  const { step, audience } = asked
  const isEffect = step.action.effect !== 'read'
  const untrusted = isEffect ? step.conditions.filter(({ label }) => !isTrusted(label)) : []
  const isOwners = Array.isArray(audience) && audience.every((one) => one === owner)
  const mayBeEnabled = isOwners && asked.context.author === 'person'
  const violations = step.conditions
    .filter(({ label }) => !mayBeSeenBy(label, audience))
    .map((condition) => conditional(asked, condition, 'FLOW_R4'))
  const questions = [
    ...(mayBeEnabled ? [] : untrusted.map((condition) => question(asked, condition, 'FLOW_R3'))),
    ...untrusted
      .filter(({ by }) => by === 'forEach' && mayBeEnabled && needsItsList(step))
      .map((condition) => question(asked, condition, 'FLOW_R6')),
  ]
  const isFree = violations.length === 0 && questions.length === 0
  return { violations, questions, enabled: untrusted.length > 0 && isFree }
}

function question(
  asked: Asked,
  condition: Condition,
  code: Exclude<AskingCode, 'FLOW_R9'>,
): FlowQuestion {
  return { ...conditional(asked, condition, code), code, by: condition.by }
}

/**
 * True when a person would have to see the list first: it cannot be taken back, or the items say what is
 * acted upon, and not only what is said of it.
 */
function needsItsList(step: StepFlow): boolean {
  if (step.action.effect !== 'write') return true
  return step.pieces.some(
    ({ tokens, argument }) =>
      rolesOf(step, tokens).has('opaque') &&
      leavesIn(argument).some((leaf) => itemOf(leaf, step.step) !== undefined),
  )
}

function decidedByOthers(
  { flow, step }: Asked,
  piece: Piece,
  code: 'FLOW_R1' | 'FLOW_R5',
): FlowViolation {
  const isBad = (label: Label) => !isTrusted(label)
  const cause = causeOf([piece.argument], step.step, { flow, isBad })
  const what = code === 'FLOW_R5' ? 'is part of what it asks a server' : 'decides what it does'
  const from = cause === undefined ? 'nobody knows where' : `what an agent returned, ${cause.value}`
  const message = `${nameOf(step)}: ${toPointer(piece.tokens)} ${what}, and comes from ${from}`
  return { code, path: pathOf(step, piece), message, ...sourceOf(cause), fix: { do: 'write' } }
}

function foreignId({ flow, step }: Asked, piece: Piece): FlowViolation {
  const isBad = ({ agents }: Label) => agents.some((one) => one !== step.agent.name)
  const cause = causeOf([piece.argument], step.step, { flow, isBad })
  const message = `${nameOf(step)}: ${toPointer(piece.tokens)} is an id of ${step.agent.name}'s own, and another agent had a hand in it${
    cause === undefined ? '' : `: ${cause.value}`
  }`
  const path = pathOf(step, piece)
  return { code: 'FLOW_R1', path, message, ...sourceOf(cause), fix: { do: 'write' } }
}

/** Texts that anybody can read off a clock or a list of choices are nobody's idea of an address. */
const bounded =
  /^(?:\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2})?)?|\d{2}:\d{2}(?::\d{2})?|P(?=.)(?:\d+D)?(?:T(?=.)(?:\d+H)?(?:\d+M)?(?:\d+S)?)?)$/

/**
 * R9: free text that decides, in a plan that the user did not write, was said by them or is on a list that
 * they did: whether it stands there, comes from an input or a list of the plan's, or is put together by it.
 */
export function isUnlisted(
  { flow, step, context }: Pick<Asked, 'flow' | 'step'> & { readonly context: FlowContext },
  { argument, tokens }: Pick<Piece, 'argument' | 'tokens'>,
): boolean {
  if (context.author === 'person' || argument === null) return false
  const values = knownValues(flow, step.step, argument)
  if (values?.every((value) => isVouchedFor(value, context)) === true) return false
  const schema = walkSchema(toJsonSchema(step.action.input, 'input'), tokens)
  const choices = schema === undefined ? [] : alternativesOf(schema)
  return !choices.every((one) => 'enum' in one || 'const' in one) || choices.length === 0
}

function isVouchedFor(value: unknown, { names, words = '' }: FlowContext): boolean {
  if (typeof value !== 'string' || bounded.test(value)) return true
  return isListed(value, names) || isSaid(value, words)
}

function unlisted({ step }: Asked, piece: Piece): FlowQuestion {
  const message = `${nameOf(step)}: ${toPointer(piece.tokens)} decides what it does, and the user has neither said nor listed it`
  const { argument } = piece
  const fix: Fix = typeof argument === 'string' ? { do: 'list', value: argument } : { do: 'write' }
  return { code: 'FLOW_R9', path: pathOf(step, piece), message, fix }
}

function conditional(
  { flow, step, audience }: Asked,
  condition: Condition,
  code: 'FLOW_R3' | 'FLOW_R4' | 'FLOW_R6',
): FlowViolation {
  const { by, reads } = condition
  const isBad = (label: Label) =>
    code === 'FLOW_R4' ? !mayBeSeenBy(label, audience) : !isTrusted(label)
  const cause = causeOf(reads, step.step, { flow, isBad })
  const place = by === 'forEach' ? 'forEach/in' : by
  const from = cause === undefined ? '' : `: ${cause.value}`
  return {
    code,
    path: `/steps/${step.index}/${place}`,
    message: `${nameOf(step)}: ${reasons[code](describe(audience))}${from}`,
    ...sourceOf(cause),
    fix: { do: by === 'forEach' ? 'write' : 'leave-out' },
  }
}

const reasons = {
  FLOW_R3: () => 'whether it happens is decided by what an agent returned',
  FLOW_R4: (audience: string) => `whether it happens tells ${audience} what they may not see`,
  FLOW_R6: () => 'which things it acts on is decided by a list that an agent returned',
} as const

function fixForReaders(audience: Readers): Fix {
  if (audience === 'PUBLIC') return { do: 'write' }
  const others = audience.filter((one) => one !== owner)
  const addresses = others.filter((one) => one.startsWith('addr:'))
  return addresses.length === others.length
    ? { do: 'own', addresses: addresses.map((one) => one.slice('addr:'.length)) }
    : { do: 'write' }
}

function describe(audience: Readers): string {
  if (audience === 'PUBLIC') return 'anybody'
  return audience.map((one) => (one === owner ? 'the owner' : one)).join(', ')
}

function nameOf({ step }: StepFlow): string {
  return `${step.agent}.${step.action}`
}

function pathOf(step: StepFlow, { tokens }: Piece): string {
  return `${argsOf(step)}${toPointer(tokens)}`
}

function argsOf({ index }: StepFlow): string {
  return `/steps/${index}/args`
}

function sourceOf(cause: Cause | undefined): { readonly source?: string } {
  return cause === undefined ? {} : { source: cause.path }
}
