// The worker's side of asking models for a plan (plan/consultation.ts): which are asked, the plan of one
// consultation, and the answer of one that has ended, read as what any planner says. Keeps no word of an
// answer but in the artifact store.

import {
  answerIn,
  compileConsultation as compile,
  consultationStep,
  faultsOfAnswer,
} from '../plan/consultation.ts'
import type { PlannerModel } from '../plan/planner-models.ts'
import { type Proposed, readProposed } from '../planner/propose.ts'
import type { Answer, ConsultedModel, ConsultInput } from '../workflows/consult-contract.ts'
import type { CompileOutcome, RequestInput } from '../workflows/contract.ts'
import type { ArtifactStore } from './artifacts.ts'
import { admitPlan, type CompileDeps, namesOfReader } from './compile-plan.ts'
import { AttemptFailure } from './failure.ts'
import { compileWithHandles } from './read-handles.ts'
import { readTold } from './read-told.ts'
import { wordsIn } from './words-of.ts'

export interface ConsultDeps extends CompileDeps {
  /** IANA name: as the notary's. */
  readonly zone: string
  /** Models that may be asked; absent: none. */
  readonly planner?: readonly PlannerModel[] | undefined
}

/**
 * Compiles a consultation, with the faults that the last answer had, and has it admitted.
 *
 * @throws AttemptFailure, ArtifactError
 */
export async function compileConsultation(
  input: RequestInput & { readonly consult: ConsultInput },
  deps: ConsultDeps,
): Promise<CompileOutcome> {
  const { requestId, requestRef, consult } = input
  const { of, at, after } = consult
  const { words, meta } = wordsIn(await deps.artifacts.get(requestRef), of)
  const model = deps.planner?.[consult.model]
  // The configuration has changed since the run began to ask.
  if (model === undefined) return { status: 'INVALID', code: 'PLAN_MISMATCH' }
  const { catalogue, decide, zone } = deps
  const context = { catalogue, decide, names: namesOfReader(deps, meta) }
  const result = after === undefined ? undefined : await findResult(after, deps.artifacts)
  if (after !== undefined && result === undefined) throw new AttemptFailure('ARTIFACT_MISSING')
  const faults =
    result === undefined
      ? []
      : await compileWithHandles(
          (handles) => faultsOfAnswer({ result, words }, { ...context, handles }),
          of,
          deps.notary,
        )
  const told = await readTold(of, deps.notary)
  const compiled = compile({ words, at, zone, model, faults: faults ?? [], told }, context)
  if (!compiled.ok) {
    return { status: 'INVALID', code: compiled.issues[0]?.code ?? 'INVALID_SHAPE' }
  }
  const call = { requestId, at, ...(result === undefined ? {} : { result }) }
  return admitPlan(compiled, { input, call }, deps)
}

/** What a model answered, as a planner's; undefined: there is no answer of it. @throws ArtifactError */
export async function answerOf(
  answer: Answer,
  artifacts: ArtifactStore,
): Promise<Proposed | undefined> {
  const result = await findResult(answer, artifacts)
  return result === undefined ? undefined : readProposed(toProposed(answerIn(result)))
}

/** Of models that gave no answer: which, and why. */
export function noAnswer(failed: readonly ConsultedModel[]): Proposed {
  const whys = failed.map(({ label, code = 'FAILED' }) => `${label}: ${code}`)
  const text = `no model has answered (${whys.join(', ')})`
  return readProposed({ kind: 'refusal', reason: 'NO_ANSWER', text })
}

/** The exact text, which a receipt hashes. */
async function findResult(
  { requestId, rerun }: Answer,
  artifacts: ArtifactStore,
): Promise<string | undefined> {
  const address = {
    requestId,
    step: consultationStep,
    iteration: 0,
    rerun,
    kind: 'result',
  } as const
  const found = await artifacts.find(address)
  return found === undefined ? undefined : Buffer.from(found.artifact.bytes).toString('utf8')
}

/** The agent's three answers are a planner's, in other words. Anything else is read as none. */
function toProposed(told: ReturnType<typeof answerIn> = {}): unknown {
  const { kind, proposal, text, options } = told
  switch (kind) {
    case 'plan':
      return { kind: 'proposal', proposal }
    case 'question':
      return { kind, text, options }
    case 'refusal':
      return { kind, reason: 'NO_ACTION', text }
    default:
      return undefined
  }
}
