// Where argument values come from. Takes a step back to settled receipts: every producer's whole
// result is recognised by the hash its receipt carries, then references, texts and guards are
// resolved here, and what the worker says is only compared. Synchronous, so that it runs inside the
// transaction that records the decision.

import { isHandle } from '../plan/handle.ts'
import { limits } from '../plan/limits.ts'
import { absentResult, contextOfIteration } from '../plan/loops.ts'
import type { ResolveContext } from '../plan/references.ts'
import type { Refusal } from './context.ts'
import type { Source } from './contract.ts'
import { unknownHandle } from './handles.ts'
import type { Located } from './locate.ts'
import type { Product } from './product.ts'
import type { SourceCache, SourceDocument } from './source-cache.ts'

export interface ProvenancePorts {
  /** What is resolved. */
  readonly located: Pick<Located, 'registered' | 'step' | 'address' | 'productOf' | 'earlierOf'>
  readonly cache: SourceCache
}

/** Values that references may be resolved from: null for a step that was skipped or failed softly. */
export interface Sources extends ResolveContext {
  /** `step -> result hash` of what was used. */
  readonly hashes: Readonly<Record<string, string>>
  /** Some step that was referred to has no result. */
  readonly incomplete: boolean
}

export type SourcesOutcome =
  | { readonly status: 'READY'; readonly sources: Sources }
  | {
      /** A reply as it stands: the worker brings these. */
      readonly status: 'NEED_SOURCES'
      readonly steps: { step: string; iteration: number }[]
    }
  | { readonly status: 'REFUSED'; readonly refusal: Refusal }

/** Finds the results of `wanted` steps and handles among what the worker named and what memory holds. */
export function loadSources(
  wanted: readonly string[],
  given: readonly Source[],
  ports: ProvenancePorts,
): SourcesOutcome {
  const documents = new Map<string, SourceDocument>()
  const hashes: Record<string, string> = {}
  const missing: { step: string; iteration: number }[] = []
  const { registered, step: own, address } = ports.located
  for (const id of wanted) {
    // A loop is one document, under the iteration 0; only an undo may want what one iteration returned.
    const iteration = id === own.id ? address.iteration : 0
    const named = given.find((source) => source.step === id && source.iteration === iteration)
    const found = loadSource(id, named, ports)
    if (found === 'ABSENT') continue
    if ('code' in found) return { status: 'REFUSED', refusal: found }
    hashes[id] = found.hash
    if (found.document === undefined) missing.push({ step: id, iteration })
    else documents.set(id, found.document)
  }
  if (missing.length > 0) return { status: 'NEED_SOURCES', steps: missing }
  const bytes = [...documents.values()].reduce((sum, document) => sum + document.bytes, 0)
  if (bytes > limits.sourceBytes) {
    const message = 'the results this step builds on exceed one authorisation'
    return { status: 'REFUSED', refusal: { code: 'LIMIT', message } }
  }
  const context = contextOfIteration(own, address.iteration, {
    inputs: registered.plan.inputs,
    resultOf: (id) => documents.get(id)?.value ?? absentResult(registered.steps.get(id)),
  })
  const incomplete = documents.size < wanted.length
  return { status: 'READY', sources: { ...context, hashes, incomplete } }
}

type Found =
  | 'ABSENT'
  | { readonly hash: string; readonly document: SourceDocument | undefined }
  | Refusal

/** What a step of the plan has come to, or a handle of it stands for. */
export function productNamed(
  id: string,
  { registered, productOf, earlierOf }: ProvenancePorts['located'],
): Product | undefined {
  if (isHandle(id)) return earlierOf(id)
  const step = registered.steps.get(id)
  return step === undefined ? undefined : productOf(step)
}

function loadSource(id: string, named: Source | undefined, ports: ProvenancePorts): Found {
  const { step: own, address } = ports.located
  const product = productNamed(id, ports.located)
  if (isHandle(id) && product === undefined) return unknownHandle
  // Built on whatever there was when the worker began it; only that one need has settled is asked.
  const mayLack = own.join === 'any' && !isHandle(id)
  const isFree = mayLack && address.kind === 'do' && named === undefined
  if (isFree && product !== undefined) return 'ABSENT'
  if (product === undefined || product.is === 'open') {
    return { code: 'NEEDS_UNSETTLED', message: `step ${id} has not settled` }
  }
  if (product.is === 'lost') {
    return { code: 'NO_RESULT', message: `nobody knows the result of step ${id}` }
  }
  if (product.is === 'none') {
    if (named === undefined) return 'ABSENT'
    return { code: 'SOURCE_MISMATCH', message: `step ${id} has no result` }
  }
  if (named === undefined) {
    return { code: 'SOURCE_MISSING', message: `the result of step ${id} is not named` }
  }
  const { hash } = product
  if (named.hash !== hash) {
    return { code: 'SOURCE_MISMATCH', message: `not the settled result of step ${id}` }
  }
  const cached = ports.cache.get(hash)
  if (cached !== undefined || named.content === undefined) return { hash, document: cached }
  const document = product.read(named.content)
  if (document === undefined) {
    const message = `not the settled result of step ${id}, or none that fits its action`
    return { code: 'SOURCE_MISMATCH', message }
  }
  ports.cache.put(hash, document)
  return { hash, document }
}
