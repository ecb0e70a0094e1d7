// The control socket's calls on the policy: which one is in force, and to take up what the configuration
// says by now. What is wrong with it is an answer; nothing here is thrown at the socket.

import type { PolicyInUse } from '../security/policy/in-use.ts'
import { SupervisorError } from './codes.ts'
import type { Answer } from './control.ts'
import type { PolicyReload } from './policy.ts'

export interface PolicyActions {
  /** Undefined before the notary ever ran. */
  readonly view: () => PolicyInUse | undefined
  /** Reads the configuration again. @throws SupervisorError */
  readonly reload: () => Promise<PolicyReload>
}

/** Undefined for other calls. */
export async function answerPolicy(
  call: string,
  policy: PolicyActions,
): Promise<Answer | undefined> {
  if (call === 'GET /policy') {
    const inUse = policy.view()
    if (inUse !== undefined) return { status: 200, body: inUse }
    return { status: 503, body: { code: 'STARTING', message: 'the platform is still starting' } }
  }
  if (call !== 'POST /policy/reload') return undefined
  try {
    return { status: 200, body: await policy.reload() }
  } catch (error) {
    if (!(error instanceof SupervisorError)) throw error
    const { code, message, next } = error
    return { status: 409, body: { code, message, ...(next === undefined ? {} : { next }) } }
  }
}
