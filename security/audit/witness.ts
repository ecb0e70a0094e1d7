// A witness's memory: an append-only file of signed heads, kept by a process other than the notary, in
// a folder of its own. Invariant: a head is added only when it is of a larger tree than every head
// before; a smaller tree, or another root of the same size, is refused, because an honest log only
// grows. Signatures are not checked here: whoever verifies the log checks what it finds.

import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { type Checkpoint, checkpointSchema } from './checkpoint.ts'

/** `GROWN` it was added · `SAME` it is known · the others are refused. */
export type WitnessVerdict = 'GROWN' | 'SAME' | 'SMALLER' | 'OTHER_ROOT'

/** Of a file in the state folder: heads of the last few days; the largest alone binds all rows. */
const tailBytes = 64 * 1024
/** Beyond it the file is set aside, replacing the one set aside before. About 9,000 heads. */
const maxBytes = 4 * 1024 * 1024

/** What an honest log may show to somebody who knows `known`. */
export function judgeHead(known: readonly Checkpoint[], head: Checkpoint): WitnessVerdict {
  const largest = Math.max(0, ...known.map(({ size }) => size))
  if (head.size > largest) return 'GROWN'
  const same = known.filter(({ size }) => size === head.size)
  if (same.some(({ root }) => root !== head.root)) return 'OTHER_ROOT'
  return head.size < largest ? 'SMALLER' : 'SAME'
}

/** The latest heads, oldest first. None when there is no file; lines that are no head are skipped. */
export function readWitness(file: string): readonly Checkpoint[] {
  const place = [file, setAside(file)].find(existsSync)
  if (place === undefined) return []
  const heads: Checkpoint[] = []
  for (const line of readTail(place).split('\n')) {
    const head = parseHead(line)
    if (head !== undefined) heads.push(head)
  }
  return heads
}

/** Adds a head when the log has grown; durable once it returns. */
export function witnessHead(file: string, head: Checkpoint): WitnessVerdict {
  const verdict = judgeHead(readWitness(file), head)
  if (verdict !== 'GROWN') return verdict
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const { size, root, at, jws } = head
  // The line break comes first too: a line that a crash cut short must not take this one with it.
  const line = `\n${JSON.stringify({ size, root, at, jws })}\n`
  const handle = openSync(file, 'a', 0o600)
  let full = false
  try {
    writeSync(handle, line)
    fsyncSync(handle)
    full = fstatSync(handle).size > maxBytes
  } finally {
    closeSync(handle)
  }
  if (full) renameSync(file, setAside(file))
  return verdict
}

function setAside(file: string): string {
  return `${file}.1`
}

function readTail(file: string): string {
  const handle = openSync(file, 'r')
  try {
    const start = Math.max(0, fstatSync(handle).size - tailBytes)
    const bytes = Buffer.alloc(tailBytes)
    const length = readSync(handle, bytes, 0, tailBytes, start)
    return bytes.toString('utf8', 0, length)
  } finally {
    closeSync(handle)
  }
}

function parseHead(line: string): Checkpoint | undefined {
  if (line === '') return undefined
  try {
    const parsed = checkpointSchema.safeParse(JSON.parse(line))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}
