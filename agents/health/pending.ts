// Samples that wait to be written, as columns of numbers: an export has millions, and as many objects that
// live for a while would make the heap several times as large as they are. Pure.

import { daySeconds, keyOf, type Sample, sortSamples } from './samples.ts'

export interface PendingPack {
  /** As it was given. */
  readonly group: number
  /** Days since the epoch, UTC. */
  readonly day: number
  /** Sorted; of one interval the last that was given. */
  readonly samples: readonly Sample[]
}

export interface Pending {
  /** @returns true when it is full and must be taken before the next one */
  add(group: number, sample: Sample): boolean
  /** Empties it, pack by pack. */
  take(): Generator<PendingPack>
}

export function createPending(capacity: number): Pending {
  const groups = new Uint32Array(capacity)
  const [starts, values] = [new Float64Array(capacity), new Float64Array(capacity)]
  const [lengths, offsets] = [new Int32Array(capacity), new Int16Array(capacity)]
  let held = 0
  const at = (column: { readonly [index: number]: number }, index: number) => column[index] ?? 0
  const dayAt = (index: number) => Math.floor(at(starts, index) / daySeconds)
  const sampleAt = (index: number): Sample => {
    const start = at(starts, index)
    return {
      start,
      end: start + at(lengths, index),
      offset: at(offsets, index),
      value: at(values, index),
    }
  }
  return {
    add(group, { start, end, offset, value }) {
      groups[held] = group
      starts[held] = start
      lengths[held] = end - start
      offsets[held] = offset
      values[held] = value
      held += 1
      return held === capacity
    },
    *take() {
      const order = Uint32Array.from({ length: held }, (_, index) => index)
      order.sort((a, b) => at(groups, a) - at(groups, b) || dayAt(a) - dayAt(b) || a - b)
      held = 0
      for (let next = 0; next < order.length; ) {
        const first = order[next] ?? 0
        const [group, day] = [at(groups, first), dayAt(first)]
        const samples = new Map<number, Sample>()
        for (; next < order.length; next += 1) {
          const index = order[next] ?? 0
          if (at(groups, index) !== group || dayAt(index) !== day) break
          const sample = sampleAt(index)
          samples.set(keyOf(sample), sample)
        }
        yield { group, day, samples: sortSamples(samples.values()) }
      }
    },
  }
}
