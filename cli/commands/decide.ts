// `runs retry|resolve|give-up`: a person's decisions on a run that cannot go on by itself. The notary
// records the decision first and is the one that counts; then the run is told to take it up. Each may
// be typed again: what was decided is decided once.

import { setTimeout as delay } from 'node:timers/promises'
import type { RecoverCall } from '../../notary/contract.ts'
import type { RetryInput } from '../../workflows/contract.ts'
import { CommandError, type ExitCode, exitCodes } from '../exit-codes.ts'
import { parseStepName } from '../loop-view.ts'
import type { Output } from '../output.ts'
import { type Session, withSession } from '../session.ts'

/** Longer than any token lives: until then the old effect could still happen. */
const tokensDeadMs = 45_000
const pollMs = 2_000

type Reruns = RetryInput['reruns']

async function decide(session: Session, call: RecoverCall, output: Output): Promise<Reruns> {
  const until = Date.now() + tokensDeadMs
  let told = false
  for (;;) {
    const reply = await session.recover(call)
    if (reply.status === 'DECIDED') return reply.reruns
    if (reply.code !== 'TOKENS_ALIVE' || Date.now() > until) {
      throw new CommandError(`the notary refused: ${reply.code}: ${reply.message}`, {
        exitCode: reply.code === 'UNKNOWN_REQUEST' ? exitCodes.usage : exitCodes.failed,
        next: nextAfter(reply.code, call),
      })
    }
    if (!told) output.talk('waiting until the old command can happen no more (up to 32 s)')
    told = true
    await delay(pollMs)
  }
}

function nextAfter(code: string, call: RecoverCall): string {
  const nth = 'iteration' in call ? `:${call.iteration}` : ''
  const step = 'step' in call ? ` ${call.step}${nth}` : ''
  switch (code) {
    case 'UNKNOWN_REQUEST':
      return 'npx bulkhead runs list'
    case 'UNRESOLVED':
      return `npx bulkhead runs resolve ${call.requestId}${step} --happened   or   --did-not`
    default:
      return `npx bulkhead runs show ${call.requestId}`
  }
}

/** Whether there is still a workflow to tell. */
async function isOpen(session: Session, requestId: string): Promise<boolean> {
  return !(await session.runs.describe(requestId)).closed
}

/** The steps named, or every failed one of a held run. */
async function stepsToRetry(
  session: Session,
  requestId: string,
  step: string | undefined,
): Promise<readonly string[]> {
  if (step !== undefined) {
    const named = parseStepName(step)
    if (named.iteration === undefined) return [step]
    throw new CommandError('the failed iterations of a loop run again together', {
      exitCode: exitCodes.usage,
      next: `npx bulkhead runs retry ${requestId} ${named.step}`,
    })
  }
  const { status, steps } = await session.runs.state(requestId)
  const failed = steps.filter(({ outcome }) => outcome === 'failed' || outcome === 'denied')
  if (status === 'held' && failed.length > 0) return failed.map(({ id }) => id)
  throw new CommandError('no failed step holds this run', {
    exitCode: exitCodes.failed,
    next: `npx bulkhead runs show ${requestId}`,
  })
}

/** Of a loop with thousands of failures nobody reads each. */
const toldReruns = 20

function rerunLine({ step, iteration, rerun }: Reruns[number]): string {
  const nth = iteration === undefined ? '' : `:${iteration}`
  return `${step}${nth}: runs again (${rerun})`
}

export function runsRetryCommand(
  output: Output,
  state: string,
  given: { readonly requestId: string; readonly step: string | undefined },
): Promise<ExitCode> {
  const { requestId } = given
  return withSession(state, async (session) => {
    const steps = await stepsToRetry(session, requestId, given.step)
    const decided: Reruns[number][] = []
    for (const step of steps) {
      const reruns = await decide(session, { decision: 'retry', requestId, step }, output)
      await session.runs.retry(requestId, { step, reruns })
      decided.push(...reruns)
    }
    output.data({ requestId, reruns: decided }, () => [
      ...decided.slice(0, toldReruns).map(rerunLine),
      ...(decided.length > toldReruns ? [`and ${decided.length - toldReruns} more`] : []),
      `follow it with: npx bulkhead runs watch ${requestId}`,
    ])
    return exitCodes.completed
  })
}

export function runsResolveCommand(
  output: Output,
  state: string,
  given: {
    readonly requestId: string
    readonly step: string
    readonly happened: boolean
    readonly undo: boolean
  },
): Promise<ExitCode> {
  const { requestId, happened, undo } = given
  const named = parseStepName(given.step)
  return withSession(state, async (session) => {
    const decision = happened ? 'happened' : 'did-not'
    await decide(session, { decision, requestId, ...named, kind: undo ? 'undo' : 'do' }, output)
    // A run that is over has nothing to go on with: the record alone is what the answer is for.
    if (!undo && (await isHeld(session, requestId))) {
      await session.runs.resolve(requestId, { ...named, happened })
    }
    output.data({ requestId, ...named, undo, happened }, () => [
      `${given.step}: recorded that ${undo ? 'its undo' : 'it'} ${happened ? 'happened' : 'did not happen'}`,
    ])
    return exitCodes.completed
  })
}

async function isHeld(session: Session, requestId: string): Promise<boolean> {
  if (!(await isOpen(session, requestId))) return false
  const { steps } = await session.runs.state(requestId)
  return steps.some(({ outcome }) => outcome === 'unknown')
}

export function runsGiveUpCommand(
  output: Output,
  state: string,
  requestId: string,
): Promise<ExitCode> {
  return withSession(state, async (session) => {
    await decide(session, { decision: 'give-up', requestId }, output)
    if (await isOpen(session, requestId)) await session.runs.giveUp(requestId)
    output.data({ requestId, givenUp: true }, () => [
      `${requestId}: given up; what it did is being undone`,
      `follow it with: npx bulkhead runs watch ${requestId}`,
    ])
    return exitCodes.completed
  })
}
