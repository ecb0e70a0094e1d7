// Every request put to one planner, and what came of it in figures, for the half that was open and the half
// that was held out. What a planner proposes is compiled by the project's compiler under the default
// policy: "valid" means that the notary would take it.

import { performance } from 'node:perf_hooks'
import { catalogue } from '../../agents/catalogue.ts'
import { type CompileResult, compilePlan, compileSource } from '../../plan/compile.ts'
import { compileProposal } from '../../plan/compile-proposal.ts'
import { listRecipes } from '../../planner/recipes.ts'
import type { Planned, PlannerContext } from '../../planner/rules/contract.ts'
import type { EarlierTurn } from '../../planner/rules/conversation.ts'
import { decide } from '../support/policy.ts'
import { type Answered, type Judged, judge } from './judge.ts'
import type { EvalRequest } from './request.ts'

/** A code and a path, and no text: what a planner is told of a plan that was refused. */
export interface RefusedFor {
  readonly code: string
  readonly path: string
}

/** What is held against the requests. Anything that makes plans of words can be wrapped in it. */
export interface EvalPlanner {
  readonly name: string
  propose(
    words: string,
    context: PlannerContext,
    /** Of its first proposal, where this is the second one; there is no third. */
    issues: readonly RefusedFor[],
  ): Promise<Proposed>
}

interface Proposed {
  readonly planned: EvalPlanned
  readonly costMicroUsd: number
  /** Where no answer came that says what it cost: what it can have been at most. */
  readonly uncertainMicroUsd?: number
}

/** What a language model answers as well; `none`: it gave no answer, and why. */
export type EvalPlanned =
  | Planned
  | { readonly kind: 'proposal'; readonly proposal: string }
  | { readonly kind: 'declined'; readonly text: string }
  | { readonly kind: 'none'; readonly code: string }

/** A planner that is told what was said before, and writes out what words stand for. */
export interface EvalConverser {
  readonly name: string
  converse(
    words: string,
    context: PlannerContext & { readonly earlier: readonly EarlierTurn[] },
  ): Promise<{ readonly planned: Planned; readonly text: string; readonly costMicroUsd: number }>
}

/** The planner of the last words of a conversation, whose earlier words were put to it one by one. */
export async function inConversation(
  converser: EvalConverser,
  after: readonly string[],
): Promise<EvalPlanner> {
  const context = { recipes, now: evalNow }
  let earlier: readonly EarlierTurn[] = []
  for (const words of after) {
    const { planned, text } = await converser.converse(words, { ...context, earlier })
    const agreed = planned.kind === 'recipe' || planned.kind === 'plan'
    earlier = [...earlier, { text, planned, now: evalNow, agreed }]
  }
  const told = earlier
  return {
    name: converser.name,
    propose: (words, given) => converser.converse(words, { ...given, earlier: told }),
  }
}

export async function runConversations(
  converser: EvalConverser,
  requests: readonly EvalRequest[],
): Promise<readonly EvalResult[]> {
  const results: EvalResult[] = []
  for (const request of requests) {
    const planner = await inConversation(converser, request.after ?? [])
    results.push(...(await runEvals(planner, [request])))
  }
  return results
}

/** The day of the requests: README.md. */
export const evalNow = '2026-11-24T09:30'

export interface EvalResult extends Judged {
  readonly say: string
  readonly heldOut: boolean
  readonly answered: Answered['is']
  readonly wanted: 'plan' | 'question' | 'refusal' | 'decline'
  /** Which proposal was valid: the first or the second; 0 for none. */
  readonly validAt: 0 | 1 | 2
  readonly costMicroUsd: number
  readonly uncertainMicroUsd: number
  readonly durationMs: number
}

const recipes = listRecipes()

export async function runEvals(
  planner: EvalPlanner,
  requests: readonly EvalRequest[],
): Promise<readonly EvalResult[]> {
  const results: EvalResult[] = []
  for (const request of requests) results.push(await evaluate(planner, request))
  return results
}

