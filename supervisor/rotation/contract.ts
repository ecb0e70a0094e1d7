// What every rotation of a kind of key looks like from outside. Each kind keeps where it stands in a
// file, so that a supervisor that was killed in the middle goes on from there. Which one runs when is
// the orchestrator's; two at once never do.

export const rotationKinds = ['token', 'audit', 'certificates', 'nkeys', 'payload'] as const
export type RotationKind = (typeof rotationKinds)[number]

export interface RotatedKeys {
  /** Ids of the keys that are good for nothing any more (or only for reading what is old). */
  readonly retired: readonly string[]
  /** Id of the key, or name of the generation, in use from now on. */
  readonly current: string
}

/** `next`: made known, not used yet. `retiring`: no longer used, and still accepted. */
export type KeyState = 'current' | 'next' | 'retiring'

export interface ListedKey {
  readonly id: string
  readonly state: KeyState
  /** Milliseconds since the epoch: since when it is in that state; 0 where nobody wrote it down. */
  readonly since: number
}

export interface KeyRotation {
  readonly kind: RotationKind
  /**
   * Replaces the key and returns once the old one is dead. What an earlier start left half done is
   * finished first. When `signal` aborts it stops between two phases and leaves the rest to `resume`.
   * Needs the deployment to run.
   * @throws SupervisorError, and the signal's reason; the old or the new key works then, never neither
   */
  rotate(say: (line: string) => void, signal: AbortSignal): Promise<RotatedKeys>
  /**
   * Finishes, or takes back, what an earlier start left half done; called once the deployment runs.
   * Undefined when there was nothing, or when it was taken back.
   */
  resume(say: (line: string) => void, signal: AbortSignal): Promise<RotatedKeys | undefined>
  /** Also while nothing runs. Public ids only. */
  list(): Promise<readonly ListedKey[]>
}

/**
 * Convention for `create<Kind>Rotation(input)`: `overlapMs` is a member of the input, how long the old
 * key is still accepted after the new one is in use. The composition passes `defaultOverlapMs` or what
 * a person asked for, never less than `leastOverlapMs`; only tests pass less.
 */
export const defaultOverlapMs = 60_000
/** Life of a token (30 s) and the clock difference that is forgiven (2 s): what is out ends by itself. */
export const leastOverlapMs = 32_000
