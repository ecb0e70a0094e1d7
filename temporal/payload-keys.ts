// The keys with which payloads and artifacts are closed and opened, as the process sees them now. The
// file is looked at when something is closed and when a key is not known: so nothing is closed with a
// key that has been retired, and a key is known as soon as anybody uses it.

import { readFileSync, statSync } from 'node:fs'
import { currentOf, parseKeyRing, type RingKey, toRingKey } from '../security/key-ring.ts'

export interface SealingKeys {
  /** With which everything is closed from now on. */
  current(): RingKey
  /** By id; undefined for a key that is not ours, or not any more. */
  find(id: string): RingKey | undefined
}

/** One key for ever: tests and replays. @throws Error when it is not 32 bytes */
export function oneKey(key: Uint8Array): SealingKeys {
  if (key.length !== 32) throw new Error('the key is not 32 bytes')
  const only = toRingKey(key, 'current', 0)
  return { current: () => only, find: (id) => (id === only.id ? only : undefined) }
}

/** @throws Error when the file is missing or no file of keys; later too, if it becomes that */
export function openKeyFile(path: string): SealingKeys {
  let ring: readonly RingKey[] = []
  let seen = ''
  const look = () => {
    const { ino, mtimeNs, size } = statSync(path, { bigint: true })
    const stamp = `${ino} ${mtimeNs} ${size}`
    if (stamp === seen) return
    ring = read(path)
    seen = stamp
  }
  look()
  const known = (id: string) => ring.find((key) => key.id === id)
  return {
    current() {
      look()
      return currentOf(ring)
    },
    find(id) {
      if (known(id) === undefined) look()
      return known(id)
    },
  }
}

function read(path: string): readonly RingKey[] {
  try {
    return parseKeyRing(readFileSync(path, 'utf8'))
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'unreadable'
    throw new Error(`${path} holds no keys: ${reason}`, { cause })
  }
}
