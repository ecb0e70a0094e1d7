// Where argument values come from. Takes a step back to settled receipts: every producer's whole
// result is recognised by the hash its receipt carries, then references, texts and guards are
// resolved here, and what the worker says is only compared. Synchronous, so that it runs inside the
// transaction that records the decision.

import { limits } from '../plan/limits.ts'
import type { Catalogue } from '../plan/manifest.ts'
import type { CompiledPlan, CompiledStep } from '../plan/schema.ts'
import { canonicalJson, type JsonValue } from '../security/verify/canonical-json.ts'
import { saltedHash } from '../security/verify/hash.ts'
import { parseStrictJson, StrictJsonError } from '../security/verify/strict-json.ts'
import { actionOf } from './actions.ts'
import type { Refusal } from './context.ts'
import type { Source } from './contract.ts'
import type { RegisteredPlan } from './plan-cache.ts'
import type { SourceCache, SourceDocument } from './source-cache.ts'
import type { EffectRecord } from './state.ts'

export interface ProvenancePorts {
  readonly registered: RegisteredPlan
  readonly catalogue: Catalogue
  readonly cache: SourceCache
  /** The `do` effect of a step of this request. */
  readonly effectOf: (step: string) => EffectRecord | undefined
}

/** Values that references may be resolved from. */
export interface Sources {
  readonly inputs: CompiledPlan['inputs']
  /** Null for a step that was skipped or failed softly. */
  readonly resultOf: (step: string) => JsonValue
  /** `step -> result hash` of what was used. */
  readonly hashes: Readonly<Record<string, string>>
  /** Some step that was referred to has no result. */
  readonly incomplete: boolean
}

export type SourcesOutcome =
  | { readonly status: 'READY'; readonly sources: Sources }
  | {
      readonly status: 'NEED_SOURCES'
      readonly steps: readonly { readonly step: string; readonly iteration: number }[]
    }
  | { readonly status: 'REFUSED'; readonly refusal: Refusal }

/** True when what depends on `step` may go on: it ran, was skipped, or failed where that is allowed. */
export function isPassed(step: CompiledStep, effect: EffectRecord | undefined): boolean {
  switch (effect?.outcome) {
    case 'settled':
    case 'skipped':
      return true
    case 'failed':
    case 'denied':
      return step.onError === 'continue'
    // Nobody can go on from an outcome that is not known.
    case 'unknown':
    case null:
    case undefined:
      return false
  }
}

/** Finds the results of `wanted` steps among what the worker named and what memory holds. */
export function loadSources(
  wanted: readonly string[],
  given: readonly Source[],
  ports: ProvenancePorts,
): SourcesOutcome {
  const documents = new Map<string, SourceDocument>()
  const hashes: Record<string, string> = {}
  const missing: { step: string; iteration: number }[] = []
  for (const id of wanted) {
    const named = given.find((source) => source.step === id && source.iteration === 0)
    const found = loadSource(id, named, ports)
    if (found === 'ABSENT') continue
    if ('code' in found) return { status: 'REFUSED', refusal: found }
    hashes[id] = found.hash
    if (found.document === undefined) missing.push({ step: id, iteration: 0 })
    else documents.set(id, found.document)
  }
  if (missing.length > 0) return { status: 'NEED_SOURCES', steps: missing }
  const bytes = [...documents.values()].reduce((sum, document) => sum + document.bytes, 0)
  if (bytes > limits.sourceBytes) {
    const message = 'the results this step builds on exceed one authorisation'
    return { status: 'REFUSED', refusal: { code: 'LIMIT', message } }
  }
  return {
    status: 'READY',
    sources: {
      inputs: ports.registered.plan.inputs,
      resultOf: (id) => documents.get(id)?.value ?? null,
      hashes,
      incomplete: documents.size < wanted.length,
    },
  }
}

type Found =
  | 'ABSENT'
  | { readonly hash: string; readonly document: SourceDocument | undefined }
  | Refusal

function loadSource(id: string, named: Source | undefined, ports: ProvenancePorts): Found {
  const step = ports.registered.steps.get(id)
  const effect = ports.effectOf(id)
  if (step === undefined || !isPassed(step, effect)) {
    return { code: 'NEEDS_UNSETTLED', message: `step ${id} has not settled` }
  }
  const hash = effect?.outcome === 'settled' ? effect.result_hash : null
  // It happened, as a person or a probe said, and nobody has what it returned.
  if (effect?.outcome === 'settled' && hash === null) {
    return { code: 'NO_RESULT', message: `nobody knows the result of step ${id}` }
  }
  if (hash === null || effect?.salt === undefined || effect.salt === null) {
    if (named === undefined) return 'ABSENT'
    return { code: 'SOURCE_MISMATCH', message: `step ${id} has no result` }
  }
  if (named === undefined) {
    return { code: 'SOURCE_MISSING', message: `the result of step ${id} is not named` }
  }
  if (named.hash !== hash) {
    return { code: 'SOURCE_MISMATCH', message: `not the settled result of step ${id}` }
  }
  const cached = ports.cache.get(hash)
  if (cached !== undefined || named.content === undefined) return { hash, document: cached }
  if (saltedHash(effect.salt, named.content) !== hash) {
    return { code: 'SOURCE_MISMATCH', message: `not the settled result of step ${id}` }
  }
  const document = parseSource(step, named.content, ports.catalogue)
  if (document === undefined) {
    return { code: 'SOURCE_MISMATCH', message: `the result of step ${id} does not fit its action` }
  }
  ports.cache.put(hash, document)
  return { hash, document }
}

/** Undefined unless the text is the canonical form of a value that the action may return. */
function parseSource(
  step: CompiledStep,
  content: string,
  catalogue: Catalogue,
): SourceDocument | undefined {
  const action = actionOf(catalogue, step.agent, step.action)
  if (action === undefined) return undefined
  const maxBytes = Math.min(limits.resultBytes, action.maxResultBytes)
  try {
    const value = parseStrictJson(content, { maxBytes, maxDepth: limits.jsonDepth })
    // Agents must send RFC 8785: then the text has one reading only.
    if (canonicalJson(value) !== content || !action.output.safeParse(value).success) {
      return undefined
    }
    return { value, bytes: Buffer.byteLength(content) }
  } catch (cause) {
    if (cause instanceof StrictJsonError) return undefined
    throw cause
  }
}
