// A file of symmetric keys of which one is used and the others still read: what was encrypted lives
// longer than its key is the one in use. One line a key; a file of one bare line is a key that was
// never rotated. Pure: text in, keys out. Who writes such a file is the supervisor's rotation.

import { createHash } from 'node:crypto'

export type RingState = 'current' | 'next' | 'retiring'

export interface RingKey {
  /** Public name: of what was encrypted with it, in lists and in the audit. */
  readonly id: string
  /** 32 bytes. */
  readonly key: Buffer
  /** `next`: opens already, closes nothing yet. `retiring`: opens only. */
  readonly state: RingState
  /** Milliseconds since the epoch; 0 where nobody wrote it down. */
  readonly since: number
}

/** Beyond it something is wrong: a key a day for a year. */
const maxKeys = 400

/**
 * Exactly one key is current, at most one next, none is there twice.
 * @throws Error, without quoting: it may have read a key
 */
export function parseKeyRing(text: string): readonly RingKey[] {
  const lines = text.split('\n').filter((line) => line !== '')
  const keys = lines.map((line): RingKey => {
    const parts = /^([A-Za-z0-9_-]{43})(?: (current|next|retiring) (\d{1,15}))?$/.exec(line.trim())
    const [, secret, state, since] = parts ?? []
    if (secret === undefined) throw new Error('not a file of keys')
    const key = Buffer.from(secret, 'base64url')
    return { id: keyIdOf(key), key, state: toState(state), since: Number(since ?? 0) }
  })
  const count = (state: RingState) => keys.filter((key) => key.state === state).length
  const isSound = count('current') === 1 && count('next') <= 1 && keys.length <= maxKeys
  if (!isSound || new Set(keys.map(({ id }) => id)).size !== keys.length) {
    throw new Error('a file of keys that contradicts itself')
  }
  return keys
}

function toState(text: string | undefined): RingState {
  return text === 'next' || text === 'retiring' ? text : 'current'
}

export function renderKeyRing(keys: readonly RingKey[]): string {
  const lines = keys.map(
    ({ key, state, since }) => `${key.toString('base64url')} ${state} ${since}\n`,
  )
  return lines.join('')
}

/** A name that tells nothing of the key. */
export function keyIdOf(key: Uint8Array): string {
  return createHash('sha256').update('bulkhead-key-id').update(key).digest('hex').slice(0, 16)
}

export function toRingKey(key: Uint8Array, state: RingState, since: number): RingKey {
  return { id: keyIdOf(key), key: Buffer.from(key), state, since }
}

export function currentOf(ring: readonly RingKey[]): RingKey {
  const current = ring.find(({ state }) => state === 'current')
  if (current === undefined) throw new Error('a file of keys without a current one')
  return current
}

/** With a key that everybody can open from now on, and that closes nothing yet. */
export function withNext(
  ring: readonly RingKey[],
  key: Uint8Array,
  now: number,
): readonly RingKey[] {
  return [...ring.filter(({ state }) => state !== 'next'), toRingKey(key, 'next', now)]
}

/** The next key closes from now on; the one before it opens what it has closed, and nothing else. */
export function promoted(ring: readonly RingKey[], now: number): readonly RingKey[] {
  const next = ring.find(({ state }) => state === 'next')
  if (next === undefined) return ring
  const others = ring.filter((key) => key !== next)
  return [
    { ...next, state: 'current', since: now },
    ...others.map(
      (key): RingKey => (key.state === 'current' ? { ...key, state: 'retiring', since: now } : key),
    ),
  ]
}
