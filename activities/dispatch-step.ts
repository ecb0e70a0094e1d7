// Hop 7: one step in one attempt. Resolve, authorise, send, verify, store, settle; every part asks
// and none decides. Invariants: the token lives in this attempt's memory only; a result is durable
// before it is settled, and settled before it is returned; an effect that may have happened is never
// reported as absent. A repeat after a crash carries the same effect id, which the notary and the
// agent's ledger answer without doing it again.

import type { ExecutionProgress } from '../agents/protocol.ts'
import type { NotaryCode } from '../notary/codes.ts'
import { limits } from '../plan/limits.ts'
import type { StepInput, StepResult } from '../workflows/contract.ts'
import { askLedger } from './ask-ledger.ts'
import { askProbe } from './ask-probe.ts'
import type { Attempt } from './attempt.ts'
import { authoriseStep } from './authorise-step.ts'
import type { DispatchDeps } from './dispatch-deps.ts'
import { AttemptFailure, concernsAgent, lossOf } from './failure.ts'
import { withoutWaiting } from './fast-attempt.ts'
import { type LoadedStep, loadStep } from './load-step.ts'
import { recallSettled } from './recall-settled.ts'
import { followCommand, type SendDeps, sendCommand } from './send-command.ts'
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
    number: attempt.number + (input.tried === true ? 1 : 0),
    heartbeat: (latest) => {
      progress = latest ?? progress
      attempt.heartbeat(progress)
    },
  }
  const agents = deps.pools.watch(deps.agents.at(attempt.priority))
  const isFast = attempt.lane === 'fast'
  const given = { ...deps, agents: isFast ? withoutWaiting(agents) : agents }
  beating.heartbeat()
  const beat = setInterval(() => beating.heartbeat(), heartbeatMs)
  try {
    const ended = await carryOut(input, beating, given)
    const durationMs = Math.max(0, deps.now() - attempt.scheduledAtMs)
    return { ...ended, attempts: beating.number, durationMs }
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

/** One attempt at a step that is to run. */
interface Job extends Prepared {
  readonly input: StepInput
  readonly deps: SendDeps
  /** When the token that this attempt was given is over, milliseconds since the epoch. */
  expiresAtMs?: number
}

async function run(
  input: StepInput,
  { loaded, args }: Prepared,
  given: DispatchDeps & { readonly attempt: Attempt },
): Promise<Ended> {
  const { attempt, pools } = given
  const probe = (idem: string) => askProbe(input, { loaded, args, idem }, given)
  const job: Job = { input, loaded, args, deps: { ...given, probe } }
  const about = { priority: attempt.priority, mayWait: attempt.lane === 'regular' }
  try {
    return await pools.within(loaded.step.agent, about, () => tryOnce(job))
  } catch (error) {
    if (!(error instanceof AttemptFailure)) throw error
    // An attempt that is turned away counts for nothing, but not for ever.
    const failure =
      error.isFree && attempt.turnedAway >= limits.turnedAway
        ? new AttemptFailure('AGENT_UNAVAILABLE', { cause: error })
        : error
    const last = attempt.number >= input.attempts || input.drain === true
    // The last attempt's failure is a fact, unless it is the notary that is missing or a bug.
    if (!last || !concernsAgent(failure)) throw failure
    return await giveUp(job, failure.type)
  }
}

async function giveUp(
  { input, loaded, args, deps, expiresAtMs }: Job,
  code: string,
): Promise<Ended> {
  const isRead = loaded.action.effect === 'read'
  const known = isRead ? undefined : await askLedger(input, { loaded, args }, deps)
  if (known !== undefined) return known
  const expiry = expiresAtMs === undefined ? {} : { expiresAtMs }
  return await settleFailure(input, { code, isRead, ...expiry }, deps)
}

async function tryOnce(job: Job): Promise<Ended> {
  const { input, loaded, args, deps } = job
  if (isOut(input, { loaded, attempt: deps.attempt })) {
    const followed = await followOut(input, { loaded, args }, deps)
    if ('ended' in followed) return followed.ended
    if (input.drain === true) {
      // Nothing was ever sent, and nothing will be.
      if (wasNeverSent(followed)) {
        return { outcome: 'denied', code: 'REQUEST_CANCELLED', resultRef: null }
      }
      return await giveUp(job, 'CANCELLED')
    }
  }
  const answer = await authoriseStep(input, { args, sources: loaded.sources }, deps)
  switch (answer.status) {
    case 'SETTLED':
      return await recallSettled(input, answer, deps.artifacts)
    case 'APPROVAL':
      return toWaiting(input, answer)
    case 'DENIED':
      return await endDenied(job, answer.code)
    case 'AUTHORISED': {
      job.expiresAtMs = answer.expiresAt
      await deps.onPoint?.('after-authorise', input)
      const { rerun } = answer
      const at = rerun === 0 ? input : { ...input, rerun }
      const sent = await sendCommand(at, { authorised: answer, loaded, args }, deps)
      if ('refused' in sent) return await giveUp(job, sent.refused)
      return rerun === 0 ? sent.ended : { ...sent.ended, rerun }
    }
  }
}

async function endDenied(job: Job, code: NotaryCode): Promise<Ended> {
  const { input, loaded, args, deps } = job
  const { number, lane } = deps.attempt
  // An earlier attempt may have been sent: then a refusal is the end, not the outcome, whatever its reason.
  const mayHaveRun = number > 1 || (lane === 'fast' && endsAttempts.has(code))
  if (mayHaveRun || code === 'ATTEMPTS_USED_UP') {
    if (lane === 'fast') throw new AttemptFailure('UNFINISHED')
    // What one of them came to, its ledger knows where the reply was lost.
    const followed = await followOut(input, { loaded, args }, deps)
    if ('ended' in followed) return followed.ended
    // Of what was tried on the fast lane, nothing need have been asked for.
    if (!wasNeverSent(followed)) return await giveUp(job, code)
  }
  if (code === 'NEEDS_UNSETTLED' && loaded.step.join === 'any') {
    // Each of its needs is over and none has settled, or the workflow would not have asked.
    return await settleSkip(input, [], deps.notary)
  }
  // A list of results that is too long for one call: the notary must hear that this is the end.
  if (code === 'SOURCE_MISSING') return await giveUp(job, 'NO_RESULT')
  return { outcome: outcomeOfDenial(code), code, resultRef: null }
}

/**
 * Nothing of it was sent: the notary asks before it signs the first token of an effect, and never after.
 * An undo cannot wait for a person, because what is to be undone before it would wait as well.
 */
function toWaiting(
  { kind }: StepInput,
  { id, expiresAt }: { readonly id: string; readonly expiresAt: number },
): Ended {
  if (kind === 'undo') return { outcome: 'denied', code: 'POLICY', resultRef: null }
  return { outcome: 'waiting', resultRef: null, approvals: [{ id, expiresAt }] }
}

type Followed = Awaited<ReturnType<typeof followCommand>>

function wasNeverSent(followed: Followed): boolean {
  return 'absent' in followed && followed.absent === 'NEVER_AUTHORISED'
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

/** Refusals of a first try on the fast lane, where a worker that died may have sent the command. */
const endsAttempts: ReadonlySet<string> = new Set([
  'ATTEMPTS_USED_UP',
  'RUN_ABORTING',
  'REQUEST_CANCELLED',
  'QUARANTINED',
  'DEADLINE_PASSED',
  'REQUEST_LIMIT',
  // Its probe was being asked when an earlier attempt ended.
  'UNRESOLVED',
])