async function evaluate(planner: EvalPlanner, request: EvalRequest): Promise<EvalResult> {
  const context = { recipes, now: evalNow }
  const started = performance.now()
  const first = await planner.propose(request.say, context, [])
  const { say } = request
  let [answered, validAt] = [toAnswered(first.planned, say), 1]
  const asked = [first]
  if (answered.is === 'invalid') {
    const second = await planner.propose(say, context, answered.refusedFor)
    validAt = 2
    answered = toAnswered(second.planned, say)
    asked.push(second)
  }
  const sum = (of: (one: Proposed) => number) => asked.reduce((total, one) => total + of(one), 0)
  return {
    say,
    heldOut: request['held-out'] === true,
    wanted: wantedOf(request),
    answered: answered.is,
    validAt: answered.is === 'plan' ? (validAt === 1 ? 1 : 2) : 0,
    costMicroUsd: sum(({ costMicroUsd }) => costMicroUsd),
    uncertainMicroUsd: sum(({ uncertainMicroUsd = 0 }) => uncertainMicroUsd),
    durationMs: performance.now() - started,
    ...judge(request, answered, evalNow.slice(0, 10)),
  }
}

function wantedOf(request: EvalRequest): EvalResult['wanted'] {
  if ('plan' in request) return 'plan'
  if ('question' in request) return 'question'
  return 'refusal' in request ? 'refusal' : 'decline'
}

type Seen =
  | Exclude<Answered, { is: 'invalid' }>
  | (Extract<Answered, { is: 'invalid' }> & { readonly refusedFor: readonly RefusedFor[] })

function toAnswered(planned: EvalPlanned, words: string): Seen {
  switch (planned.kind) {
    case 'none':
      return { is: 'none', code: planned.code }
    case 'declined':
      return { is: 'refusal', reason: 'UNNAMED' }
    case 'proposal':
      return seen(compileProposal({ proposal: planned.proposal, words }, { catalogue, decide }))
    case 'question':
      return { is: 'question', text: planned.text }
    case 'refusal':
      return { is: 'refusal', reason: planned.reason }
    case 'recipe': {
      const source = recipes.find(({ name }) => name === planned.name)?.source ?? ''
      const { inputs } = planned
      return seen(compileSource({ kind: 'recipe', source, inputs, catalogue, decide }))
    }
    case 'plan':
      return seen(compilePlan(planned.plan, { inputs: {}, catalogue, decide }))
  }
}

function seen(result: CompileResult): Seen {
  if (result.ok) return { is: 'plan', plan: result.plan }
  const { issues } = result
  return {
    is: 'invalid',
    issues: issues.map(({ code, path, message }) => `${code} ${path}: ${message}`),
    refusedFor: issues.map(({ code, path }) => ({ code, path })),
  }
}

export interface Figures {
  readonly requests: number
  readonly correct: number
  readonly validAtFirst: number
  readonly validAfterReproposal: number
  readonly rightlyRefused: number
  readonly asked: number
  /** No answer came, or none that can be read. */
  readonly unanswered: number
  readonly wrongExecutions: number
  readonly costUsd: number
  /** What calls without an answer can have cost besides, at most. */
  readonly uncertainUsd: number
  readonly medianMs: number
}

export function figuresOf(results: readonly EvalResult[]): Figures {
  const count = (test: (one: EvalResult) => boolean) => results.filter(test).length
  const times = results.map(({ durationMs }) => durationMs).toSorted((one, other) => one - other)
  return {
    requests: results.length,
    correct: count(({ verdict }) => verdict === 'correct'),
    validAtFirst: count(({ validAt }) => validAt === 1),
    validAfterReproposal: count(({ validAt }) => validAt === 2),
    rightlyRefused: count(({ wanted, verdict }) => wanted !== 'plan' && verdict === 'correct'),
    asked: count(({ answered }) => answered === 'question'),
    unanswered: count(({ answered }) => answered === 'none'),
    wrongExecutions: count(({ verdict }) => verdict === 'wrong-execution'),
    costUsd: results.reduce((sum, { costMicroUsd }) => sum + costMicroUsd, 0) / 1_000_000,
    uncertainUsd:
      results.reduce((sum, { uncertainMicroUsd }) => sum + uncertainMicroUsd, 0) / 1_000_000,
    medianMs: times[Math.floor(times.length / 2)] ?? 0,
  }
}

/** At least so much of the held-out half is correct, or the planner is no good. */
export const leastCorrect = 0.85

/** Why the line is not reached; undefined when it is. */
export function belowTheLine(results: readonly EvalResult[]): string | undefined {
  const wrong = figuresOf(results).wrongExecutions
  if (wrong > 0) return `${wrong} wrong executions, none is allowed`
  const held = figuresOf(results.filter(({ heldOut }) => heldOut))
  const share = held.requests === 0 ? 0 : held.correct / held.requests
  if (share >= leastCorrect) return undefined
  return `${(share * 100).toFixed(1)} % of the held-out half is correct, ${leastCorrect * 100} % is wanted`
}
