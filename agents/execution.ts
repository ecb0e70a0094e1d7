// Runs one handler and says what became of it. Invariant: an unknown is never reported as a failure.
// The table, for whatever is not an ActionFailure (a handler's own word is taken as it is):
//
//                              read                      write, egress, irreversible
//   unexpected error           FAILED INTERNAL absent    UNKNOWN: it may have acted before it threw
//   not done in time           FAILED UNAVAILABLE absent UNKNOWN, once it has ignored the abort
//   error after a cancellation FAILED CANCELLED absent   UNKNOWN, as every error it did not announce
//   done, result unusable      FAILED INVALID_RESULT final, whatever the effect: it has run
//
// `absent` is true of every read, because nothing can have happened. Idempotent writes are UNKNOWN
// too, not `absent`: that they may run again is the ledger's rule, and not a claim about the world.

import { setTimeout as delay } from 'node:timers/promises'
import type { ActionManifest } from '../plan/manifest.ts'
import { CanonicalJsonError, canonicalJson } from '../security/verify/canonical-json.ts'
import { ActionFailure } from './define-agent.ts'
import type { FailureCode, RetryAdvice } from './protocol.ts'

export type Outcome =
  /** `result` is RFC 8785 text. */
  | { readonly status: 'DONE'; readonly result: string }
  | {
      readonly status: 'FAILED'
      readonly code: FailureCode
      readonly retry: RetryAdvice
      readonly retryAfterMs?: number
    }
  | { readonly status: 'UNKNOWN' }

export interface Execution {
  /** What to tell: never later than timeout plus grace. */
  readonly outcome: Promise<Outcome>
  /** What the handler came to in the end; pending for as long as it runs. */
  readonly settled: Promise<Outcome>
  /** Aborts the handler's signal; what it then comes to is its outcome, as ever. */
  cancel(): void
}

export interface ExecutionOptions {
  readonly declaration: ActionManifest
  readonly timeoutMs: number
  readonly resultBytes: number
  /** Told of errors that the handler did not announce. */
  readonly onUnexpected: (error: unknown) => void
}

/** How long a handler may take to notice that it was aborted. Above a slow disk's fsync. */
const graceMs = 2_000

/** Starts the handler at once. Neither promise rejects. */
export function startExecution(
  handler: (signal: AbortSignal) => Promise<unknown>,
  options: ExecutionOptions,
): Execution {
  const abort = new AbortController()
  let cancelled = false
  const settled = settle(
    () => handler(abort.signal),
    options,
    () => cancelled,
  )
  const cancel = () => {
    cancelled = true
    abort.abort()
  }
  return { settled, outcome: firstWord(settled, abort, options), cancel }
}

async function firstWord(
  settled: Promise<Outcome>,
  abort: AbortController,
  { declaration, timeoutMs }: ExecutionOptions,
): Promise<Outcome> {
  const inTime = await within(settled, timeoutMs)
  if (inTime !== undefined) return inTime
  abort.abort()
  if (declaration.effect === 'read') {
    return { status: 'FAILED', code: 'UNAVAILABLE', retry: 'absent' }
  }
  return (await within(settled, graceMs)) ?? { status: 'UNKNOWN' }
}

/** The value, or undefined when it is not there in time. */
export async function within<Value>(
  value: Promise<Value>,
  timeoutMs: number,
): Promise<Value | undefined> {
  const timer = new AbortController()
  const late = delay(timeoutMs, undefined, { signal: timer.signal }).catch(() => undefined)
  try {
    return await Promise.race([value, late])
  } finally {
    timer.abort()
  }
}

async function settle(
  handler: () => Promise<unknown>,
  options: ExecutionOptions,
  cancelled: () => boolean,
): Promise<Outcome> {
  let output: unknown
  try {
    output = await handler()
  } catch (error) {
    return toFailure(error, options, cancelled())
  }
  const result = toResult(output, options)
  if (result !== undefined) return { status: 'DONE', result }
  return { status: 'FAILED', code: 'INVALID_RESULT', retry: 'final' }
}

function toFailure(
  error: unknown,
  { declaration, onUnexpected }: ExecutionOptions,
  cancelled: boolean,
): Outcome {
  if (error instanceof ActionFailure) {
    const { code, retry, retryAfterMs } = error
    return {
      ...{ status: 'FAILED', code, retry },
      ...(retry === 'absent' && retryAfterMs !== undefined ? { retryAfterMs } : {}),
    }
  }
  if (cancelled && declaration.effect === 'read') {
    return { status: 'FAILED', code: 'CANCELLED', retry: 'absent' }
  }
  onUnexpected(error)
  return declaration.effect === 'read'
    ? { status: 'FAILED', code: 'INTERNAL', retry: 'absent' }
    : { status: 'UNKNOWN' }
}

/** The exact text that is hashed and sent; undefined when it fits neither schema, JSON nor bound. */
function toResult(
  output: unknown,
  { declaration, resultBytes, onUnexpected }: ExecutionOptions,
): string | undefined {
  const parsed = declaration.output.safeParse(output)
  if (!parsed.success) return undefined
  try {
    const text = canonicalJson(parsed.data)
    return Buffer.byteLength(text) <= resultBytes ? text : undefined
  } catch (error) {
    if (!(error instanceof CanonicalJsonError)) onUnexpected(error)
    return undefined
  }
}
