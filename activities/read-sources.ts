// The results that a step builds on, from where the workflow says that they lie. Checks that each is
// what it is said to be: a result of that step of that run, or of a loop the list of its results. Its
// hash goes to the notary, whose word on it counts.

import type { CompiledStep } from '../plan/schema.ts'
import type { JsonValue } from '../security/verify/canonical-json.ts'
import type { SourceRef, StepInput } from '../workflows/contract.ts'
import type { ArtifactMeta, ArtifactStore } from './artifacts.ts'
import type { DocumentStore } from './documents.ts'
import { AttemptFailure } from './failure.ts'

/** A producer's result as it lies in the store: the hash its receipt carries, and the exact text. */
export interface SourceDocument {
  readonly step: string
  readonly iteration: number
  readonly hash: string
  readonly content: string
  readonly value: JsonValue
}

export interface ReadDeps {
  readonly artifacts: Pick<ArtifactStore, 'find'>
  readonly documents: DocumentStore
}

/** @throws AttemptFailure PLAN_MISMATCH, ArtifactError */
export async function readSources(
  input: StepInput,
  {
    wanted,
    steps,
  }: { readonly wanted: ReadonlySet<string>; readonly steps: ReadonlyMap<string, CompiledStep> },
  deps: ReadDeps,
): Promise<readonly SourceDocument[]> {
  const named = input.sources.filter(({ step }) => wanted.has(step))
  const found = await Promise.all(
    named.map(async (source) => {
      const isLoop = steps.get(source.step)?.forEach !== undefined
      const ref = source.ref ?? (isLoop ? await refOfOwn(input, source, deps) : undefined)
      return ref === undefined ? [] : [{ ...source, ref }]
    }),
  )
  return await Promise.all(
    found.flat().map(async ({ step, iteration, ref }) => {
      const { meta, content, value } = await deps.documents.load(ref)
      // What an undo takes back is one iteration's.
      const producer = step === input.step ? undefined : steps.get(step)
      const own = isProductOf(meta, { requestId: input.requestId, step, producer })
      if (!own || meta.resultHash === undefined) throw new AttemptFailure('PLAN_MISMATCH')
      return { step, iteration, hash: meta.resultHash, content, value }
    }),
  )
}

/** What the step of that run returned, or of a loop the list of it. */
export function isProductOf(
  meta: ArtifactMeta,
  of: {
    readonly requestId: string
    readonly step: string
    readonly producer: Pick<CompiledStep, 'forEach'> | undefined
  },
): boolean {
  const kind = of.producer?.forEach === undefined ? 'result' : 'loop-result'
  return meta.kind === kind && meta.requestId === of.requestId && meta.step === of.step
}

/** Of an iteration that is undone the workflow keeps no reference: there may be thousands. */
async function refOfOwn(
  { requestId, step: own, kind, rerun }: StepInput,
  { step, iteration }: SourceRef,
  { artifacts }: Pick<ReadDeps, 'artifacts'>,
): Promise<string | undefined> {
  if (kind !== 'undo' || step !== own) return undefined
  const address = { requestId, step, iteration, rerun, kind: 'result' } as const
  return (await artifacts.find(address))?.ref
}
