// One attempt at an activity, as the activities see it: enough to be run by Temporal and by a test
// with the same code. Only temporal/activities.ts makes one from Temporal's context.

export interface Attempt {
  /** 1 for the first; goes on counting when a worker died in an earlier one. */
  readonly number: number
  /** When the first attempt was scheduled, milliseconds since the epoch. */
  readonly scheduledAtMs: number
  /** `agent.action`, as the workflow asked for it. */
  readonly activityType: string
  /** Tells Temporal that this worker is alive. Cheap; may be called often. */
  heartbeat(): void
  /** Rejects when the attempt is cancelled, so that a shutdown need not wait for it. */
  sleep(ms: number): Promise<void>
}
