// A consultation: the built-in plan of one step that asks a model for a plan, for words that a person
// registered (contracts.md, "What a registration admits, once"). It is a request of its own, whose id is
// made of the one that was asked. Worker and notary make it with this one function, and the notary takes
// nothing of it from the worker but the minute and which model: words, actions, limits and what was wrong
// with a proposal are its own. Pure.

import { Temporal } from 'temporal-polyfill'
import { type CompileContext, type CompileResult, compilePlan } from './compile.ts'
import { compileProposal, goalOf } from './compile-proposal.ts'
import { consultationId } from './ids.ts'
import { limits } from './limits.ts'
import type { Catalogue } from './manifest.ts'
import { modelAgent, offeredActions } from './offered-actions.ts'
import { maxModels, type PlannerModel } from './planner-models.ts'
import { isObject } from './pointer.ts'
import { readCanonical } from './result-rules.ts'
import { type ToldTurn, tellTo } from './told.ts'

/** The one step of it. */
export const consultationStep = 'propose'

/** All that a request can have had, also of models that are set up no more. */
export function consultationsOf(of: string): readonly string[] {
  const models = Array.from({ length: maxModels }, (_, model) => model)
  return ([1, 2] as const).flatMap((round) =>
    models.map((model) => consultationId({ of, round, model })),
  )
}

/** What was wrong with a proposal: codes and places, no text (R7). */
export interface ProposalFault {
  readonly code: string
  readonly path: string
}

/** As many as a model mends at once; a place that names more than these characters says no more. */
const maxFaults = 20
const maxPath = 200

export interface Consulted {
  readonly words: string
  /** Milliseconds since the epoch; the model is told the minute, in the person's zone. */
  readonly at: number
  /** IANA name */
  readonly zone: string
  readonly model: PlannerModel
  /** Of the first round: none. */
  readonly faults: readonly ProposalFault[]
  /** What was said before in the same conversation: each model is told what it may know of it. */
  readonly told: readonly ToldTurn[]
}

/** Not ok where the agent of models does not take what is configured, or the policy lets nobody ask. */
export function compileConsultation(
  asked: Consulted,
  context: Omit<CompileContext, 'inputs'>,
): CompileResult {
  const args = argumentsOf(asked, context.catalogue)
  const step = { id: consultationStep, agent: modelAgent, action: askingAction, args }
  const goal = goalOf(asked.words)
  return compilePlan(
    { version: 1, goal, steps: [step], answer: { from: [] } },
    { ...context, inputs: {} },
  )
}

const askingAction = 'propose'

/**
 * Of its one step: what the model is told, and within which bounds. Where not all fits, what was said before
 * is left out first, the oldest of it before the rest.
 */
export function argumentsOf(asked: Consulted, catalogue: Catalogue): Arguments {
  const { told } = asked
  const args = argumentsWith(asked, catalogue)
  const isAll = told.length === 0 || bytesOf(args) <= limits.argumentBytes
  return isAll ? args : argumentsOf({ ...asked, told: told.slice(1) }, catalogue)
}

type Arguments = ReturnType<typeof argumentsWith>

const bytesOf = (args: Arguments) => Buffer.byteLength(JSON.stringify(args))

function argumentsWith({ words, at, zone, model, faults, told }: Consulted, catalogue: Catalogue) {
  const { provider, maxMicroUsd, maxOutputTokens } = model
  const earlier = tellTo(model, told, catalogue)
  return {
    ...{ provider, model: model.model, maxMicroUsd, maxOutputTokens },
    words: [...earlier.words, words],
    now: minuteIn(zone, at),
    actions: offeredActions(catalogue),
    handles: earlier.handles.map((one) => ({ ...one })),
    issues: faults.map(({ code, path }) => ({ code, path })),
  }
}

/** Why the agent of models would not take it as configured, in words; undefined: it does. */
export function faultOfModel(model: PlannerModel, catalogue: Catalogue): string | undefined {
  const action = catalogue.get(modelAgent)?.actions[askingAction]
  if (action === undefined) return `there is no agent ${modelAgent}`
  const sample = { words: 'x', at: 0, zone: 'UTC', model, faults: [], told: [] }
  const [issue] = action.input.safeParse(argumentsOf(sample, catalogue)).error?.issues ?? []
  return issue === undefined ? undefined : `${issue.path.join('.')}: ${issue.message}`
}

/** RFC 3339 with the offset of the place, in whole minutes. */
function minuteIn(zone: string, at: number): string {
  return Temporal.Instant.fromEpochMilliseconds(at)
    .toZonedDateTimeISO(zone)
    .round({ smallestUnit: 'minute', roundingMode: 'floor' })
    .toString({ smallestUnit: 'second', timeZoneName: 'never' })
}

/**
 * What is wrong with the plan in a consultation's result, as the next round is told; undefined where the
 * result holds none, or one with which nothing is wrong.
 * @param result JSON text of the whole result
 */
export function faultsOfAnswer(
  { result, words }: { readonly result: string; readonly words: string },
  context: Omit<CompileContext, 'inputs'>,
): readonly ProposalFault[] | undefined {
  const proposal = proposalIn(result)
  if (proposal === undefined) return undefined
  const compiled = compileProposal({ proposal, words }, context)
  return compiled.ok ? undefined : toFaults(compiled.issues)
}

export function toFaults(issues: readonly ProposalFault[]): readonly ProposalFault[] {
  return issues
    .slice(0, maxFaults)
    .map(({ code, path }) => ({ code, path: path.slice(0, maxPath).toWellFormed() }))
}

function proposalIn(result: string): string | undefined {
  const { kind, proposal } = answerIn(result) ?? {}
  return kind === 'plan' && typeof proposal === 'string' ? proposal : undefined
}

/** What a consultation's result says, of whatever shape; undefined where it is no result of an agent's. */
export function answerIn(result: string): Readonly<Record<string, unknown>> | undefined {
  const read = readCanonical(result, { maxBytes: limits.resultBytes, maxDepth: limits.jsonDepth })
  return read.ok && isObject(read.value) ? read.value : undefined
}
