// One sample as numbers, and many of one day as few bytes: differences, because samples follow each
// other closely. A year of a watch comes to about 3 MB. Invariant: what is packed is unpacked exactly,
// values included. Pure.

import { corrupt } from './failures.ts'

/** Seconds since the epoch. */
export type InstantSeconds = number

export interface Sample {
  readonly start: InstantSeconds
  /** Not before `start`; the same for a reading. */
  readonly end: InstantSeconds
  /** Minutes that the writer's clock was ahead of UTC. */
  readonly offset: number
  readonly value: number
}

export const daySeconds = 86_400
/** A sample that lasts longer is no measurement; readers look back no further than this. */
export const maxSampleSeconds = 2 * daySeconds

/** A source says one value for one interval: the same interval again replaces it. */
export const keyOf = ({ start, end }: Sample): number =>
  start * (maxSampleSeconds + 1) + (end - start)

export function sortSamples(samples: Iterable<Sample>): Sample[] {
  return [...samples].sort((a, b) => a.start - b.start || a.end - b.end)
}

/** Four varints of at most eight bytes. */
const maxBytes = 32
/** Used again for every pack: what each call allocated anew would be most of an import's memory. */
let scratch = Buffer.alloc(64 * 1024)

/** @param samples sorted, all of one day */
export function pack(samples: readonly Sample[]): Buffer {
  if (scratch.length < samples.length * maxBytes) scratch = Buffer.alloc(samples.length * maxBytes)
  const bytes = scratch
  let at = 0
  let [lastStart, lastOffset] = [0, 0]
  for (const { start, end, offset, value } of samples) {
    const thousandths = Math.round(value * 1_000)
    const isFloat = thousandths / 1_000 !== value
    at = writeVarint(bytes, at, start - lastStart)
    at = writeVarint(bytes, at, (end - start) * 2 + (isFloat ? 1 : 0))
    at = writeVarint(bytes, at, zigzag(offset - lastOffset))
    at = isFloat ? bytes.writeDoubleLE(value, at) : writeVarint(bytes, at, thousandths)
    lastStart = start
    lastOffset = offset
  }
  return Buffer.from(bytes.subarray(0, at))
}

/** @throws ActionFailure CORRUPT_DATA */
export function unpack(packed: Uint8Array): Sample[] {
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength)
  const samples: Sample[] = []
  const cursor = { at: 0 }
  let [start, offset] = [0, 0]
  while (cursor.at < bytes.length) {
    start += readVarint(bytes, cursor)
    const length = readVarint(bytes, cursor)
    const turned = readVarint(bytes, cursor)
    offset += turned % 2 === 0 ? turned / 2 : -(turned + 1) / 2
    const isFloat = length % 2 === 1
    if (isFloat && cursor.at + 8 > bytes.length) throw corrupt('a pack of samples is cut off')
    const value = isFloat ? bytes.readDoubleLE(cursor.at) : readVarint(bytes, cursor) / 1_000
    if (isFloat) cursor.at += 8
    samples.push({ start, end: start + Math.floor(length / 2), offset, value })
  }
  return samples
}

const zigzag = (value: number) => (value < 0 ? -value * 2 - 1 : value * 2)

/** LEB128; by division, because numbers here are larger than 32 bits. */
function writeVarint(bytes: Buffer, at: number, value: number): number {
  let [rest, next] = [value, at]
  while (rest >= 128) {
    bytes[next++] = (rest % 128) + 128
    rest = Math.floor(rest / 128)
  }
  bytes[next++] = rest
  return next
}

function readVarint(bytes: Buffer, cursor: { at: number }): number {
  let [value, scale] = [0, 1]
  for (;;) {
    const byte = bytes[cursor.at++]
    if (byte === undefined || scale > 2 ** 49) throw corrupt('a pack of samples is cut off')
    value += (byte % 128) * scale
    if (byte < 128) return value
    scale *= 128
  }
}
