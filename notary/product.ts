// What a step of a request has come to for those that build on it: nothing yet, nothing, something
// that nobody has, or a result that a hash names. A loop is one product, the list of what its present
// iterations returned; its hash is over theirs, so that five thousand results are compared as one.

import { limits } from '../plan/limits.ts'
import type { Catalogue } from '../plan/manifest.ts'
import { faultOfValue, judgeResult, readCanonical } from '../plan/result-rules.ts'
import type { CompiledStep } from '../plan/schema.ts'
import { canonicalJson, type JsonValue } from '../security/verify/canonical-json.ts'
import { digestOf, saltedHash } from '../security/verify/hash.ts'
import { actionOf } from './actions.ts'
import type { IterationRecord, LoopRecord } from './loop-state.ts'
import type { SourceDocument } from './source-cache.ts'
import type { EffectRecord, State } from './state.ts'

export type Product =
  /** What depends on it may not go on. */
  | { readonly is: 'open' }
  /** It was skipped, or failed where that is allowed. */
  | { readonly is: 'none' }
  /** It happened, as a person or a probe said, and nobody has what it returned. */
  | { readonly is: 'lost' }
  | {
      readonly is: 'result'
      readonly hash: string
      /** The document, if its text is the one that the hash names. */
      read(content: string): SourceDocument | undefined
    }

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

/** The same of a loop: all of its iterations have passed, or it passed without any. */
export function isLoopPassed(step: CompiledStep, loop: LoopRecord | undefined): boolean {
  if (loop === undefined) return false
  const forgiven = step.onError === 'continue'
  if (loop.outcome !== null) return loop.outcome === 'skipped' || forgiven
  return loop.settled + loop.skipped + (forgiven ? loop.failed : 0) === loop.count
}

/** Whether it begins a step that waits for any of its needs: it has left a list, be it one of gaps. */
export function isLoopSettled(step: CompiledStep, loop: LoopRecord | undefined): boolean {
  return loop?.outcome === null && isLoopPassed(step, loop)
}

export function productOfStep(
  step: CompiledStep,
  effect: EffectRecord | undefined,
  catalogue: Catalogue,
): Product {
  if (!isPassed(step, effect)) return { is: 'open' }
  const { result_hash: hash = null, salt = null } = effect ?? {}
  if (effect?.outcome !== 'settled') return { is: 'none' }
  if (hash === null || salt === null) return { is: 'lost' }
  const read = (content: string) =>
    saltedHash(salt, content) === hash ? parseResult(step, content, catalogue) : undefined
  return { is: 'result', hash, read }
}

/** Undefined unless the text is a result that may be built on. */
function parseResult(
  step: CompiledStep,
  content: string,
  catalogue: Catalogue,
): SourceDocument | undefined {
  const action = actionOf(catalogue, step.agent, step.action)
  const judged = action === undefined ? undefined : judgeResult(content, action)
  if (judged?.ok !== true) return undefined
  return { value: judged.value, bytes: Buffer.byteLength(content) }
}

type LoopStore = Pick<State, 'iterationsOf' | 'putLoopHash'>

interface LoopPorts {
  readonly state: LoopStore
  readonly catalogue: Catalogue
}

/**
 * The product of a loop's present iterations. Its hash is worked out once and kept, because what
 * builds on a loop is often another loop: call it inside a job of the store.
 */
export function productOfLoop(
  step: CompiledStep,
  loop: LoopRecord | undefined,
  ports: LoopPorts,
): Product {
  if (loop === undefined || !isLoopPassed(step, loop)) return { is: 'open' }
  if (loop.outcome !== null) return { is: 'none' }
  const hash = loop.hash ?? nameResults(loop, ports.state)
  return hash === lost ? { is: 'lost' } : resultsNamed(hash, { step, loop }, ports)
}

/** The list of a loop's results by its hash, be it that of today or of what was once built on it. */
export function resultsNamed(
  hash: string,
  { step, loop }: { readonly step: CompiledStep; readonly loop: LoopRecord },
  { state, catalogue }: LoopPorts,
): Product {
  const action = actionOf(catalogue, step.agent, step.action)
  const fits = (one: JsonValue) =>
    one === null || (action !== undefined && faultOfValue(one, action) === undefined)
  const read = (content: string) => {
    const document = readResults(loop, { hash, content }, state)
    return document?.value.every(fits) === true ? document : undefined
  }
  return { is: 'result', hash, read }
}

/** In the place of a hash: one of the iterations happened, and nobody knows its result. */
const lost = 'LOST'

function nameResults(loop: LoopRecord, state: LoopStore): string {
  const results = presentResults(loop, state)
  const hash = results.some((one) => one.is === 'lost')
    ? lost
    : digestOf(results.map((one) => one.hash))
  state.putLoopHash(loop, hash)
  return hash
}

export interface IterationResult {
  readonly is: 'result' | 'none' | 'lost'
  readonly rerun: number
  readonly hash: string | null
}

/** What each iteration returned, in the order of the items. */
export function presentResults(
  loop: LoopRecord,
  state: Pick<State, 'iterationsOf'>,
): readonly IterationResult[] {
  const none: IterationResult = { is: 'none', rerun: loop.rerun, hash: null }
  const results = new Array<IterationResult>(loop.count).fill(none)
  // The last rerun of an iteration is its present one: of a loop that has passed none is still to run.
  for (const { iteration, rerun, outcome, result_hash: hash } of state.iterationsOf(loop)) {
    const is = outcome !== 'settled' ? 'none' : hash === null ? 'lost' : 'result'
    results[iteration] = { is, rerun, hash: is === 'result' ? hash : null }
  }
  return results
}

/**
 * The document, if each element is a result that some rerun of its iteration settled with, and all of
 * them together have the wanted hash. An element says by itself which rerun it is of.
 */
function readResults(
  loop: LoopRecord,
  { hash, content }: { readonly hash: string; readonly content: string },
  state: Pick<State, 'iterationsOf'>,
): (SourceDocument & { readonly value: readonly JsonValue[] }) | undefined {
  // One deeper than its results.
  const bounds = { maxBytes: limits.sourceBytes, maxDepth: limits.jsonDepth + 1 }
  const read = readCanonical(content, bounds)
  if (!read.ok || !Array.isArray(read.value)) return undefined
  const { value } = read
  const settled = new Map<number, IterationRecord[]>()
  for (const one of state.iterationsOf(loop)) {
    settled.set(one.iteration, [...(settled.get(one.iteration) ?? []), one])
  }
  const hashes: (string | null)[] = []
  for (const [iteration, element] of value.entries()) {
    const text = canonicalJson(element)
    const isOf = ({ salt, result_hash: known }: IterationRecord) =>
      salt !== null && known !== null && saltedHash(salt, text) === known
    const found = settled.get(iteration)?.findLast(isOf)?.result_hash
    // An element that no receipt vouches for stands for no result, and so must be nothing.
    if (found === undefined && element !== null) return undefined
    hashes.push(found ?? null)
  }
  return digestOf(hashes) === hash ? { value, bytes: Buffer.byteLength(content) } : undefined
}
