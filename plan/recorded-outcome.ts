// What a step has come to, as the effects tell that the notary recorded of it: of a step that ran again
// the newest, of a loop all of its present iterations together. Pure; the notary asks it of its own
// tables, and the command while the platform is down of the same tables in their file.

import type { OnError } from './schema.ts'

export interface RecordedEffect {
  readonly step: string
  readonly iteration: number
  readonly rerun: number
  /** Null: begun, and not settled. */
  readonly outcome: string | null
  readonly code: string | null
  readonly attempts: number
}

/** The present expansion of a loop. */
export interface RecordedLoop {
  readonly count: number
  readonly rerun: number
  /** Of one that ended before it had an iteration. */
  readonly outcome: string | null
  readonly code: string | null
}

export interface RecordedOutcome {
  readonly outcome: string
  readonly code?: string
  readonly attempts: number
  readonly loop?: { readonly total: number; readonly outcomes: Readonly<Record<string, number>> }
}

export function groupByStep<T extends Pick<RecordedEffect, 'step'>>(
  effects: readonly T[],
): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>()
  for (const effect of effects) {
    const group = groups.get(effect.step)
    if (group === undefined) groups.set(effect.step, [effect])
    else group.push(effect)
  }
  return groups
}

/** `effects`: the `do` effects of that step alone. */
export function recordedOutcome(
  effects: readonly RecordedEffect[],
  { loop, onError }: { readonly loop: RecordedLoop | undefined; readonly onError: OnError },
): RecordedOutcome {
  const newest = new Map<number, RecordedEffect>()
  for (const effect of effects) {
    const known = newest.get(effect.iteration)
    if (known === undefined || known.rerun < effect.rerun) newest.set(effect.iteration, effect)
  }
  if (loop !== undefined) return ofLoop([...newest.values()], loop, onError)
  const effect = newest.get(0)
  if (effect === undefined) return { outcome: 'pending', attempts: 0 }
  const { outcome, code, attempts } = effect
  return { outcome: outcome ?? 'running', ...coded(code), attempts }
}

function ofLoop(
  effects: readonly RecordedEffect[],
  { count: total, rerun, outcome, code }: RecordedLoop,
  onError: OnError,
): RecordedOutcome {
  // Of an earlier expansion there may be iterations that this one does not have.
  const present = effects.filter((one) => one.rerun >= rerun && one.iteration < total)
  const outcomes: Record<string, number> = {}
  for (const one of present) {
    const name = one.outcome ?? 'running'
    outcomes[name] = (outcomes[name] ?? 0) + 1
  }
  const attempts = Math.max(0, ...present.map((one) => one.attempts))
  const told = { attempts, loop: { total, outcomes } }
  if (outcome !== null) return { outcome, ...coded(code), ...told }
  const first = (...names: readonly string[]) =>
    present
      .toSorted((one, other) => one.iteration - other.iteration)
      .find((one) => names.includes(one.outcome ?? 'running'))
  const unknown = first('unknown')
  const failed = onError === 'continue' ? undefined : first('failed', 'denied')
  const cause = unknown ?? failed
  if (cause !== undefined) return { outcome: cause.outcome ?? '', ...coded(cause.code), ...told }
  const isOver = present.length === total && present.every((one) => one.outcome !== null)
  return { outcome: isOver ? 'settled' : 'running', ...told }
}

function coded(code: string | null): { readonly code?: string } {
  return code === null ? {} : { code }
}
