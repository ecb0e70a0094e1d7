// What texts mean, as vectors, in memory only: kept by entry, compared one by one, which at the size of a
// household's memory costs milliseconds. Invariant: a vector that gets in is finite, points somewhere, and has
// length 1, so that no comparison is ever more than 1 or no number at all. Vectors come from a model, by way
// of a plan: nothing about them is taken on trust.

import type { Entry, EntryId } from './entry.ts'
import { invalid } from './failures.ts'
import { maxDimensions } from './manifest.ts'

export interface Vector {
  /** Whose: those of two models say nothing of each other. */
  readonly model: string
  /** Of length 1. */
  readonly values: Float32Array
}

export interface Near {
  /** All that are near enough. */
  readonly count: number
  /** Entries that cannot be compared: no vector, or another model's, or of another length. */
  readonly without: number
  /** The nearest first, of equals the newest. */
  readonly matches: readonly { readonly id: EntryId; readonly similarity: number }[]
}

export interface VectorIndex {
  /** Of all vectors. */
  readonly bytes: number
  add(id: EntryId, vector: Vector): void
  remove(id: EntryId): void
  /** @param among newest first */
  nearest(to: Vector, asked: { readonly among: readonly EntryId[]; readonly limit: number }): Near
}

const floatBytes = 4
/** Below it texts have little to do with each other, by the common models; how near each is, is shown. */
const nearEnough = 0.4

/** @throws ActionFailure INVALID_INPUT for what is no vector */
export function parseVector(model: string, base64: string): Vector {
  const bytes = Buffer.from(base64, 'base64')
  // Buffer skips what is no base64, and would read one vector from many texts.
  if (bytes.toString('base64') !== base64) throw invalid('the vector is not base64')
  const dimensions = bytes.length / floatBytes
  if (!Number.isInteger(dimensions) || dimensions > maxDimensions) {
    throw invalid(`a vector has from 1 to ${maxDimensions} numbers of 32 bits`)
  }
  const raw = Array.from({ length: dimensions }, (_, at) => bytes.readFloatLE(at * floatBytes))
  if (!raw.every(Number.isFinite)) throw invalid('the vector has something that is no number')
  // The square of the largest 32-bit float, 4,096 times, is far from the largest double.
  const length = Math.sqrt(raw.reduce((sum, value) => sum + value * value, 0))
  if (length === 0) throw invalid('the vector points nowhere')
  return { model, values: Float32Array.from(raw, (value) => value / length) }
}

/** Of an entry as it is kept, which was proven when it was taken in. */
export function vectorOf({ embedding }: Entry): Vector | undefined {
  return embedding === undefined ? undefined : parseVector(embedding.model, embedding.vector)
}

export function createVectorIndex(): VectorIndex {
  const vectors = new Map<EntryId, Vector>()
  let bytes = 0
  const remove = (id: EntryId): void => {
    bytes -= vectors.get(id)?.values.byteLength ?? 0
    vectors.delete(id)
  }
  return {
    get bytes() {
      return bytes
    },
    add(id, vector) {
      remove(id)
      vectors.set(id, vector)
      bytes += vector.values.byteLength
    },
    remove,
    nearest(to, { among, limit }) {
      let without = 0
      const near = among.flatMap((id) => {
        const similarity = cosine(to, vectors.get(id))
        if (similarity === undefined) without += 1
        return similarity !== undefined && similarity >= nearEnough ? [{ id, similarity }] : []
      })
      const matches = near.toSorted((one, other) => other.similarity - one.similarity)
      return { count: near.length, without, matches: matches.slice(0, limit) }
    },
  }
}

/** Undefined: the two cannot be compared. */
function cosine(one: Vector, other: Vector | undefined): number | undefined {
  if (other?.model !== one.model || other.values.length !== one.values.length) return undefined
  const sum = one.values.reduce((total, value, at) => total + value * (other.values[at] ?? 0), 0)
  // Of rounding.
  return Math.min(1, Math.max(-1, sum))
}
