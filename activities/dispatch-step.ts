// Hop 7: one step in one attempt. Resolve, authorise, send, verify, store, settle; every part asks
// and none decides. Invariants: the token lives in this attempt's memory only; a result is durable
// before it is settled, and settled before it is returned; an effect that may have happened is never
// reported as absent. A repeat after a crash carries the same effect id, which the notary and the
// agent's ledger answer without doing it again.

import type { StepInput, StepResult } from '../workflows/contract.ts'
import type { Attempt } from './attempt.ts'
import { authoriseStep } from './authorise-step.ts'
import type { DispatchDeps } from './dispatch-deps.ts'
import { AttemptFailure } from './failure.ts'
import { type LoadedStep, loadStep } from './load-step.ts'
import { recallSettled } from './recall-settled.ts'
import { sendCommand } from './send-command.ts'
import { type Ended, settleFailure, settleSkip } from './settle-step.ts'

/** Five times within the heartbeat time-out, so that a busy machine does not look like a dead one. */
const heartbeatMs = 1_000

/**
 * Carries one step, or its undo, to an outcome.
 * @throws AttemptFailure, ArtifactError when another attempt may help or none can
 */
export async function dispatchStep(
  input: StepInput,
  attempt: Attempt,
  deps: DispatchDeps,
): Promise<StepResult> {
  attempt.heartbeat()
  const beat = setInterval(() => attempt.heartbeat(), heartbeatMs)
  try {
    const ended = await carryOut(input, attempt, deps)
    const durationMs = Math.max(0, deps.now() - attempt.scheduledAtMs)
    return { ...ended, attempts: attempt.number, durationMs }
  } finally {
    clearInterval(beat)
  }
}

async function carryOut(input: StepInput, attempt: Attempt, deps: DispatchDeps): Promise<Ended> {
  const loaded = await loadStep(input, deps)
  if (attempt.activityType !== `${loaded.step.agent}.${loaded.step.action}`) {
    throw new AttemptFailure('PLAN_MISMATCH')
  }
  const { resolution, sources } = loaded
  switch (resolution.kind) {
    case 'skip':
      return await settleSkip(input, sources, deps.notary)
    case 'nothing-sent':
      return { outcome: 'skipped', code: 'NOTHING_SENT', resultRef: null }
    case 'impossible': {
      const failure = { code: resolution.code, isRead: loaded.action.effect === 'read' }
      return await settleFailure(input, failure, { ...deps, attempt })
    }
    case 'run':
      return await run(input, { loaded, args: resolution.args }, { ...deps, attempt })
  }
}

interface Prepared {
  readonly loaded: LoadedStep
  readonly args: Readonly<Record<string, unknown>>
}

async function run(
  input: StepInput,
  { loaded, args }: Prepared,
  deps: DispatchDeps & { readonly attempt: Attempt },
): Promise<Ended> {
  const { attempt } = deps
  let expiresAtMs: number | undefined
  const giveUp = (code: string) =>
    settleFailure(
      input,
      {
        code,
        isRead: loaded.action.effect === 'read',
        ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
      },
      deps,
    )
  try {
    const answer = await authoriseStep(input, { args, sources: loaded.sources }, deps)
    switch (answer.status) {
      case 'SETTLED':
        return await recallSettled(input, answer, deps.artifacts)
      case 'DENIED': {
        // An earlier attempt may have been sent: then this refusal is the end, not the outcome.
        const mayHaveRun = answer.code === 'ATTEMPTS_USED_UP' || attempt.number > 1
        if (mayHaveRun && endsAttempts.has(answer.code)) return await giveUp(answer.code)
        // Of an undo: there is nothing to take back.
        const outcome = answer.code === 'NEVER_AUTHORISED' ? 'skipped' : 'denied'
        return { outcome, code: answer.code, resultRef: null }
      }
      case 'AUTHORISED': {
        expiresAtMs = answer.expiresAt
        await deps.onPoint?.('after-authorise', input)
        const sent = await sendCommand(input, { authorised: answer, loaded, args }, deps)
        return 'ended' in sent ? sent.ended : await giveUp(sent.refused)
      }
    }
  } catch (error) {
    const last = attempt.number >= input.attempts
    if (!(error instanceof AttemptFailure) || !last || !settlesAtTheEnd(error)) throw error
    return await giveUp(error.type)
  }
}

/** Refusals that end the attempts of an effect which may already be out. */
const endsAttempts: ReadonlySet<string> = new Set([
  'ATTEMPTS_USED_UP',
  'RUN_ABORTING',
  'REQUEST_CANCELLED',
])

/** The last attempt's failure is a fact, unless it is the notary that is missing or a bug. */
function settlesAtTheEnd({ type }: AttemptFailure): boolean {
  switch (type) {
    case 'NOT_DELIVERED':
    case 'NO_REPLY':
    case 'IN_PROGRESS':
    case 'STALE_TOKEN':
    case 'REFUSED':
    case 'EFFECT_ABSENT':
    case 'REPLY_INVALID':
    case 'AGENT_UNAVAILABLE':
      return true
    case 'NOTARY_UNAVAILABLE':
    case 'STORAGE_FULL':
    case 'ARTIFACT_MISSING':
    case 'ARTIFACT_CORRUPT':
    case 'PLAN_MISMATCH':
    case 'NOT_PERMITTED':
      return false
  }
}
