// Following an effect that is out: attaching until the agent knows its outcome, and telling the agent
// that the run was cancelled. Starts nothing: every token asked for here is one that cannot. A worker
// that shuts down just stops following; the next one attaches.

import type { Reply } from '../agents/protocol.ts'
import { limits } from '../plan/limits.ts'
import type { StepInput } from '../workflows/contract.ts'
import type { Attempt } from './attempt.ts'
import { authoriseStep, type FinalAnswer } from './authorise-step.ts'
import type { DispatchDeps } from './dispatch-deps.ts'
import { AttemptFailure } from './failure.ts'
import type { Authorised } from './verify-reply.ts'

type FollowDeps = DispatchDeps & { readonly attempt: Attempt }

/** An agent answers an attachment within `limits.replyMs`; the rest is the way there and back. */
const timeoutMs = limits.replyMs + 2_000

export type Attached =
  | { readonly kind: 'reply'; readonly reply: Reply; readonly authorised: Authorised }
  /** What the notary said instead of giving a token. */
  | {
      readonly kind: 'answer'
      readonly answer: Extract<FinalAnswer, { status: 'SETTLED' | 'DENIED' }>
    }

/**
 * Attaches until there is something else to say than that it is still at work, or the time that the
 * action may take is over.
 * @throws AttemptFailure as a command does; NOT_DELIVERED when the agent's process is gone
 */
export async function attach(
  input: StepInput,
  options: { readonly maxMs: number; readonly wake?: boolean },
  deps: FollowDeps,
): Promise<Attached> {
  const until = deps.now() + options.maxMs + limits.replyMs
  for (;;) {
    const sent = await follow(input, 'attach', deps, options.wake)
    if (sent.kind === 'answer' || sent.reply.status !== 'IN_PROGRESS') return sent
    deps.attempt.heartbeat(sent.reply.progress)
    if (deps.now() > until) throw new AttemptFailure('IN_PROGRESS')
  }
}

/**
 * Has the agent told when the run is cancelled; the returned function stops listening. What the
 * handler comes to arrives as the reply to the command itself. Whether a person has cancelled is the
 * notary's to say: without its token nothing is told.
 */
export function cancelWithRun(input: StepInput, deps: FollowDeps): () => void {
  const { runCancelled } = deps.attempt
  const tell = () => {
    follow(input, 'cancel', deps).catch(() => undefined)
  }
  if (input.kind !== 'do') return () => undefined
  if (runCancelled.aborted) tell()
  else runCancelled.addEventListener('abort', tell, { once: true })
  return () => runCancelled.removeEventListener('abort', tell)
}

async function follow(
  input: StepInput,
  op: 'attach' | 'cancel',
  deps: FollowDeps,
  wake = false,
): Promise<Attached> {
  const answer = await authoriseStep(input, { args: {}, sources: [], op, wake }, deps)
  // Nobody is asked about what is out already.
  if (answer.status === 'APPROVAL') throw new AttemptFailure('NOTARY_UNAVAILABLE')
  if (answer.status !== 'AUTHORISED') return { kind: 'answer', answer }
  const { subject, token, salt } = answer
  const command = { op, subject, token, salt, correlationId: input.requestId, timeoutMs }
  const asked = deps.agents.follow(command)
  const reply = wake ? await orEnsured(asked, answer, deps) : await asked
  return { kind: 'reply', reply, authorised: answer }
}

/**
 * An undelivered command means a dead replica: have it started before the next attempt.
 * @throws AttemptFailure as before
 */
export async function orEnsured(
  answer: Promise<Reply>,
  { agent }: Authorised,
  deps: Pick<DispatchDeps, 'agents'>,
): Promise<Reply> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof AttemptFailure && error.type === 'NOT_DELIVERED') {
      const dot = agent.lastIndexOf('.')
      await deps.agents.ensure({ agent: agent.slice(0, dot), n: Number(agent.slice(dot + 1)) })
    }
    throw error
  }
}
