// Turns a step's address into what can be asked of the notary: its plan, the results it builds on,
// its guard and its arguments. Reads the artifact store only; what it resolves is a proposal, which
// the notary resolves again from the receipts.

import { absentResult, contextOfIteration } from '../plan/loops.ts'
import type { ActionManifest, Catalogue } from '../plan/manifest.ts'
import { evaluateGuard, GuardError } from '../plan/predicate.ts'
import { type ResolveContext, resolveRecord, sourcesOf } from '../plan/references.ts'
import type { CompiledStep } from '../plan/schema.ts'
import { TextError } from '../plan/text.ts'
import { resolveUndo } from '../plan/undo.ts'
import type { JsonValue } from '../security/verify/canonical-json.ts'
import type { StepInput } from '../workflows/contract.ts'
import type { ArtifactStore } from './artifacts.ts'
import type { DocumentStore } from './documents.ts'
import { AttemptFailure } from './failure.ts'
import type { LoadedPlan, PlanStore } from './plan-store.ts'
import { readHandles } from './read-handles.ts'
import { readSources, type SourceDocument } from './read-sources.ts'

export type { SourceDocument } from './read-sources.ts'

export interface LoadedStep {
  readonly step: CompiledStep
  /** The action to send: the step's, or that of its undo. */
  readonly actionName: string
  readonly action: ActionManifest
  readonly readers: readonly string[]
  readonly sources: readonly SourceDocument[]
  readonly resolution: Resolution
}

export type Resolution =
  | { readonly kind: 'run'; readonly args: Readonly<Record<string, unknown>> }
  /** The guard is false. */
  | { readonly kind: 'skip' }
  /** An undo with nothing to undo: no command of this step was ever sent. */
  | { readonly kind: 'nothing-sent' }
  /** It cannot be asked for at all: what it builds on does not fit, and never will. */
  | { readonly kind: 'impossible'; readonly code: 'NO_RESULT' | 'INVALID_EXPRESSION' | 'LIMIT' }

export interface LoadDeps {
  readonly artifacts: ArtifactStore
  readonly documents: DocumentStore
  readonly plans: PlanStore
  readonly catalogue: Catalogue
}

/** @throws AttemptFailure, ArtifactError */
export async function loadStep(input: StepInput, deps: LoadDeps): Promise<LoadedStep> {
  const loaded = await deps.plans.load(input)
  const { plan, steps, readers } = loaded
  const step = steps.get(input.step)
  if (step === undefined) throw new AttemptFailure('PLAN_MISMATCH')
  const actionName = input.kind === 'do' ? step.action : step.undo?.action
  const actions = deps.catalogue.get(step.agent)?.actions
  // Own properties only: an action's name must not reach a prototype.
  const action =
    actions !== undefined && actionName !== undefined && Object.hasOwn(actions, actionName)
      ? actions[actionName]
      : undefined
  if (actionName === undefined || action === undefined) throw new AttemptFailure('PLAN_MISMATCH')
  const wanted = new Set(sourcesOf(step))
  if (input.kind === 'undo') wanted.add(step.id)
  const own = await readSources(input, { wanted, steps }, deps)
  const sources = [...own, ...(await readHandles(loaded, wanted, deps))]
  const results = contextOf({ plan, steps }, sources)
  const context = contextOfIteration(step, input.iteration, results)
  const resolution = await orImpossible(async () =>
    input.kind === 'do'
      ? resolveDo(step, context)
      : await resolveUndoOf(step, { input, sources, context, artifacts: deps.artifacts }),
  )
  return { step, actionName, action, readers, sources, resolution }
}

/** A guard over values that it does not fit, a text that grows too long: facts about this run. */
async function orImpossible(resolve: () => Promise<Resolution>): Promise<Resolution> {
  try {
    return await resolve()
  } catch (error) {
    if (error instanceof GuardError) return { kind: 'impossible', code: 'INVALID_EXPRESSION' }
    if (error instanceof TextError) return { kind: 'impossible', code: 'LIMIT' }
    throw error
  }
}

function resolveDo(step: CompiledStep, context: ResolveContext): Resolution {
  if (step.when !== null && !evaluateGuard(step.when, context)) return { kind: 'skip' }
  return { kind: 'run', args: resolveRecord(step.args, context) }
}

async function resolveUndoOf(
  step: CompiledStep,
  from: {
    readonly input: StepInput
    readonly sources: readonly SourceDocument[]
    readonly context: ResolveContext
    readonly artifacts: ArtifactStore
  },
): Promise<Resolution> {
  if (step.undo === null) throw new AttemptFailure('PLAN_MISMATCH')
  const { requestId, iteration, rerun } = from.input
  const effect = await from.artifacts.find({
    ...{ requestId, step: step.id, iteration, rerun },
    kind: 'effect',
  })
  const ran = from.sources.some((source) => source.step === step.id)
  // Written before every command that has an undo; without it none was sent.
  if (effect === undefined) {
    if (ran) throw new AttemptFailure('ARTIFACT_MISSING')
    return { kind: 'nothing-sent' }
  }
  const { context } = from
  const args = resolveUndo(step.undo, {
    args: resolveRecord(step.args, context),
    result: ran ? context.resultOf(step.id) : undefined,
    idem: Buffer.from(effect.artifact.bytes).toString('utf8'),
  })
  return args === 'NO_RESULT' ? { kind: 'impossible', code: 'NO_RESULT' } : { kind: 'run', args }
}

function contextOf(
  { plan, steps }: Pick<LoadedPlan, 'plan' | 'steps'>,
  sources: readonly SourceDocument[],
): ResolveContext {
  const results = new Map<string, JsonValue>(sources.map(({ step, value }) => [step, value]))
  return {
    inputs: plan.inputs,
    resultOf: (step) => results.get(step) ?? absentResult(steps.get(step)),
  }
}
