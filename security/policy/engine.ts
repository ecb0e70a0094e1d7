// Runs one policy that OPA compiled to Wasm: bytes and settings in, an answer out, without a socket and
// without waiting. Knows nothing of what is asked; plan/policy.ts does. A policy cannot reach anything:
// its module has no import but its memory and functions that OPA's own library gives it.
//
// Wasm does not index rules as OPA's interpreter does, so a policy that shall stay fast looks things up
// in objects and does not list cases (docs/adr/0032).

import { loadPolicy } from '@open-policy-agent/opa-wasm'
import { canonicalJson } from '../verify/canonical-json.ts'
import { sha256 } from '../verify/hash.ts'

export interface PolicyEngine {
  /** base64url SHA-256 over the module's bytes and the RFC 8785 form of its data. */
  readonly digest: string
  /** @throws PolicyError FAILED when the policy itself breaks down */
  evaluate(input: object): unknown
}

export type PolicyErrorCode = 'UNREADABLE' | 'FAILED'

export class PolicyError extends Error {
  override readonly name = 'PolicyError'
  readonly code: PolicyErrorCode

  constructor(code: PolicyErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** 64 KiB each. What a decision needs is a few hundred; a policy that wants more is broken. */
const memory = { initial: 8, maximum: 1_024 }

/**
 * @param wasm a module with `entrypoint` among its entry points
 * @param data the base document `data` of its rules
 * @throws PolicyError UNREADABLE
 */
export async function openEngine(
  wasm: Uint8Array<ArrayBuffer>,
  { data, entrypoint }: { readonly data: object; readonly entrypoint: string },
): Promise<PolicyEngine> {
  const digest = sha256(`${sha256(wasm)}.${sha256(canonicalJson(data))}`)
  try {
    const loaded = await loadPolicy(wasm, memory)
    if (!Object.hasOwn(loaded.entrypoints, entrypoint)) {
      throw new PolicyError('UNREADABLE', `the policy has no entry point ${entrypoint}`)
    }
    loaded.setData(data)
    return { digest, evaluate: (input) => evaluate(loaded, input, entrypoint) }
  } catch (cause) {
    if (cause instanceof PolicyError) throw cause
    throw new PolicyError('UNREADABLE', 'the policy is not a module that OPA made', { cause })
  }
}

type Loaded = Awaited<ReturnType<typeof loadPolicy>>

function evaluate(loaded: Loaded, input: object, entrypoint: string): unknown {
  let results: unknown
  try {
    results = loaded.evaluate(input, entrypoint)
  } catch (cause) {
    throw new PolicyError('FAILED', 'the policy broke down', { cause })
  }
  const [first] = Array.isArray(results) ? results : []
  return typeof first === 'object' && first !== null && 'result' in first ? first.result : undefined
}
