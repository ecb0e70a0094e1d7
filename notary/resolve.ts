// Which arguments a step, or its undo, must have: resolved from the admitted plan and from results
// that receipts vouch for. Pure. The worker's own resolution is never used, only compared with this.

import type { z } from 'zod'
import { limits } from '../plan/limits.ts'
import { evaluateGuard, GuardError } from '../plan/predicate.ts'
import { PlanError, type ResolveContext, resolveRecord, sourcesOf } from '../plan/references.ts'
import type { CompiledStep } from '../plan/schema.ts'
import { TextError } from '../plan/text.ts'
import { resolveUndo } from '../plan/undo.ts'
import { CanonicalJsonError, canonicalJson } from '../security/verify/canonical-json.ts'
import type { Refusal } from './context.ts'
import type { Located } from './locate.ts'
import type { Sources } from './provenance.ts'

export type ResolvedArgs = Readonly<Record<string, unknown>>

/**
 * `fate`: nothing that the worker could bring would change it, because it follows from the plan and
 * from settled results.
 */
export type Resolution =
  | { readonly status: 'ARGS'; readonly args: ResolvedArgs }
  | { readonly status: 'REFUSED'; readonly refusal: Refusal; readonly fate: boolean }

/** Steps whose results are needed to resolve this effect. */
export function wantedSources({ step, address, declared, done }: Located): readonly string[] {
  if (address.kind === 'do') return sourcesOf(step)
  const forms = Object.values(declared?.args ?? {})
  const uses = (name: '$args' | '$result') =>
    forms.some((form) => form !== null && typeof form === 'object' && name in form)
  // The guard was true when the step was authorised; an undo does not ask it again.
  const ofArgs = uses('$args') ? sourcesOf({ ...step, when: null }) : []
  const hasResult = done !== undefined && done.result_hash !== null
  return uses('$result') && hasResult ? [...ofArgs, step.id] : ofArgs
}

/** Steps whose results the guard alone needs. */
export function guardSources(step: CompiledStep): readonly string[] {
  return sourcesOf({ ...step, args: {} })
}

/**
 * Whether the step is to run; a step without a guard is. `FAILED`: the expression makes no sense of
 * what the results hold, so the step may neither run nor be skipped.
 */
export function guardOf({ when }: CompiledStep, sources: Sources): 'TRUE' | 'FALSE' | 'FAILED' {
  if (when === null) return 'TRUE'
  try {
    return evaluateGuard(when, sources) ? 'TRUE' : 'FALSE'
  } catch (cause) {
    if (cause instanceof GuardError) return 'FAILED'
    throw cause
  }
}

/** Resolves and checks the arguments, then compares them with `claimed`. */
export function resolveArgs(located: Located, sources: Sources, claimed: unknown): Resolution {
  const resolved = resolveEffect(located, sources)
  if ('status' in resolved) return resolved
  const { args } = resolved
  const text = canonicalJson(args)
  if (Buffer.byteLength(text) > limits.argumentBytes) {
    return fated('LIMIT', 'the arguments exceed their limit')
  }
  const parsed = located.action.input.safeParse(args)
  if (!parsed.success) {
    const message = `the arguments do not fit the action: ${pathsOf(parsed.error)}`
    return fated(sources.incomplete ? 'NO_RESULT' : 'ARGS_INVALID', message)
  }
  if (canonicalOrUndefined(claimed) !== text) {
    const refusal = { code: 'ARGS_MISMATCH', message: 'not the arguments of the plan' } as const
    return { status: 'REFUSED', refusal, fate: false }
  }
  return { status: 'ARGS', args }
}

/** A forward step's arguments; undefined where the plan cannot be resolved. */
export function resolveStep(step: CompiledStep, sources: ResolveContext): ResolvedArgs | undefined {
  try {
    return resolveRecord(step.args, sources)
  } catch (cause) {
    if (cause instanceof TextError || cause instanceof PlanError) return undefined
    throw cause
  }
}

function resolveEffect(
  { step, address, declared, done }: Located,
  sources: Sources,
): { readonly args: ResolvedArgs } | Resolution {
  try {
    const own = resolveRecord(step.args, sources)
    if (address.kind === 'do') return { args: own }
    if (declared === null || done === undefined) throw new Error(`no step to ${address.kind}`)
    const result = done.result_hash === null ? undefined : sources.resultOf(step.id)
    const args = resolveUndo(declared, { args: own, result, idem: done.idem })
    if (args !== 'NO_RESULT') return { args }
    return fated('NO_RESULT', 'the undo needs a result that the step does not have')
  } catch (cause) {
    if (cause instanceof TextError) return fated('LIMIT', 'a text exceeds its limit')
    if (cause instanceof PlanError) return fated('ARGS_INVALID', 'the plan cannot be resolved')
    throw cause
  }
}

function fated(code: Refusal['code'], message: string): Resolution {
  return { status: 'REFUSED', refusal: { code, message }, fate: true }
}

/** Where it does not fit, and never what stood there. */
function pathsOf(error: z.ZodError): string {
  return error.issues
    .map((issue) => `/${issue.path.join('/')}`)
    .slice(0, 5)
    .join(' ')
}

function canonicalOrUndefined(value: unknown): string | undefined {
  try {
    return canonicalJson(value)
  } catch (cause) {
    if (cause instanceof CanonicalJsonError) return undefined
    throw cause
  }
}
