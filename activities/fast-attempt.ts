// What an attempt on the fast lane may do: everything but wait. It is executed inside a workflow task,
// which holds up its run, so a stopped agent is not started, an effect that is out is not followed,
// and no token is waited out: the attempt ends as UNFINISHED, and a regular activity, which is told
// that this one was tried, goes on with the same effect id.

import type { Attempt } from './attempt.ts'
import { AttemptFailure } from './failure.ts'
import type { AgentCalls } from './notary-calls.ts'

const leave = () => Promise.reject(new AttemptFailure('UNFINISHED'))

export function toFastAttempt(attempt: Omit<Attempt, 'lane' | 'heartbeat' | 'sleep'>): Attempt {
  return { ...attempt, lane: 'fast', heartbeat: () => undefined, sleep: leave }
}

export function withoutWaiting({ at, run }: AgentCalls): AgentCalls {
  return { at: (priority) => withoutWaiting(at(priority)), run, ensure: leave, follow: leave }
}
