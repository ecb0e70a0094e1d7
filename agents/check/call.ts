// One call of a handler in one world, and what became of it: the closed list below. Judges results by the
// rules that the runtime, the worker and the notary have for them.

import { judgeResult } from '../../plan/result-rules.ts'
import { CanonicalJsonError, canonicalJson } from '../../security/verify/canonical-json.ts'
import { type ActionContext, ActionFailure, type AgentDefinition } from '../define-agent.ts'
import { EgressOutcomeUnknown } from '../egress-client.ts'
import { within } from '../execution.ts'
import type { FailureCode, RetryAdvice } from '../protocol.ts'
import type { FindingCode, Tally } from './contract.ts'
import type { TriedWorld } from './world.ts'

export interface Call {
  readonly action: string
  readonly args: unknown
  readonly idem: string
  readonly kind?: ActionContext['kind']
}

export type Ended =
  | { readonly kind: 'done'; readonly result: unknown; readonly text: string }
  | { readonly kind: 'failed'; readonly code: FailureCode; readonly retry: RetryAdvice }
  /** A request may have had its effect, which the runtime reports as unknown. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'refused' }
  /** A finding has been made. */
  | { readonly kind: 'faulty' }

/** Runs it as the runtime would. Never rejects. */
export async function perform(
  agent: AgentDefinition,
  world: TriedWorld,
  tally: Tally,
  call: Call,
): Promise<Ended> {
  const { action: name, args, idem, kind = 'do' } = call
  const action = agent.actions.get(name)
  const run = prepare(agent, name, args, tally)
  if (action === undefined || run === undefined) return { kind: 'refused' }
  const abort = new AbortController()
  const onUndeclared = (what: string) =>
    tally.add('OUTSIDE', name, `the manifest declares no ${what}`)
  const { signal } = abort
  const context = world.context({ action: name, args, idem, kind, signal, onUndeclared })
  const { timeoutMs } = action.declaration
  const { told } = tally
  tally.current = name
  try {
    const output = await within(
      Promise.resolve(run(context)).then((value) => ({ value })),
      timeoutMs,
    )
    if (output === undefined) {
      tally.add('NO_ANSWER', name, `it has not ended after its ${timeoutMs} ms`)
      return { kind: 'faulty' }
    }
    return judge(agent, tally, name, output.value)
  } catch (error) {
    // What it was refused is the cause, and how it then fails the consequence.
    return tally.told > told ? { kind: 'faulty' } : toEnd(error, name, tally)
  } finally {
    abort.abort()
    tally.current = ''
  }
}

/** Undefined for arguments that do not fit; a parser that throws is a finding. */
export function prepare(agent: AgentDefinition, action: string, args: unknown, tally: Tally) {
  try {
    return agent.actions.get(action)?.prepare(args)
  } catch (error) {
    tally.add('INPUT_CRASH', action, `its schema throws ${nameOf(error)}`)
    return undefined
  }
}

function judge(agent: AgentDefinition, tally: Tally, name: string, output: unknown): Ended {
  tally.tried('results')
  const { declaration } = agent.actions.get(name) ?? {}
  if (declaration === undefined) return { kind: 'faulty' }
  const faulty = (code: FindingCode, message: string): Ended => {
    tally.add(code, name, message)
    return { kind: 'faulty' }
  }
  const parsed = declaration.output.safeParse(output)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const at = issue?.path.map(String).join('/') ?? ''
    return faulty('RESULT_OFF_SCHEMA', `the result is not as declared at /${at}`)
  }
  let text: string
  try {
    text = canonicalJson(parsed.data)
  } catch (error) {
    if (!(error instanceof CanonicalJsonError)) throw error
    return faulty('RESULT_OFF_SCHEMA', 'the result cannot be written as JSON')
  }
  const bytes = Buffer.byteLength(text)
  const { maxResultBytes } = declaration
  if (bytes > maxResultBytes) {
    return faulty('RESULT_TOO_LARGE', `${bytes} bytes, where it declares ${maxResultBytes}`)
  }
  const judged = judgeResult(text, declaration)
  if (!judged.ok) return faulty('RESULT_REFUSED', `a result is refused: ${judged.fault}`)
  return { kind: 'done', result: judged.value, text }
}

function toEnd(error: unknown, name: string, tally: Tally): Ended {
  if (error instanceof ActionFailure) {
    return { kind: 'failed', code: error.code, retry: error.retry }
  }
  if (error instanceof EgressOutcomeUnknown) return { kind: 'unknown' }
  const denied = deniedOf(error)
  if (denied !== undefined) tally.add('OUTSIDE', name, `it was refused ${denied}`)
  else tally.add('UNTYPED_FAILURE', name, `it throws ${nameOf(error)} and no ActionFailure`)
  return { kind: 'faulty' }
}

/** What Node's permission model refused, as it names it; undefined for any other error. */
export function deniedOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  if (error.code !== 'ERR_ACCESS_DENIED') return undefined
  const permission = 'permission' in error ? String(error.permission) : ''
  return permission === '' ? 'a call of the system' : permission
}

/** Its class and code: messages may quote content. */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  return 'code' in error ? `${error.name} ${String(error.code)}` : error.name
}
