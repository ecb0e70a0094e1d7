// One rotation at a time, from start to end, for whoever asks over the control socket: it is begun, and
// then looked at, because it takes as long as the old keys are still to be accepted. It goes on when
// the one who asked goes away.

import { SupervisorError } from '../codes.ts'
import {
  leastOverlapMs as defaultLeastMs,
  defaultOverlapMs,
  type KeyRotation,
  type ListedKey,
  type RotatedKeys,
  type RotationKind,
  rotationKinds,
} from './contract.ts'

export interface ListedKind {
  readonly kind: RotationKind
  readonly keys: readonly ListedKey[]
}

export interface RotationView {
  readonly running: boolean
  readonly kinds: readonly RotationKind[]
  /** Everything said so far, for a person. */
  readonly lines: readonly string[]
  readonly done: readonly (RotatedKeys & { readonly kind: RotationKind })[]
  readonly failure?: { readonly code: string; readonly message: string; readonly next?: string }
}

export interface Rotations {
  /** What is left of earlier ones; call it once the deployment runs. Never rejects. */
  resume(): Promise<void>
  list(): Promise<readonly ListedKind[]>
  /**
   * Begins and returns at once.
   * @throws SupervisorError USAGE for too short an overlap, ROTATION_RUNNING
   */
  begin(kinds: readonly RotationKind[], overlapMs: number): RotationView
  /** The one that runs or the last one; undefined when there was none. */
  view(): RotationView | undefined
  /** Stops between two phases; the next start goes on. */
  stop(): Promise<void>
}

export interface RotationsOptions {
  readonly rotationOf: (kind: RotationKind, overlapMs: number) => KeyRotation
  /** For the supervisor's own log and the person who started it. */
  readonly say: (line: string) => void
  /** No overlap is shorter; only tests change it. */
  readonly leastOverlapMs?: number
}

interface Run {
  running: boolean
  readonly kinds: readonly RotationKind[]
  readonly lines: string[]
  readonly done: (RotatedKeys & { readonly kind: RotationKind })[]
  failure?: NonNullable<RotationView['failure']>
}

export function createRotations(options: RotationsOptions): Rotations {
  const { rotationOf, say, leastOverlapMs = defaultLeastMs } = options
  const stop = new AbortController()
  let last: Run | undefined
  let running: Promise<void> = Promise.resolve()

  const start = (
    kinds: readonly RotationKind[],
    work: (kind: RotationKind, tell: (line: string) => void) => Promise<RotatedKeys | undefined>,
    goOn = false,
  ): Run => {
    if (last?.running === true) {
      throw new SupervisorError(
        'ROTATION_RUNNING',
        `the rotation of ${last.kinds.join(', ')} is not finished`,
        { next: 'npx bulkhead keys list' },
      )
    }
    const run: Run = { running: true, kinds, lines: [], done: [] }
    last = run
    const all = async () => {
      for (const kind of kinds) {
        const tell = (line: string) => {
          run.lines.push(`${kind}: ${line}`)
          say(`keys: ${kind}: ${line}`)
        }
        try {
          const keys = await work(kind, tell)
          if (keys !== undefined) run.done.push({ kind, ...keys })
        } catch (error) {
          run.failure = toFailure(error, stop.signal)
          say(`keys: ${kind}: ${run.failure.message}`)
          if (!goOn) break
        }
      }
      run.running = false
    }
    running = all()
    return run
  }

  return {
    async resume() {
      // One that cannot be finished must not keep the others from it.
      start(
        rotationKinds,
        (kind, tell) => rotationOf(kind, defaultOverlapMs).resume(tell, stop.signal),
        true,
      )
      await running
      // Nobody asked for it, so it is not the last one that somebody looks for.
      if (last?.done.length === 0 && last.failure === undefined) last = undefined
    },
    list: () =>
      Promise.all(
        rotationKinds.map(async (kind) => ({
          kind,
          keys: await rotationOf(kind, defaultOverlapMs).list(),
        })),
      ),
    begin(kinds, overlapMs) {
      if (overlapMs < leastOverlapMs) {
        const least = `${Math.ceil(leastOverlapMs / 1_000)} s`
        throw new SupervisorError(
          'USAGE',
          `the shortest overlap is ${least}, the life of a token`,
          {
            next: 'npx bulkhead keys rotate --help',
          },
        )
      }
      return start(kinds, (kind, tell) => rotationOf(kind, overlapMs).rotate(tell, stop.signal))
    },
    view: () => last,
    async stop() {
      stop.abort()
      await running
    },
  }
}

function toFailure(error: unknown, signal: AbortSignal): NonNullable<RotationView['failure']> {
  if (signal.aborted) {
    return { code: 'STOPPING', message: 'stopped in the middle: the next start finishes it' }
  }
  if (error instanceof SupervisorError) {
    const { code, message, next } = error
    return { code, message, ...(next === undefined ? {} : { next }) }
  }
  const message = error instanceof Error ? error.message : String(error)
  return { code: 'ROTATION_FAILED', message, next: 'npx bulkhead keys list' }
}
