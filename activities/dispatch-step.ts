// Hop 7: one step in one attempt. Resolve, authorise, send, verify, store, settle; every part asks
// and none decides. Invariants: the token lives in this attempt's memory only; a result is durable
// before it is settled, and settled before it is returned; an effect that may have happened is never
// reported as absent. A repeat after a crash carries the same effect id, which the notary and the
// agent's ledger answer without doing it again.

import type { ExecutionProgress } from '../agents/protocol.ts'
import type { NotaryCode } from '../notary/codes.ts'
import { limits } from '../plan/limits.ts'
import type { StepInput, StepResult } from '../workflows/contract.ts'
import { askProbe } from './ask-probe.ts'
import type { Attempt } from './attempt.ts'
import { authoriseStep } from './authorise-step.ts'
import type { DispatchDeps } from './dispatch-deps.ts'
import { AttemptFailure, lossOf } from './failure.ts'
import { type LoadedStep, loadStep } from './load-step.ts'
import { recallSettled } from './recall-settled.ts'
import { followCommand, sendCommand } from './send-command.ts'
import { type Ended, settleFailure } from './settle-failure.ts'
import { settleSkip } from './settle-step.ts'

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
  let progress: ExecutionProgress | undefined
  const beating: Attempt = {
    ...attempt,
    heartbeat: (latest) => {
      progress = latest ?? progress
      attempt.heartbeat(progress)
    },
  }
  beating.heartbeat()
  const beat = setInterval(() => beating.heartbeat(), heartbeatMs)
  try {
    const ended = await carryOut(input, beating, deps)
    const durationMs = Math.max(0, deps.now() - attempt.scheduledAtMs)
    return { ...ended, attempts: attempt.number, durationMs }
  } finally {
    clearInterval(beat)
  }
}

async function carryOut(input: StepInput, attempt: Attempt, deps: DispatchDeps): Promise<Ended> {
  const loaded = await loadOrEnd(input, attempt, deps)
  if ('outcome' in loaded) return loaded
  if (attempt.activityType !== `${loaded.step.agent}.${loaded.step.action}`) {
    throw new AttemptFailure('PLAN_MISMATCH')
  }
  const { resolution, sources } = loaded
  const isRead = loaded.action.effect === 'read'
  switch (resolution.kind) {
    case 'skip': {
      const ended = await settleSkip(input, sources, deps.notary)
      if (ended.code !== 'NO_RESULT') return ended
      return await settleFailure(input, { code: 'NO_RESULT', isRead }, { ...deps, attempt })
    }
    case 'nothing-sent':
      return { outcome: 'skipped', code: 'NOTHING_SENT', resultRef: null }
    case 'impossible': {
      const failure = { code: resolution.code, isRead }
      return await settleFailure(input, failure, { ...deps, attempt })
    }
    case 'run':
      return await run(input, { loaded, args: resolution.args }, { ...deps, attempt })
  }
}

/**
 * What a step builds on can be gone for good. That is the step's end, and the notary must hear of it:
 * otherwise it takes the run for one that goes well, and refuses the undos.
 */
async function loadOrEnd(
  input: StepInput,
  attempt: Attempt,
  deps: DispatchDeps,
): Promise<LoadedStep | Ended> {
  try {
    return await loadStep(input, deps)
  } catch (error) {
    const code = lossOf(error)
    if (code === undefined) throw error
    // The plan itself may be what is lost; the type that Temporal was given names the action.
    const [agent = '', action = ''] = attempt.activityType.split('.')
    const actions = deps.catalogue.get(agent)?.actions ?? {}
    const isRead = Object.hasOwn(actions, action) && actions[action]?.effect === 'read'
    return await settleFailure(input, { code, isRead }, { ...deps, attempt })
  }
}

interface Prepared {
  readonly loaded: LoadedStep
  readonly args: Readonly<Record<string, unknown>>
}

async function run(
  input: StepInput,
  { loaded, args }: Prepared,
  given: DispatchDeps & { readonly attempt: Attempt },
): Promise<Ended> {
  const { attempt } = given
  const probe = (idem: string) => askProbe(input, { loaded, args, idem }, given)
  const deps = { ...given, probe }
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
    if (isOut(input, { loaded, attempt })) {
      const followed = await followOut(input, { loaded, args }, deps)
      if ('ended' in followed) return followed.ended
      if (input.drain === true) {
        // Nothing was ever sent, and nothing will be.
        const never = 'absent' in followed && followed.absent === 'NEVER_AUTHORISED'
        if (never) return { outcome: 'denied', code: 'REQUEST_CANCELLED', resultRef: null }
        return await giveUp('CANCELLED')
      }
    }
    const answer = await authoriseStep(input, { args, sources: loaded.sources }, deps)
    switch (answer.status) {
      case 'SETTLED':
        return await recallSettled(input, answer, deps.artifacts)
      case 'DENIED': {
        // An earlier attempt may have been sent: then this refusal is the end, not the outcome.
        const mayHaveRun = answer.code === 'ATTEMPTS_USED_UP' || attempt.number > 1
        if (mayHaveRun && endsAttempts.has(answer.code)) {
          // What one of them came to, its ledger knows where the reply was lost.
          const followed = await followOut(input, { loaded, args }, deps)
          return 'ended' in followed ? followed.ended : await giveUp(answer.code)
        }
        return { outcome: outcomeOfDenial(answer.code), code: answer.code, resultRef: null }
      }
      case 'AUTHORISED': {
        expiresAtMs = answer.expiresAt
        await deps.onPoint?.('after-authorise', input)
        const { rerun } = answer
        const at = rerun === 0 ? input : { ...input, rerun }
        const sent = await sendCommand(at, { authorised: answer, loaded, args }, deps)
        if ('refused' in sent) return await giveUp(sent.refused)
        return rerun === 0 ? sent.ended : { ...sent.ended, rerun }
      }
    }
  } catch (error) {
    const last = attempt.number >= input.attempts || input.drain === true
    if (!(error instanceof AttemptFailure) || !last || !settlesAtTheEnd(error)) throw error
    return await giveUp(error.type)
  }
}

/**
 * Whether to attach before anything is sent: when this activity may only find out, and when a long
 * action may have been left at work by a worker that is gone, which must cost no attempt.
 */
function isOut(
  input: StepInput,
  { loaded, attempt }: { readonly loaded: LoadedStep; readonly attempt: Attempt },
): boolean {
  return input.drain === true || (attempt.number > 1 && loaded.step.timeoutMs > limits.replyMs)
}

/** A process that is gone is at work on nothing. */
async function followOut(
  input: StepInput,
  prepared: Prepared,
  deps: Parameters<typeof followCommand>[2],
): ReturnType<typeof followCommand> {
  try {
    return await followCommand(input, prepared, deps)
  } catch (error) {
    if (error instanceof AttemptFailure && error.type === 'NOT_DELIVERED') {
      return { absent: error.type }
    }
    throw error
  }
}

function outcomeOfDenial(code: NotaryCode): Ended['outcome'] {
  // Of an undo: there is nothing to take back.
  if (code === 'NEVER_AUTHORISED') return 'skipped'
  // What it builds on has no result, which is how a run goes and nobody's prohibition.
  return code === 'NO_RESULT' ? 'failed' : 'denied'
}

/** Refusals that end the attempts of an effect which may already be out. */
const endsAttempts: ReadonlySet<string> = new Set([
  'ATTEMPTS_USED_UP',
  'RUN_ABORTING',
  'REQUEST_CANCELLED',
  'QUARANTINED',
  // Its probe was being asked when an earlier attempt ended.
  'UNRESOLVED',
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
