// One attempt at an activity, as the activities see it: enough to be run by Temporal and by a test
// with the same code. Only temporal/activities.ts makes one from Temporal's context.

import type { ExecutionProgress } from '../agents/protocol.ts'
import type { Priority } from '../plan/schema.ts'

export interface Attempt {
  /**
   * `fast`: inside a workflow task, where nothing may wait; `sleep` rejects then. Its number is always
   * 1, also when a worker that died had been at it before.
   */
  readonly lane: 'fast' | 'regular'
  /** 1 for the first; goes on counting when a worker died in an earlier one. */
  readonly number: number
  /** Attempts before it that were turned away at the door of the agent's pool; not in `number`. */
  readonly turnedAway: number
  /** When the first attempt was scheduled, milliseconds since the epoch. */
  readonly scheduledAtMs: number
  /** `agent.action`, as the workflow asked for it. */
  readonly activityType: string
  /** Of the run: goes with every command that is sent for it. */
  readonly priority: Priority
  /** Tells Temporal that this worker is alive, and how far the agent is. Cheap; may be called often. */
  heartbeat(progress?: ExecutionProgress): void
  /** Aborted when the run was cancelled, and for no other reason: not when this worker shuts down. */
  readonly runCancelled: AbortSignal
  /** Rejects when the attempt is cut off, so that a shutdown need not wait for it. */
  sleep(ms: number): Promise<void>
}
