// A language model as a planner to be evaluated. It is told what the notary would have it told
// (plan/consultation.ts), by the agent's own code, within what a call and the whole evaluation may cost.

import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { catalogue } from '../../agents/catalogue.ts'
import { ActionFailure } from '../../agents/define-agent.ts'
import { agent } from '../../agents/model/agent.ts'
import { manifest } from '../../agents/model/manifest.ts'
import { compileConsultation } from '../../plan/consultation.ts'
import { limits } from '../../plan/limits.ts'
import type { PlannerModel } from '../../plan/planner-models.ts'
import { questionBytesOf } from '../../planner/question-bytes.ts'
import { type Candidate, routeQuestion } from '../../planner/router.ts'
import { decide } from '../support/policy.ts'
import { contextFor, type ProviderAccess } from './ask-provider.ts'
import { type EvalPlanned, type EvalPlanner, evalNow, type RefusedFor } from './run-evals.ts'

/** README.md: the offset of Vienna on that day. */
const [zone, offset] = ['Europe/Vienna', '+01:00']
const dollar = 1_000_000
/** More than any question comes to: what bounds it is what all may cost. */
const mostOfOne = 100 * dollar
/** Between attempts, where the provider does not say; as much at most, where it does. */
const [usualWaitMs, longestWaitMs] = [2_000, 60_000]

/** Nothing can come of asking any further; the message is for a terminal. */
export class ModelError extends Error {
  override readonly name = 'ModelError'
}

export interface ModelOptions extends ProviderAccess {
  readonly model: string
  /** What all calls together may cost. */
  readonly maxUsd: number
  readonly maxOutputTokens: number
}

/** @throws ModelError where the model cannot be asked at all */
export function createModelPlanner(options: ModelOptions): EvalPlanner {
  const { provider, model, maxOutputTokens, maxUsd } = options
  const context = contextFor(options)
  let left = maxUsd * dollar
  let answers = 0
  return {
    name: `${provider}/${model}`,
    async propose(words, _context, faults) {
      const args = argumentsFor(words, faults, { provider, model, maxOutputTokens, maxMicroUsd: 0 })
      const candidate = { provider, model, maxOutputTokens, maxMicroUsd: mostOfOne }
      const maxMicroUsd = reservedFor(args, candidate, left)
      if (maxMicroUsd === 'OVER_BUDGET') {
        return { planned: { kind: 'none', code: maxMicroUsd }, costMicroUsd: 0 }
      }
      const run = agent.actions.get('propose')?.prepare({ ...args, maxMicroUsd })
      if (run === undefined) throw new ModelError(`the agent refuses to ask ${provider}/${model}`)
      const called = await attempt(() => run(context))
      if ('answer' in called) {
        answers += 1
        left -= called.answer.usage.costMicroUsd
        return { planned: toPlanned(called.answer), costMicroUsd: called.answer.usage.costMicroUsd }
      }
      // The first failure of a kind that would be the same of each: nobody waits for a hundred of it.
      if (answers === 0 && isForGood(called.code)) {
        throw new ModelError(`${provider}/${model} does not answer: ${called.code}, ${called.why}`)
      }
      // It may have been paid for, and nobody says how much.
      const uncertainMicroUsd = called.isUnsent ? 0 : maxMicroUsd
      left -= uncertainMicroUsd
      return { planned: { kind: 'none', code: called.code }, costMicroUsd: 0, uncertainMicroUsd }
    },
  }
}

/** The words of the step that the notary would make. */
function argumentsFor(words: string, faults: readonly RefusedFor[], model: PlannerModel) {
  const at = Date.parse(`${evalNow}:00${offset}`)
  const compiled = compileConsultation(
    { words, at, zone, model, faults, told: [] },
    { catalogue, decide },
  )
  if (!compiled.ok) throw new ModelError(`it cannot be asked: ${JSON.stringify(compiled.issues)}`)
  return askedShape.parse(compiled.plan.steps[0]?.args)
}

const askedShape = z.looseObject({
  words: z.array(z.string()),
  actions: z.array(
    z.looseObject({ action: z.string(), args: z.array(z.looseObject({ name: z.string() })) }),
  ),
})

/** What this question can come to at most. @throws ModelError where nobody can say */
function reservedFor(
  args: z.infer<typeof askedShape>,
  candidate: Candidate,
  left: number,
): number | 'OVER_BUDGET' {
  const questionBytes = questionBytesOf({ capability: 'propose', args })
  const { choices, leftOut } = routeQuestion(
    { capability: 'propose', questionBytes, readers: 'PUBLIC' },
    { candidates: [candidate], left, agent: manifest, now: Date.now() },
  )
  const [choice] = choices
  if (choice !== undefined) return choice.maxMicroUsd
  const reason = leftOut[0]?.reason ?? 'NO_PRICE'
  if (reason === 'OVER_BUDGET') return reason
  throw new ModelError(`${candidate.provider}/${candidate.model} cannot be asked: ${reason}`)
}

type Output = z.output<(typeof manifest)['actions']['propose']['output']>
type Called =
  | { readonly answer: Output }
  | { readonly code: string; readonly why: string; readonly isUnsent: boolean }

/** As a step is: again where nothing happened, when the provider says. */
async function attempt(call: () => Promise<unknown>, number = 1): Promise<Called> {
  try {
    return { answer: manifest.actions.propose.output.parse(await call()) }
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const failure = error instanceof ActionFailure ? error : undefined
    if (failure?.retry === 'absent' && number < limits.attempts) {
      await pause(Math.min(longestWaitMs, failure.retryAfterMs ?? usualWaitMs))
      return attempt(call, number + 1)
    }
    const code = failure?.code ?? 'UNKNOWN'
    return { code, why: error.message, isUnsent: failure?.retry === 'absent' }
  }
}

const isForGood = (code: string) =>
  ['UNAVAILABLE', 'NOT_FOUND', 'INVALID_INPUT', 'LIMIT_EXCEEDED'].includes(code)

function toPlanned({ kind, proposal, text }: Output): EvalPlanned {
  switch (kind) {
    case 'plan':
      return { kind: 'proposal', proposal }
    case 'question':
      return { kind: 'question', text, options: [] }
    case 'refusal':
      return { kind: 'declined', text }
  }
}
