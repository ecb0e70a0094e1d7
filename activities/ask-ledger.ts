// What has become of an effect whose attempts are over. Its agent's ledger knows, so it is asked, and the
// agent started for it: until it says so in a receipt, or until the time is over in which a token can
// still begin the effect. Only when nobody answers is anything left to guess, and that is unknown.

import type { StepInput } from '../workflows/contract.ts'
import { AttemptFailure, concernsAgent } from './failure.ts'
import { attach } from './follow-step.ts'
import type { LoadedStep } from './load-step.ts'
import { recallSettled } from './recall-settled.ts'
import { concludeFinally, type SendDeps } from './send-command.ts'
import type { Ended } from './settle-failure.ts'
import { tokenAliveMs } from './token-life.ts'

/** Asked again this often while it is silent, or while another token can still begin the effect. */
const pollMs = 4_000
/** Beyond the longest token life: a look after that is the last word. */
const graceMs = 10_000

/**
 * Its outcome, settled; undefined where nobody can say, and where nothing was ever authorised.
 * @throws AttemptFailure when asking is not this attempt's to do, or the notary is missing
 */
export async function askLedger(
  input: StepInput,
  prepared: { readonly loaded: LoadedStep; readonly args: Readonly<Record<string, unknown>> },
  deps: SendDeps,
): Promise<Ended | undefined> {
  const until = deps.now() + tokenAliveMs + graceMs
  const maxMs = prepared.loaded.step.timeoutMs
  for (;;) {
    try {
      const attached = await attach(input, { maxMs, wake: true }, deps)
      if (attached.kind === 'reply') return await concludeFinally(input, prepared, attached, deps)
      const { answer } = attached
      if (answer.status === 'DENIED') return undefined
      return await recallSettled(input, answer, deps.artifacts)
    } catch (error) {
      if (!(error instanceof AttemptFailure) || !concernsAgent(error)) throw error
      if (deps.now() > until) return undefined
    }
    await deps.attempt.sleep(pollMs)
  }
}
