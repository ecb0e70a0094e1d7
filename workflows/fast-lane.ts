// What of a run is executed inside its workflow task, as local activities, and when what they
// came to is handed on. Invariant: the order and grouping in which results arrive decide nothing. They
// arrive one by one when they happen and all at once when the history is replayed, so all that went
// out together is handed on together, in the order in which it went out (ADR 21). No Temporal import:
// tested with fakes. Does not make a repeated local step harmless; the notary and the ledgers do.

import type { SkeletonStep } from '../plan/schema.ts'
import type { StepInput } from './contract.ts'

/** What the lane asks of the workflow; the same in every replay. */
export interface TaskClock {
  /** Changes with every workflow task, and only then. */
  task(): number
  /** Milliseconds since the epoch, as the history has them. */
  now(): number
}

export interface FastLane {
  /** Whether anything may go out as a local activity, here and now. */
  isOpen(): boolean
  /** Milliseconds in which something more may begin in this task. */
  leftMs(): number
  /** Whether this step may go out as a local activity, here and now. */
  admits(step: SkeletonStep, input: StepInput): boolean
  /** Runs `work` and hands its end on when everything local that is out has ended. */
  local<T>(work: () => Promise<T>): Promise<T>
  /** Counts `work` as out until it ends; returns its very promise. */
  regular<T>(work: () => Promise<T>): Promise<T>
}

/**
 * A workflow task may take ten seconds; after eight the SDK begins another one although local
 * activities are out. What begins in the first part of a task has ended by then, because it may take
 * `localAttemptMs`.
 */
const beginWithinMs = 1_500
export const localAttemptMs = 6_000

interface Wave {
  out: number
  /** One per member, in the order in which they went out. */
  readonly handOn: (() => void)[]
}

export function createFastLane(clock: TaskClock): FastLane {
  let wave: Wave | undefined
  let regularOut = 0
  let task = { id: clock.task(), begunAt: clock.now() }
  const leftMs = () => {
    if (task.id !== clock.task()) task = { id: clock.task(), begunAt: clock.now() }
    return Math.max(0, task.begunAt + beginWithinMs - clock.now())
  }
  // The server hears of a regular step when the task ends: nothing local may put that off.
  const isOpen = () => leftMs() > 0 && regularOut === 0
  return {
    isOpen,
    leftMs,
    admits(step, input) {
      if (step.lane !== 'fast') return false
      // An undo must not be cut short, and whoever asks again or only finds out may have to wait.
      const first = input.kind === 'do' && (input.rerun ?? 0) === 0 && input.drain !== true
      return first && isOpen()
    },
    local(work) {
      wave ??= { out: 0, handOn: [] }
      return join(wave, work, () => {
        wave = undefined
      })
    },
    regular(work) {
      regularOut += 1
      const running = work()
      const end = () => {
        regularOut -= 1
      }
      running.then(end, end)
      return running
    },
  }
}

function join<T>(wave: Wave, work: () => Promise<T>, onOver: () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const place = wave.handOn.length
    wave.handOn.push(() => undefined)
    wave.out += 1
    const end = (handOn: () => void) => {
      wave.handOn[place] = handOn
      wave.out -= 1
      if (wave.out > 0) return
      onOver()
      for (const one of wave.handOn) one()
    }
    work().then(
      (value) => end(() => resolve(value)),
      (error: unknown) => end(() => reject(error)),
    )
  })
}

/**
 * Gathers what is asked for in one turn and runs it together: all that a run launches at once.
 * @param run gives one answer for each, in the order asked
 */
export function createGathering<In, Out>(
  run: (items: readonly In[]) => Promise<readonly Out[]>,
): (item: In) => Promise<Out> {
  let turn: { readonly items: In[]; readonly answers: Promise<readonly Out[]> } | undefined
  return async (item) => {
    if (turn === undefined) {
      const items: In[] = []
      const answers = Promise.resolve().then(() => {
        turn = undefined
        return run(items)
      })
      turn = { items, answers }
    }
    const { items, answers } = turn
    const place = items.push(item) - 1
    const all = await answers
    if (all.length <= place) throw new Error('something asked for was not answered')
    return all[place] as Out
  }
}
